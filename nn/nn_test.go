package nn

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"showtell/tensor"
)

func TestClassHoldsSize(t *testing.T) {
	for n := 1; n < 10000; n++ {
		if s := classSize(class(n)); s < n || n > 4 && s > 2*n {
			t.Fatalf("size class of %d holds %d", n, s)
		}
		if c := class(classSize(class(n))); c != class(n) {
			t.Fatalf("the array of class %d goes back to class %d", class(n), c)
		}
	}
}

// Worked by hand: uniform logits over 4 words cost ln 4 with any smoothing.
func TestCrossEntropyOfUniform(t *testing.T) {
	loss := CrossEntropy(nil, Const(make([]float32, 8), 2, 4), []int{1, 3}, 0.1, nil)
	if d := math.Abs(float64(loss.Data[0]) - math.Log(4)); d > 1e-6 {
		t.Errorf("loss = %v, want ln 4", loss.Data[0])
	}
}

func TestDropoutKeepsItsShareAndMean(t *testing.T) {
	tape := NewTape(rand.New(rand.NewPCG(5, 6)))
	n := 1 << 17
	x := Const(make([]float32, n), n, 1)
	for i := range x.Data {
		x.Data[i] = 1
	}
	y := Dropout(tape, x, 0.3)
	zeros, sum := 0, 0.0
	for _, v := range y.Data {
		if v == 0 {
			zeros++
		}
		sum += float64(v)
	}
	if share := float64(zeros) / float64(n); math.Abs(share-0.3) > 0.01 {
		t.Errorf("dropped %.3f, want 0.3", share)
	}
	if mean := sum / float64(n); math.Abs(mean-1) > 0.02 {
		t.Errorf("mean %.3f, want 1", mean)
	}
	if Dropout(nil, x, 0.3) != x {
		t.Error("dropout without a tape changed its input")
	}
}

func TestCausalAttentionSeesNoFuture(t *testing.T) {
	q, k, v := random("query", 4, 4), random("k", 4, 4), random("value", 4, 4)
	run := func() []float32 {
		return slices.Clone(Attention(nil, &q.Var, &k.Var, &v.Var, []Span{{0, 4, 0, 4}}, 2, true, nil).Data)
	}
	before := run()
	for i := 8; i < 16; i++ { // rows 2 and 3
		k.Data[i] += 5
		v.Data[i] -= 3
	}
	after := run()
	if !slices.Equal(before[:8], after[:8]) {
		t.Error("a later key changed an earlier row")
	}
	if slices.Equal(before[8:], after[8:]) {
		t.Error("a key changed nothing at all")
	}
}

func TestAttentionWeightsSumToOne(t *testing.T) {
	q, k, v := random("query", 3, 4), random("k", 5, 4), random("value", 5, 4)
	var weights []float32
	Attention(nil, &q.Var, &k.Var, &v.Var, []Span{{0, 1, 0, 2}, {1, 3, 2, 5}}, 2, false, &weights)
	if len(weights) != 2+2*3 {
		t.Fatalf("%d weights, want 8", len(weights))
	}
	for _, span := range [][]float32{weights[:2], weights[2:5], weights[5:]} {
		if s := tensor.Sum(span); math.Abs(float64(s)-1) > 1e-5 {
			t.Errorf("weights %v sum to %v", span, s)
		}
	}
}

func TestFrozenEqualsPlain(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 8))
	l := NewLSTM(rng, "lstm", 33, 40)
	lin := NewLinear(rng, "out", 40, 70)
	x := random("x", 3, 33)
	run := func() []float32 {
		s := State{H: Const(make([]float32, 120), 3, 40), C: Const(make([]float32, 120), 3, 40)}
		s = l.Step(nil, l.Project(nil, &x.Var), s)
		s = l.Step(nil, l.Project(nil, &x.Var), s)
		return lin.Forward(nil, s.H).Data
	}
	want := run()
	for _, p := range append(l.Params(), lin.Params()...) {
		p.Freeze()
	}
	for i, v := range run() {
		if math.Abs(float64(v-want[i])) > 1e-5 {
			t.Fatalf("frozen[%d] = %v, plain %v", i, v, want[i])
		}
	}
}

func TestBitsDoNotDependOnWorkers(t *testing.T) {
	defer tensor.SetWorkers(tensor.Workers())
	run := func(workers int) [][]float32 {
		tensor.SetWorkers(workers)
		rng := rand.New(rand.NewPCG(9, 9))
		tape := NewTape(rng)
		a, b := NewLinear(rng, "a", 70, 90), NewLinear(rng, "b", 90, 300)
		norm := NewLayerNorm("norm", 90)
		x := NewParam("x", 257, 70).Normal(rng, 1)
		targets := make([]int, 257)
		for i := range targets {
			targets[i] = i
		}
		h := norm.Forward(tape, ReLU(tape, Dropout(tape, a.Forward(tape, &x.Var), 0.2)))
		tape.Backward(CrossEntropy(tape, b.Forward(tape, h), targets, 0.1, nil))
		return [][]float32{a.W.Grad(), b.W.Grad(), b.B.Grad(), norm.Gain.Grad(), x.Grad()}
	}
	one, many := run(1), run(5)
	for i := range one {
		if !slices.Equal(one[i], many[i]) {
			t.Errorf("gradient %d differs between 1 and 5 workers", i)
		}
	}
}

// Recall is Attention, with the keys of each query in any place.
func TestRecallIsAttention(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	const queries, n, width, heads = 5, 3, 8, 2
	random := func(rows int) *Var {
		v := Const(make([]float32, rows*width), rows, width)
		for i := range v.Data {
			v.Data[i] = float32(rng.NormFloat64())
		}
		return v
	}
	q, k, v := random(queries), random(7), random(7)
	var rows []int
	var spans []Span
	for i := range queries * n {
		rows = append(rows, rng.IntN(7))
		if i%n == 0 {
			spans = append(spans, Span{i / n, i/n + 1, i, i + n})
		}
	}
	want := Attention(nil, q, Gather(nil, k, rows), Gather(nil, v, rows), spans, heads, false, nil)
	scratch := NewScratch()
	for range 2 {
		got := Recall(scratch, q, k, v, rows, heads)
		for i, x := range got.Data {
			if math.Abs(float64(x-want.Data[i])) > 1e-6 {
				t.Fatalf("Recall[%d] = %v, want %v", i, x, want.Data[i])
			}
		}
		if got.WantsGrad() {
			t.Error("an array of a scratch tape wants a gradient")
		}
		scratch.Reset()
	}
}
