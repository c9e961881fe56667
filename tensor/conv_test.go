package tensor

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// convLevels are those that this machine has.
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

// outside is a copy of the values between the rows of m and behind them.
func outside(m Image) []float32 {
	var values []float32
	for y := range m.H {
		end := len(m.Data)
		if y < m.H-1 {
			end = (y + 1) * m.Stride
		}
		values = append(values, m.Data[y*m.Stride+m.W*m.C:end]...)
	}
	return values
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
	if a.Curved() {
		y := 1 / (1 + math.Exp(-b.value))
		if a == Swish {
			y *= b.value
		}
		return bound{y, 1.1*b.slack + 1e-6*math.Abs(y)} // the steepest slope is 1.1
	}
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
	before := outside(dst)
	newConv(l, s, weights, bias).Run(dst, src, residual)
	if !slices.Equal(before, outside(dst)) {
		t.Fatalf("%s %+v %dx%d: wrote outside of the image", l, s, h, w)
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
			{ConvShape{3, 3, 2, 17, 2, Rectify}, 31, 33}, // many tiles
			{ConvShape{1, 1, 3, 9, 1, Identity}, 3, 200},
		} {
			checkConv(t, l, c.shape, c.h, c.w, false, 1)
			checkConv(t, l, c.shape, c.h, c.w, true, 2)
		}
	}
}

// Odd numbers of channels leave padding in the last group, in all places a group can have.
func TestConvOddChannels(t *testing.T) {
	channels := []int{1, 3, 17, 24, 40, 112, 144}
	for _, l := range convLevels() {
		for _, size := range []int{1, 3, 5, 7} {
			for _, in := range channels {
				for _, out := range channels {
					if size > 1 && in > 17 && out > 24 || size > 3 && in*out > 17*17 {
						continue // nothing new, and slow
					}
					stride := 1 + (in+out)%2
					s := ConvShape{size, size, in, out, stride, Activation((in + size) % 5)}
					checkConv(t, l, s, 2, 3, in%2 == 1, uint64(size*in+out))
				}
			}
		}
	}
}

func TestEveryConvKernel(t *testing.T) {
	for _, l := range convLevels() {
		for width, run := range convKernelsOf(l).byWidth {
			if groups := convKernelsOf(l).split(width, false); len(groups) != 1 || groups[0].width != width {
				t.Errorf("%s: %d channels are done by kernels %+v", l, width, groups)
			}
			for n := 1; n <= len(run); n++ { // a row of n pixels is one strip
				checkConv(t, l, ConvShape{1, 1, 5, width, 1, Rectify}, 1, n, true, 3)
				checkConv(t, l, ConvShape{3, 2, 3, width, 2, Identity}, 2, n, false, 4)
				checkConv(t, l, ConvShape{1, 3, 2, width - 3, 1, Rectify6}, 2, n, true, 5)
				nan := Img(slices.Repeat([]float32{float32(math.NaN())}, n), 1, n, 1)
				dst := Img(make([]float32, n*width), 1, n, width)
				newConv(l, ConvShape{1, 1, 1, width, 1, Rectify6}, make([]float32, width), nil).Run(dst, nan, Image{})
				wantNaN(t, fmt.Sprintf("%s kernel of %d pixels and %d channels", l, n, width), dst.Data)
			}
		}
	}
}

// runConv is a convolution of a fixed picture by some workers.
func runConv(t *testing.T, l level, s ConvShape, h, w, workers int) []float32 {
	withWorkers(t, workers)
	rng := rand.New(rand.NewPCG(7, 7))
	conv := newConv(l, s, randoms(rng, s.KH*s.KW*s.In*s.Out), randoms(rng, s.Out))
	src := noise(rng, (h-1)*s.Stride+s.KH, (w-1)*s.Stride+s.KW, s.In)
	dst := Img(randoms(rng, h*w*s.Out), h, w, s.Out)
	conv.Run(dst, src, dst)
	return dst.Data
}

