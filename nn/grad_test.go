package nn

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"showtell/tensor"
)

// project reduces y to one number by fixed random weights, so that every
// element has a gradient of its own.
func project(t *Tape, y *Var) *Var {
	rng := rand.New(rand.NewPCG(7, 7))
	w := make([]float32, len(y.Data))
	sum := 0.0
	for i := range w {
		w[i] = float32(rng.NormFloat64())
		sum += float64(w[i]) * float64(y.Data[i])
	}
	loss := t.New(1)
	loss.Data[0] = float32(sum)
	t.record(func() {
		for i, d := range y.Grad() {
			y.Grad()[i] = d + w[i]*loss.grad[0]
		}
	})
	return loss
}

// exact is project in float64, for the differences.
func exact(y *Var) float64 {
	rng := rand.New(rand.NewPCG(7, 7))
	sum := 0.0
	for _, v := range y.Data {
		sum += float64(float32(rng.NormFloat64())) * float64(v)
	}
	return sum
}

// checkGrad compares the gradients that f leaves in params with central
// differences. f must be deterministic.
func checkGrad(t *testing.T, params []*Param, f func(t *Tape) *Var) {
	t.Helper()
	newTape := func() *Tape { return NewTape(rand.New(rand.NewPCG(1, 1))) }
	value := func() float64 { return exact(f(newTape())) }
	tape := newTape()
	for range 2 { // twice: arrays of a reset tape hold old numbers
		tape.Reset()
		tape.Rand = rand.New(rand.NewPCG(1, 1))
		for _, p := range params {
			p.ZeroGrad()
		}
		tape.Backward(project(tape, f(tape)))
	}
	const h = 1e-2
	for _, p := range params {
		for i := range p.Data {
			x := p.Data[i]
			p.Data[i] = x + h
			up := value()
			p.Data[i] = x - h
			down := value()
			p.Data[i] = x
			want := (up - down) / (2 * h)
			got := float64(p.Grad()[i])
			if math.Abs(got-want) > 2e-3+1e-2*math.Abs(want) {
				t.Errorf("gradient of %s[%d] = %.5f, want %.5f", p.Name, i, got, want)
			}
		}
	}
}

func random(name string, shape ...int) *Param {
	rng := rand.New(rand.NewPCG(uint64(len(name)), uint64(name[0])))
	return NewParam(name, shape...).Normal(rng, 0.5)
}

