package tensor

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// slow is a convolution and its gradients by their definition, in float64.
type slow struct {
	*Training
	depthwise           bool
	y, weights, srcGrad []float64
	slack               []float64 // how far rounding may move a gradient of the weights
}

// eachProduct calls f for all that is multiplied: numbers of the output, the input and the weight.
func (s *slow) eachProduct(f func(y, x, w int)) {
	for i := range s.N * s.OutH * s.OutW * s.Out {
		n, oy, ox, o := i/s.Out/s.OutW/s.OutH, i/s.Out/s.OutW%s.OutH, i/s.Out%s.OutW, i%s.Out
		for tap := range s.KH * s.KW {
			y, x := oy*s.Stride+tap/s.KW-s.Top, ox*s.Stride+tap%s.KW-s.Left
			if y < 0 || y >= s.H || x < 0 || x >= s.W {
				continue
			}
			at := ((n*s.H+y)*s.W + x) * s.In
			if s.depthwise {
				f(i, at+o, tap*s.In+o)
				continue
			}
			for c := range s.In {
				f(i, at+c, (tap*s.In+c)*s.Out+o)
			}
		}
	}
}

func (s *slow) run(src, weights, bias, residual, grad []float32, before float64) {
	s.y, s.weights, s.slack = make([]float64, len(grad)), make([]float64, len(weights)), make([]float64, len(weights))
	s.srcGrad = make([]float64, len(src))
	s.eachProduct(func(y, x, w int) { s.y[y] += float64(src[x]) * float64(weights[w]) })
	low, high := s.Activation.limits()
	dz := make([]float64, len(grad))
	for i, sum := range s.y {
		sum += float64(bias[i%s.Out])
		if residual != nil {
			sum += float64(residual[i])
		}
		s.y[i] = min(max(sum, float64(low)), float64(high))
		if sum > float64(low) && sum < float64(high) {
			dz[i] = float64(grad[i])
		}
	}
	for i := range s.srcGrad {
		s.srcGrad[i] = before
	}
	s.eachProduct(func(y, x, w int) {
		s.weights[w] += dz[y] * float64(src[x])
		s.slack[w] += math.Abs(dz[y] * float64(src[x]))
		s.srcGrad[x] += dz[y] * float64(weights[w])
	})
}

// turn is weights (taps, in, out) with the taps in reverse order: (taps, out, in).
func turn(weights []float32, taps, in, out int) []float32 {
	to := make([]float32, len(weights))
	for i, v := range weights {
		tap, c, o := i/out/in, i/out%in, i%out
		to[((taps-1-tap)*out+o)*in+c] = v
	}
	return to
}

// result is what Training gives.
type result struct{ y, weights, srcGrad []float32 }

func (t *Training) all(depthwise, add bool, src, weights, bias, residual, grad []float32) result {
	r := result{make([]float32, len(grad)), make([]float32, len(weights)), make([]float32, len(src))}
	g := Gradient{Grad: slices.Clone(grad), Out: r.y, Src: src, Weights: r.weights, SrcGrad: r.srcGrad, Add: add}
	for i := range r.srcGrad {
		r.srcGrad[i] = 1
	}
	back := t.ConvShape
	back.In, back.Out, back.Stride, back.Activation = t.Out, t.In, 1, Identity
	if depthwise {
		d, turned := NewDepthwise(t.ConvShape, make([]float32, len(weights)), nil), NewDepthwise(back, turn(weights, t.KH*t.KW, 1, t.In), nil)
		d.Repack(weights, bias)
		t.ForwardDepthwise(d, r.y, src)
		t.BackwardDepthwise(turned, g)
		return r
	}
	c, turned := NewConv(t.ConvShape, make([]float32, len(weights)), nil), NewConv(back, turn(weights, t.KH*t.KW, t.In, t.Out), nil)
	c.Repack(weights, bias)
	t.Forward(c, r.y, src, residual)
	t.Backward(turned, g)
	if t.point() {
		r.weights = turn(r.weights, 1, t.Out, t.In)
	}
	return r
}

func checkTraining(t *testing.T, c *Training, depthwise, add bool, seed uint64) {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 3))
	inner := c.In
	if depthwise {
		inner = 1
	}
	src, weights, bias := randoms(rng, c.N*c.H*c.W*c.In), randoms(rng, c.KH*c.KW*inner*c.Out), randoms(rng, c.Out)
	grad := randoms(rng, c.N*c.OutH*c.OutW*c.Out)
	var residual []float32
	before := 0.0
	if add {
		before = 1
		if !depthwise {
			residual = randoms(rng, len(grad))
		}
	}
	want := slow{Training: c, depthwise: depthwise}
	want.run(src, weights, bias, residual, grad, before)
	got := c.all(depthwise, add, src, weights, bias, residual, grad)
	compare := func(what string, got []float32, want []float64, slack func(i int) float64) {
		for i, v := range want {
			if !(math.Abs(float64(got[i])-v) <= slack(i)) {
				t.Fatalf("%+v, depthwise %v: %s[%d] = %g, want %g", *c, depthwise, what, i, got[i], v)
			}
		}
	}
	most := 1e-5 * math.Sqrt(float64(c.KH*c.KW*(inner+c.Out))) // of sums of normal numbers
	compare("output", got.y, want.y, func(int) float64 { return most })
	compare("gradient of the weights", got.weights, want.weights, func(i int) float64 { return 1e-5 + 1e-5*want.slack[i] })
	compare("gradient of the input", got.srcGrad, want.srcGrad, func(int) float64 { return most })
	for _, workers := range []int{1, 3} {
		withWorkers(t, workers)
		again := c.all(depthwise, add, src, weights, bias, residual, grad)
		if !slices.Equal(again.y, got.y) || !slices.Equal(again.weights, got.weights) || !slices.Equal(again.srcGrad, got.srcGrad) {
			t.Fatalf("%+v, depthwise %v: %d workers give something else", *c, depthwise, workers)
		}
	}
}

