package tensor

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func checkDepthwise(t *testing.T, l level, s ConvShape, h, w int, seed uint64) {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 2))
	weights, bias := randoms(rng, s.KH*s.KW*s.In), randoms(rng, s.In)
	src := noise(rng, (h-1)*s.Stride+s.KH, (w-1)*s.Stride+s.KW, s.In)
	dst := noise(rng, h, w, s.In)
	before := outside(dst)
	newDepthwise(l, s, weights, bias).Run(dst, src)
	if !slices.Equal(before, outside(dst)) {
		t.Fatalf("%s depthwise %+v %dx%d: wrote outside of the image", l, s, h, w)
	}
	for y := range h {
		for x := range w {
			for o, got := range dst.Row(y, x, 1) {
				if want := sumOver(s, weights, src, y, x, o, true).finish(bias[o], 0, s.Activation); !want.admits(got) {
					t.Fatalf("%s depthwise %+v %dx%d: output (%d, %d, %d) = %v, want %v", l, s, h, w, y, x, o, got, want.value)
				}
			}
		}
	}
}

func TestDepthwise(t *testing.T) {
	for _, l := range convLevels() {
		for _, size := range []int{3, 5} {
			for stride := 1; stride <= 2; stride++ {
				for w := 1; w <= 9; w++ { // every kernel
					checkDepthwise(t, l, ConvShape{size, size, 27, 27, stride, Rectify6}, 2, w, 1)
				}
			}
		}
		checkDepthwise(t, l, ConvShape{7, 7, 17, 17, 1, Rectify}, 3, 4, 1)
		checkDepthwise(t, l, ConvShape{3, 3, 75, 75, 1, Rectify}, 30, 31, 1) // many tiles
		checkDepthwise(t, l, ConvShape{3, 1, 16, 16, 3, Identity}, 3, 4, 1)
	}
}

// Channels that fill vectors of both widths and leave a few over.
func TestDepthwiseOddChannels(t *testing.T) {
	for _, l := range convLevels() {
		for _, channels := range []int{1, 3, 8, 16, 17, 24, 40, 112, 144} {
			for _, size := range []int{1, 3, 5, 7} {
				for stride := 1; stride <= 2; stride++ {
					checkDepthwise(t, l, ConvShape{size, size, channels, channels, stride, Activation(size % 5)}, 3, 5, uint64(channels))
				}
			}
		}
	}
}

// runDepthwise is a convolution of a fixed picture by some workers.
func runDepthwise(t *testing.T, l level, s ConvShape, h, w, workers int) []float32 {
	withWorkers(t, workers)
	rng := rand.New(rand.NewPCG(8, 8))
	d := newDepthwise(l, s, randoms(rng, s.KH*s.KW*s.In), nil)
	src := noise(rng, (h-1)*s.Stride+s.KH, (w-1)*s.Stride+s.KW, s.In)
	dst := Img(make([]float32, h*w*s.In), h, w, s.In)
	d.Run(dst, src)
	serial := Img(make([]float32, h*w*s.In), h, w, s.In)
	d.RunSerial(serial, src)
	if !slices.Equal(serial.Data, dst.Data) {
		t.Errorf("%s depthwise %+v: RunSerial gives something else than Run", l, s)
	}
	return dst.Data
}

func TestDepthwiseIsTheSameForAnyWorkers(t *testing.T) {
	for _, l := range convLevels() {
		for _, size := range []int{3, 7} {
			s := ConvShape{size, size, 75, 75, 2, Rectify6}
			want := runDepthwise(t, l, s, 30, 31, 1)
			for _, workers := range []int{2, 3, 16} {
				if got := runDepthwise(t, l, s, 30, 31, workers); !slices.Equal(got, want) {
					t.Errorf("%s depthwise %+v: %d workers give something else than one", l, s, workers)
				}
			}
		}
	}
}