func TestGradients(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	x, y := random("x", 6, 5), random("y", 6, 5)
	w, b := random("w", 4, 5), random("bias", 4)
	table := random("table", 3, 4)
	norm := NewLayerNorm("norm", 5)
	norm.Gain.Normal(rng, 1)
	norm.Shift.Normal(rng, 1)
	// Away from the kinks, where differences say nothing.
	kink := random("kink", 4, 5)
	for i := range kink.Data {
		kink.Data[i] = []float32{-3, -0.5, 0.5, 4, 7}[i%5]
	}
	for _, c := range []struct {
		name   string
		params []*Param
		f      func(t *Tape) *Var
	}{
		{"product", []*Param{x, w, b}, func(t *Tape) *Var { return Product(t, &x.Var, w, b) }},
		{"product without bias", []*Param{x, w}, func(t *Tape) *Var { return Product(t, &x.Var, w, nil) }},
		{"product twice", []*Param{x, w, b}, func(t *Tape) *Var {
			return Add(t, Product(t, Tanh(t, &x.Var), w, b), Product(t, Sigmoid(t, &x.Var), w, nil))
		}},
		{"relu", []*Param{kink}, func(t *Tape) *Var { return ReLU(t, &kink.Var) }},
		{"relu6", []*Param{kink}, func(t *Tape) *Var { return ReLU6(t, &kink.Var) }},
		{"silu", []*Param{x}, func(t *Tape) *Var { return SiLU(t, &x.Var) }},
		{"silu of many", []*Param{kink}, func(t *Tape) *Var { // the first result's gradient has more than one source
			y := SiLU(t, Scale(t, &kink.Var, 0.5))
			return Add(t, SiLU(t, y), y)
		}},
		{"tanh", []*Param{x}, func(t *Tape) *Var { return Tanh(t, &x.Var) }},
		{"sigmoid", []*Param{x}, func(t *Tape) *Var { return Sigmoid(t, &x.Var) }},
		{"add to itself", []*Param{x}, func(t *Tape) *Var { return Add(t, &x.Var, &x.Var) }},
		{"scale", []*Param{x}, func(t *Tape) *Var { return Scale(t, &x.Var, 3) }},
		{"rows", []*Param{x}, func(t *Tape) *Var {
			v := Tanh(t, &x.Var)
			return Add(t, Rows(t, v, 0, 3), Rows(t, v, 2, 5))
		}},
		{"rows of rows", []*Param{x}, func(t *Tape) *Var { return Rows(t, Rows(t, Tanh(t, &x.Var), 1, 5), 1, 3) }},
		{"affine", []*Param{x}, func(t *Tape) *Var {
			return Affine(t, &x.Var, []float32{1, -2, 0.5, 3, 1}, []float32{0, 1, 2, 3, 4})
		}},
		{"stack", []*Param{x, y}, func(t *Tape) *Var { return Stack(t, &x.Var, &y.Var, &x.Var) }},
		{"concat", []*Param{x, y}, func(t *Tape) *Var { return Concat(t, &x.Var, &y.Var, &x.Var) }},
		{"gather", []*Param{x}, func(t *Tape) *Var { return Gather(t, &x.Var, []int{5, 0, 0, 3}) }},
		{"append mean", []*Param{x}, func(t *Tape) *Var { return AppendMean(t, &x.Var, 2) }},
		{"mean of rows", []*Param{x}, func(t *Tape) *Var { return MeanRows(t, &x.Var, 3) }},
		{"embedding", []*Param{table}, func(t *Tape) *Var { return Embedding(t, table, []int{2, 0, 2, 1, 2}) }},
		{"dropout", []*Param{x}, func(t *Tape) *Var { return Dropout(t, &x.Var, 0.4) }},
		{"layer norm", append(norm.Params(), x), func(t *Tape) *Var { return norm.Forward(t, &x.Var) }},
	} {
		t.Run(c.name, func(t *testing.T) { checkGrad(t, c.params, c.f) })
	}
}

func TestLSTMGradient(t *testing.T) {
	l := NewLSTM(rand.New(rand.NewPCG(1, 2)), "lstm", 3, 4)
	x, h, c := random("x", 7, 3), random("h", 3, 4), random("cell", 3, 4)
	params := append(l.Params(), x, h, c)
	checkGrad(t, params, func(t *Tape) *Var {
		p := l.Project(t, &x.Var)
		s := State{H: &h.Var, C: &c.Var}
		s = l.Step(t, Rows(t, p, 0, 3), s)
		first := s.H
		s = State{H: Rows(t, s.H, 0, 2), C: Rows(t, s.C, 0, 2)} // one sequence ends
		s = l.Step(t, Rows(t, p, 3, 5), s)
		s = l.Step(t, Rows(t, p, 5, 7), s)
		return Add(t, Add(t, s.H, s.C), Rows(t, first, 1, 3))
	})
}

func TestAttentionGradient(t *testing.T) {
	q, k, v := random("query", 6, 4), random("k", 7, 4), random("value", 7, 4)
	cross := []Span{{0, 2, 0, 3}, {2, 6, 3, 7}}
	checkGrad(t, []*Param{q, k, v}, func(t *Tape) *Var {
		return Attention(t, &q.Var, &k.Var, &v.Var, cross, 2, false, nil)
	})
	self := []Span{{0, 4, 0, 4}, {4, 6, 4, 6}}
	checkGrad(t, []*Param{q, k, v}, func(t *Tape) *Var {
		return Attention(t, &q.Var, Rows(t, &k.Var, 0, 6), Rows(t, &v.Var, 0, 6), self, 2, true, nil)
	})
}

func TestAdditiveAttentionGradient(t *testing.T) {
	q, k, v, w := random("query", 5, 3), random("k", 8, 3), random("value", 8, 2), random("w", 3)
	checkGrad(t, []*Param{q, k, v, w}, func(t *Tape) *Var {
		y, _ := AdditiveAttention(t, &q.Var, &k.Var, &v.Var, w, []int{1, 0, 1, 1, 0}, 4)
		return y
	})
}