func TestConvIsTheSameForAnyWorkers(t *testing.T) {
	for _, l := range convLevels() {
		for _, c := range []struct {
			shape ConvShape
			h, w  int
		}{
			{ConvShape{3, 3, 3, 17, 2, Rectify6}, 21, 19},
			{ConvShape{1, 1, 40, 240, 1, Rectify}, 7, 7}, // channels are shared out
			{ConvShape{1, 1, 24, 144, 1, Identity}, 3, 200},
		} {
			want := runConv(t, l, c.shape, c.h, c.w, 1)
			for _, workers := range []int{2, 3, 16} {
				if got := runConv(t, l, c.shape, c.h, c.w, workers); !slices.Equal(got, want) {
					t.Errorf("%s %+v: %d workers give something else than one", l, c.shape, workers)
				}
			}
		}
	}
}

// A NaN must not become a number on its way through a network.
func TestConvKeepsNaN(t *testing.T) {
	nan := float32(math.NaN())
	for _, l := range convLevels() {
		for _, out := range []int{1, 16, 30} {
			for a := Identity; a <= Logistic; a++ {
				s := ConvShape{1, 1, 1, out, 1, a}
				for _, from := range []string{"picture", "weights", "bias", "residual"} {
					value := func(name string) []float32 {
						if name == from {
							return slices.Repeat([]float32{nan}, out)
						}
						return make([]float32, out)
					}
					src, dst := Img(value("picture")[:1], 1, 1, 1), Img(make([]float32, out), 1, 1, out)
					newConv(l, s, value("weights"), value("bias")).Run(dst, src, Img(value("residual"), 1, 1, out))
					wantNaN(t, fmt.Sprintf("%s %+v, NaN in the %s", l, s, from), dst.Data)
				}
			}
		}
	}
}

func wantNaN(t *testing.T, what string, x []float32) {
	t.Helper()
	if i := slices.IndexFunc(x, func(v float32) bool { return v == v }); i >= 0 {
		t.Errorf("%s: value %d is %v, not NaN", what, i, x[i])
	}
}

// An infinity is cut only by the activation.
func TestConvOfInfinity(t *testing.T) {
	for _, l := range convLevels() {
		for a, want := range map[Activation][2]float32{Identity: {infinity, -infinity}, Rectify: {infinity, 0}, Rectify6: {6, 0}} {
			dst := Img(make([]float32, 2), 1, 2, 1)
			newConv(l, ConvShape{1, 1, 1, 1, 1, a}, []float32{1}, nil).Run(dst, Img([]float32{infinity, -infinity}, 1, 2, 1), Image{})
			if [2]float32(dst.Data) != want {
				t.Errorf("%s activation %d: %v, want %v", l, a, dst.Data, want)
			}
		}
	}
}

