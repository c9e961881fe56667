package tensor

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
)

// eachRow tests every row of the table that this machine can run.
func eachRow(t *testing.T, f func(t *testing.T, k *kernels)) {
	for _, k := range table {
		t.Run(k.level.String(), func(t *testing.T) { f(t, k) })
	}
}

func TestRowsAreComplete(t *testing.T) {
	eachRow(t, func(t *testing.T, k *kernels) {
		row := reflect.ValueOf(*k)
		for i := range row.NumField() {
			if name := row.Type().Field(i).Name; name != "level" && row.Field(i).IsZero() {
				t.Errorf("no %s", name)
			}
		}
		k.fma(3)
	})
}

// A call runs one vector kernel on three inputs of equal length, the first of which it may change.
type call struct {
	name string
	run  func(k *kernels, x, y, z []float32) float64
}

func vectorCalls() []call {
	binary := func(pick func(k *kernels) func(dst, a, b []float32)) func(k *kernels, x, y, z []float32) float64 {
		return func(k *kernels, x, y, z []float32) float64 { pick(k)(x, y, z); return 0 }
	}
	scalar := func(pick func(k *kernels) func(dst, x []float32, s float32)) func(k *kernels, x, y, z []float32) float64 {
		return func(k *kernels, x, y, z []float32) float64 { pick(k)(x, y, 0.7); return 0 }
	}
	unary := func(pick func(k *kernels) func(dst, x []float32)) func(k *kernels, x, y, z []float32) float64 {
		return func(k *kernels, x, y, z []float32) float64 { pick(k)(x, y); return 0 }
	}
	return []call{
		{"add", binary(func(k *kernels) func(dst, a, b []float32) { return k.add })},
		{"mul", binary(func(k *kernels) func(dst, a, b []float32) { return k.mul })},
		{"mulAdd", binary(func(k *kernels) func(dst, a, b []float32) { return k.mulAdd })},
		{"scale", scalar(func(k *kernels) func(dst, x []float32, s float32) { return k.scale })},
		{"shift", scalar(func(k *kernels) func(dst, x []float32, s float32) { return k.shift })},
		{"axpy", scalar(func(k *kernels) func(dst, x []float32, s float32) { return k.axpy })},
		{"exp", unary(func(k *kernels) func(dst, x []float32) { return k.exp })},
		{"tanh", unary(func(k *kernels) func(dst, x []float32) { return k.tanh })},
		{"sigmoid", unary(func(k *kernels) func(dst, x []float32) { return k.sigmoid })},
		{"silu", unary(func(k *kernels) func(dst, x []float32) { return k.silu })},
		{"normal", unary(func(k *kernels) func(dst, x []float32) { return k.normal })},
		{"relu", unary(func(k *kernels) func(dst, x []float32) { return k.relu })},
		{"relu6", unary(func(k *kernels) func(dst, x []float32) { return k.relu6 })},
		{"dot", func(k *kernels, x, y, z []float32) float64 { return float64(k.dot(x, y)) }},
		{"sum", func(k *kernels, x, y, z []float32) float64 { return k.sum(x) }},
		{"sumSquares", func(k *kernels, x, y, z []float32) float64 { return k.sumSquares(x) }},
		{"max", func(k *kernels, x, y, z []float32) float64 { return float64(k.max(x)) }},
		{"expSum", func(k *kernels, x, y, z []float32) float64 { return k.expSum(x, y, 1.5) }},
		{"sumExp", func(k *kernels, x, y, z []float32) float64 { return k.sumExp(x, 1.5) }},
		{"ema", func(k *kernels, x, y, z []float32) float64 { k.ema(x, y, 0.9, 0.1); return 0 }},
		{"adamw", func(k *kernels, x, y, z []float32) float64 {
			v := make([]float32, len(z))
			for i := range v {
				v[i] = z[i] * z[i]
			}
			k.adamw(x, y, z, v, &adamwStep{0.9, 0.1, 0.99, 0.01, 0.003, 1.4, 1e-6, 0.998})
			return k.sum(v) + k.sum(z)
		}},
	}
}

func TestAbove(t *testing.T) {
	eachRow(t, func(t *testing.T, k *kernels) {
		inf, nan := float32(math.Inf(1)), float32(math.NaN())
		for n := range 150 {
			_, x := guarded(make([]float32, n), n%17)
			for i := range x {
				x[i] = -inf
			}
			for _, floor := range []float32{-inf, -2, 0, inf} {
				if got := k.above(x, floor); got != n {
					t.Fatalf("above(%d values of -Inf, %v) = %d, want %d", n, floor, got, n)
				}
			}
			for i := range x { // backwards, so that it is the first of several
				for _, c := range []struct {
					v     float32
					above bool
				}{{-1, true}, {-2, false}, {nan, true}, {-inf, false}, {inf, true}} {
					x[n-1-i] = c.v
					want := n
					if c.above {
						want = n - 1 - i
					} else if i > 0 {
						want = n - i
					}
					if got := k.above(x, -2); got != want {
						t.Fatalf("above(%d values, -2) = %d with %v at %d, want %d", n, got, c.v, n-1-i, want)
					}
				}
			}
		}
	})
}

const guard = float32(1234.5)

// guarded copies x between values that must stay as they are, off by some values from alignment.
func guarded(x []float32, off int) (whole, inner []float32) {
	whole = make([]float32, len(x)+40)
	for i := range whole {
		whole[i] = guard
	}
	inner = whole[off : off+len(x) : off+len(x)]
	copy(inner, x)
	return whole, inner
}

func near(got, want float64) bool {
	return got == want || got != got && want != want || math.Abs(got-want) <= 2e-5*math.Abs(want)+1e-5
}

