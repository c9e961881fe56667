package train

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"showtell"
	"showtell/dataset"
	"showtell/decoder"
	"showtell/imageprep"
	"showtell/nn"
)

// FineTune says how the end of the encoder learns together with the decoder,
// after that has learned alone. What the decoder learns by and is judged by stays
// as the rest of the recipe has it.
type FineTune struct {
	What        string  `toml:"what"` // "none", "all", "last:N" blocks, "from:LAYER"; see encoder.Network.Tune
	Epochs      int     `toml:"epochs"`
	EncoderRate float64 `toml:"encoder_rate"` // highest learning rate of the encoder
	Rate        float64 `toml:"rate"`         // and of the decoder
	WarmUp      int     `toml:"warm_up"`      // steps until the rates are at their highest
	Pictures    int     `toml:"pictures"`     // in a batch, each with all its captions
	Mirror      float64 `toml:"mirror"`       // share of the pictures shown mirrored, of those that no caption says left or right of
	Crop        float64 `toml:"crop"`         // least share of a picture's area that is shown; 1: all of it
	Jitter      float64 `toml:"jitter"`       // change of brightness, contrast and saturation, as a share
}

// defaultFineTune is where recipes don't say otherwise.
var defaultFineTune = FineTune{Epochs: 5, EncoderRate: 1e-4, Rate: 4e-4, WarmUp: 100, Pictures: 12, Mirror: 0.5, Crop: 1}

func (f FineTune) validate() error {
	return validate([]bound{
		{"finetune.epochs", float64(f.Epochs), 1, 1e5}, {"finetune.encoder_rate", f.EncoderRate, 1e-12, 10}, {"finetune.rate", f.Rate, 1e-12, 10},
		{"finetune.warm_up", float64(f.WarmUp), 0, 1e9}, {"finetune.pictures", float64(f.Pictures), 1, 1e4},
		{"finetune.mirror", f.Mirror, 0, 1}, {"finetune.crop", f.Crop, 0.05, 1}, {"finetune.jitter", f.Jitter, 0, 1},
	})
}

func (f FineTune) variation() imageprep.Variation {
	return imageprep.Variation{Crop: f.Crop, Jitter: f.Jitter}
}

// fineTuning is the name of the stage.
const fineTuning = "fine-tune"

// fineTuneStage teaches the decoder and the end of the encoder. What the
// encoder's trunk sees is kept for all epochs where it can be.
func (t *trainer) fineTuneStage(ctx context.Context) (*stage, error) {
	f, r := t.Recipe.FineTune, t.Recipe
	r.Epochs, r.Rate, r.WarmUp, r.Pictures, r.Mirror = f.Epochs, f.Rate, f.WarmUp, f.Pictures, f.Mirror
	look, err := t.trunkLook(ctx)
	if err != nil {
		return nil, err
	}
	h, w, c := t.tuning.Input()
	s := &stage{name: fineTuning, recipe: r, learns: t.decoderLearns(), batcher: t.newBatcher(fineTuning+" ", r, look, h*w, c)}
	s.keepSides, s.vary = true, !f.variation().None()
	s.rates = slices.Repeat([]float64{1}, len(s.learns))
	for _, p := range t.tuning.Params {
		if !p.Fixed {
			s.learns, s.rates = append(s.learns, p), append(s.rates, f.EncoderRate/f.Rate)
		}
	}
	const room = 256 << 20 // bytes for the results of layers; gradients and the rest come to as much
	s.atOnce = min(max(1, room/t.tuning.Memory()), r.Pictures)
	s.encode = func(tape *nn.Tape, b *decoder.Batch) *nn.Var {
		x := nn.Const(b.Grid.Data, len(b.Grid.Data)/s.size, h, w, c)
		y := t.tuning.Forward(tape, x)
		return nn.Rows(tape, y, 0, y.Rows()) // (pictures·cells, channels)
	}
	s.grids = func(m *showtell.Model) (func([]float32) []float32, error) {
		tuned, err := m.Network().Tune(f.What)
		if err != nil {
			return nil, err
		}
		tape := nn.NewScratch()
		return func(seen []float32) []float32 {
			tape.Reset()
			return tuned.Forward(tape, nn.Const(seen, len(seen)/s.size, h, w, c)).Data
		}, nil
	}
	return s, nil
}

// largestTrunk is how many bytes of a trunk's results are kept at most.
const largestTrunk = 8 << 30

// trunkLook is what the trunk sees, kept by Job.Trunk if pictures don't change
// at random and it is not too much.
func (t *trainer) trunkLook(ctx context.Context) (look, error) {
	trunk, f := t.tuning.Trunk(), t.Recipe.FineTune
	items := slices.Concat(t.Set.Split("train"), t.Set.Split("dev"))
	if trunk != nil && t.Trunk != nil && f.variation().None() {
		h, w, c := trunk.Grid()
		bytes := int64(2*h*w*c) * int64(len(items))
		if f.Mirror > 0 {
			bytes *= 2
		}
		if bytes <= largestTrunk {
			features, err := t.Trunk(ctx, trunk, items, f.Mirror > 0)
			return stored(features), err
		}
	}
	e := &eye{recipe: t.Network.Recipe(), vary: f.variation(), paths: map[string]string{}}
	for _, item := range items {
		e.paths[item.Name] = item.Path
	}
	if trunk == nil {
		return e.look, nil
	}
	var err error
	e.trunk, err = trunk.Compile()
	return e.look, err
}

// saysSides tells whether a caption speaks of left or right, and so would be
// wrong of a mirrored picture.
func saysSides(item dataset.Item) bool {
	for _, c := range item.Captions {
		for _, w := range strings.Fields(strings.ToLower(c)) {
			w = strings.TrimLeft(w, `"'(`)
			if strings.HasPrefix(w, "left") || strings.HasPrefix(w, "right") {
				return true
			}
		}
	}
	return false
}

// A look writes what a picture looks like to what learns from it: as it is or
// mirrored, and changed by chance unless rng is nil.
type look func(dst []float32, name string, mirror bool, rng *rand.Rand) error

// stored is a look at features that are kept.
func stored(f Features) look {
	return func(dst []float32, name string, mirror bool, _ *rand.Rand) error {
		if !f.Grid(dst, name, mirror) {
			return fmt.Errorf("no features of %s", name)
		}
		return nil
	}
}
