package nn

import (
	"fmt"

	"showtell/tensor"
)

// What squeeze-and-excite is made of (Hu et al. 2018, "Squeeze-and-excitation networks"), and the
// activation that goes with it.

// SiLU is x/(1+exp(-x)), also called swish. The gradient of its result is not kept.
func SiLU(t *Tape, x *Var) *Var {
	y := t.New(x.Shape...)
	each(len(x.Data), func(lo, hi int) { tensor.SiLU(y.Data[lo:hi], x.Data[lo:hi]) })
	t.record(func() {
		if y.grad == nil || !x.WantsGrad() {
			return
		}
		if x.grad == nil && x.parent == nil && y.parent == nil { // in place
			x.grad, y.grad = y.grad, nil
			each(len(x.Data), func(lo, hi int) {
				siluSlopes(x.Data[lo:hi], y.Data[lo:hi], func(at int, slopes []float32) {
					d := x.grad[lo+at:][:len(slopes)]
					tensor.Mul(d, d, slopes)
				})
			})
			return
		}
		dx := x.Grad()
		each(len(dx), func(lo, hi int) {
			siluSlopes(x.Data[lo:hi], y.Data[lo:hi], func(at int, slopes []float32) {
				tensor.MulAdd(dx[lo+at:][:len(slopes)], y.grad[lo+at:], slopes)
			})
		})
	})
	return y
}

// siluSlopes calls use with the slopes at x, where y = SiLU(x), some at a time:
//
//	s + x·s·(1-s) = s·(1 + x - y) with s = Sigmoid(x)
func siluSlopes(x, y []float32, use func(at int, slopes []float32)) {
	var s, slopes [512]float32
	for at := 0; at < len(x); at += len(s) {
		n := min(len(s), len(x)-at)
		s, slopes := s[:n], slopes[:n]
		tensor.Sigmoid(s, x[at:])
		copy(slopes, x[at:])
		tensor.AXPY(slopes, -1, y[at:at+n])
		tensor.Shift(slopes, slopes, 1)
		tensor.Mul(slopes, slopes, s)
		use(at, slopes)
	}
}

// ChannelMeans is the mean of each channel of x (n, h, w, c): (n, 1, 1, c).
func ChannelMeans(t *Tape, x *Var) *Var {
	y := poolVar(t, x, 1, 1)
	eachPicture(x, y, func(src, dst tensor.Image, _ int) { tensor.ChannelMeans(dst.Data, src) })
	t.record(func() {
		if y.grad == nil || !x.WantsGrad() {
			return
		}
		dx, c, cells := x.Grad(), x.Cols(), x.Shape[1]*x.Shape[2]
		eachRow(x.Rows(), c, func(i int) {
			tensor.AXPY(dx[i*c:(i+1)*c], 1/float32(cells), y.grad[i/cells*c:][:c])
		})
	})
	return y
}

// ScaleChannels multiplies each channel of x (n, h, w, c) by its factor in scale (n, 1, 1, c).
func ScaleChannels(t *Tape, x, scale *Var) *Var {
	if len(x.Shape) != 4 || len(scale.Data) != x.Shape[0]*x.Cols() {
		panic(fmt.Sprintf("nn: %v times channels %v", x.Shape, scale.Shape))
	}
	y := t.New(x.Shape...)
	if !x.WantsGrad() && !scale.WantsGrad() {
		y.tape = nil
	}
	c := x.Cols()
	eachPicture(x, y, func(src, dst tensor.Image, n int) { tensor.ScaleChannels(dst, src, scale.Data[n*c:(n+1)*c]) })
	t.record(func() {
		if y.grad == nil {
			return
		}
		if scale.WantsGrad() {
			ds, cells := scale.Grad(), x.Shape[1]*x.Shape[2]
			tensor.Parallel(x.Shape[0], func(n int) {
				for i := n * cells; i < (n+1)*cells; i++ {
					tensor.MulAdd(ds[n*c:(n+1)*c], y.grad[i*c:(i+1)*c], x.Row(i))
				}
			})
		}
		if x.WantsGrad() {
			dx, cells := x.Grad(), x.Shape[1]*x.Shape[2]
			eachRow(x.Rows(), c, func(i int) {
				tensor.MulAdd(dx[i*c:(i+1)*c], y.grad[i*c:(i+1)*c], scale.Data[i/cells*c:][:c])
			})
		}
	})
	return y
}