// checkVector compares a kernel with plain Go, with inputs apart and with one alias.
func checkVector(t *testing.T, k *kernels, c call, x, y, z []float32, off int) {
	t.Helper()
	for _, alias := range []bool{false, true} {
		wantX := slices.Clone(x)
		whole, gotX := guarded(x, off)
		wantY, wantZ, gotY, gotZ := slices.Clone(y), slices.Clone(z), slices.Clone(y), slices.Clone(z)
		if alias && c.name != "adamw" { // whose vectors are four different ones
			wantY, gotY = wantX, gotX
		}
		want := c.run(&genericKernels, wantX, wantY, wantZ)
		got := c.run(k, gotX, gotY, gotZ)
		if !near(got, want) {
			t.Fatalf("%s of %d values (alias %v): result %v, want %v", c.name, len(x), alias, got, want)
		}
		for i := range gotX {
			if !near(float64(gotX[i]), float64(wantX[i])) {
				t.Fatalf("%s of %d values (alias %v): value %d is %v, want %v", c.name, len(x), alias, i, gotX[i], wantX[i])
			}
		}
		for i, v := range whole {
			if (i < off || i >= off+len(x)) && v != guard {
				t.Fatalf("%s of %d values wrote outside of its result", c.name, len(x))
			}
		}
	}
}

func TestVectorKernels(t *testing.T) {
	eachRow(t, func(t *testing.T, k *kernels) {
		r := rand.New(rand.NewPCG(9, 10))
		for _, c := range vectorCalls() {
			t.Run(c.name, func(t *testing.T) {
				for n := range 150 {
					checkVector(t, k, c, random(r, n), random(r, n), random(r, n), n%17)
				}
			})
		}
	})
}

func FuzzVectorKernels(f *testing.F) {
	f.Add([]byte{0, 0, 0x80, 0x7f, 0, 0, 0x80, 0xff, 0, 0, 0xc0, 0x7f, 1, 0, 0, 0}, uint8(3), uint8(0))
	f.Fuzz(func(t *testing.T, bytes []byte, off, which uint8) {
		x := make([]float32, len(bytes)/4)
		for i := range x {
			b := bytes[4*i:]
			x[i] = math.Float32frombits(uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24)
		}
		calls := vectorCalls()
		c := calls[int(which)%len(calls)]
		if !slices.Contains([]string{"add", "mul", "scale", "shift", "exp", "tanh", "sigmoid", "silu", "normal", "relu", "relu6", "max"}, c.name) {
			return // large values cancel or overflow in another order
		}
		for _, k := range table {
			checkVector(t, k, c, x, x, x, int(off%17))
		}
	})
}

// everyMagnitude is a sample of all float32 values, the special ones included.
func everyMagnitude() []float32 {
	r := rand.New(rand.NewPCG(11, 12))
	var x []float32
	for exponent := range uint32(256) {
		for range 1500 {
			x = append(x, math.Float32frombits(exponent<<23|r.Uint32()&0x807fffff))
		}
		x = append(x, math.Float32frombits(exponent<<23), math.Float32frombits(exponent<<23|0x80000000))
	}
	for range 200000 { // where the functions are not flat
		x = append(x, (r.Float32()*2-1)*110, (r.Float32()*2-1)*2)
	}
	return append(x, 88.72283, 88.72284, -87.33654, -87.33655, -103.27892, -103.9, -104.1)
}

// Far below zero the exponent of the bell curve is large, and its rounding tells.
func TestNormalAccuracy(t *testing.T) {
	eachRow(t, func(t *testing.T, k *kernels) {
		x := everyMagnitude()
		got := make([]float32, len(x))
		k.normal(got, x)
		worst := 0.0
		for i, g := range got {
			a := float64(x[i])
			want := math.Erfc(-a/math.Sqrt2) / 2
			if rounded := float32(want); g == rounded || g != g && rounded != rounded {
				continue
			}
			diff := math.Abs(float64(g) - want)
			if !(diff <= want*(6e-7+1e-7*min(a, 0)*a)+0x1p-140) {
				t.Fatalf("normal(%v) = %v, want %v", a, g, want)
			}
			if a > -5 {
				worst = max(worst, diff/want)
			}
		}
		t.Log("largest relative error from -5 on", worst)
	})
}

func TestHalfKernels(t *testing.T) {
	eachRow(t, func(t *testing.T, k *kernels) {
		x := everyMagnitude()
		got, want := make([]uint16, len(x)), make([]uint16, len(x))
		k.floatToHalf(got, x)
		floatToHalfGeneric(want, x)
		for i := range x {
			if got[i] != want[i] {
				t.Fatalf("%v as a half is %#04x, want %#04x", x[i], got[i], want[i])
			}
		}
		for n := range 40 {
			whole := make([]float32, n+1)
			whole[n] = guard
			k.halfToFloat(whole[:n], got[:n])
			for i := range n {
				if w := widen(got[i]); whole[i] != w && w == w {
					t.Fatalf("%#04x is %v, want %v", got[i], whole[i], w)
				}
			}
			if whole[n] != guard {
				t.Fatalf("wrote beyond %d values", n)
			}
		}
	})
}

func BenchmarkVector(b *testing.B) {
	r := rand.New(rand.NewPCG(5, 6))
	for _, c := range vectorCalls() {
		for _, k := range table {
			b.Run(fmt.Sprintf("%s/%v", c.name, k.level), func(b *testing.B) {
				x, y, z := random(r, 4096), random(r, 4096), random(r, 4096)
				for b.Loop() {
					c.run(k, x, y, z)
				}
				b.ReportMetric(b.Elapsed().Seconds()*1e9/float64(b.N)/4096, "ns/value")
			})
		}
	}
}
