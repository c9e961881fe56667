package nn

import (
	"fmt"

	"showtell/tensor"
)

// MaxPool is the largest value of each channel of x (n, h, w, c) in a window,
// for an output of (n, oh, ow, c). What lies outside of the picture does not count.
func MaxPool(t *Tape, x *Var, win tensor.Window, oh, ow int) *Var {
	y := poolVar(t, x, oh, ow)
	eachPicture(x, y, func(src, dst tensor.Image, _ int) { win.Max(dst, src) })
	t.record(func() {
		if y.grad == nil || !x.WantsGrad() {
			return
		}
		dx, size, c := x.Grad(), len(x.Data)/x.Shape[0], x.Cols()
		tensor.Parallel(x.Shape[0], func(n int) {
			eachWindow(win, x, oh, ow, func(o int, pixels []int) {
				at := (n*oh*ow + o) * c
				for i, g := range y.grad[at : at+c] {
					for _, p := range pixels {
						if from := n*size + p*c + i; x.Data[from] == y.Data[at+i] {
							dx[from] += g // the first one, where several are largest
							break
						}
					}
				}
			})
		})
	})
	return y
}

// AveragePool is MaxPool with the mean. With zeros, what lies outside of the
// picture counts, as zero.
func AveragePool(t *Tape, x *Var, win tensor.Window, oh, ow int, zeros bool) *Var {
	y := poolVar(t, x, oh, ow)
	eachPicture(x, y, func(src, dst tensor.Image, _ int) {
		if zeros {
			win.AveragePadded(dst, src)
		} else {
			win.Average(dst, src)
		}
	})
	t.record(func() {
		if y.grad == nil || !x.WantsGrad() {
			return
		}
		dx, size, c := x.Grad(), len(x.Data)/x.Shape[0], x.Cols()
		tensor.Parallel(x.Shape[0], func(n int) {
			eachWindow(win, x, oh, ow, func(o int, pixels []int) {
				count := len(pixels)
				if zeros {
					count = win.H * win.W
				}
				at := (n*oh*ow + o) * c
				for _, p := range pixels {
					from := n*size + p*c
					tensor.AXPY(dx[from:from+c], 1/float32(count), y.grad[at:at+c])
				}
			})
		})
	})
	return y
}

func poolVar(t *Tape, x *Var, oh, ow int) *Var {
	if len(x.Shape) != 4 {
		panic(fmt.Sprintf("nn: pooling of %v, which is not (n, h, w, channels)", x.Shape))
	}
	y := t.New(x.Shape[0], oh, ow, x.Cols())
	if !x.WantsGrad() {
		y.tape = nil
	}
	return y
}

// eachPicture calls f with each picture of x and of y.
func eachPicture(x, y *Var, f func(src, dst tensor.Image, n int)) {
	in, out := len(x.Data)/x.Shape[0], len(y.Data)/y.Shape[0]
	for n := range x.Shape[0] {
		f(tensor.Img(x.Data[n*in:(n+1)*in], x.Shape[1], x.Shape[2], x.Shape[3]),
			tensor.Img(y.Data[n*out:(n+1)*out], y.Shape[1], y.Shape[2], y.Shape[3]), n)
	}
}

// eachWindow calls f with the number of each output pixel, and of the pixels of
// a picture of x that it sees.
func eachWindow(win tensor.Window, x *Var, oh, ow int, f func(o int, pixels []int)) {
	h, w := x.Shape[1], x.Shape[2]
	var pixels []int
	for o := range oh * ow {
		pixels = pixels[:0]
		for ky := range win.H {
			for kx := range win.W {
				iy, ix := o/ow*win.Stride-win.Top+ky, o%ow*win.Stride-win.Left+kx
				if iy >= 0 && iy < h && ix >= 0 && ix < w {
					pixels = append(pixels, iy*w+ix)
				}
			}
		}
		f(o, pixels)
	}
}
