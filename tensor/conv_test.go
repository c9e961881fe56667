package tensor

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
)

// levels are those that this machine has.
func convLevels() []level {
	var l []level
	for i := levelGeneric; i <= machineLevel(); i++ {
		l = append(l, i)
	}
	return l
}

// noise is an image of random numbers in a larger one.
func noise(rng *rand.Rand, h, w, c int) Image {
	m := Img(randoms(rng, (h+2)*(w+3)*c), h+2, w+3, c)
	return m.Slice(1, 2, h, w)
}

func randoms(rng *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(rng.NormFloat64())
	}
	return x
}

// bound is value and how far rounding may move it.
type bound struct{ value, slack float64 }

// sumOver is the output (y, x, o) of a convolution by its definition, in float64.
func sumOver(s ConvShape, weights []float32, src Image, y, x, o int, depthwise bool) bound {
	var b bound
	for ky := range s.KH {
		for kx := range s.KW {
			in := src.Row(y*s.Stride+ky, x*s.Stride+kx, 1)
			for i, v := range in {
				w := 0.0
				switch {
				case !depthwise:
					w = float64(weights[((ky*s.KW+kx)*s.In+i)*s.Out+o])
				case i == o:
					w = float64(weights[(ky*s.KW+kx)*s.In+i])
				}
				b.value += w * float64(v)
				b.slack += math.Abs(w * float64(v))
			}
		}
	}
	b.slack = 1e-6 + 1e-6*b.slack
	return b
}

func (b bound) finish(bias, residual float32, a Activation) bound {
	low, high := a.limits()
	b.value = math.Min(math.Max(b.value+float64(bias)+float64(residual), float64(low)), float64(high))
	return b
}

func (b bound) admits(got float32) bool { return math.Abs(float64(got)-b.value) <= b.slack }

// checkConv runs a convolution at level l in several ways and compares with the definition.
func checkConv(t *testing.T, l level, s ConvShape, h, w int, withResidual bool, seed uint64) {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 1))
	weights, bias := randoms(rng, s.KH*s.KW*s.In*s.Out), randoms(rng, s.Out)
	src := noise(rng, (h-1)*s.Stride+s.KH, (w-1)*s.Stride+s.KW, s.In)
	dst := noise(rng, h, w, s.Out)
	var residual Image
	if withResidual {
		residual = noise(rng, h, w, s.Out)
	}
	border := slices.Clone(dst.Data[dst.Stride*(h-1)+w*s.Out:])
	newConv(l, s, weights, bias).Run(dst, src, residual)
	if !slices.Equal(border, dst.Data[dst.Stride*(h-1)+w*s.Out:]) {
		t.Fatalf("%s %+v %dx%d: wrote behind the image", l, s, h, w)
	}
	for y := range h {
		for x := range w {
			for o, got := range dst.Row(y, x, 1) {
				var r float32
				if withResidual {
					r = residual.Row(y, x, 1)[o]
				}
				if want := sumOver(s, weights, src, y, x, o, false).finish(bias[o], r, s.Activation); !want.admits(got) {
					t.Fatalf("%s %+v %dx%d: output (%d, %d, %d) = %v, want %v", l, s, h, w, y, x, o, got, want.value)
				}
			}
		}
	}
	contiguous := Img(make([]float32, h*w*s.Out), h, w, s.Out)
	packed := Img(make([]float32, src.H*src.W*s.In), src.H, src.W, s.In)
	packed.Copy(0, 0, src)
	if withResidual {
		contiguous.Copy(0, 0, residual)
		residual = contiguous // in place
	}
	newConv(l, s, weights, bias).RunSerial(contiguous, packed, residual)
	for y := range h {
		if !slices.Equal(contiguous.Row(y, 0, w), dst.Row(y, 0, w)) {
			t.Fatalf("%s %+v %dx%d: row %d differs when contiguous", l, s, h, w, y)
		}
	}
}

