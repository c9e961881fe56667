package tensor

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// winogradShapes are one of each method, at sizes that leave cut tiles.
var winogradShapes = []struct {
	shape ConvShape
	h, w  int
}{
	{ConvShape{3, 3, 32, 48, 1, Rectify}, 13, 15},
	{ConvShape{3, 3, 48, 32, 1, Identity}, 12, 12},
	{ConvShape{3, 3, 32, 32, 1, Rectify6}, 2, 72},
	{ConvShape{3, 3, 32, 80, 1, Rectify}, 7, 7},
	{ConvShape{3, 3, 32, 32, 1, Identity}, 8, 9},
	{ConvShape{5, 5, 32, 48, 1, Rectify}, 13, 12},
	{ConvShape{1, 3, 64, 32, 1, Rectify}, 8, 7},
	{ConvShape{3, 1, 32, 64, 1, Rectify6}, 7, 8},
	{ConvShape{1, 7, 48, 32, 1, Identity}, 6, 17},
	{ConvShape{7, 1, 32, 48, 1, Rectify}, 17, 5},
}

// checkWinograd compares with the definition: the largest error may be 3e-5 of the largest sum of
// magnitudes.
func checkWinograd(t *testing.T, l level, s ConvShape, h, w int, withResidual bool, seed uint64) {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 1))
	weights, bias := randoms(rng, s.KH*s.KW*s.In*s.Out), randoms(rng, s.Out)
	src := noise(rng, h+s.KH, w+s.KW, s.In) // one more than is needed
	src.Row(h-1+s.KH, w-1+s.KW, 1)[0] = float32(math.NaN())
	dst := noise(rng, h, w, s.Out)
	var residual Image
	if withResidual {
		residual = noise(rng, h, w, s.Out)
	}
	c := newConvFor(l, h, w, s, weights, bias)
	if c.winograd == nil {
		t.Fatalf("%s %+v %dx%d: the plain sum was chosen", l, s, h, w)
	}
	before := outside(dst)
	c.Run(dst, src, residual)
	if !slices.Equal(before, outside(dst)) {
		t.Fatalf("%s %+v %dx%d: wrote outside of the image", l, s, h, w)
	}
	var worst, slack float64
	for y := range h {
		for x := range w {
			for o, got := range dst.Row(y, x, 1) {
				var r float32
				if withResidual {
					r = residual.Row(y, x, 1)[o]
				}
				want := sumOver(s, weights, src, y, x, o, false).finish(bias[o], r, s.Activation)
				worst, slack = max(worst, math.Abs(float64(got)-want.value)), max(slack, want.slack*1e6)
			}
		}
	}
	if !(worst <= 3e-6*slack) {
		t.Fatalf("%s %+v %dx%d: error of %v where terms add up to %v", l, s, h, w, worst, slack)
	}
	inPlace := Img(make([]float32, h*w*s.Out), h, w, s.Out)
	if withResidual {
		inPlace.Copy(0, 0, residual)
		residual = inPlace
	}
	c.RunSerial(inPlace, src, residual)
	for y := range h {
		if !slices.Equal(inPlace.Row(y, 0, w), dst.Row(y, 0, w)) {
			t.Fatalf("%s %+v %dx%d: row %d differs when in place", l, s, h, w, y)
		}
	}
}

func TestWinograd(t *testing.T) {
	for _, l := range convLevels() {
		for _, c := range winogradShapes {
			checkWinograd(t, l, c.shape, c.h, c.w, false, 1)
			checkWinograd(t, l, c.shape, c.h, c.w, true, 2)
		}
	}
}

func FuzzWinograd(f *testing.F) {
	f.Add(uint8(0), uint8(3), uint8(3), uint8(0), uint8(1), uint8(2), uint64(1))
	f.Fuzz(func(t *testing.T, method, in, out, h, w, activation uint8, seed uint64) {
		s := winogradShapes[int(method)%len(winogradShapes)]
		s.shape.In, s.shape.Out, s.shape.Activation = 32+16*int(in%3), 32+16*int(out%5), Activation(activation%3)
		for _, l := range convLevels() {
			checkWinograd(t, l, s.shape, s.h+int(h%8), s.w+int(w%8), seed%2 == 0, seed)
		}
	})
}

