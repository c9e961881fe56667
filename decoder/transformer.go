package decoder

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"showtell/nn"
	"showtell/tensor"
)

// transformer reads the words so far by causal self-attention and the grid by
// cross-attention, layer by layer (Vaswani et al. 2017; norms before each part
// as in Xiong et al. 2020). The scores are products with the word vectors
// themselves (Press and Wolf 2017), unless they are untied.
type transformer struct {
	Config
	see    *nn.Linear // cell to hidden
	place  *nn.Param  // (cells+1, hidden): where in the picture
	seen   *nn.LayerNorm
	words  *nn.Param // (vocab, hidden)
	order  *nn.Param // (max words+1, hidden): which word
	layers []*layer
	norm   *nn.LayerNorm
	out    *nn.Param // (vocab, hidden): words, or weights of its own
	bias   *nn.Param // (vocab)
}

// layer is one round of attention to words, attention to cells, and thought.
type layer struct {
	heads                    int
	drop                     float64
	norm1, norm2, norm3      *nn.LayerNorm
	query, key, value, merge *nn.Linear // to words
	look, cellKey, cellValue *nn.Linear // to cells
	took                     *nn.Linear
	wide, narrow             *nn.Linear
}

func (c Config) validateTransformer() error {
	switch {
	case c.Layers < 1 || c.Layers > maxLayers:
		return fmt.Errorf("decoder transformer: %d layers, not from 1 to %d", c.Layers, maxLayers)
	case c.Heads < 1 || c.Hidden%c.Heads != 0:
		return fmt.Errorf("decoder transformer: hidden %d does not divide into %d heads", c.Hidden, c.Heads)
	case c.FeedForward < 1 || c.FeedForward > maxWidth:
		return fmt.Errorf("decoder transformer: feed_forward is %d, not from 1 to %d", c.FeedForward, maxWidth)
	}
	return nil
}

func newTransformer(c Config, rng *rand.Rand) Decoder {
	d := &transformer{
		Config: c,
		see:    nn.NewLinear(rng, "see", c.Channels, c.Hidden),
		place:  nn.NewParam("place", c.Cells+1, c.Hidden).Normal(rng, 0.02),
		seen:   nn.NewLayerNorm("seen", c.Hidden),
		words:  nn.NewParam("words", c.Vocab, c.Hidden).Normal(rng, 1/math.Sqrt(float64(c.Hidden))),
		order:  nn.NewParam("order", c.MaxWords+1, c.Hidden).Normal(rng, 0.02),
		norm:   nn.NewLayerNorm("norm", c.Hidden),
		bias:   nn.NewParam("bias", c.Vocab),
	}
	d.out, d.bias.Bias = d.words, true
	d.place.Table, d.order.Table = true, true
	for i := range c.Layers {
		d.layers = append(d.layers, newLayer(c, rng, fmt.Sprintf("layers.%d.", i)))
	}
	if c.Untied {
		d.words.Table = true
		d.out = nn.NewParam("out", c.Vocab, c.Hidden).Normal(rng, 1/math.Sqrt(float64(c.Hidden)))
	}
	return d
}

func newLayer(c Config, rng *rand.Rand, name string) *layer {
	square := func(part string) *nn.Linear { return glorot(rng, name+part, c.Hidden, c.Hidden) }
	return &layer{
		heads: c.Heads, drop: c.Dropout,
		norm1: nn.NewLayerNorm(name+"norm1", c.Hidden),
		query: square("query"), key: square("key"), value: square("value"), merge: square("merge"),
		norm2: nn.NewLayerNorm(name+"norm2", c.Hidden),
		look:  square("look"), cellKey: square("cell_key"), cellValue: square("cell_value"), took: square("took"),
		norm3:  nn.NewLayerNorm(name+"norm3", c.Hidden),
		wide:   glorot(rng, name+"wide", c.Hidden, c.FeedForward),
		narrow: glorot(rng, name+"narrow", c.FeedForward, c.Hidden),
	}
}

// glorot is a layer with the weights of Glorot and Bengio 2010 and no bias at
// first.
func glorot(rng *rand.Rand, name string, in, out int) *nn.Linear {
	l := nn.NewLinear(rng, name, in, out)
	l.W.Uniform(rng, math.Sqrt(6/float64(in+out)))
	l.B.Fill(0)
	return l
}

