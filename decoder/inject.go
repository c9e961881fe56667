package decoder

import (
	"context"
	"math/rand/v2"

	"showtell/nn"
)

// inject is the student project's network: the picture is the initial state
// of the LSTM that reads the words ("init-inject" in Tanti et al. 2018).
type inject struct {
	Config
	image *pooled
	hid   *nn.Linear // picture to initial h
	cell  *nn.Linear // picture to initial c
	words *nn.Param  // (vocab, embed)
	lstm  *nn.LSTM
	out   *nn.Linear
}

func newInject(c Config, rng *rand.Rand) Decoder {
	return &inject{
		Config: c,
		image:  newPooled(c),
		hid:    nn.NewLinear(rng, "init_h", c.Channels, c.Hidden),
		cell:   nn.NewLinear(rng, "init_c", c.Channels, c.Hidden),
		words:  newWords(rng, c),
		lstm:   nn.NewLSTM(rng, "lstm", c.Embed, c.Hidden),
		out:    nn.NewLinear(rng, "out", c.Hidden, c.Vocab),
	}
}

func (d *inject) Params() []*nn.Param {
	return params(d.image, d.hid, d.cell, one{d.words}, d.lstm, d.out)
}

func (d *inject) Sharpen(factor float32) { scale(factor, d.out.W, d.out.B) }

// Words is the table of word vectors, for starting from GloVe.
func (d *inject) Words() *nn.Param { return d.words }

// Fit takes the mean and deviation of the pooled features.
func (d *inject) Fit(mean, deviation []float32) { d.image.fit(mean, deviation) }

// begin is the state before the first word, a row a picture.
func (d *inject) begin(t *nn.Tape, grid *nn.Var) nn.State {
	x := nn.Dropout(t, d.image.forward(t, grid), d.GridDropout) // (pictures, channels)
	return nn.State{
		H: nn.Tanh(t, d.hid.Forward(t, x)), // (pictures, hidden)
		C: nn.Tanh(t, d.cell.Forward(t, x)),
	}
}

func (d *inject) Forward(t *nn.Tape, b *Batch) *nn.Var {
	s := newSteps(b)
	words := dropWords(t, s.words, d.WordDropout)
	x := nn.Dropout(t, nn.Embedding(t, d.words, words), d.Dropout) // (words, embed)
	state := gatherState(t, d.begin(t, b.Grid), s.picture)         // (captions, hidden)
	h := runLSTM(t, d.lstm, x, state, s)                           // (words, hidden)
	return d.out.Forward(t, nn.Dropout(t, h, d.Dropout))           // (words, vocab)
}

// runLSTM reads all words and returns the hidden states in caption order.
func runLSTM(t *nn.Tape, lstm *nn.LSTM, x *nn.Var, state nn.State, s *steps) *nn.Var {
	projected := lstm.Project(t, x) // (words, 4·hidden)
	var hs []*nn.Var
	at := 0
	for _, n := range s.active {
		state = lstm.Step(t, nn.Rows(t, projected, at, at+n), first(t, state, n))
		hs = append(hs, state.H)
		at += n
	}
	return nn.Gather(t, nn.Stack(t, hs...), s.back)
}

func (d *inject) Start(grid *nn.Var) Session {
	s := &injectSession{d: d, prefixes: newPrefixes()}
	s.memory.keep(d.begin(s.tape, grid))
	return s
}

type injectSession struct {
	prefixes
	d      *inject
	memory memory
}

func (s *injectSession) Attention() [][]float32 { return nil }

func (s *injectSession) Next(ctx context.Context, words, parents []int) ([][]float32, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	t := s.advance(parents)
	x := s.d.lstm.Project(t, nn.Embedding(t, s.d.words, words))
	state := s.d.lstm.Step(t, x, s.memory.recall(t, parents, s.d.Hidden))
	s.memory.keep(state)
	return s.logProbs(s.d.out.Forward(t, state.H)), nil
}