// same pads as TensorFlow does.
func same(n, h, w, kernel, stride, in, out int, a Activation) *Training {
	oh, top, _ := SamePadding(h, kernel, stride)
	ow, left, _ := SamePadding(w, kernel, stride)
	return &Training{ConvShape: ConvShape{kernel, kernel, in, out, stride, a}, N: n, H: h, W: w, OutH: oh, OutW: ow, Top: top, Left: left}
}

func TestTraining(t *testing.T) {
	for _, a := range []Activation{Identity, Rectify, Rectify6} {
		for _, kernel := range []int{1, 3, 5, 7} {
			for stride := 1; stride <= 3; stride++ {
				checkTraining(t, same(2, 7, 6, kernel, stride, 5, 9, a), false, stride == 1, 1)
				checkTraining(t, same(2, 6, 7, kernel, stride, 27, 27, a), true, stride == 2, 1)
			}
		}
	}
	checkTraining(t, same(3, 40, 50, 3, 2, 3, 32, Rectify6), false, false, 1)   // many bands
	checkTraining(t, same(3, 40, 50, 5, 2, 144, 144, Rectify6), true, false, 1) // many bands
	checkTraining(t, same(2, 30, 40, 3, 1, 96, 96, Rectify6), true, true, 1)
	checkTraining(t, same(2, 70, 70, 1, 1, 24, 40, Rectify6), false, true, 1) // a long product
	narrow := same(1, 9, 9, 3, 2, 4, 4, Identity)                             // no padding, a last row that nothing sees
	narrow.Top, narrow.Left, narrow.OutH, narrow.OutW, narrow.H = 0, 0, 4, 4, 10
	checkTraining(t, narrow, false, false, 1)
	checkTraining(t, narrow, true, false, 1)
}

func FuzzTraining(f *testing.F) {
	f.Add(uint64(1), uint8(2), uint8(5), uint8(6), uint8(3), uint8(2), uint8(16), uint8(4), uint8(2), false)
	f.Add(uint64(2), uint8(1), uint8(7), uint8(3), uint8(5), uint8(1), uint8(41), uint8(9), uint8(0), true)
	f.Fuzz(func(t *testing.T, seed uint64, n, h, w, kernel, stride, in, out, a uint8, depthwise bool) {
		c := same(1+int(n%3), 1+int(h%12), 1+int(w%12), 1+int(kernel%5), 1+int(stride%3), 1+int(in%50), 1+int(out%50), Activation(a%3))
		if depthwise {
			c.Out = c.In
		}
		checkTraining(t, c, depthwise, seed%2 == 0, seed)
	})
}

// Every kernel against single taps, for channels that fill vectors of both widths and leave some over.
func TestDepthGrad(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	for _, l := range convLevels() {
		for _, channels := range []int{1, 7, 8, 16, 27, 48} {
			for _, kernel := range []int{3, 5} {
				for stride := 1; stride <= 2; stride++ {
					c := same(1, 4*stride, 5*stride, kernel, stride, channels, channels, Identity)
					x := noise(rng, 3*stride+kernel, 4*stride+kernel, channels)
					dz := noise(rng, 3*stride+1, 4*stride+1, channels)
					grad := Image{Data: dz.Data, H: 4, W: 5, C: channels, Stride: stride * dz.Stride}
					want := randoms(rng, kernel*kernel*channels)
					got := slices.Clone(want)
					c.depthGradByTap(want, x, grad, 0)
					c.depthGrad(depthGradKernelsOf(l), got, x, grad)
					for i, v := range want {
						if math.Abs(float64(got[i]-v)) > 1e-4 {
							t.Fatalf("%s %dx%d/%d of %d channels: sum %d = %g, want %g", l, kernel, kernel, stride, channels, i, got[i], v)
						}
					}
				}
			}
		}
	}
}

func TestMaskGrad(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	out := []float32{0, 1, 6, -1, 7, 5.5, nan, inf, -inf, 3}
	want := map[Activation][]float32{
		Identity: {1, 2, 3, 4, 5, 6, 7, 8, 9, 10},
		Rectify:  {0, 2, 3, 0, 5, 6, 0, 0, 0, 10},
		Rectify6: {0, 2, 0, 0, 0, 6, 0, 0, 0, 10},
	}
	for _, l := range convLevels() {
		for a, want := range want {
			for n := range len(out)*3 + 1 {
				long, grad, expect := slices.Repeat(out, 3)[:n], slices.Repeat(places, 3)[:n], slices.Repeat(want, 3)[:n]
				dst := make([]float32, n)
				mask(l, dst, grad, long, a)
				mask(l, grad, grad, long, a)
				if !slices.Equal(dst, expect) || !slices.Equal(grad, expect) {
					t.Fatalf("%s, activation %d: %v, in place %v, want %v", l, a, dst, grad, expect)
				}
			}
		}
	}
}

// places are gradients by which places are known.
var places = []float32{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}
