package tensor

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func int8Levels() []level {
	levels := []level{levelGeneric}
	for l := levelGeneric + 1; l <= machineLevel(); l++ {
		levels = append(levels, int8Level(l))
	}
	return slices.Compact(levels)
}

func image8(rng *rand.Rand, h, w, channels int) Image8 {
	c := Pad8(channels)
	m := Image8{Data: make([]uint8, h*(w+2)*c), H: h, W: w, C: c, Stride: (w + 2) * c}
	for i := range m.Data {
		m.Data[i] = uint8(rng.Uint32())
	}
	return m
}

// weights8 are random; extremes are frequent, for what saturates.
func weights8(rng *rand.Rand, n, sum, out int) Weights8 {
	w := Weights8{make([]int8, n), make([]int32, out), make([]float32, out)}
	for i := range w.Weights {
		w.Weights[i] = []int8{int8(rng.Uint32()), int8(rng.Uint32()), -128, 127}[rng.IntN(4)]
	}
	for i := range out {
		w.Bias[i] = int32(rng.NormFloat64() * 1e4)
		w.Scale[i] = float32(min(rng.ExpFloat64()/math.Sqrt(float64(sum))/50, 0.2))
	}
	return w
}

// reference8 is the formula of Weights8, value by value.
func reference8(s ConvShape, depthwise bool, w Weights8, src, residual Image8, r float32, y, x, o int) (float32, uint8) {
	sum := w.Bias[o]
	for ky := range s.KH {
		for kx := range s.KW {
			pixel := src.Row(y*s.Stride+ky, x*s.Stride+kx, 1)
			if depthwise {
				sum += int32(pixel[o]) * int32(w.Weights[(ky*s.KW+kx)*s.In+o])
				continue
			}
			for i := range s.In {
				sum += int32(pixel[i]) * int32(w.Weights[((ky*s.KW+kx)*s.In+i)*s.Out+o])
			}
		}
	}
	v := float32(float32(sum) * w.Scale[o])
	if residual.Data != nil {
		v += float32(float32(residual.Row(y, x, 1)[o]) * r)
	}
	return v, uint8(min(max(math.RoundToEven(float64(v)), 0), 255))
}

func TestConv8(t *testing.T) {
	for seed := range uint64(60) {
		checkConv8(t, seed, seed%2 == 0)
	}
}

func FuzzConv8(f *testing.F) {
	f.Fuzz(func(t *testing.T, seed uint64, residual bool) { checkConv8(t, seed, residual) })
}

func checkConv8(t *testing.T, seed uint64, withResidual bool) {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 8))
	k := 1 + rng.IntN(3)
	s := ConvShape{KH: k, KW: k, In: 1 + rng.IntN(70), Out: Least8 + rng.IntN(200), Stride: 1 + rng.IntN(2)}
	switch rng.IntN(8) {
	case 0: // the first layer of ResNet
		s = ConvShape{KH: 7, KW: 7, In: 3, Out: 64, Stride: 2}
	case 1: // of Inception
		s.KH, s.KW = 1, 7
	case 2:
		s.KH, s.KW = 7, 1
	}
	h, w := 1+rng.IntN(4), 1+rng.IntN(30)
	src := image8(rng, (h-1)*s.Stride+s.KH, (w-1)*s.Stride+s.KW, s.In)
	ws := weights8(rng, s.KH*s.KW*s.In*s.Out, s.KH*s.KW*s.In, s.Out)
	residual, r := Image8{}, float32(rng.Float64())
	if withResidual {
		residual = image8(rng, h, w, s.Out)
	}
	for _, l := range int8Levels() {
		dst := image8(rng, h, w, s.Out)
		newConv8(l, s, ws).Run(dst, src, residual, r)
		for y := range h {
			for x := range w {
				for o, got := range dst.Row(y, x, 1)[:s.Out] {
					if _, want := reference8(s, false, ws, src, residual, r, y, x, o); got != want {
						t.Fatalf("seed %d, %v, %+v: output (%d, %d, %d) = %d, want %d", seed, l, s, y, x, o, got, want)
					}
				}
			}
		}
	}
}

func TestConv8Float(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 8))
	for _, a := range []Activation{Identity, Rectify, Rectify6} {
		s := ConvShape{KH: 1, KW: 1, In: 37, Out: 80, Stride: 1, Activation: a}
		src := image8(rng, 3, 17, s.In)
		ws := weights8(rng, s.In*s.Out, s.In, s.Out)
		low, high := a.limits()
		for _, residual := range []Image8{{}, image8(rng, 3, 17, 80)} {
			for _, l := range int8Levels() {
				dst := Img(make([]float32, 3*17*80), 3, 17, 80)
				newConv8(l, s, ws).RunFloat(dst, src, residual, 0.07)
				for i, got := range dst.Data {
					v, _ := reference8(s, false, ws, src, residual, 0.07, i/80/17, i/80%17, i%80)
					if want := clamp(v, low, high); got != want {
						t.Fatalf("%v, activation %d: value %d = %v, want %v", l, a, i, got, want)
					}
				}
			}
		}
	}
}

func TestDepthwise8(t *testing.T) {
	for seed := range uint64(60) {
		checkDepthwise8(t, seed)
	}
}

func FuzzDepthwise8(f *testing.F) {
	f.Fuzz(func(t *testing.T, seed uint64) { checkDepthwise8(t, seed) })
}

