package nn

import (
	"math"

	"showtell/tensor"
)

// A LayerNorm brings each row to mean 0 and variance 1, then scales and
// shifts it (Ba et al. 2016).
type LayerNorm struct {
	Gain, Shift *Param  // (width)
	Epsilon     float64 // added to the variance
}

// NewLayerNorm returns a layer with gain 1, shift 0 and epsilon 1e-5.
func NewLayerNorm(name string, width int) *LayerNorm {
	l := &LayerNorm{Gain: NewParam(name+".weight", width).Fill(1), Shift: NewParam(name+".bias", width), Epsilon: 1e-5}
	l.Gain.Bias, l.Shift.Bias = true, true
	return l
}

// Params lists the weights.
func (l *LayerNorm) Params() []*Param { return []*Param{l.Gain, l.Shift} }

// Forward keeps the shape (rows, width).
func (l *LayerNorm) Forward(t *Tape, x *Var) *Var {
	rows, cols := x.Rows(), x.Cols()
	y := t.New(x.Shape...)
	hat := t.alloc(len(x.Data)) // normalised, before gain and shift
	inv := t.alloc(rows)        // 1 / standard deviation
	operands{y: y.Data, a: x.Data, b: hat, c: inv, d: l.Gain.Data, e: l.Shift.Data, cols: cols, epsilon: l.Epsilon}.rows(rows, cols, normRows)
	if !y.learnIf(x.WantsGrad() || l.Gain.learns() || l.Shift.learns()) {
		t.giveBack(hat)
		return y
	}
	t.record(func() {
		if y.grad == nil {
			return
		}
		if l.Gain.learns() || l.Shift.learns() {
			l.paramGrad(y.grad, hat, rows)
		}
		if x.WantsGrad() {
			dx := x.Grad()
			scratch := t.alloc(len(x.Data))
			eachRow(rows, cols, func(i int) {
				lo, hi := i*cols, (i+1)*cols
				normGrad(dx[lo:hi], y.grad[lo:hi], hat[lo:hi], l.Gain.Data, inv[i], scratch[lo:hi])
			})
		}
	})
	return y
}

// normRows brings rows of a to y, by way of b, and leaves 1/deviation in c; d is the gain, e the shift.
func normRows(o *operands, lo, hi int) {
	for i := lo; i < hi; i++ {
		from, to := i*o.cols, (i+1)*o.cols
		hat, out := o.b[from:to], o.y[from:to]
		o.c[i] = normalise(hat, o.a[from:to], o.epsilon)
		copy(out, o.e)
		tensor.MulAdd(out, hat, o.d)
	}
}

// normalise writes (x-mean)/deviation to h and returns 1/deviation.
func normalise(h, x []float32, epsilon float64) float32 {
	n := float32(len(x))
	mean := tensor.Sum(x) / n
	tensor.Shift(h, x, -mean)
	inv := float32(1 / math.Sqrt(tensor.SumSquares(h)/float64(n)+epsilon))
	tensor.Scale(h, h, inv)
	return inv
}

// normGrad adds inv·(g - mean(g) - hat·mean(g·hat)) to dx, for g = dy·gain.
func normGrad(dx, dy, hat, gain []float32, inv float32, g []float32) {
	tensor.Mul(g, dy, gain)
	n := float32(len(dy))
	mean, proj := tensor.Sum(g)/n, tensor.Dot(g, hat)/n
	for i, v := range g {
		dx[i] += inv * (v - mean - hat[i]*proj)
	}
}

// paramGrad adds the gradients of gain and shift, by columns so that the
// order of summation is fixed.
func (l *LayerNorm) paramGrad(dy, hat []float32, rows int) {
	cols := len(l.Gain.Data)
	dg, ds := l.Gain.Grad(), l.Shift.Grad()
	const width = 64
	tensor.Parallel((cols+width-1)/width, func(k int) {
		lo, hi := k*width, min(cols, (k+1)*width)
		for i := range rows {
			a, b := i*cols+lo, i*cols+hi
			tensor.MulAdd(dg[lo:hi], dy[a:b], hat[a:b])
			tensor.Add(ds[lo:hi], ds[lo:hi], dy[a:b])
		}
	})
}
