package nn

import (
	"math/rand/v2"

	"showtell/tensor"
)

// Dropout sets a share p of the values to zero and scales the others by
// 1/(1-p), while training; without gradients, or a source of chance, it is x itself.
func Dropout(t *Tape, x *Var, p float64) *Var {
	if !t.learns() || t.Rand == nil || p <= 0 {
		return x
	}
	seed := t.Rand.Uint64()
	mask := t.alloc(len(x.Data))
	y := t.New(x.Shape...)
	each(len(mask), func(lo, hi int) {
		fillMask(mask[lo:hi], p, seed^uint64(lo))
		tensor.Mul(y.Data[lo:hi], x.Data[lo:hi], mask[lo:hi])
	})
	t.record(func() {
		if y.grad == nil || !x.WantsGrad() {
			return
		}
		dx := x.Grad()
		each(len(dx), func(lo, hi int) { tensor.MulAdd(dx[lo:hi], y.grad[lo:hi], mask[lo:hi]) })
	})
	return y
}

// fillMask draws four 16-bit numbers from each random word.
func fillMask(mask []float32, p float64, seed uint64) {
	rng := rand.NewPCG(seed, 0x9e3779b97f4a7c15)
	threshold := uint64(p * (1 << 16))
	keep := [2]float32{0, float32(1 / (1 - p))}
	pick := func(r uint64) float32 { // branch-free: 1 where r >= threshold
		return keep[((r&0xffff)-threshold)>>63^1]
	}
	n := len(mask) &^ 3
	for i := 0; i < n; i += 4 {
		r := rng.Uint64()
		m := (*[4]float32)(mask[i:])
		m[0], m[1], m[2], m[3] = pick(r), pick(r>>16), pick(r>>32), pick(r>>48)
	}
	for i := n; i < len(mask); i++ {
		mask[i] = pick(rng.Uint64())
	}
}