func TestCrossEntropyGradient(t *testing.T) {
	x := random("x", 5, 6)
	targets := []int{2, -1, 0, 5, 5}
	for _, c := range []struct {
		name      string
		smoothing float32
		weights   []float32
	}{{"plain", 0, nil}, {"smooth", 0.1, nil}, {"weighted", 0.1, []float32{1, 1, -2, 0.5, 0}}} {
		t.Run(c.name, func(t *testing.T) {
			checkGrad(t, []*Param{x}, func(t *Tape) *Var { return CrossEntropy(t, &x.Var, targets, c.smoothing, c.weights) })
			checkGrad(t, []*Param{x}, func(t *Tape) *Var { return CrossEntropy(t, Tanh(t, &x.Var), targets, c.smoothing, c.weights) })
		})
	}
}

// sameWindow pads as TensorFlow's SAME does.
func sameWindow(h, w, kernel, stride int) Window {
	oh, top, _ := tensor.SamePadding(h, kernel, stride)
	ow, left, _ := tensor.SamePadding(w, kernel, stride)
	return Window{Kernel: kernel, Stride: stride, Top: top, Left: left, H: oh, W: ow}
}

func TestConvGradient(t *testing.T) {
	bn := Ending{Scale: []float32{1, 2, -0.5, 0.7}, Shift: []float32{0, 0.1, 0.2, 0.3}}
	for _, c := range []struct {
		name                 string
		h, w, kernel, stride int
		in, out              int // out 0: depthwise
	}{
		{"pointwise", 5, 4, 1, 1, 3, 4},
		{"pointwise, stride 2", 5, 4, 1, 2, 3, 4},
		{"3x3", 5, 4, 3, 1, 3, 4},
		{"3x3, stride 2, odd", 5, 7, 3, 2, 3, 4},
		{"3x3, stride 2, even", 6, 4, 3, 2, 3, 4},
		{"5x5, stride 2", 7, 6, 5, 2, 2, 4},
		{"depthwise 3x3", 5, 4, 3, 1, 4, 0},
		{"depthwise 3x3, stride 2, odd", 5, 7, 3, 2, 4, 0},
		{"depthwise 5x5", 5, 6, 5, 1, 4, 0},
		{"depthwise 5x5, stride 2, even", 6, 8, 5, 2, 4, 0},
		{"depthwise 5x5, larger than the picture", 2, 3, 5, 1, 4, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			x, win := random("x", 2, c.h, c.w, c.in), sameWindow(c.h, c.w, c.kernel, c.stride)
			if c.out == 0 {
				w := random("deep", c.in, 1, c.kernel, c.kernel)
				checkGrad(t, []*Param{x, w}, func(t *Tape) *Var { return Depthwise(t, &x.Var, w, win, bn) })
				checkGrad(t, []*Param{x, w}, func(t *Tape) *Var { // x is read twice
					return Conv(t, Depthwise(t, &x.Var, w, win, Ending{}), point(c.in, c.in), sameWindow(win.H, win.W, 1, 1), Ending{Add: Depthwise(t, &x.Var, w, win, Ending{})})
				})
				return
			}
			w, add := random("w", c.out, c.in, c.kernel, c.kernel), random("add", 2, win.H, win.W, c.out)
			checkGrad(t, []*Param{x, w}, func(t *Tape) *Var { return Conv(t, &x.Var, w, win, Ending{}) })
			checkGrad(t, []*Param{x, w, add}, func(t *Tape) *Var {
				end := bn
				end.Add = &add.Var
				return Conv(t, &x.Var, w, win, end)
			})
		})
	}
}