func TestConv(t *testing.T) {
	for _, l := range convLevels() {
		for _, c := range []struct {
			shape ConvShape
			h, w  int
		}{
			{ConvShape{1, 1, 32, 16, 1, Identity}, 9, 31},
			{ConvShape{1, 1, 16, 96, 1, Rectify6}, 12, 12},
			{ConvShape{1, 1, 24, 144, 1, Rectify6}, 7, 7},
			{ConvShape{1, 1, 40, 40, 1, Identity}, 14, 14},
			{ConvShape{1, 1, 48, 112, 1, Identity}, 1, 49},
			{ConvShape{1, 1, 8, 30, 1, Rectify}, 1, 1},
			{ConvShape{1, 1, 3, 1, 2, Identity}, 5, 6},
			{ConvShape{3, 3, 3, 32, 2, Rectify6}, 13, 13},
			{ConvShape{7, 7, 3, 64, 2, Rectify}, 5, 5},
			{ConvShape{1, 7, 20, 23, 1, Rectify}, 6, 5},
		} {
			checkConv(t, l, c.shape, c.h, c.w, false, 1)
			checkConv(t, l, c.shape, c.h, c.w, true, 2)
		}
		for pixels := 1; pixels <= 13; pixels++ { // every kernel
			for _, out := range []int{8, 16, 24, 32, 40, 48, 80} {
				checkConv(t, l, ConvShape{1, 1, 5, out, 1, Rectify}, 1, pixels, true, 3)
			}
		}
	}
}

func checkDepthwise(t *testing.T, l level, s ConvShape, h, w int, seed uint64) {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 2))
	weights, bias := randoms(rng, s.KH*s.KW*s.In), randoms(rng, s.In)
	src := noise(rng, (h-1)*s.Stride+s.KH, (w-1)*s.Stride+s.KW, s.In)
	dst := noise(rng, h, w, s.In)
	border := slices.Clone(dst.Data[dst.Stride*(h-1)+w*s.In:])
	newDepthwise(l, s, weights, bias).Run(dst, src)
	if !slices.Equal(border, dst.Data[dst.Stride*(h-1)+w*s.In:]) {
		t.Fatalf("%s depthwise %+v %dx%d: wrote behind the image", l, s, h, w)
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
		checkDepthwise(t, l, ConvShape{3, 1, 16, 16, 3, Identity}, 3, 4, 1)
	}
}

func FuzzConv(f *testing.F) {
	f.Add(uint8(3), uint8(3), uint8(3), uint8(32), uint8(2), uint8(2), uint8(9), uint8(9), uint64(1))
	f.Add(uint8(1), uint8(1), uint8(40), uint8(112), uint8(1), uint8(1), uint8(7), uint8(14), uint64(2))
	f.Fuzz(func(t *testing.T, kh, kw, in, out, stride, activation, h, w uint8, seed uint64) {
		s := ConvShape{1 + int(kh)%5, 1 + int(kw)%5, 1 + int(in)%40, 1 + int(out)%120, 1 + int(stride)%3, Activation(activation % 3)}
		for _, l := range convLevels() {
			checkConv(t, l, s, 1+int(h)%9, 1+int(w)%15, seed%2 == 0, seed)
		}
	})
}

func FuzzDepthwise(f *testing.F) {
	f.Add(uint8(5), uint8(5), uint8(40), uint8(2), uint8(2), uint8(9), uint8(9), uint64(1))
	f.Fuzz(func(t *testing.T, kh, kw, channels, stride, activation, h, w uint8, seed uint64) {
		s := ConvShape{KH: 1 + int(kh)%6, KW: 1 + int(kw)%6, In: 1 + int(channels)%70, Stride: 1 + int(stride)%3, Activation: Activation(activation % 3)}
		if seed%4 != 0 {
			s.KW = s.KH
		}
		s.Out = s.In
		for _, l := range convLevels() {
			checkDepthwise(t, l, s, 1+int(h)%9, 1+int(w)%15, seed)
		}
	})
}

// A NaN must not become a number on its way through a network.
func TestConvKeepsNaN(t *testing.T) {
	nan := float32(math.NaN())
	for _, l := range convLevels() {
		src, dst := Img([]float32{nan}, 1, 1, 1), Img(make([]float32, 16), 1, 1, 16)
		newConv(l, ConvShape{1, 1, 1, 16, 1, Rectify6}, make([]float32, 16), nil).Run(dst, src, Image{})
		if got := dst.Data[3]; got == got {
			t.Errorf("%s: convolution of NaN = %v", l, got)
		}
		wide := Img(slices.Repeat([]float32{nan}, 16), 1, 1, 16)
		newDepthwise(l, ConvShape{1, 1, 16, 16, 1, Rectify6}, make([]float32, 16), nil).Run(dst, wide)
		if got := dst.Data[3]; got == got {
			t.Errorf("%s: depthwise convolution of NaN = %v", l, got)
		}
	}
}

