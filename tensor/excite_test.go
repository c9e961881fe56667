package tensor

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestSiLUAccuracy(t *testing.T) {
	eachRow(t, func(t *testing.T, k *kernels) {
		x := everyMagnitude()
		got := make([]float32, len(x))
		k.silu(got, x)
		for i, v := range x {
			exact := float64(v) / (1 + math.Exp(-float64(v)))
			off := math.Abs(float64(got[i]) - exact)
			switch {
			case float64(v) != float64(v) || math.IsInf(float64(v), -1): // 0 times infinity
				if got[i] == got[i] {
					t.Fatalf("silu(%v) = %v, want NaN", v, got[i])
				}
			case math.IsInf(float64(v), 1) && got[i] == v:
			case !(off <= 4e-7*max(math.Abs(exact), 1e-3)):
				t.Fatalf("silu(%v) = %v, want %v", v, got[i], exact)
			}
		}
	})
}

func TestChannelMeans(t *testing.T) {
	for _, c := range []struct{ h, w, channels int }{{1, 1, 1}, {7, 7, 1152}, {112, 112, 32}, {3, 500, 40}, {9, 2, 17}} {
		src := noise(rand.New(rand.NewPCG(1, 2)), c.h, c.w, c.channels)
		want, got := make([]float64, c.channels), make([]float32, c.channels)
		for y := range c.h {
			for i, v := range src.Row(y, 0, c.w) {
				want[i%c.channels] += float64(v) / float64(c.h*c.w)
			}
		}
		ChannelMeans(got, src)
		for i, v := range got {
			if math.Abs(float64(v)-want[i]) > 1e-6 {
				t.Fatalf("%+v: mean of channel %d is %v, want %v", c, i, v, want[i])
			}
		}
		withWorkers(t, 3)
		again := make([]float32, c.channels)
		ChannelMeans(again, src)
		if !slices.Equal(got, again) {
			t.Errorf("%+v: other means with 3 workers", c)
		}
	}
}

// The convolution of scaled channels is the same, whichever way it is done.
func TestRunScaled(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, c := range []struct{ h, w, in, out int }{{7, 7, 40, 112}, {14, 9, 33, 17}, {56, 56, 144, 24}, {1, 1, 3, 1}} {
		conv := NewConv(ConvShape{1, 1, c.in, c.out, 1, Identity}, randoms(rng, c.in*c.out), randoms(rng, c.out))
		src, residual, scale := noise(rng, c.h, c.w, c.in), noise(rng, c.h, c.w, c.out), randoms(rng, c.in)
		scaled := Img(make([]float32, c.h*c.w*c.in), c.h, c.w, c.in)
		ScaleChannels(scaled, src, scale)
		if got, want := scaled.Row(c.h-1, c.w-1, 1)[c.in-1], src.Row(c.h-1, c.w-1, 1)[c.in-1]*scale[c.in-1]; got != want {
			t.Errorf("%+v: last value is %v, want %v", c, got, want)
		}
		want, got := noise(rng, c.h, c.w, c.out), noise(rng, c.h, c.w, c.out)
		conv.Run(want, scaled, residual)
		before := outside(got)
		conv.RunScaled(got, src, residual, scale)
		if !slices.Equal(before, outside(got)) {
			t.Fatalf("%+v: wrote outside of the image", c)
		}
		for y := range c.h {
			for i, v := range got.Row(y, 0, c.w) {
				if u := want.Row(y, 0, c.w)[i]; math.Abs(float64(u-v)) > 1e-4 {
					t.Fatalf("%+v: row %d, value %d = %v, want %v", c, y, i, v, u)
				}
			}
		}
	}
}

func TestExcitePanics(t *testing.T) {
	point := NewConv(ConvShape{1, 1, 4, 8, 1, Identity}, make([]float32, 32), nil)
	wide := NewConv(ConvShape{3, 3, 4, 8, 1, Identity}, make([]float32, 288), nil)
	image := func(h, w, c int) Image { return Img(make([]float32, h*w*c), h, w, c) }
	for name, f := range map[string]func(){
		"means of nothing":      func() { ChannelMeans(make([]float32, 4), image(0, 3, 4)) },
		"too few means":         func() { ChannelMeans(make([]float32, 3), image(2, 3, 4)) },
		"factors":               func() { ScaleChannels(image(2, 2, 4), image(2, 2, 4), make([]float32, 3)) },
		"sizes":                 func() { ScaleChannels(image(2, 3, 4), image(2, 2, 4), make([]float32, 4)) },
		"convolution's factors": func() { point.RunScaled(image(2, 2, 8), image(2, 2, 4), Image{}, make([]float32, 3)) },
		"kernel":                func() { wide.RunScaled(image(2, 2, 8), image(4, 4, 4), Image{}, make([]float32, 4)) },
	} {
		t.Run(name, func(t *testing.T) { wantPanic(t, f) })
	}
}
