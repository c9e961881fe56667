package tensor

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// checkExpanded compares with the two convolutions one after the other.
func checkExpanded(t *testing.T, l level, point, depth ConvShape, h, w int, top, left int, seed uint64) {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 1))
	p := newConv(l, point, randoms(rng, point.In*point.Out), randoms(rng, point.Out))
	d := newDepthwise(l, depth, randoms(rng, depth.KH*depth.KW*depth.In), randoms(rng, depth.In))
	e := NewExpanded(p, d)
	if e == nil {
		if l != levelGeneric && point.Out%8 == 0 && depth.KH == depth.KW {
			t.Fatalf("%s %+v %+v: not done together", l, point, depth)
		}
		return
	}
	src := noise(rng, h, w, point.In)
	outH, outW := (h+2*top-depth.KH)/depth.Stride+1, (w+2*left-depth.KW)/depth.Stride+1
	between := Img(make([]float32, (h+2*top)*(w+2*left)*point.Out), h+2*top, w+2*left, point.Out)
	p.Run(between.Slice(top, left, h, w), src, Image{})
	want, got := noise(rng, outH, outW, depth.Out), noise(rng, outH, outW, depth.Out)
	d.Run(want, between)
	before := outside(got)
	e.Run(got, src, top, left)
	if !slices.Equal(before, outside(got)) {
		t.Fatalf("%s %+v %+v %dx%d: wrote outside of the image", l, point, depth, h, w)
	}
	for y := range outH {
		for i, v := range got.Row(y, 0, outW) {
			if u := want.Row(y, 0, outW)[i]; !(math.Abs(float64(u-v)) <= 1e-5*(1+math.Abs(float64(u)))) {
				t.Fatalf("%s %+v %+v %dx%d: row %d, value %d = %v, want %v", l, point, depth, h, w, y, i, v, u)
			}
		}
	}
}

func TestExpanded(t *testing.T) {
	for _, l := range convLevels() {
		for size := 3; size <= 5; size += 2 {
			for stride := 1; stride <= 2; stride++ {
				for _, c := range []struct{ in, out, h, w int }{
					{16, 96, 112, 112}, // several bands
					{24, 144, 13, 12},
					{8, 40, 7, 9},
					{5, 24, 5, 5},
					{3, 8, 3, 4},
				} {
					point, depth := ConvShape{1, 1, c.in, c.out, 1, Rectify6}, ConvShape{size, size, c.out, c.out, stride, Swish}
					checkExpanded(t, l, point, depth, c.h, c.w, size/2, size/2, 1)
					checkExpanded(t, l, point, depth, c.h+2, c.w+2, 0, 1, 2)
				}
			}
		}
	}
}

func FuzzExpanded(f *testing.F) {
	f.Add(uint8(3), uint8(4), uint8(9), uint8(8), uint8(1), uint8(1), true, true, uint64(1))
	f.Fuzz(func(t *testing.T, in, out, h, w, top, left uint8, wide, strided bool, seed uint64) {
		point := ConvShape{1, 1, 1 + int(in)%40, 8 * (1 + int(out)%20), 1, Activation(seed % 5)}
		depth := ConvShape{3, 3, point.Out, point.Out, 1, Activation(seed / 5 % 5)}
		if wide {
			depth.KH, depth.KW = 5, 5
		}
		if strided {
			depth.Stride = 2
		}
		for _, l := range convLevels() {
			checkExpanded(t, l, point, depth, 5+int(h)%20, 5+int(w)%20, int(top)%3, int(left)%3, seed)
		}
	})
}

func TestExpandedPanics(t *testing.T) {
	point := newConv(levelGeneric, ConvShape{1, 1, 4, 8, 1, Identity}, make([]float32, 32), nil)
	wide := newConv(levelGeneric, ConvShape{3, 3, 4, 8, 1, Identity}, make([]float32, 288), nil)
	depth := newDepthwise(levelGeneric, ConvShape{3, 3, 8, 8, 1, Identity}, make([]float32, 72), nil)
	other := newDepthwise(levelGeneric, ConvShape{3, 3, 16, 16, 1, Identity}, make([]float32, 144), nil)
	t.Run("not pointwise", func(t *testing.T) { wantPanic(t, func() { NewExpanded(wide, depth) }) })
	t.Run("channels", func(t *testing.T) { wantPanic(t, func() { NewExpanded(point, other) }) })
}