func TestConvShapesPanic(t *testing.T) {
	c := NewConv(ConvShape{3, 3, 4, 8, 1, Identity}, make([]float32, 3*3*4*8), nil)
	for _, test := range []struct {
		name                   string
		dstW, dstC, srcH, srcC int
	}{
		{"too few rows", 4, 8, 5, 4}, {"too few columns", 5, 8, 6, 4}, {"source channels", 4, 8, 6, 3}, {"result channels", 4, 7, 6, 4},
	} {
		t.Run(test.name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			dst := Img(make([]float32, 4*test.dstW*test.dstC), 4, test.dstW, test.dstC)
			c.Run(dst, Img(make([]float32, test.srcH*6*test.srcC), test.srcH, 6, test.srcC), Image{})
		})
	}
}

func TestSamePadding(t *testing.T) {
	for _, c := range []struct{ size, kernel, stride, out, before, after int }{
		{224, 3, 2, 112, 0, 1}, {112, 3, 1, 112, 1, 1}, {56, 5, 2, 28, 1, 2}, {65, 5, 2, 33, 2, 2}, {7, 1, 2, 4, 0, 0},
	} {
		out, before, after := SamePadding(c.size, c.kernel, c.stride)
		if out != c.out || before != c.before || after != c.after {
			t.Errorf("SamePadding(%d, %d, %d) = %d, %d, %d, want %d, %d, %d", c.size, c.kernel, c.stride, out, before, after, c.out, c.before, c.after)
		}
	}
}

func TestConvAssemblyIsCurrent(t *testing.T) {
	dir := t.TempDir()
	if out, err := exec.Command("go", "run", "./internal/asm/conv", dir).CombinedOutput(); err != nil {
		t.Skipf("go run ./internal/asm/conv: %v\n%s", err, out)
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		want, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(f.Name())
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is not what internal/asm/conv writes: run go generate", f.Name())
		}
	}
}

func BenchmarkConv(b *testing.B) {
	SetWorkers(1)
	defer SetWorkers(0)
	for _, c := range []struct{ size, in, out int }{
		{112, 16, 96}, {112, 32, 16}, {56, 96, 24}, {56, 24, 144}, {28, 144, 40}, {28, 40, 240}, {14, 480, 80}, {14, 112, 672}, {14, 672, 112}, {7, 192, 1152}, {7, 1152, 192}, {7, 320, 1280},
	} {
		b.Run(fmt.Sprintf("%dx%dto%d", c.size, c.in, c.out), func(b *testing.B) {
			rng := rand.New(rand.NewPCG(1, 1))
			conv := NewConv(ConvShape{1, 1, c.in, c.out, 1, Rectify6}, randoms(rng, c.in*c.out), nil)
			src := Img(randoms(rng, c.size*c.size*c.in), c.size, c.size, c.in)
			dst := Img(make([]float32, c.size*c.size*c.out), c.size, c.size, c.out)
			for b.Loop() {
				conv.Run(dst, src, Image{})
			}
			b.ReportMetric(2*float64(c.size*c.size*c.in*c.out)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
		})
	}
}

func BenchmarkDepthwise(b *testing.B) {
	SetWorkers(1)
	defer SetWorkers(0)
	for _, c := range []struct{ size, channels, kernel, stride int }{
		{112, 32, 3, 1}, {56, 96, 3, 2}, {56, 144, 3, 1}, {28, 240, 5, 1}, {14, 672, 5, 1}, {7, 1152, 5, 1}, {7, 1152, 3, 1},
	} {
		b.Run(fmt.Sprintf("%dx%dk%ds%d", c.size, c.channels, c.kernel, c.stride), func(b *testing.B) {
			rng := rand.New(rand.NewPCG(1, 1))
			d := NewDepthwise(ConvShape{c.kernel, c.kernel, c.channels, c.channels, c.stride, Rectify6}, randoms(rng, c.kernel*c.kernel*c.channels), nil)
			in := (c.size-1)*c.stride + c.kernel
			src := Img(randoms(rng, in*in*c.channels), in, in, c.channels)
			dst := Img(make([]float32, c.size*c.size*c.channels), c.size, c.size, c.channels)
			for b.Loop() {
				d.Run(dst, src)
			}
			b.ReportMetric(2*float64(c.size*c.size*c.channels*c.kernel*c.kernel)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
		})
	}
}
