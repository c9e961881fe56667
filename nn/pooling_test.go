package nn

import (
	"math/rand/v2"
	"testing"

	"showtell/tensor"
)

func TestPoolGradient(t *testing.T) {
	x := NewParam("x", 2, 5, 4, 3)
	for i, v := range rand.New(rand.NewPCG(1, 2)).Perm(len(x.Data)) {
		x.Data[i] = 0.1 * float32(v-60) // far enough apart that differences don't change the largest
	}
	win := tensor.Window{H: 3, W: 2, Stride: 2, Top: 1, Left: 0}
	for name, pool := range map[string]func(t *Tape) *Var{
		"max":                func(t *Tape) *Var { return MaxPool(t, &x.Var, win, 3, 2) },
		"average":            func(t *Tape) *Var { return AveragePool(t, &x.Var, win, 3, 2, false) },
		"average with zeros": func(t *Tape) *Var { return AveragePool(t, &x.Var, win, 3, 2, true) },
	} {
		t.Run(name, func(t *testing.T) { checkGrad(t, []*Param{x}, pool) })
	}
}

func TestRectangularConvGradient(t *testing.T) {
	x, flat, tall := random("x", 2, 5, 4, 3), random("flat", 2, 3, 1, 3), random("tall", 2, 3, 3, 1)
	checkGrad(t, []*Param{x, flat}, func(t *Tape) *Var {
		return Conv(t, &x.Var, flat, Window{Kernel: 3, Rows: 1, Stride: 1, Left: 1, H: 5, W: 4})
	})
	checkGrad(t, []*Param{x, tall}, func(t *Tape) *Var {
		return Conv(t, &x.Var, tall, Window{Kernel: 1, Rows: 3, Stride: 2, Top: 1, H: 3, W: 2})
	})
}
