package nn

import (
	"math"

	"showtell/tensor"
)

// GELU is x·Φ(x), Φ being the share of the normal distribution below x
// (Hendrycks and Gimpel 2016).
func GELU(t *Tape, x *Var) *Var { return smooth(t, x, gelu, geluSlope) }

// GELUTanh is GPT-2's form of GELU, x·(1 + tanh(√(2/π)·(x + 0.044715·x³)))/2.
func GELUTanh(t *Tape, x *Var) *Var { return smooth(t, x, geluTanh, geluTanhSlope) }

// QuickGELU is CLIP's form of GELU, x·sigmoid(1.702·x).
func QuickGELU(t *Tape, x *Var) *Var { return smooth(t, x, quickGELU, quickGELUSlope) }

// smooth applies f, whose derivative slope writes; neither may change x.
func smooth(t *Tape, x *Var, f, slope func(dst, x []float32)) *Var {
	y := t.New(x.Shape...)
	each(len(x.Data), func(lo, hi int) { f(y.Data[lo:hi], x.Data[lo:hi]) })
	if !y.learnIf(x.WantsGrad()) {
		return y
	}
	t.record(func() {
		if y.grad == nil {
			return
		}
		dx, d := x.Grad(), t.alloc(len(x.Data))
		each(len(dx), func(lo, hi int) {
			slope(d[lo:hi], x.Data[lo:hi])
			tensor.MulAdd(dx[lo:hi], y.grad[lo:hi], d[lo:hi])
		})
	})
	return y
}

func gelu(dst, x []float32) {
	tensor.Normal(dst, x)
	tensor.Mul(dst, dst, x)
}

// Φ(x) + x·exp(-x²/2)/√(2π)
func geluSlope(dst, x []float32) {
	for i, v := range x {
		dst[i] = -0.5 * v * v
	}
	tensor.Exp(dst, dst)
	tensor.Mul(dst, dst, x)
	tensor.Scale(dst, dst, float32(1/math.Sqrt(2*math.Pi)))
	var share [256]float32
	for len(x) > 0 {
		n := min(len(x), len(share))
		tensor.Normal(share[:n], x[:n])
		tensor.Add(dst[:n], dst[:n], share[:n])
		dst, x = dst[n:], x[n:]
	}
}

// (1 + tanh(u/2))/2 is sigmoid(u).
const tanhScale, tanhCube = 2 * 0.7978845608028654, 0.044715

func geluTanhGate(dst, x []float32) {
	for i, v := range x {
		dst[i] = tanhScale * (v + tanhCube*v*v*v)
	}
	tensor.Sigmoid(dst, dst)
}

func geluTanh(dst, x []float32) {
	geluTanhGate(dst, x)
	tensor.Mul(dst, dst, x)
}

func geluTanhSlope(dst, x []float32) {
	geluTanhGate(dst, x)
	for i, g := range dst[:len(x)] {
		v := x[i]
		dst[i] = g + v*g*(1-g)*tanhScale*(1+3*tanhCube*v*v)
	}
}

const quick = 1.702

func quickGELU(dst, x []float32) {
	tensor.Scale(dst, x, quick)
	tensor.Sigmoid(dst, dst)
	tensor.Mul(dst, dst, x)
}

func quickGELUSlope(dst, x []float32) {
	tensor.Scale(dst, x, quick)
	tensor.Sigmoid(dst, dst)
	for i, g := range dst[:len(x)] {
		dst[i] = g + quick*x[i]*g*(1-g)
	}
}
