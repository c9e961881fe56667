package nn

import (
	"fmt"
	"math"
	"math/rand/v2"

	"showtell/tensor"
)

// A Linear layer is y = x·Wᵀ + b.
type Linear struct {
	W *Param // (out, in)
	B *Param // (out), or nil
}

// NewLinear returns a layer with W and b drawn from ±1/sqrt(in), as is usual.
func NewLinear(rng *rand.Rand, name string, in, out int) *Linear {
	bound := 1 / math.Sqrt(float64(in))
	b := NewParam(name+".bias", out).Uniform(rng, bound)
	b.Bias = true
	return &Linear{W: NewParam(name+".weight", out, in).Uniform(rng, bound), B: b}
}

// Params lists the weights.
func (l *Linear) Params() []*Param { return []*Param{l.W, l.B} }

// Forward maps (rows, in) to (rows, out).
func (l *Linear) Forward(t *Tape, x *Var) *Var { return Product(t, x, l.W, l.B) }

// Product is x·Wᵀ + b for x (rows, in), W (out, in) and b (out) or nil.
func Product(t *Tape, x *Var, w, b *Param) *Var {
	if len(w.Shape) != 2 || x.Cols() != w.Shape[1] {
		panic(fmt.Sprintf("nn: input of %v into weight %s of %v", x.Shape, w.Name, w.Shape))
	}
	y := t.New(x.Rows(), w.Shape[0]) // (rows, out)
	if w.packed != nil && !t.learns() {
		tensor.MatMulPacked(y.Mat(), x.Mat(), w.packed)
	} else {
		tensor.MatMul(y.Mat(), x.Mat(), w.Mat().T())
	}
	if b != nil {
		operands{y: y.Data, a: b.Data, cols: y.Cols()}.rows(y.Rows(), y.Cols(), addBias)
	}
	if !t.learns() {
		return y
	}
	if !y.learnIf(x.WantsGrad() || w.learns() || b.learns()) {
		return y
	}
	t.record(func() {
		if y.grad == nil {
			return
		}
		dy := y.gradMat()
		if w.learns() {
			tensor.MatMulAdd(w.gradMat(), dy.T(), x.Mat())
		}
		if b.learns() {
			addColumns(b.Grad(), dy)
		}
		if x.WantsGrad() {
			x.addProduct(dy, w.Mat())
		}
	})
	return y
}

func addBias(o *operands, lo, hi int) {
	for i := lo; i < hi; i++ {
		row := o.y[i*o.cols : (i+1)*o.cols]
		tensor.Add(row, row, o.a)
	}
}
