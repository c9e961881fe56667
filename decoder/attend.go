package decoder

import (
	"context"
	"math/rand/v2"

	"showtell/nn"
)

// attend is the Up-Down captioner (Anderson et al. 2018). It has two LSTMs: the first,
// told of the whole picture, the last word and the last state of the second, decides
// where to look; the second says what is seen there. Their top-down attention is over
// the cells of the grid instead of detected objects.
type attend struct {
	Config
	see       *nn.Linear // cell to hidden
	words     *nn.Param  // (vocab, embed)
	where     *nn.LSTM   // reads the word, the mean of the picture and the last state of what
	feedback  *nn.Param  // (4·hidden, hidden): that last state
	query     *nn.Linear // state of where to the width of attention
	key       *nn.Linear // cell to the width of attention
	attention *nn.Param  // (hidden): weighs query and key
	what      *nn.LSTM   // reads what was looked at and the state of where
	out       *nn.Linear
}

func newAttend(c Config, rng *rand.Rand) Decoder {
	where := nn.NewLSTM(rng, "where", c.Embed+c.Hidden, c.Hidden)
	return &attend{
		Config:    c,
		see:       nn.NewLinear(rng, "see", c.Channels, c.Hidden),
		words:     newWords(rng, c),
		where:     where,
		feedback:  nn.NewParam("feedback", 4*c.Hidden, c.Hidden).Uniform(rng, 0.05),
		query:     nn.NewLinear(rng, "query", c.Hidden, c.Hidden),
		key:       nn.NewLinear(rng, "key", c.Hidden, c.Hidden),
		attention: nn.NewParam("attention", c.Hidden).Uniform(rng, 0.1),
		what:      nn.NewLSTM(rng, "what", 2*c.Hidden, c.Hidden),
		out:       nn.NewLinear(rng, "out", c.Hidden, c.Vocab),
	}
}

func (d *attend) Params() []*nn.Param {
	return params(d.see, one{d.words}, d.where, one{d.feedback}, d.query, d.key, one{d.attention}, d.what, d.out)
}

func (d *attend) Sharpen(factor float32) { scale(factor, d.out.W, d.out.B) }

// Words is the table of word vectors, for starting from GloVe.
func (d *attend) Words() *nn.Param { return d.words }

// view is a set of pictures as the LSTMs meet them.
type view struct {
	cells *nn.Var // (pictures·cells, hidden)
	keys  *nn.Var // (pictures·cells, hidden)
	mean  *nn.Var // (pictures, hidden)
}

func (d *attend) view(t *nn.Tape, grid *nn.Var) view {
	cells := nn.ReLU(t, d.see.Forward(t, nn.Dropout(t, grid, d.GridDropout)))
	return view{cells: cells, keys: d.key.Forward(t, cells), mean: nn.MeanRows(t, cells, d.Cells)}
}

// project is the input of `where` for words of the given pictures:
// (words, 4·hidden).
func (d *attend) project(t *nn.Tape, v view, words, owners []int) *nn.Var {
	x := nn.Dropout(t, nn.Embedding(t, d.words, words), d.Dropout)
	return d.where.Project(t, nn.Concat(t, x, nn.Gather(t, v.mean, owners)))
}

// states of the two LSTMs.
type states struct{ where, what nn.State }

// step takes the projected words one step on and returns the states and the
// attention (rows, cells).
func (d *attend) step(t *nn.Tape, v view, projected *nn.Var, s states, owners []int) (states, []float32) {
	in := nn.Add(t, projected, nn.Product(t, s.what.H, d.feedback, nil))
	s.where = d.where.Step(t, in, s.where)
	q := d.query.Forward(t, s.where.H)
	looked, weights := nn.AdditiveAttention(t, q, v.keys, v.cells, d.attention, owners, d.Cells)
	in = d.what.Project(t, nn.Concat(t, looked, s.where.H))
	s.what = d.what.Step(t, in, s.what)
	return s, weights
}

func (d *attend) Forward(t *nn.Tape, b *Batch) *nn.Var {
	s := newSteps(b)
	v := d.view(t, b.Grid)
	projected := d.project(t, v, dropWords(t, s.words, d.WordDropout), s.owners())
	n := len(b.Captions)
	st := states{where: zeroState(n, d.Hidden), what: zeroState(n, d.Hidden)}
	var hs []*nn.Var
	at := 0
	for _, n := range s.active {
		st = states{where: first(t, st.where, n), what: first(t, st.what, n)}
		st, _ = d.step(t, v, nn.Rows(t, projected, at, at+n), st, s.picture[:n])
		hs = append(hs, st.what.H)
		at += n
	}
	h := nn.Gather(t, nn.Stack(t, hs...), s.back) // (words, hidden)
	return d.out.Forward(t, nn.Dropout(t, h, d.Dropout))
}

func (d *attend) Start(grid *nn.Var) Session {
	return &attendSession{d: d, prefixes: newPrefixes(), view: d.view(nil, grid)}
}

type attendSession struct {
	prefixes
	d           *attend
	view        view
	where, what memory
	weights     []float32
}

func (s *attendSession) Next(ctx context.Context, words, parents []int) ([][]float32, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	d := s.d
	t := s.advance(parents)
	before := states{where: s.where.recall(t, parents, d.Hidden), what: s.what.recall(t, parents, d.Hidden)}
	projected := d.project(t, s.view, words, s.owners)
	now, weights := d.step(t, s.view, projected, before, s.owners)
	s.where.keep(now.where)
	s.what.keep(now.what)
	s.weights = weights
	return s.logProbs(d.out.Forward(t, now.what.H)), nil
}

func (s *attendSession) Attention() [][]float32 { return s.attention(s.weights, s.d.Cells, s.d.Cells) }