func (d *transformer) Params() []*nn.Param {
	all := params(d.see, one{d.place}, d.seen, one{d.words}, one{d.order})
	for _, l := range d.layers {
		all = append(all, params(l.norm1, l.query, l.key, l.value, l.merge,
			l.norm2, l.look, l.cellKey, l.cellValue, l.took, l.norm3, l.wide, l.narrow)...)
	}
	all = append(all, params(d.norm, one{d.bias})...)
	if d.out != d.words {
		all = append(all, d.out)
	}
	return all
}

func (d *transformer) Sharpen(factor float32) { scale(factor, d.norm.Gain, d.norm.Shift, d.bias) }

// Words is the table of word vectors, for starting from GloVe.
func (d *transformer) Words() *nn.Param { return d.words }

// memory is what cross-attention looks at: every cell, and the mean of all as
// one more. (pictures·(cells+1), hidden)
func (d *transformer) memory(t *nn.Tape, grid *nn.Var) *nn.Var {
	x := nn.AppendMean(t, nn.Dropout(t, grid, d.GridDropout), d.Cells)
	x = nn.ReLU(t, d.see.Forward(t, x))
	places := make([]int, x.Rows())
	for i := range places {
		places[i] = i % (d.Cells + 1)
	}
	return d.seen.Forward(t, nn.Add(t, x, nn.Embedding(t, d.place, places)))
}

// read turns words into the input of the first layer: (words, hidden).
func (d *transformer) read(t *nn.Tape, words, places []int) *nn.Var {
	x := nn.Scale(t, nn.Embedding(t, d.words, words), float32(math.Sqrt(float64(d.Hidden))))
	return nn.Dropout(t, nn.Add(t, x, nn.Embedding(t, d.order, places)), d.Dropout)
}

// say turns the output of the last layer into scores: (words, vocab).
func (d *transformer) say(t *nn.Tape, x *nn.Var) *nn.Var {
	return nn.Product(t, d.norm.Forward(t, x), d.out, d.bias)
}

// forward is one layer for rows x. Words gives the attention of queries to
// the words so far, cells to the picture.
func (l *layer) forward(t *nn.Tape, x *nn.Var, words, cells func(q *nn.Var, h *nn.Var) *nn.Var) *nn.Var {
	h := l.norm1.Forward(t, x)
	h = l.merge.Forward(t, words(l.query.Forward(t, h), h))
	x = nn.Add(t, x, nn.Dropout(t, h, l.drop))
	h = l.norm2.Forward(t, x)
	h = l.took.Forward(t, cells(l.look.Forward(t, h), h))
	x = nn.Add(t, x, nn.Dropout(t, h, l.drop))
	h = nn.ReLU(t, l.wide.Forward(t, l.norm3.Forward(t, x)))
	h = l.narrow.Forward(t, nn.Dropout(t, h, l.drop))
	return nn.Add(t, x, nn.Dropout(t, h, l.drop))
}

func (d *transformer) Forward(t *nn.Tape, b *Batch) *nn.Var {
	memory := d.memory(t, b.Grid)
	x := d.read(t, dropWords(t, b.Words(), d.WordDropout), b.positions())
	captions, pictures := d.spans(b)
	for _, l := range d.layers {
		k, v := l.cellKey.Forward(t, memory), l.cellValue.Forward(t, memory)
		x = l.forward(t, x, func(q, h *nn.Var) *nn.Var {
			return nn.Attention(t, q, l.key.Forward(t, h), l.value.Forward(t, h), captions, l.heads, true, nil)
		}, func(q, _ *nn.Var) *nn.Var {
			return nn.Attention(t, q, k, v, pictures, l.heads, false, nil)
		})
	}
	return d.say(t, x)
}

// spans says who looks where: each caption at itself, and all captions of a
// picture at its cells.
func (d *transformer) spans(b *Batch) (captions, pictures []nn.Span) {
	row := 0
	for i, c := range b.Captions {
		n := len(c) - 1
		captions = append(captions, nn.Span{Q0: row, Q1: row + n, K0: row, K1: row + n})
		p := b.Picture[i]
		if i > 0 && b.Picture[i-1] == p {
			pictures[len(pictures)-1].Q1 = row + n
		} else {
			pictures = append(pictures, nn.Span{Q0: row, Q1: row + n, K0: p * (d.Cells + 1), K1: (p + 1) * (d.Cells + 1)})
		}
		row += n
	}
	return captions, pictures
}

