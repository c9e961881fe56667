package nn

import "showtell/tensor"

// ReLU is max(0, x).
func ReLU(t *Tape, x *Var) *Var {
	return pointwise(t, x, tensor.ReLU, func(dx, dy, y []float32) {
		for i, v := range y {
			if v > 0 {
				dx[i] += dy[i]
			}
		}
	})
}

// ReLU6 is min(6, max(0, x)).
func ReLU6(t *Tape, x *Var) *Var {
	return pointwise(t, x, tensor.ReLU6, func(dx, dy, y []float32) {
		for i, v := range y {
			if v > 0 && v < 6 {
				dx[i] += dy[i]
			}
		}
	})
}

// Tanh is the hyperbolic tangent.
func Tanh(t *Tape, x *Var) *Var {
	return pointwise(t, x, tensor.Tanh, func(dx, dy, y []float32) {
		for i, v := range y {
			dx[i] += dy[i] * (1 - v*v)
		}
	})
}

// Sigmoid is 1/(1+exp(-x)).
func Sigmoid(t *Tape, x *Var) *Var {
	return pointwise(t, x, tensor.Sigmoid, func(dx, dy, y []float32) {
		for i, v := range y {
			dx[i] += dy[i] * v * (1 - v)
		}
	})
}

// pointwise applies f, whose gradient grad adds to dx from dy and y = f(x).
func pointwise(t *Tape, x *Var, f func(dst, x []float32), grad func(dx, dy, y []float32)) *Var {
	y := t.New(x.Shape...)
	operands{y: y.Data, a: x.Data, f: f}.values(func(o *operands, lo, hi int) { o.f(o.y[lo:hi], o.a[lo:hi]) })
	if !t.learns() {
		return y
	}
	t.record(func() {
		if y.grad == nil || !x.WantsGrad() {
			return
		}
		dx := x.Grad()
		each(len(dx), func(lo, hi int) { grad(dx[lo:hi], y.grad[lo:hi], y.Data[lo:hi]) })
	})
	return y
}

// Affine scales and shifts each column by constants, which do not learn.
func Affine(t *Tape, x *Var, scale, shift []float32) *Var {
	cols := x.Cols()
	y := t.New(x.Shape...)
	eachRow(x.Rows(), cols, func(i int) {
		copy(y.Row(i), shift)
		tensor.MulAdd(y.Row(i), x.Row(i), scale)
	})
	t.record(func() {
		if y.grad == nil || !x.WantsGrad() {
			return
		}
		dx := x.Grad()
		eachRow(x.Rows(), cols, func(i int) {
			tensor.MulAdd(dx[i*cols:(i+1)*cols], y.grad[i*cols:(i+1)*cols], scale)
		})
	})
	return y
}