func FuzzConv(f *testing.F) {
	f.Add(uint8(3), uint8(3), uint8(3), uint8(32), uint8(2), uint8(2), uint8(9), uint8(9), uint64(1))
	f.Add(uint8(1), uint8(1), uint8(40), uint8(112), uint8(1), uint8(1), uint8(7), uint8(14), uint64(2))
	f.Fuzz(func(t *testing.T, kh, kw, in, out, stride, activation, h, w uint8, seed uint64) {
		s := ConvShape{1 + int(kh)%5, 1 + int(kw)%5, 1 + int(in)%40, 1 + int(out)%120, 1 + int(stride)%3, Activation(activation % 5)}
		for _, l := range convLevels() {
			checkConv(t, l, s, 1+int(h)%9, 1+int(w)%15, seed%2 == 0, seed)
		}
	})
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

func TestConvShapesPanic(t *testing.T) {
	weights := make([]float32, 3*3*4*8)
	conv := NewConv(ConvShape{3, 3, 4, 8, 1, Identity}, weights, nil)
	image := func(h, w, c int) Image { return Img(make([]float32, h*w*c), h, w, c) }
	for _, test := range []struct {
		name string
		f    func()
	}{
		{"too few rows", func() { conv.Run(image(4, 4, 8), image(5, 6, 4), Image{}) }},
		{"too few columns", func() { conv.Run(image(4, 5, 8), image(6, 6, 4), Image{}) }},
		{"source channels", func() { conv.Run(image(4, 4, 8), image(6, 6, 3), Image{}) }},
		{"result channels", func() { conv.Run(image(4, 4, 7), image(6, 6, 4), Image{}) }},
		{"residual", func() { conv.Run(image(4, 4, 8), image(6, 6, 4), image(4, 3, 8)) }},
		{"image over too few values", func() { conv.Run(Image{make([]float32, 127), 4, 4, 8, 32}, image(6, 6, 4), Image{}) }},
		{"weights", func() { NewConv(ConvShape{3, 3, 4, 8, 1, Identity}, weights[1:], nil) }},
		{"bias", func() { NewConv(ConvShape{3, 3, 4, 8, 1, Identity}, weights, weights[:7]) }},
		{"no stride", func() { NewConv(ConvShape{3, 3, 4, 8, 0, Identity}, weights, nil) }},
	} {
		t.Run(test.name, func(t *testing.T) { wantPanic(t, test.f) })
	}
	conv.Run(image(0, 4, 8), image(0, 6, 4), Image{}) // nothing to do
}

func wantPanic(t *testing.T, f func()) {
	t.Helper()
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	f()
}

// benchConv times a convolution in the place that it has in a network: the source has a border.
func benchConv(b *testing.B, s ConvShape, size int, residual bool) {
	rng := rand.New(rand.NewPCG(1, 1))
	conv := NewConv(s, randoms(rng, s.KH*s.KW*s.In*s.Out), nil)
	in := (size-1)*s.Stride + s.KH
	src, dst := Img(randoms(rng, in*in*s.In), in, in, s.In), Img(make([]float32, size*size*s.Out), size, size, s.Out)
	var add Image
	if residual {
		add = Img(randoms(rng, size*size*s.Out), size, size, s.Out)
	}
	b.ReportAllocs()
	for b.Loop() {
		conv.Run(dst, src, add)
	}
	flops(b, size*size*s.KH*s.KW*s.In*s.Out)
}

// flops reports the speed, given the multiplications of one iteration.
func flops(b *testing.B, products int) {
	b.ReportMetric(2*float64(products)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
}

// The layers of EfficientNet-Lite0, except those that are alike.
func BenchmarkConv(b *testing.B) {
	withWorkers(b, 1)
	b.Run("stem", func(b *testing.B) { benchConv(b, ConvShape{3, 3, 3, 32, 2, Rectify6}, 112, false) })
	for _, c := range []struct{ size, in, out int }{ // from narrow to wide and back
		{112, 32, 16}, {112, 16, 96}, {56, 96, 24}, {56, 24, 144}, {56, 144, 24}, {28, 144, 40}, {28, 40, 240}, {28, 240, 40},
		{14, 240, 80}, {14, 80, 480}, {14, 480, 80}, {14, 480, 112}, {14, 112, 672}, {14, 672, 112},
		{7, 672, 192}, {7, 192, 1152}, {7, 1152, 192}, {7, 1152, 320}, {7, 320, 1280},
	} {
		a := Identity
		if c.out > c.in {
			a = Rectify6
		}
		b.Run(fmt.Sprintf("%dx%dto%d", c.size, c.in, c.out), func(b *testing.B) {
			benchConv(b, ConvShape{1, 1, c.in, c.out, 1, a}, c.size, false)
		})
	}
	b.Run("7x1152to192/residual", func(b *testing.B) { benchConv(b, ConvShape{1, 1, 1152, 192, 1, Identity}, 7, true) })
}
