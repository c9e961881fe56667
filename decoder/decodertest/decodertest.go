// Package decodertest is the test suite that every decoder passes. Call Run.
package decodertest

import (
	"bytes"
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"showtell/decoder"
	"showtell/modelfile"
	"showtell/nn"
	"showtell/tensor"
	"showtell/text"
)

// Config is a small network of the given kind.
func Config(kind string) decoder.Config {
	return decoder.Config{Kind: kind, Vocab: 11, Cells: 4, Channels: 6, Embed: 8, Hidden: 8, Layers: 2, Heads: 2, FeedForward: 12, MaxWords: 6}
}

// batch is three pictures with five captions of different lengths.
func batch(c decoder.Config) *decoder.Batch {
	rng := rand.New(rand.NewPCG(1, 2))
	grid := make([]float32, 3*c.Cells*c.Channels)
	for i := range grid {
		grid[i] = float32(rng.NormFloat64())
	}
	return &decoder.Batch{
		Grid:     nn.Const(grid, 3*c.Cells, c.Channels),
		Captions: [][]int{{1, 4, 5, 2}, {1, 6, 7, 8, 9, 10}, {1, 2}, {1, 10, 4, 2}, {1, 5, 5, 6, 2}},
		Picture:  []int{0, 0, 1, 2, 2},
	}
}

// Run checks the decoder of a configuration.
func Run(t *testing.T, c decoder.Config) {
	d, err := decoder.New(c, rand.New(rand.NewPCG(5, 6)))
	if err != nil {
		t.Fatal(err)
	}
	b := batch(c)
	t.Run("steps agree with Forward", func(t *testing.T) { stepsAgree(t, d, b) })
	t.Run("beams follow their parents", func(t *testing.T) { parentsFollowed(t, d, b) })
	t.Run("weights have their gradients", func(t *testing.T) { gradients(t, d, b) })
	t.Run("weights come back from a file", func(t *testing.T) { roundTrip(t, d, c, b) })
	t.Run("it learns", func(t *testing.T) { learns(t, c, b) })
	t.Run("dropped words are unknown", func(t *testing.T) { dropped(t, c, b) })
	t.Run("attention sums to one", func(t *testing.T) { attention(t, d, b, c) })
}

// walk steps through all captions at once and returns log-probabilities in
// caption order.
func walk(t *testing.T, d decoder.Decoder, b *decoder.Batch) [][]float32 {
	t.Helper()
	s := d.Start(b.Grid)
	out := make([][][]float32, len(b.Captions))
	live := make([]int, len(b.Captions))
	parents := slices.Clone(b.Picture)
	for i := range live {
		live[i] = i
	}
	for step := 0; len(live) > 0; step++ {
		var words []int
		for _, c := range live {
			words = append(words, b.Captions[c][step])
		}
		rows, err := s.Next(context.Background(), words, parents)
		if err != nil {
			t.Fatal(err)
		}
		var next []int
		parents = nil
		for i, c := range live {
			out[c] = append(out[c], slices.Clone(rows[i]))
			if step+2 < len(b.Captions[c]) {
				next = append(next, c)
				parents = append(parents, i)
			}
		}
		live = next
	}
	return slices.Concat(out...)
}

func stepsAgree(t *testing.T, d decoder.Decoder, b *decoder.Batch) {
	logits := d.Forward(nil, b)
	got := walk(t, d, b)
	if len(got) != logits.Rows() {
		t.Fatalf("%d steps, %d rows of Forward", len(got), logits.Rows())
	}
	for i, row := range got {
		want := make([]float32, len(row))
		tensor.LogSoftmax(want, logits.Row(i))
		for j, v := range row {
			if math.Abs(float64(v-want[j])) > 1e-4 {
				t.Fatalf("word %d, score %d: %v by steps, %v by Forward", i, j, v, want[j])
			}
		}
	}
}

// parentsFollowed extends the same prefix along two ways in swapped order.
func parentsFollowed(t *testing.T, d decoder.Decoder, b *decoder.Batch) {
	ctx := context.Background()
	next := func(s decoder.Session, words, parents []int) [][]float32 {
		rows, err := s.Next(ctx, words, parents)
		if err != nil {
			t.Fatal(err)
		}
		return rows
	}
	together := d.Start(b.Grid)
	next(together, []int{1, 1}, []int{2, 0})
	next(together, []int{4, 7, 5}, []int{1, 0, 1})
	got := next(together, []int{6, 8}, []int{2, 1})
	for i, c := range []struct {
		picture int
		words   []int
	}{{0, []int{1, 5, 6}}, {2, []int{1, 7, 8}}} {
		alone := d.Start(b.Grid)
		var want [][]float32
		for step, w := range c.words {
			parent := 0
			if step == 0 {
				parent = c.picture
			}
			want = next(alone, []int{w}, []int{parent})
		}
		for j, v := range got[i] {
			if math.Abs(float64(v-want[0][j])) > 1e-4 {
				t.Fatalf("prefix %v: score %d is %v in a beam, %v alone", c.words, j, v, want[0][j])
			}
		}
	}
}

