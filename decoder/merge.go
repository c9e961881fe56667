package decoder

import (
	"context"
	"math/rand/v2"

	"showtell/nn"
)

// merge keeps the picture out of the LSTM and joins it to each of its states
// (Tanti et al. 2018).
type merge struct {
	Config
	image *pooled
	see   *nn.Linear // picture to hidden
	words *nn.Param  // (vocab, embed)
	lstm  *nn.LSTM
	join  *nn.Linear // state and picture to hidden
	out   *nn.Linear
}

func newMerge(c Config, rng *rand.Rand) Decoder {
	return &merge{
		Config: c,
		image:  newPooled(c),
		see:    nn.NewLinear(rng, "see", c.Channels, c.Hidden),
		words:  newWords(rng, c),
		lstm:   nn.NewLSTM(rng, "lstm", c.Embed, c.Hidden),
		join:   nn.NewLinear(rng, "join", 2*c.Hidden, c.Hidden),
		out:    nn.NewLinear(rng, "out", c.Hidden, c.Vocab),
	}
}

func (d *merge) Params() []*nn.Param {
	return params(d.image, d.see, one{d.words}, d.lstm, d.join, d.out)
}

func (d *merge) Sharpen(factor float32) { scale(factor, d.out.W, d.out.B) }

// Words is the table of word vectors, for starting from GloVe.
func (d *merge) Words() *nn.Param { return d.words }

// Fit takes the mean and deviation of the pooled features.
func (d *merge) Fit(mean, deviation []float32) { d.image.fit(mean, deviation) }

// look is the picture as the words meet it: (pictures, hidden).
func (d *merge) look(t *nn.Tape, grid *nn.Var) *nn.Var {
	x := nn.Dropout(t, d.image.forward(t, grid), d.GridDropout)
	return nn.Tanh(t, d.see.Forward(t, x))
}

// say joins states and pictures, row by row, into scores.
func (d *merge) say(t *nn.Tape, h, seen *nn.Var) *nn.Var {
	both := nn.Concat(t, nn.Dropout(t, h, d.Dropout), nn.Dropout(t, seen, d.Dropout)) // (rows, 2·hidden)
	return d.out.Forward(t, nn.Tanh(t, d.join.Forward(t, both)))                      // (rows, vocab)
}

func (d *merge) Forward(t *nn.Tape, b *Batch) *nn.Var {
	s := newSteps(b)
	x := nn.Dropout(t, nn.Embedding(t, d.words, dropWords(t, s.words, d.WordDropout)), d.Dropout)
	h := runLSTM(t, d.lstm, x, zeroState(len(b.Captions), d.Hidden), s) // (words, hidden)
	var owners []int
	for i, c := range b.Captions {
		for range len(c) - 1 {
			owners = append(owners, b.Picture[i])
		}
	}
	return d.say(t, h, nn.Gather(t, d.look(t, b.Grid), owners))
}

func (d *merge) Start(grid *nn.Var) Session {
	return &mergeSession{d: d, prefixes: newPrefixes(), seen: d.look(nil, grid)}
}

type mergeSession struct {
	prefixes
	d      *merge
	seen   *nn.Var
	memory memory
}

func (s *mergeSession) Attention() [][]float32 { return nil }

func (s *mergeSession) Next(ctx context.Context, words, parents []int) ([][]float32, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	t := s.advance(parents)
	x := s.d.lstm.Project(t, nn.Embedding(t, s.d.words, words))
	state := s.d.lstm.Step(t, x, s.memory.recall(t, parents, s.d.Hidden))
	s.memory.keep(state)
	return s.logProbs(s.d.say(t, state.H, nn.Gather(t, s.seen, s.owners))), nil
}