func (d *transformer) Start(grid *nn.Var) Session {
	s := &transformerSession{d: d, prefixes: newPrefixes(), past: make([]past, len(d.layers))}
	memory := d.memory(s.tape, grid)
	for _, l := range d.layers {
		s.cells = append(s.cells, pair{l.cellKey.Forward(nil, memory), l.cellValue.Forward(nil, memory)})
	}
	return s
}

// pair is keys and values.
type pair struct{ k, v *nn.Var }

// past is the keys and values of all words that were ever said in a session,
// each (words, hidden).
type past struct{ k, v []float32 }

type transformerSession struct {
	prefixes
	d       *transformer
	cells   []pair // per layer, of the pictures
	past    []past // per layer
	said    int    // rows of past, before this step
	seen    []int  // rows of past that each prefix is made of, (prefixes, step+1)
	before  []int  // seen of the step before
	places  []int
	looks   []nn.Span // of prefixes at the cells of their pictures
	weights []float32
}

func (s *transformerSession) Next(ctx context.Context, words, parents []int) ([][]float32, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	d := s.d
	if s.step >= d.MaxWords {
		return nil, fmt.Errorf("word %d of a caption: this model was made for %d", s.step+2, d.MaxWords)
	}
	t := s.advance(parents)
	s.follow(parents)
	s.look()
	x := d.read(t, words, s.places)
	for i, l := range d.layers {
		x = l.forward(t, x, func(q, h *nn.Var) *nn.Var {
			p := &s.past[i]
			p.k = s.remember(p.k, l.key.Forward(t, h).Data)
			p.v = s.remember(p.v, l.value.Forward(t, h).Data)
			n := len(p.k) / d.Hidden
			return nn.Recall(t, q, t.Const(p.k, n, d.Hidden), t.Const(p.v, n, d.Hidden), s.seen, l.heads)
		}, func(q, _ *nn.Var) *nn.Var {
			var weights *[]float32
			if i == len(d.layers)-1 {
				weights = &s.weights
			}
			return nn.Attention(t, q, s.cells[i].k, s.cells[i].v, s.looks, l.heads, false, weights)
		})
	}
	return s.logProbs(d.say(t, x)), nil
}

// remember appends what a step adds to what is known, and makes room for many more such steps.
func (s *transformerSession) remember(past, rows []float32) []float32 {
	if cap(past)-len(past) < len(rows) {
		past = slices.Grow(past, len(rows)*s.steps())
	}
	return append(past, rows...)
}

// steps is for how many to make room: all that are left, as far as captions are that long.
func (s *transformerSession) steps() int {
	const usual = 24
	return min(s.d.MaxWords-s.step+1, usual)
}

// follow lists the words of each prefix: those of its parent and the next
// row of the past.
func (s *transformerSession) follow(parents []int) {
	s.seen, s.before = s.before[:0], s.seen
	s.places = s.places[:0]
	if need := len(parents) * (s.step + 1); cap(s.seen) < need {
		s.seen = make([]int, 0, len(parents)*(s.step+s.steps()))
	}
	for i, p := range parents {
		if s.step > 0 {
			s.seen = append(s.seen, s.before[p*s.step:(p+1)*s.step]...)
		}
		s.seen = append(s.seen, s.said+i)
		s.places = append(s.places, s.step)
	}
	s.said += len(parents)
}

// look has neighbours of one picture look at its cells together.
func (s *transformerSession) look() {
	s.looks = s.looks[:0]
	n := s.d.Cells + 1
	for i, p := range s.owners {
		if i > 0 && s.owners[i-1] == p {
			s.looks[len(s.looks)-1].Q1++
		} else {
			s.looks = append(s.looks, nn.Span{Q0: i, Q1: i + 1, K0: p * n, K1: (p + 1) * n})
		}
	}
}

// Attention leaves out the weight of the mean, the last cell, and scales the
// others to the sum 1.
func (s *transformerSession) Attention() [][]float32 {
	maps := s.attention(s.weights, s.d.Cells+1, s.d.Cells)
	for _, m := range maps {
		if sum := tensor.Sum(m); sum > 0 {
			tensor.Scale(m, m, 1/sum)
		}
	}
	return maps
}