// Kernels that are not square, and the paddings that are not SAME.
func TestWindowGradient(t *testing.T) {
	for _, c := range []struct {
		name string
		h, w int
		win  Window
	}{
		{"1x3", 5, 4, Window{Kernel: 3, Rows: 1, Stride: 1, Left: 1, H: 5, W: 4}},
		{"3x1", 5, 4, Window{Kernel: 1, Rows: 3, Stride: 1, Top: 1, H: 5, W: 4}},
		{"1x7", 3, 8, Window{Kernel: 7, Rows: 1, Stride: 1, Left: 3, H: 3, W: 8}},
		{"7x1", 8, 3, Window{Kernel: 1, Rows: 7, Stride: 1, Top: 3, H: 8, W: 3}},
		{"7x1, larger than the picture", 3, 2, Window{Kernel: 1, Rows: 7, Stride: 1, Top: 3, H: 3, W: 2}},
		{"1x3, stride 2", 5, 6, Window{Kernel: 3, Rows: 1, Stride: 2, Left: 1, H: 3, W: 3}},
		{"3x1, stride 2", 5, 4, Window{Kernel: 1, Rows: 3, Stride: 2, Top: 1, H: 3, W: 2}},
		{"3x3, no padding", 5, 6, Window{Kernel: 3, Stride: 1, H: 3, W: 4}},
		{"3x3, stride 2, no padding, a row and a column left over", 6, 8, Window{Kernel: 3, Stride: 2, H: 2, W: 3}},
		{"4x4 over all", 4, 4, Window{Kernel: 4, Stride: 1, H: 1, W: 1}},
		{"7x7, stride 2, symmetric", 6, 5, Window{Kernel: 7, Stride: 2, Top: 3, Left: 3, H: 3, W: 3}},
	} {
		t.Run(c.name, func(t *testing.T) {
			x, w, deep := random("x", 2, c.h, c.w, 3), random("w", 2, 3, c.win.rows(), c.win.Kernel), random("deep", 3, 1, c.win.rows(), c.win.Kernel)
			end := Ending{Scale: []float32{1, -0.5}, Shift: []float32{0, 0.1}}
			checkGrad(t, []*Param{x, w}, func(t *Tape) *Var { return Conv(t, &x.Var, w, c.win, end) })
			checkGrad(t, []*Param{x, deep}, func(t *Tape) *Var { return Depthwise(t, &x.Var, deep, c.win, Ending{}) })
		})
	}
}

// A weight with two strides and two activations on one tape.
func TestSharedConvGradient(t *testing.T) {
	x, w, wide, narrow := random("x", 2, 5, 4, 3), random("w", 3, 3, 3, 3), sameWindow(5, 4, 3, 1), sameWindow(5, 4, 3, 2)
	checkGrad(t, []*Param{x, w}, func(t *Tape) *Var {
		return Conv(t, Conv(t, &x.Var, w, wide, Ending{Shift: []float32{9, 9, 9}, Activation: tensor.Rectify}), w, narrow, Ending{})
	})
}

// Activations that do not clamp, in convolutions that something else reads as well.
func TestCurvedConvGradient(t *testing.T) {
	x, w, deep, win := random("x", 2, 5, 4, 3), random("w", 3, 3, 3, 3), random("deep", 3, 1, 3, 3), sameWindow(5, 4, 3, 1)
	add := random("add", 2, 5, 4, 3)
	for _, a := range []tensor.Activation{tensor.Swish, tensor.Logistic} {
		end := Ending{Scale: []float32{1, 2, -0.5}, Shift: []float32{0, 0.1, 0.2}, Activation: a}
		checkGrad(t, []*Param{x, w, deep, add}, func(t *Tape) *Var {
			more := end
			more.Add = &add.Var
			y := Conv(t, &x.Var, w, win, more)
			return Add(t, Depthwise(t, y, deep, win, end), y)
		})
		apart, together := Conv(NewTape(nil), &x.Var, w, win, end).Data, Conv(nil, &x.Var, w, win, end).Data
		if !slices.Equal(apart, together) {
			t.Errorf("activation %d: a tape changes the result", a)
		}
	}
}

func TestExciteGradient(t *testing.T) {
	x, w := random("x", 2, 3, 2, 4), random("w", 4, 4, 1, 1)
	checkGrad(t, []*Param{x}, func(t *Tape) *Var { return ChannelMeans(t, &x.Var) })
	checkGrad(t, []*Param{x, w}, func(t *Tape) *Var {
		y := SiLU(t, &x.Var)
		scale := Conv(t, ChannelMeans(t, y), w, sameWindow(1, 1, 1, 1), Ending{Activation: tensor.Logistic})
		return ScaleChannels(t, y, scale)
	})
}