// What the plain sum makes of other sizes than the convolution was made for, it makes too.
func TestWinogradOfAnotherSize(t *testing.T) {
	for _, l := range convLevels() {
		for _, c := range winogradShapes {
			rng := rand.New(rand.NewPCG(3, 3))
			s := c.shape
			weights := randoms(rng, s.KH*s.KW*s.In*s.Out)
			src := noise(rng, 2+s.KH, s.KW, s.In) // 3x1 outputs
			got, want := Img(make([]float32, 3*s.Out), 3, 1, s.Out), Img(make([]float32, 3*s.Out), 3, 1, s.Out)
			newConvFor(l, c.h, c.w, s, weights, nil).Run(got, src, Image{})
			newConv(l, s, weights, nil).Run(want, src, Image{})
			for i, v := range want.Data {
				if math.Abs(float64(got.Data[i]-v)) > 1e-3 {
					t.Fatalf("%s %+v: output %d = %v, want %v", l, s, i, got.Data[i], v)
				}
			}
		}
	}
}

func TestWinogradIsTheSameForAnyWorkers(t *testing.T) {
	for _, l := range convLevels() {
		for _, c := range append(winogradShapes[:1:1], winogradShapes[3], winogradShapes[9]) {
			run := func(workers int) []float32 {
				withWorkers(t, workers)
				rng := rand.New(rand.NewPCG(7, 7))
				conv := newConvFor(l, c.h, c.w, c.shape, randoms(rng, c.shape.KH*c.shape.KW*c.shape.In*c.shape.Out), nil)
				dst := Img(make([]float32, 3*c.h*c.w*c.shape.Out), 3*c.h, c.w, c.shape.Out)
				conv.Run(dst, noise(rng, 3*c.h-1+c.shape.KH, c.w-1+c.shape.KW, c.shape.In), Image{})
				return dst.Data
			}
			want := run(1)
			for _, workers := range []int{2, 3, 16} {
				if !slices.Equal(run(workers), want) {
					t.Errorf("%s %+v: %d workers give something else than one", l, c.shape, workers)
				}
			}
		}
	}
}

// Every output that sees a NaN is one.
func TestWinogradKeepsNaN(t *testing.T) {
	for _, l := range convLevels() {
		for _, c := range winogradShapes {
			s := c.shape
			src := Img(make([]float32, (c.h-1+s.KH)*(c.w-1+s.KW)*s.In), c.h-1+s.KH, c.w-1+s.KW, s.In)
			src.Row(c.h-1, c.w-1, 1)[5] = float32(math.NaN())
			dst := Img(make([]float32, c.h*c.w*s.Out), c.h, c.w, s.Out)
			newConvFor(l, c.h, c.w, s, slices.Repeat([]float32{1}, s.KH*s.KW*s.In*s.Out), nil).Run(dst, src, Image{})
			for y := max(0, c.h-s.KH); y < c.h; y++ {
				for x := max(0, c.w-s.KW); x < c.w; x++ {
					wantNaN(t, fmt.Sprintf("%s %+v output (%d, %d)", l, s, y, x), dst.Row(y, x, 1))
				}
			}
		}
	}
}

func TestWinogradIsChosen(t *testing.T) {
	for _, c := range []struct {
		shape ConvShape
		h, w  int
		want  bool
	}{
		{ConvShape{3, 3, 64, 64, 1, Rectify}, 56, 56, true},
		{ConvShape{3, 3, 64, 64, 2, Rectify}, 56, 56, false},
		{ConvShape{3, 3, 3, 64, 1, Rectify}, 224, 224, false},
		{ConvShape{3, 3, 64, 63, 1, Rectify}, 56, 56, false},
		{ConvShape{3, 3, 512, 512, 1, Rectify}, 2, 2, false},
		{ConvShape{1, 1, 512, 512, 1, Rectify}, 56, 56, false},
		{ConvShape{7, 7, 64, 64, 1, Rectify}, 56, 56, false},
	} {
		for _, l := range convLevels() {
			if got := chooseWinograd(l, c.shape, c.h, c.w) != nil; got != c.want {
				t.Errorf("%s %+v %dx%d: chosen is %v, want %v", l, c.shape, c.h, c.w, got, c.want)
			}
		}
	}
}
