// Package search turns the scores of next words into sentences. Call [Beam] for
// the best few sentences of each picture, [Greedy] for the fastest one, or [Generate]
// for those that Hugging Face's transformers makes.
//
// It knows no network: whatever scores the next word is a [Model]. All
// hypotheses of all pictures advance in one call of it.
package search

import (
	"context"
	"fmt"
	"math"

	"showtell/text"
)

// A Model scores next words.
//
// Each call hands over one prefix per element of words: prefix i is prefix
// parents[i] of the previous call, followed by words[i]. In the first call
// words are start tokens and parents[i] is the index of the picture. Row i of
// the answer holds the log-probabilities, none above 0, of the words that may
// follow prefix i, one for each id of the vocabulary. Rows need to stay valid
// only until the next call.
type Model interface {
	Next(ctx context.Context, words, parents []int) ([][]float32, error)
}

// An Attender is a Model that looks at parts of the picture. Attention returns
// the weights over the grid for each prefix of the last call, valid until the
// next call; nil means that it has none.
type Attender interface {
	Attention() [][]float32
}

// Options of a search. Nil and zero fields mean the defaults.
type Options struct {
	// Beams is how many hypotheses of a picture are kept at each word; 0 means 3.
	// It is raised to NBest where it is lower. Greedy has one.
	Beams int
	// MaxWords ends a sentence that has not ended by itself; 0 means 20. The end
	// token counts as a word.
	MaxWords int
	// MinWords is the length, without the end token, before which a sentence does
	// not end.
	MinWords int
	// LengthPower p makes the score of a hypothesis the sum of its
	// log-probabilities, divided by its length^p. The length counts words and the
	// end token. 0 means 0.7; below 0, the sum is not divided.
	LengthPower float64
	// NBest is the most results for a picture; 0 means 1.
	NBest int
	// Forbid lists the ids that never appear; nil means text.Pad, text.Start and
	// text.Unknown.
	Forbid []int
	// NoRepeat 0 never puts the same word twice running; n above 0 also never
	// the same n words twice in a sentence; below 0 lets words repeat.
	NoRepeat int
	// Start and End are the ids of the tokens around a sentence; 0 means
	// text.Start and text.End.
	Start, End int
}

// A Result is one sentence.
type Result struct {
	Words     []int       // without start and end
	LogProbs  []float64   // of each word and, if Ended, of the end token
	LogProb   float64     // sum of LogProbs
	Score     float64     // LogProb / len(LogProbs)^LengthPower
	Attention [][]float32 // (len(Words), grid), from an Attender, otherwise nil; rows may be shared by the results of a picture
	Ended     bool        // false where MaxWords cut it, or no word could follow
	End       int         // the end token, if Ended
}

// resolved returns the options with the defaults filled in.
func (o *Options) resolved() (Options, error) {
	var r Options
	if o != nil {
		r = *o
	}
	for _, f := range []struct {
		name  string
		value *int
		zero  int
	}{
		{"Beams", &r.Beams, 3},
		{"MaxWords", &r.MaxWords, 20},
		{"MinWords", &r.MinWords, 0},
		{"NBest", &r.NBest, 1},
		{"Start", &r.Start, text.Start},
		{"End", &r.End, text.End},
	} {
		if *f.value < 0 {
			return r, fmt.Errorf("search: %s is %d, below 0", f.name, *f.value)
		}
		if *f.value == 0 {
			*f.value = f.zero
		}
	}
	if math.IsNaN(r.LengthPower) || math.IsInf(r.LengthPower, 0) {
		return r, fmt.Errorf("search: LengthPower is %v", r.LengthPower)
	}
	switch {
	case r.LengthPower == 0:
		r.LengthPower = 0.7
	case r.LengthPower < 0:
		r.LengthPower = 0
	}
	if r.Forbid == nil {
		r.Forbid = []int{text.Pad, text.Start, text.Unknown}
	}
	r.Beams = max(r.Beams, r.NBest)
	return r, nil
}

// score of a hypothesis of so many words, the end token among them.
func (o *Options) score(logProb float64, length int) float64 {
	if length == 0 {
		return 0
	}
	return logProb / math.Pow(float64(length), o.LengthPower)
}

// A caller calls the model, step by step, and checks what it answers.
type caller struct {
	model Model
	opts  *Options
	step  int // calls so far
	width int // words in the vocabulary, from the first call
}

// next returns a row of log-probabilities for each prefix, and a row of weights
// or nil.
func (c *caller) next(ctx context.Context, words, parents []int) (rows, attention [][]float32, err error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	rows, err = c.model.Next(ctx, words, parents)
	c.step++
	if ctx.Err() != nil {
		return nil, nil, ctx.Err()
	}
	if err != nil {
		return nil, nil, c.errorf("%w", err)
	}
	if len(rows) != len(words) {
		return nil, nil, c.errorf("%d rows for %d prefixes", len(rows), len(words))
	}
	if c.width == 0 {
		c.width = len(rows[0])
	}
	if c.width <= c.opts.End {
		return nil, nil, c.errorf("%d words in a row, and the end token is %d", c.width, c.opts.End)
	}
	for i, row := range rows {
		if len(row) != c.width {
			return nil, nil, c.errorf("row %d has %d words, want %d", i, len(row), c.width)
		}
	}
	if a, ok := c.model.(Attender); ok {
		attention = a.Attention()
		if attention != nil && len(attention) != len(words) {
			return nil, nil, c.errorf("attention of %d prefixes, want %d", len(attention), len(words))
		}
	}
	return rows, attention, nil
}

// errorf names the step, counted from 1.
func (c *caller) errorf(format string, args ...any) error {
	return fmt.Errorf("search: step %d: "+format, append([]any{c.step}, args...)...)
}