func checkDepthwise8(t *testing.T, seed uint64) {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 88))
	k, in := []int{2, 3, 3, 5, 5}[rng.IntN(5)], 1+rng.IntN(100)
	s := ConvShape{KH: k, KW: k, In: in, Out: in, Stride: 1 + rng.IntN(2)}
	h, w := 1+rng.IntN(4), 1+rng.IntN(30)
	src := image8(rng, (h-1)*s.Stride+k, (w-1)*s.Stride+k, in)
	ws := weights8(rng, k*k*in, k*k, in)
	for _, l := range int8Levels() {
		dst := image8(rng, h, w, in)
		newDepthwise8(l, s, ws).Run(dst, src)
		for y := range h {
			for x := range w {
				for o, got := range dst.Row(y, x, 1)[:in] {
					if _, want := reference8(s, true, ws, src, Image8{}, 0, y, x, o); got != want {
						t.Fatalf("seed %d, %v, %+v: output (%d, %d, %d) = %d, want %d", seed, l, s, y, x, o, got, want)
					}
				}
			}
		}
	}
}

// Results that lie between two integers go to the even one on every path.
func TestConv8Ties(t *testing.T) {
	s := ConvShape{KH: 1, KW: 1, In: 4, Out: 16, Stride: 1}
	ws := Weights8{make([]int8, 64), make([]int32, 16), make([]float32, 16)}
	want := make([]uint8, 16)
	for o := range 16 {
		ws.Bias[o], ws.Scale[o] = int32(4*o+2-20), 0.125 // (o-5)/2 + 1/4, less with the residual
		want[o] = uint8(max(math.RoundToEven(float64(o-5)/2), 0))
	}
	src := Img8(make([]uint8, 4), 1, 1, 4)
	residual := Img8(slices.Repeat([]uint8{1}, 32), 1, 1, 32)
	for _, l := range int8Levels() {
		dst := Img8(make([]uint8, 32), 1, 1, 32)
		newConv8(l, s, ws).Run(dst, src, residual, -0.25)
		if got := dst.Data[:16]; !slices.Equal(got, want) {
			t.Errorf("%v: %v, want %v", l, got, want)
		}
	}
}

func BenchmarkConv8(b *testing.B) {
	for _, c := range []struct{ side, k, stride, in, out int }{
		// EfficientNet-Lite
		{112, 1, 1, 16, 96}, {56, 1, 1, 24, 144}, {28, 1, 1, 240, 40}, {14, 1, 1, 672, 112}, {14, 1, 1, 112, 672}, {7, 1, 1, 1152, 192},
		// ResNet-50
		{112, 7, 2, 3, 64}, {56, 1, 1, 64, 64}, {56, 1, 1, 64, 256}, {56, 1, 1, 256, 64}, {56, 3, 1, 64, 64},
		{56, 1, 1, 256, 128}, {28, 3, 2, 128, 128}, {28, 1, 2, 256, 512}, {28, 1, 1, 128, 512}, {28, 1, 1, 512, 128}, {28, 3, 1, 128, 128},
		{28, 1, 1, 512, 256}, {14, 3, 2, 256, 256}, {14, 1, 2, 512, 1024}, {14, 1, 1, 256, 1024}, {14, 1, 1, 1024, 256}, {14, 3, 1, 256, 256},
		{14, 1, 1, 1024, 512}, {7, 3, 2, 512, 512}, {7, 1, 2, 1024, 2048}, {7, 1, 1, 512, 2048}, {7, 1, 1, 2048, 512}, {7, 3, 1, 512, 512},
	} {
		s := ConvShape{KH: c.k, KW: c.k, In: c.in, Out: c.out, Stride: c.stride}
		from := (c.side-1)*c.stride + c.k
		src := Img8(make([]uint8, from*from*Pad8(c.in)), from, from, Pad8(c.in))
		dst := Img8(make([]uint8, c.side*c.side*Pad8(c.out)), c.side, c.side, Pad8(c.out))
		work := c.k * c.k * c.in * c.out
		conv := NewConv8(s, weights8(rand.New(rand.NewPCG(1, 8)), work, c.k*c.k*c.in, c.out))
		for _, residual := range []Image8{{}, dst} {
			b.Run(fmt.Sprintf("%dx%dx%d-%d,%d,%d,%v", c.side, c.side, c.in, c.out, c.k, c.stride, residual.Data != nil), func(b *testing.B) {
				for b.Loop() {
					conv.Run(dst, src, residual, 0.5)
				}
				b.ReportMetric(2*float64(c.side*c.side*work*b.N)/float64(b.Elapsed().Nanoseconds()), "GOP/s")
			})
		}
	}
}

func BenchmarkDepthwise8(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 8))
	for _, c := range []struct{ side, k, stride, in int }{{112, 3, 1, 32}, {56, 3, 2, 96}, {28, 5, 1, 240}, {14, 5, 1, 672}, {7, 5, 1, 1152}} {
		s := ConvShape{KH: c.k, KW: c.k, In: c.in, Out: c.in, Stride: c.stride}
		conv := NewDepthwise8(s, weights8(rng, c.k*c.k*c.in, c.k*c.k, c.in))
		floats := NewDepthwise(s, make([]float32, c.k*c.k*c.in), nil)
		wide := (c.side-1)*c.stride + c.k
		src, dst := image8(rng, wide, wide, c.in), image8(rng, c.side, c.side, c.in)
		src32, dst32 := Img(make([]float32, wide*wide*c.in), wide, wide, c.in), Img(make([]float32, c.side*c.side*c.in), c.side, c.side, c.in)
		name := fmt.Sprintf("%dx%dx%d,%d,%d", c.side, c.side, c.in, c.k, c.stride)
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				conv.Run(dst, src)
			}
		})
		b.Run(name+"/float32", func(b *testing.B) {
			for b.Loop() {
				floats.Run(dst32, src32)
			}
		})
	}
}
