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
