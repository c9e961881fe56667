package tensor

import (
	"math"
	"sync"
)

// AdamW is Adam with decoupled weight decay (Loshchilov and Hutter 2019, algorithm 2).
type AdamW struct {
	Rate         float32
	Beta1, Beta2 float32
	Eps          float32
	Decay        float32
	Step         int // counts from 1
}

// adamwStep holds what the kernels need: one step's constants.
type adamwStep struct {
	beta1, rest1 float32 // beta1, 1-beta1
	beta2, rest2 float32
	rate         float32 // Rate over the bias correction of m
	root         float32 // 1 over the square root of the bias correction of v
	eps          float32
	keep         float32 // 1 - Rate*Decay
}

// Update makes one step on the weights w with gradients g; m and v are the running means of g and
// of g², zero before the first step:
//
//	m = β₁m + (1-β₁)g      v = β₂v + (1-β₂)g²
//	w = w - Rate·Decay·w - Rate · m/(1-β₁ᵗ) / (√(v/(1-β₂ᵗ)) + Eps)
func (o AdamW) Update(w, g, m, v []float32) {
	need("AdamW", len(w), len(g))
	need("AdamW", len(w), len(m))
	need("AdamW", len(w), len(v))
	if o.Step < 1 {
		panic("tensor: steps of AdamW count from 1")
	}
	correct1 := 1 - math.Pow(float64(o.Beta1), float64(o.Step))
	correct2 := 1 - math.Pow(float64(o.Beta2), float64(o.Step))
	u := updates.Get().(*update)
	*u = update{w: w, g: g, m: m, v: v, step: adamwStep{
		beta1: o.Beta1, rest1: 1 - o.Beta1,
		beta2: o.Beta2, rest2: 1 - o.Beta2,
		rate: float32(float64(o.Rate) / correct1),
		root: float32(1 / math.Sqrt(correct2)),
		eps:  o.Eps,
		keep: 1 - o.Rate*o.Decay,
	}}
	ParallelTiles(chunks(len(w)), u)
	*u = update{}
	updates.Put(u)
}

type update struct {
	w, g, m, v []float32
	step       adamwStep
}

var updates = sync.Pool{New: func() any { return new(update) }}

func (u *update) Tile(i int) {
	lo, hi := i*chunk, min((i+1)*chunk, len(u.w))
	kern.adamw(u.w[lo:hi], u.g[lo:hi], u.m[lo:hi], u.v[lo:hi], &u.step)
}

// EMA moves an exponential average on: avg = decay*avg + (1-decay)*w.
func EMA(avg, w []float32, decay float32) {
	need("EMA", len(avg), len(w))
	Parallel(chunks(len(avg)), func(i int) {
		lo, hi := i*chunk, min((i+1)*chunk, len(avg))
		kern.ema(avg[lo:hi], w[lo:hi], decay, 1-decay)
	})
}

func chunks(n int) int { return (n + chunk - 1) / chunk }
