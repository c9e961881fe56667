// Package train teaches a decoder to caption pictures. Choose a Recipe, then
// call Run with the pictures' features and captions.
package train

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"

	"github.com/BurntSushi/toml"

	"showtell"
	"showtell/decoder"
)

// A Recipe is everything that decides what a training gives, besides the data.
type Recipe struct {
	Decoder decoder.Config          `toml:"decoder"`
	Search  showtell.SearchDefaults `toml:"search"` // for dev scores; stored as the model's defaults, but for what is chosen at the end

	MinCount   int     `toml:"min_count"`   // a word is learned if the training captions have it so often
	GloVe      string  `toml:"glove"`       // file of word vectors to start from, of GloVe or word2vec
	GloVeFixed bool    `toml:"glove_fixed"` // word vectors are not learned, those of words that the file lacks included
	Epochs     int     `toml:"epochs"`
	Patience   int     `toml:"patience"`   // stop after so many epochs without a better dev score; 0: never
	Pictures   int     `toml:"pictures"`   // pictures in a batch, each with all its captions
	Mirror     float64 `toml:"mirror"`     // share of the pictures shown mirrored
	Rate       float64 `toml:"rate"`       // highest learning rate
	WarmUp     int     `toml:"warm_up"`    // steps until the rate is at its highest
	Schedule   string  `toml:"schedule"`   // "cosine" down to FinalRate, or "step": halved every StepEpochs
	FinalRate  float64 `toml:"final_rate"` // share of Rate that is left at the end of a cosine
	StepEpochs int     `toml:"step_epochs"`
	Beta1      float64 `toml:"beta1"`
	Beta2      float64 `toml:"beta2"`
	Decay      float64 `toml:"decay"`     // weight decay of AdamW
	Clip       float64 `toml:"clip"`      // largest norm of the gradient; 0: any
	Smoothing  float64 `toml:"smoothing"` // of labels
	Average    float64 `toml:"average"`   // decay of the average of weights (EMA) that is kept; 0: none
	Seed       uint64  `toml:"seed"`

	SearchFixed   bool `toml:"search_fixed,omitempty"`  // the search stays as it is here; else its length power is chosen on dev at the end
	AverageEpochs int  `toml:"average_epochs,omitzero"` // of the best epochs of a stage, whose mean weights are tried at its end; 0: none

	Text     Text     `toml:"text,omitempty"`     // learned before pictures; all zero: none
	FineTune FineTune `toml:"finetune,omitempty"` // of the encoder; all zero: it stays as it is
	Reward   Reward   `toml:"reward,omitempty"`   // all zero: the decoder learns from people's captions alone
}

//go:embed recipes/*.toml
var recipes embed.FS

// Recipes lists the names of the recipes that come with the program.
func Recipes() []string {
	files, err := fs.Glob(recipes, "recipes/*.toml")
	if err != nil {
		panic(err) // the pattern is fine
	}
	for i, f := range files {
		files[i] = strings.TrimSuffix(path.Base(f), ".toml")
	}
	return files
}

// LoadRecipe reads a recipe by its name or from a TOML file, then changes the
// fields of the given settings, each "field=value", such as "epochs=3" or
// "decoder.layers=3".
func LoadRecipe(name string, settings ...string) (Recipe, error) {
	r := Recipe{Text: defaultText, FineTune: defaultFineTune, Reward: defaultReward}
	data, err := recipes.ReadFile("recipes/" + name + ".toml")
	if err != nil {
		if data, err = os.ReadFile(name); err != nil {
			return r, fmt.Errorf("recipe %q is none of %s, nor a file: %w", name, strings.Join(Recipes(), ", "), err)
		}
	}
	if err := decode(name, string(data), &r); err != nil {
		return r, err
	}
	for _, s := range settings {
		if err := r.set(s); err != nil {
			return r, err
		}
	}
	if r.Text.File == "" {
		r.Text = Text{}
	}
	if what := r.FineTune.What; what == "" || what == "none" {
		r.FineTune = FineTune{}
	}
	if r.Reward.Epochs == 0 {
		r.Reward = Reward{}
	}
	return r, r.validate()
}

// set changes one field. A value that TOML does not know is taken as a string.
func (r *Recipe) set(setting string) error {
	field, value, ok := strings.Cut(setting, "=")
	if !ok {
		return fmt.Errorf("setting %q is not field=value", setting)
	}
	err := decode("setting "+setting, field+" = "+value, r)
	if err == nil {
		return nil
	}
	if again := decode("setting "+setting, fmt.Sprintf("%s = %q", field, strings.TrimSpace(value)), r); again == nil {
		return nil
	}
	return err
}

func decode(name, doc string, r *Recipe) error {
	meta, err := toml.Decode(doc, r)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if unknown := meta.Undecoded(); len(unknown) > 0 {
		return fmt.Errorf("%s: no field %s in a recipe", name, unknown[0])
	}
	return nil
}

// String is the recipe as TOML.
func (r Recipe) String() string {
	var b strings.Builder
	if err := toml.NewEncoder(&b).Encode(r); err != nil {
		panic(err) // plain fields always encode
	}
	return b.String()
}

// A bound is the range of a field.
type bound struct {
	name      string
	value     float64
	low, high float64
}

func validate(bounds []bound) error {
	for _, b := range bounds {
		if !(b.value >= b.low && b.value <= b.high) {
			return fmt.Errorf("recipe: %s is %v, not from %v to %v", b.name, b.value, b.low, b.high)
		}
	}
	return nil
}

func (r Recipe) validate() error {
	err := validate([]bound{
		{"min_count", float64(r.MinCount), 1, 1e6}, {"epochs", float64(r.Epochs), 1, 1e5}, {"patience", float64(r.Patience), 0, 1e5},
		{"pictures", float64(r.Pictures), 1, 1e4}, {"mirror", r.Mirror, 0, 1}, {"rate", r.Rate, 1e-9, 10},
		{"warm_up", float64(r.WarmUp), 0, 1e9}, {"final_rate", r.FinalRate, 0, 1}, {"beta1", r.Beta1, 0, 0.99999}, {"beta2", r.Beta2, 0, 0.99999},
		{"decay", r.Decay, 0, 1}, {"clip", r.Clip, 0, 1e9}, {"smoothing", r.Smoothing, 0, 0.99}, {"average", r.Average, 0, 0.999999},
	})
	if err == nil && r.AverageEpochs != 0 {
		err = validate([]bound{{"average_epochs", float64(r.AverageEpochs), 2, 20}})
	}
	if err == nil && r.Text != (Text{}) {
		err = r.Text.validate()
	}
	if err == nil && r.FineTune != (FineTune{}) {
		err = r.FineTune.validate()
	}
	if err == nil && r.Reward != (Reward{}) {
		err = r.Reward.validate()
		if err == nil && r.Reward.EncoderRate > 0 && r.FineTune.What == "" {
			err = errors.New("recipe: reward.encoder_rate is above 0, but nothing is fine-tuned: set finetune.what")
		}
	}
	if err != nil {
		return err
	}
	switch r.Schedule {
	case "cosine":
		return nil
	case "step":
		if r.StepEpochs < 1 {
			return fmt.Errorf("recipe: step_epochs is %d, not 1 or more", r.StepEpochs)
		}
		return nil
	}
	return fmt.Errorf(`recipe: schedule %q is neither "cosine" nor "step"`, r.Schedule)
}
