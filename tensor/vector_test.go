package tensor

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestChooseLevel(t *testing.T) {
	best := machineLevel()
	for _, c := range []struct {
		name string
		best level
		want level
	}{
		{"", best, best},
		{"generic", best, levelGeneric},
		{best.String(), best, best},
		{best.String(), levelGeneric, levelGeneric}, // not to be had
		{"sse", best, best},
	} {
		if got := chooseLevel(c.name, c.best); got != c.want {
			t.Errorf("chooseLevel(%q, %v) = %v, want %v", c.name, c.best, got, c.want)
		}
	}
}

func TestSoftmax(t *testing.T) {
	inf := float32(math.Inf(1))
	for _, c := range []struct {
		name   string
		x      []float32
		logSum float64
		want   []float64
	}{
		{"empty", nil, math.Inf(-1), nil},
		{"one", []float32{3}, 3, []float64{1}},
		{"equal", []float32{2, 2}, 2 + math.Ln2, []float64{0.5, 0.5}},
		{"masked", []float32{1, -inf, 1}, 1 + math.Ln2, []float64{0.5, 0, 0.5}},
		{"all masked", []float32{-inf, -inf}, math.Inf(-1), []float64{0, 0}},
		{"large", []float32{1e4, 1e4 - 1}, 1e4 + math.Log1p(math.Exp(-1)), []float64{0.7310585786, 0.2689414214}}, // 1/(1+e^-1)
	} {
		x := append([]float32(nil), c.x...)
		logs := make([]float32, len(x))
		LogSoftmax(logs, x)
		logSum := Softmax(x)
		if !(math.Abs(logSum-c.logSum) <= 1e-6 || logSum == c.logSum) {
			t.Errorf("%s: log-sum-exp %v, want %v", c.name, logSum, c.logSum)
		}
		for i, want := range c.want {
			if math.Abs(float64(x[i])-want) > 1e-6 {
				t.Errorf("%s: softmax %v, want %v", c.name, x, c.want)
			}
			if log := math.Log(want); !(math.Abs(float64(logs[i])-log) <= 1e-6 || float64(logs[i]) == log) {
				t.Errorf("%s: log softmax %v, want the logarithm of %v", c.name, logs, c.want)
			}
		}
	}
}

func TestAdamW(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	n := 2*chunk + 77
	w, m, v := random(r, n), make([]float32, n), make([]float32, n)
	wantW, wantM, wantV := make([]float64, n), make([]float64, n), make([]float64, n)
	for i := range w {
		wantW[i] = float64(w[i])
	}
	for step := 1; step <= 3; step++ {
		g := random(r, n)
		o := AdamW{Rate: 0.01, Beta1: 0.9, Beta2: 0.99, Eps: 1e-8, Decay: 0.1, Step: step}
		o.Update(w, g, m, v)
		for i := range g {
			x := float64(g[i])
			wantM[i] = 0.9*wantM[i] + 0.1*x
			wantV[i] = 0.99*wantV[i] + 0.01*x*x
			mHat := wantM[i] / (1 - math.Pow(0.9, float64(step)))
			vHat := wantV[i] / (1 - math.Pow(0.99, float64(step)))
			wantW[i] -= 0.01*0.1*wantW[i] + 0.01*mHat/(math.Sqrt(vHat)+1e-8)
			if math.Abs(float64(w[i])-wantW[i]) > 1e-5 {
				t.Fatalf("step %d: weight %d is %v, want %v", step, i, w[i], wantW[i])
			}
		}
	}
}

func TestEMA(t *testing.T) {
	avg := make([]float32, chunk+3)
	w := make([]float32, chunk+3)
	for i := range w {
		avg[i], w[i] = 1, 3
	}
	EMA(avg, w, 0.75)
	for i, got := range avg {
		if got != 1.5 {
			t.Fatalf("average %d is %v, want 1.5", i, got)
		}
	}
}

func TestHalfEveryValue(t *testing.T) {
	h := make([]uint16, 1<<16)
	for i := range h {
		h[i] = uint16(i)
	}
	f := make([]float32, len(h))
	HalfToFloat(f, h)
	back := make([]uint16, len(h))
	FloatToHalf(back, f)
	for i, got := range back {
		want := uint16(i)
		if f[i] != f[i] {
			want |= 0x200 // NaNs come back quiet
		}
		if got != want {
			t.Fatalf("%#04x became %v and then %#04x", i, f[i], got)
		}
	}
	for _, c := range []struct {
		x    float32
		want float32
	}{{1, 1}, {-2.5, -2.5}, {65504, 65504}, {65519, 65504}, {65520, float32(math.Inf(1))}, {1 + 1.0/2048, 1}, {1 + 3.0/2048, 1 + 2.0/1024}, {0x1p-24, 0x1p-24}, {0x1p-25, 0}, {0x1.8p-25, 0x1p-24}} {
		var h [1]uint16
		var got [1]float32
		FloatToHalf(h[:], []float32{c.x})
		HalfToFloat(got[:], h[:])
		if got[0] != c.want {
			t.Errorf("%v as a half is %v, want %v", c.x, got[0], c.want)
		}
	}
}