func loss(tape *nn.Tape, d decoder.Decoder, b *decoder.Batch) *nn.Var {
	return nn.CrossEntropy(tape, d.Forward(tape, b), b.Targets(), 0.1, nil)
}

// gradients checks a few numbers of each weight by differences.
func gradients(t *testing.T, d decoder.Decoder, b *decoder.Batch) {
	rng := rand.New(rand.NewPCG(3, 3))
	tape := nn.NewTape(rng)
	for _, p := range d.Params() {
		p.ZeroGrad()
	}
	tape.Backward(loss(tape, d, b))
	value := func() float64 { return float64(loss(nil, d, b).Data[0]) }
	for _, p := range d.Params() {
		if p.Fixed {
			continue
		}
		for range 3 {
			i := rng.IntN(len(p.Data))
			x := p.Data[i]
			const h = 2e-3 // small, for the kinks of ReLU
			p.Data[i] = x + h
			up := value()
			p.Data[i] = x - h
			down := value()
			p.Data[i] = x
			want, got := (up-down)/(2*h), float64(p.Grad()[i])
			if math.Abs(got-want) > 1e-3+2e-2*math.Abs(want) {
				t.Errorf("gradient of %s[%d] = %.5f, want %.5f", p.Name, i, got, want)
			}
		}
	}
}

func roundTrip(t *testing.T, d decoder.Decoder, c decoder.Config, b *decoder.Batch) {
	var tensors []modelfile.Tensor
	for _, p := range d.Params() {
		tensors = append(tensors, modelfile.Float32("decoder."+p.Name, p.Shape, p.Data))
	}
	var buf bytes.Buffer
	if err := modelfile.Encode(&buf, nil, tensors); err != nil {
		t.Fatal(err)
	}
	f, err := modelfile.Parse("test", buf.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	again, err := decoder.Load(f, "decoder.", c)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(again.Forward(nil, b).Data, d.Forward(nil, b).Data) {
		t.Error("a decoder from a file scores differently")
	}
	decoder.Freeze(again)
	stepsAgree(t, again, b)
	c.Hidden *= 2
	if _, err := decoder.Load(f, "decoder.", c); err == nil {
		t.Error("weights of another width were accepted")
	}
}

// learns fits the captions of the batch by heart.
func learns(t *testing.T, c decoder.Config, b *decoder.Batch) {
	rng := rand.New(rand.NewPCG(8, 9))
	d, err := decoder.New(c, rng)
	if err != nil {
		t.Fatal(err)
	}
	tape := nn.NewTape(rng)
	type moments struct{ m, v []float32 }
	var ms []moments
	for _, p := range d.Params() {
		ms = append(ms, moments{make([]float32, len(p.Data)), make([]float32, len(p.Data))})
	}
	var first, last float32
	for step := 1; step <= 150; step++ {
		tape.Reset()
		l := nn.CrossEntropy(tape, d.Forward(tape, b), b.Targets(), 0, nil)
		if last = l.Data[0]; step == 1 {
			first = last
		}
		tape.Backward(l)
		for i, p := range d.Params() {
			if !p.Fixed {
				tensor.AdamW{Rate: 0.01, Beta1: 0.9, Beta2: 0.98, Eps: 1e-8, Step: step}.Update(p.Data, p.Grad(), ms[i].m, ms[i].v)
			}
			p.ZeroGrad()
		}
	}
	if !(last < 0.3*first) {
		t.Errorf("loss went from %.3f to %.3f in 150 steps", first, last)
	}
}

// dropped trains with all words but the start dropped, and captions with none.
func dropped(t *testing.T, c decoder.Config, b *decoder.Batch) {
	c.WordDropout = 1 - 1e-12
	d, err := decoder.New(c, rand.New(rand.NewPCG(5, 6)))
	if err != nil {
		t.Fatal(err)
	}
	unknown := *b
	unknown.Captions = nil
	for _, caption := range b.Captions {
		read := slices.Repeat([]int{text.Unknown}, len(caption))
		read[0] = text.Start
		unknown.Captions = append(unknown.Captions, read)
	}
	training := nn.NewTape(rand.New(rand.NewPCG(1, 1)))
	got, want := d.Forward(training, b).Data, d.Forward(nil, &unknown).Data
	if !slices.Equal(got, want) {
		t.Error("training with all words dropped does not score as with unknown words")
	}
	if slices.Equal(d.Forward(nil, b).Data, want) {
		t.Error("words are dropped while captioning")
	}
	stepsAgree(t, d, b)
}

func attention(t *testing.T, d decoder.Decoder, b *decoder.Batch, c decoder.Config) {
	s := d.Start(b.Grid)
	if _, err := s.Next(context.Background(), []int{1, 1}, []int{0, 2}); err != nil {
		t.Fatal(err)
	}
	maps := s.Attention()
	if maps != nil && len(maps) != 2 {
		t.Fatalf("%d attention maps for 2 prefixes", len(maps))
	}
	for _, m := range maps {
		if s := tensor.Sum(m); len(m) != c.Cells || math.Abs(float64(s)-1) > 1e-4 {
			t.Errorf("attention %v over %d cells sums to %v", m, c.Cells, s)
		}
	}
}
