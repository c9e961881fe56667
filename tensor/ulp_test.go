package tensor

import (
	"math"
	"testing"
)

// ulp is the distance of neighbouring float32 values about x.
func ulp(x float64) float64 {
	_, exponent := math.Frexp(x) // |x| in [2^(exponent-1), 2^exponent)
	return math.Ldexp(1, max(exponent-24, -149))
}

// TestUnitsInTheLastPlace bounds the errors of the transcendental functions over all float32 values,
// of which it takes every 4093rd, and densely where they are not flat.
func TestUnitsInTheLastPlace(t *testing.T) {
	var x []float32
	for bits := uint64(0); bits < 1<<32; bits += 4093 {
		if v := math.Float32frombits(uint32(bits)); v == v {
			x = append(x, v)
		}
	}
	for v := float32(-12); v < 12; v += 1.0 / 8192 {
		x = append(x, v)
	}
	got := make([]float32, len(x))
	for _, c := range []struct {
		name  string
		bound float64
		run   func(k *kernels) func(dst, x []float32)
		exact func(x float64) float64
	}{
		{"exp", 1, func(k *kernels) func(dst, x []float32) { return k.exp }, math.Exp},
		{"tanh", 3, func(k *kernels) func(dst, x []float32) { return k.tanh }, math.Tanh},
		{"sigmoid", 3, func(k *kernels) func(dst, x []float32) { return k.sigmoid }, func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			want := make([]float64, len(x))
			for i, v := range x {
				want[i] = c.exact(float64(v))
			}
			eachRow(t, func(t *testing.T, k *kernels) {
				c.run(k)(got, x)
				worst, at := 0.0, float32(0)
				for i, g := range got {
					if g == float32(want[i]) {
						continue // infinities too
					}
					if e := math.Abs(float64(g)-want[i]) / ulp(want[i]); !(e <= worst) {
						worst, at = e, x[i]
					}
				}
				t.Logf("largest error %.2f units in the last place, at %v", worst, at)
				if !(worst <= c.bound) {
					t.Errorf("%s(%v) is off by %.2f units in the last place, more than %v", c.name, at, worst, c.bound)
				}
			})
		})
	}
}
