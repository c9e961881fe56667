package tensor

import (
	"math"
	"testing"
)

// ulp is the distance between the float32 values around x.
func ulp(x float64) float64 { return math.Ldexp(1, max(math.Ilogb(x)-23, -149)) }

// ulps is how far got lies from want, in the distance of float32 values; 0 where it is want rounded.
func ulps(got float32, want float64) float64 {
	if rounded := float32(want); got == rounded || got != got && rounded != rounded {
		return 0
	}
	return math.Abs(float64(got)-want) / ulp(want) // NaN where one is not a number
}

// Every 257th float32 of all (4099th, when short), and those at edges: zeros, subnormal numbers,
// infinities, what is not a number, and where results end. The worst of all from
// 2^-11 to 32, scanned once: tanh 1.92, sigmoid 1.50.
func TestAccuracy(t *testing.T) {
	for _, c := range []struct {
		name  string
		bound float64 // in ulp
		run   func(k *kernels, dst, x []float32)
		exact func(x float64) float64
	}{
		{"exp", 1, func(k *kernels, dst, x []float32) { k.exp(dst, x) }, math.Exp},
		{"tanh", 2, func(k *kernels, dst, x []float32) { k.tanh(dst, x) }, math.Tanh},
		{"sigmoid", 2, func(k *kernels, dst, x []float32) { k.sigmoid(dst, x) }, func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			worst, where := make([]float64, len(table)), make([]float32, len(table))
			check := func(x []float32) {
				want, got := make([]float64, len(x)), make([]float32, len(x))
				for i, v := range x {
					want[i] = c.exact(float64(v))
				}
				for l, k := range table {
					c.run(k, got, x)
					for i, g := range got {
						if off := ulps(g, want[i]); !(off <= worst[l]) {
							worst[l], where[l] = off, x[i]
						}
					}
				}
			}
			check(everyMagnitude())
			step := uint64(257)
			if testing.Short() {
				step = 4099
			}
			const each = 1 << 14
			x := make([]float32, 0, each)
			for bits := uint64(0); bits < 1<<32; bits += step {
				if x = append(x, math.Float32frombits(uint32(bits))); len(x) == each {
					check(x)
					x = x[:0]
				}
			}
			check(x)
			for l, k := range table {
				t.Logf("%v: %.3f ulp at %v", k.level, worst[l], where[l])
				if !(worst[l] <= c.bound) {
					t.Errorf("%v: %s(%v) is %.3f ulp off, more than %v", k.level, c.name, where[l], worst[l], c.bound)
				}
			}
		})
	}
}