func TestDepthwiseKeepsNaN(t *testing.T) {
	nan := float32(math.NaN())
	const channels = 27
	for _, l := range convLevels() {
		for _, size := range []int{1, 3, 5} {
			for stride := 1; stride <= 2; stride++ {
				s := ConvShape{size, size, channels, channels, stride, Rectify6}
				for w := 1; w <= 8; w++ { // every kernel
					src := Img(make([]float32, size*((w-1)*stride+size)*channels), size, (w-1)*stride+size, channels)
					for c := range channels { // in one row of taps
						for x := range src.W {
							src.Row(c%size, x, 1)[c] = nan
						}
					}
					dst := Img(make([]float32, w*channels), 1, w, channels)
					newDepthwise(l, s, make([]float32, size*size*channels), nil).Run(dst, src)
					wantNaN(t, fmt.Sprintf("%s depthwise %+v, %d pixels", l, s, w), dst.Data)
				}
			}
		}
	}
}

func TestDepthwiseShapesPanic(t *testing.T) {
	weights := make([]float32, 3*3*8)
	d := NewDepthwise(ConvShape{3, 3, 8, 8, 1, Identity}, weights, nil)
	image := func(h, w, c int) Image { return Img(make([]float32, h*w*c), h, w, c) }
	for _, test := range []struct {
		name string
		f    func()
	}{
		{"too few rows", func() { d.Run(image(4, 4, 8), image(5, 6, 8)) }},
		{"too few columns", func() { d.Run(image(4, 4, 8), image(6, 5, 8)) }},
		{"source channels", func() { d.Run(image(4, 4, 8), image(6, 6, 7)) }},
		{"result channels", func() { d.Run(image(4, 4, 9), image(6, 6, 8)) }},
		{"weights", func() { NewDepthwise(ConvShape{3, 3, 8, 8, 1, Identity}, weights[1:], nil) }},
		{"bias", func() { NewDepthwise(ConvShape{3, 3, 8, 8, 1, Identity}, weights, weights[:9]) }},
		{"in and out", func() { NewDepthwise(ConvShape{3, 3, 8, 16, 1, Identity}, weights, nil) }},
	} {
		t.Run(test.name, func(t *testing.T) { wantPanic(t, test.f) })
	}
	d.Run(image(4, 0, 8), image(6, 0, 8)) // nothing to do
}

func FuzzDepthwise(f *testing.F) {
	f.Add(uint8(5), uint8(5), uint8(40), uint8(2), uint8(2), uint8(9), uint8(9), uint64(1))
	f.Fuzz(func(t *testing.T, kh, kw, channels, stride, activation, h, w uint8, seed uint64) {
		s := ConvShape{KH: 1 + int(kh)%6, KW: 1 + int(kw)%6, In: 1 + int(channels)%70, Stride: 1 + int(stride)%3, Activation: Activation(activation % 5)}
		if seed%4 != 0 {
			s.KW = s.KH
		}
		s.Out = s.In
		for _, l := range convLevels() {
			checkDepthwise(t, l, s, 1+int(h)%9, 1+int(w)%15, seed)
		}
	})
}

// The depthwise layers of EfficientNet-Lite0, except those that are alike; size is that of the result.
func BenchmarkDepthwise(b *testing.B) {
	withWorkers(b, 1)
	for _, c := range []struct{ size, channels, kernel, stride int }{
		{112, 32, 3, 1}, {56, 96, 3, 2}, {56, 144, 3, 1}, {28, 144, 5, 2}, {28, 240, 5, 1}, {14, 240, 3, 2}, {14, 480, 3, 1},
		{14, 480, 5, 1}, {14, 672, 5, 1}, {7, 672, 5, 2}, {7, 1152, 5, 1}, {7, 1152, 3, 1},
	} {
		b.Run(fmt.Sprintf("%dx%dk%ds%d", c.size, c.channels, c.kernel, c.stride), func(b *testing.B) {
			rng := rand.New(rand.NewPCG(1, 1))
			d := NewDepthwise(ConvShape{c.kernel, c.kernel, c.channels, c.channels, c.stride, Rectify6}, randoms(rng, c.kernel*c.kernel*c.channels), nil)
			in := (c.size-1)*c.stride + c.kernel
			src := Img(randoms(rng, in*in*c.channels), in, in, c.channels)
			dst := Img(make([]float32, c.size*c.size*c.channels), c.size, c.size, c.channels)
			b.ReportAllocs()
			for b.Loop() {
				d.Run(dst, src)
			}
			flops(b, c.size*c.size*c.channels*c.kernel*c.kernel)
		})
	}
}