func point(in, out int) *Param { return random("point", out, in, 1, 1) }

// Differences across the bend of an activation would be wrong, so it is compared with ReLU6 apart.
func TestConvActivationGradient(t *testing.T) {
	x, add := random("x", 2, 5, 4, 3), random("add", 2, 5, 4, 3)
	for _, c := range []struct {
		name       string
		activation tensor.Activation
		apart      func(*Tape, *Var) *Var
	}{{"rectify", tensor.Rectify, ReLU}, {"rectify6", tensor.Rectify6, ReLU6}} {
		for _, kernel := range []int{1, 3} {
			shift, scale, win := []float32{0, 3, 6}, []float32{2, 2, 2}, sameWindow(5, 4, kernel, 1)
			w, deep := random("w", 3, 3, kernel, kernel), random("deep", 3, 1, kernel, kernel)
			grads := func(end func(t *Tape, e Ending, f func(e Ending) *Var) *Var) (all []float32) {
				tape := NewTape(nil)
				e := Ending{Scale: scale, Shift: shift, Add: &add.Var}
				y := end(tape, e, func(e Ending) *Var { return Conv(tape, &x.Var, w, win, e) })
				e.Add = nil
				for _, others := range []int{0, 1, 2, 3} { // that read y before and after the depthwise convolution
					before, after := Scale(tape, y, float32(others&1)), y
					y = end(tape, e, func(e Ending) *Var { return Depthwise(tape, y, deep, win, e) })
					if others&1 > 0 {
						y = Add(tape, y, before)
					}
					if others&2 > 0 {
						y = Add(tape, y, after)
					}
				}
				tape.Backward(project(tape, y))
				for _, p := range []*Param{x, add, w, deep} {
					all = append(all, p.Grad()...)
					p.ZeroGrad()
				}
				return all
			}
			got := grads(func(t *Tape, e Ending, f func(Ending) *Var) *Var { e.Activation = c.activation; return f(e) })
			want := grads(func(t *Tape, e Ending, f func(Ending) *Var) *Var { return c.apart(t, f(e)) })
			for i := range want {
				if math.Abs(float64(got[i]-want[i])) > 1e-4 {
					t.Errorf("%s, kernel %d: gradient %d = %g, want %g", c.name, kernel, i, got[i], want[i])
				}
			}
		}
	}
}

// Where nothing before them learns, layers without weights want no gradient.
func TestUnlearned(t *testing.T) {
	tape, x, win := NewTape(nil), Const(make([]float32, 4*4*3), 1, 4, 4, 3), tensor.Window{H: 2, W: 2, Stride: 2}
	for name, y := range map[string]*Var{
		"max":     MaxPool(tape, x, win, 2, 2),
		"average": AveragePool(tape, x, win, 2, 2, false),
		"concat":  Concat(tape, x, x),
		"means":   ChannelMeans(tape, x),
		"scale":   ScaleChannels(tape, x, Const(make([]float32, 3), 1, 1, 1, 3)),
	} {
		if y.WantsGrad() {
			t.Errorf("%s of a constant wants a gradient", name)
		}
	}
	if !Concat(tape, x, &random("y", 1, 4, 4, 3).Var).WantsGrad() {
		t.Error("concat of a weight wants no gradient")
	}
}

// Weights that are Fixed, and what comes before all that learns, get no gradient.
func TestFixedConv(t *testing.T) {
	tape, win := NewTape(nil), sameWindow(4, 4, 1, 1)
	x := Const(make([]float32, 2*4*4*3), 2, 4, 4, 3)
	first, second, third := point(3, 3), point(3, 3), point(3, 3)
	first.Fixed, third.Fixed = true, true
	a := Conv(tape, x, first, win, Ending{Shift: []float32{1, 1, 1}})
	if a.WantsGrad() {
		t.Error("a fixed convolution of a constant wants a gradient")
	}
	tape.Backward(project(tape, Conv(tape, Conv(tape, a, second, win, Ending{}), third, win, Ending{})))
	if first.grad != nil || third.grad != nil || second.grad == nil {
		t.Error("fixed weights got a gradient, or those that learn got none")
	}
}
