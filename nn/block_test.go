package nn

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"showtell/tensor"
)

// Values by torch.nn.functional.gelu, approximate none and tanh, and x * sigmoid(1.702 x), in float64.
func TestGELU(t *testing.T) {
	x := Const([]float32{-6, -3, -1, -0.1, 0, 0.1, 1, 3, 6}, 1, 9)
	for _, c := range []struct {
		name string
		f    func(t *Tape, x *Var) *Var
		want []float64
	}{
		{"GELU", GELU, []float64{-5.91952587e-09, -0.00404969409, -0.158655254, -0.0460172163, 0, 0.0539827837, 0.841344746, 2.99595031, 5.99999999}},
		{"GELUTanh", GELUTanh, []float64{-8.43964898e-11, -0.00363739208, -0.158808009, -0.046017249, 0, 0.053982751, 0.841191991, 2.99636261, 6}},
		{"QuickGELU", QuickGELU, []float64{-0.00022035355, -0.0180713097, -0.154204234, -0.0457552419, 0, 0.0542447581, 0.845795766, 2.98192869, 5.99977965}},
	} {
		for i, got := range c.f(nil, x).Data {
			if math.Abs(float64(got)-c.want[i]) > 1e-6 {
				t.Errorf("%s(%v) = %v, want %v", c.name, x.Data[i], got, c.want[i])
			}
		}
	}
}

func TestBlockGradients(t *testing.T) {
	x, first, places := random("x", 6, 4), random("first", 4), random("places", 4, 4)
	qkv := random("qkv", 6, 12)
	for _, c := range []struct {
		name   string
		params []*Param
		f      func(t *Tape) *Var
	}{
		{"gelu", []*Param{x}, func(t *Tape) *Var { return GELU(t, &x.Var) }},
		{"gelu tanh", []*Param{x}, func(t *Tape) *Var { return GELUTanh(t, &x.Var) }},
		{"quick gelu", []*Param{x}, func(t *Tape) *Var { return QuickGELU(t, &x.Var) }},
		{"self-attention", []*Param{qkv}, func(t *Tape) *Var { return SelfAttention(t, &qkv.Var, 3, 2) }},
		{"tokens", []*Param{x, first, places}, func(t *Tape) *Var { return Tokens(t, &x.Var, first, places, 3) }},
	} {
		t.Run(c.name, func(t *testing.T) { checkGrad(t, c.params, c.f) })
	}
	b := NewBlock(rand.New(rand.NewPCG(5, 6)), "block.", 4, 7, 2, GELU)
	b.Norm1.Epsilon = 0.1
	t.Run("block", func(t *testing.T) {
		checkGrad(t, append(b.Params(), x), func(t *Tape) *Var { return b.Forward(t, &x.Var, 3) })
	})
}

// A sequence knows nothing of its neighbours, and self-attention is Attention.
func TestSelfAttention(t *testing.T) {
	qkv := random("qkv", 6, 12)
	got := SelfAttention(nil, &qkv.Var, 3, 2)
	part := func(at int) *Var {
		v := Const(make([]float32, 24), 6, 4)
		for i := range 6 {
			copy(v.Row(i), qkv.Row(i)[at:at+4])
		}
		return v
	}
	spans := []Span{{0, 3, 0, 3}, {3, 6, 3, 6}}
	want := Attention(nil, part(0), part(4), part(8), spans, 2, false, nil)
	if !slices.Equal(got.Data, want.Data) {
		t.Errorf("self-attention %v, want %v", got.Data, want.Data)
	}
}

func TestPatches(t *testing.T) {
	x := make([]float32, 2*4*5*2)
	for i := range x {
		x[i] = float32(i)
	}
	got := Patches(nil, Const(x, 2, 4, 5, 2), 2)
	if !slices.Equal(got.Shape, []int{8, 8}) {
		t.Fatalf("shape %v, want (8, 8)", got.Shape)
	}
	// By hand: pixel (y, x) of picture n and channel c is ((n·4+y)·5+x)·2+c.
	for _, c := range []struct {
		row  int
		want []float32
	}{{0, []float32{0, 2, 10, 12, 1, 3, 11, 13}}, {1, []float32{4, 6, 14, 16, 5, 7, 15, 17}}, {7, []float32{64, 66, 74, 76, 65, 67, 75, 77}}} {
		if !slices.Equal(got.Row(c.row), c.want) {
			t.Errorf("patch %d is %v, want %v", c.row, got.Row(c.row), c.want)
		}
	}
}

// What is fixed has no gradient, nor has what comes before all that learns, and
// what learns has the same one as if all did.
func TestFixedWeights(t *testing.T) {
	x := random("x", 6, 4)
	low := NewBlock(rand.New(rand.NewPCG(5, 6)), "low.", 4, 7, 2, GELU)
	top := NewBlock(rand.New(rand.NewPCG(7, 8)), "top.", 4, 7, 2, QuickGELU)
	run := func() *Var {
		tape := NewTape(nil)
		h := low.Forward(tape, Const(x.Data, 6, 4), 3)
		tape.Backward(project(tape, top.Forward(tape, h, 3)))
		return h
	}
	run()
	want := slices.Clone(top.QKV.W.Grad())
	for _, p := range append(low.Params(), top.Params()...) {
		p.Fixed = p != top.QKV.W
		p.grad = nil
	}
	if h := run(); h.WantsGrad() || h.grad != nil {
		t.Error("the result of fixed weights has a gradient")
	}
	for _, p := range append(low.Params(), top.Params()...) {
		if p.Fixed && p.grad != nil && tensor.SumSquares(p.grad) > 0 {
			t.Errorf("%s is fixed and has a gradient", p.Name)
		}
	}
	if !slices.Equal(top.QKV.W.Grad(), want) {
		t.Errorf("gradient %v, want %v", top.QKV.W.Grad(), want)
	}
}

// Inference on a scratch tape gives the bits of training and lends few arrays.
func TestBlockInference(t *testing.T) {
	x := random("x", 600, 32)
	b := NewBlock(rand.New(rand.NewPCG(5, 6)), "b.", 32, 128, 4, GELU)
	want := b.Forward(NewTape(nil), Const(x.Data, 600, 32), 300)
	for _, p := range b.Params() {
		p.Freeze()
	}
	tape := NewScratch()
	for range 3 {
		tape.Reset()
		in := tape.New(600, 32)
		copy(in.Data, x.Data)
		for range 4 {
			copyOf := tape.New(600, 32)
			copy(copyOf.Data, x.Data)
			in = b.Forward(tape, copyOf, 300)
		}
		if !slices.Equal(in.Data, want.Data) {
			t.Fatal("another result on a scratch tape")
		}
	}
	held := 0
	for _, class := range tape.free {
		for _, s := range class {
			held += len(s)
		}
	}
	for _, s := range tape.used {
		held += len(s)
	}
	if most := 2 << 20; held > most {
		t.Errorf("four blocks hold %d values, want at most %d", held, most)
	}
}
