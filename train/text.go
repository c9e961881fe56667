package train

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"

	"showtell/dataset"
	"showtell/text"
)

// Text says how the decoder learns words before it sees pictures, from captions that
// have none. It is kept if the first epoch with pictures is at least as good on dev
// as that of a decoder that begins without it.
type Text struct {
	File     string  `toml:"file"` // of captions, as dataset.Captions reads it; "": none of it
	Epochs   int     `toml:"epochs"`
	Rate     float64 `toml:"rate"`     // highest learning rate
	WarmUp   int     `toml:"warm_up"`  // steps until the rate is at its highest
	Captions int     `toml:"captions"` // in a batch
}

// defaultText is where recipes don't say otherwise.
var defaultText = Text{Epochs: 1, Rate: 8e-4, WarmUp: 300, Captions: 60}

func (x Text) validate() error {
	return validate([]bound{
		{"text.epochs", float64(x.Epochs), 1, 1e5}, {"text.rate", x.Rate, 1e-12, 10},
		{"text.warm_up", float64(x.WarmUp), 0, 1e9}, {"text.captions", float64(x.Captions), 1, 1e5},
	})
}

// texting is the name of the stage.
const texting = "text"

// readText numbers the words of the recipe's text. Where more than one is unknown, the
// caption tells of what pictures here don't show, and is left out.
func (t *trainer) readText() error {
	file := t.Recipe.Text.File
	captions, err := dataset.Captions(file)
	if err != nil {
		return err
	}
	strange, hash := 0, sha256.New()
	for _, c := range captions {
		ids, unknown := t.vocab.Encode(c), 0
		for _, id := range ids {
			if id == text.Unknown {
				unknown++
			}
		}
		if unknown > 1 {
			strange++
		} else if ids = framed(ids, t.config.MaxWords); len(ids) > 2 {
			t.text = append(t.text, example{captions: [][]int{ids}})
			fmt.Fprintln(hash, ids)
		}
	}
	if len(t.text) == 0 {
		return fmt.Errorf("%s: each of the %d captions has several words that the training captions lack", file, len(captions))
	}
	t.textHash = hex.EncodeToString(hash.Sum(nil))
	for _, p := range t.decoderLearns() {
		t.first = append(t.first, slices.Clone(p.Data))
	}
	return t.note("%s: %d of %d captions to learn words from; %d have several words that the training captions lack", file, len(t.text), len(captions), strange)
}

// trialStage is the first epoch of decoderStage, for comparing.
func (t *trainer) trialStage(ctx context.Context) (*stage, error) {
	s, err := t.decoderStage(ctx)
	if err == nil {
		s.trial = true
	}
	return s, err
}

// textStage teaches the decoder words. All captions are of one picture, the mean of
// those to learn from: it tells them apart in nothing, but is as bright as pictures
// are, so that what the decoder later learns of a picture is how it differs from the
// mean. (A grid of zeros is as no picture is; a picture by chance teaches to look
// away.)
func (t *trainer) textStage(context.Context) (*stage, error) {
	x, r := t.Recipe.Text, t.Recipe
	r.Epochs, r.Rate, r.WarmUp, r.Pictures = x.Epochs, x.Rate, x.WarmUp, x.Captions
	mean, err := t.meanGrid()
	if err != nil {
		return nil, err
	}
	s := &stage{
		name: texting, recipe: r, learns: t.decoderLearns(), atOnce: r.Pictures,
		batcher: t.newBatcher(texting+" ", r, nil, t.config.Cells, t.config.Channels),
		encode:  gridItself,
		from:    func() [][]float32 { return t.first },
	}
	s.examples, s.shared = t.text, mean
	return s, nil
}

// textedStage is decoderStage, from where the text has led.
func (t *trainer) textedStage(ctx context.Context) (*stage, error) {
	s, err := t.decoderStage(ctx)
	if err == nil {
		s.from = t.keptWeights
	}
	return s, err
}

// meanGrid is the mean of the grids to learn from.
func (t *trainer) meanGrid() ([]float32, error) {
	grid := make([]float32, t.config.Cells*t.config.Channels)
	sum := make([]float64, len(grid))
	for _, e := range t.examples {
		if !t.Features.Grid(grid, e.name, false) {
			return nil, fmt.Errorf("no features of %s", e.name)
		}
		for i, v := range grid {
			sum[i] += float64(v)
		}
	}
	for i, s := range sum {
		grid[i] = float32(s / float64(len(t.examples)))
	}
	return grid, nil
}

// rival is the decoder that began without text, after its first epoch.
type rival struct{ weights, m, v, average [][]float32 }

func (t *trainer) newRival() *rival {
	r := &rival{m: copies(t.opt.m), v: copies(t.opt.v), average: copies(t.opt.average)}
	for _, p := range t.opt.params {
		r.weights = append(r.weights, slices.Clone(p.Data))
	}
	return r
}

func copies(list [][]float32) (all [][]float32) {
	for _, x := range list {
		all = append(all, slices.Clone(x))
	}
	return all
}

// decide ends the comparison, after the first epoch of the decoder that began with
// text. The other goes on in its place if that was better, as if there were no text.
func (t *trainer) decide() error {
	with, without := t.History[len(t.History)-1], t.History[0]
	kept := "kept"
	if t.Best == without.Epoch {
		kept = "left out"
		for i, p := range t.opt.params {
			copy(p.Data, t.rival.weights[i])
		}
		t.opt.m, t.opt.v, t.opt.average = t.rival.m, t.rival.v, t.rival.average
		t.Since = len(t.History)
		t.Kept, t.kept = nil, nil
		t.remember(without.Epoch, t.best)
	}
	t.rival, t.Comparing = nil, false
	return t.note("%s: %s: dev CIDEr-D after an epoch with pictures is %.1f, without it %.1f", t.Recipe.Text.File, kept, 100*with.CiderD, 100*without.CiderD)
}
