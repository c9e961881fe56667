// Package decoder turns the features of a picture and the words so far into
// scores of the next word. Call New with a Config, then Forward to train and
// Start to caption.
//
// Each network is one file and one line in the table of kinds.
package decoder

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"

	"showtell/modelfile"
	"showtell/nn"
	"showtell/tensor"
	"showtell/text"
)

// A Decoder is a network that reads features and says words.
type Decoder interface {
	// Params lists the weights, in a fixed order.
	Params() []*nn.Param
	// Forward scores the word after each word of the batch:
	// (len(b.Words()), vocabulary), caption after caption.
	Forward(t *nn.Tape, b *Batch) *nn.Var
	// Start begins to caption pictures from their grids
	// (pictures·cells, channels).
	Start(grid *nn.Var) Session
	// Sharpen multiplies the scores of all words, before the softmax, by factor
	// for good, by changing weights.
	Sharpen(factor float32)
}

// A Session says words for a number of pictures, one step at a time. It
// serves one goroutine.
type Session interface {
	// Next returns the log-probabilities of all words after each prefix.
	// Prefix i is word words[i] after prefix parents[i] of the previous call;
	// in the first call parents[i] is the index of a picture. The rows are
	// valid until the next call.
	Next(ctx context.Context, words, parents []int) ([][]float32, error)
	// Attention returns, for each prefix of the last call, how much of the
	// attention each cell of the grid had; nil where the network has none.
	Attention() [][]float32
}

// A Config is the shape of a decoder, as stored in a model file.
type Config struct {
	Kind        string  `json:"kind" toml:"kind"`                                    // a name of Kinds
	Vocab       int     `json:"vocab" toml:"-"`                                      // words, with the four special ones
	Cells       int     `json:"cells" toml:"-"`                                      // of the grid
	Channels    int     `json:"channels" toml:"-"`                                   // of each cell
	Embed       int     `json:"embed" toml:"embed"`                                  // width of a word vector
	Hidden      int     `json:"hidden" toml:"hidden"`                                // width of the LSTM's state or of the transformer
	Layers      int     `json:"layers" toml:"layers"`                                // transformer: layers
	Heads       int     `json:"heads" toml:"heads"`                                  // transformer: heads of each attention
	FeedForward int     `json:"feed_forward" toml:"feed_forward"`                    // transformer: inner width
	Untied      bool    `json:"untied,omitempty" toml:"untied,omitempty"`            // transformer: scores have weights of their own, in place of the word vectors
	MaxWords    int     `json:"max_words" toml:"max_words"`                          // longest caption, in words
	Dropout     float64 `json:"dropout" toml:"dropout"`                              // of words and layers, while training
	GridDropout float64 `json:"grid_dropout" toml:"grid_dropout"`                    // of the features, while training
	WordDropout float64 `json:"word_dropout,omitempty" toml:"word_dropout,omitzero"` // share of the words that are read as unknown, while training
}

var kinds = map[string]func(c Config, rng *rand.Rand) Decoder{
	"attend":      newAttend,
	"inject":      newInject,
	"merge":       newMerge,
	"transformer": newTransformer,
}

// Kinds lists the networks by name.
func Kinds() []string { return slices.Sorted(maps.Keys(kinds)) }

// Limits keep a hostile model file from asking for all memory.
const (
	maxWidth  = 1 << 14
	maxVocab  = 1 << 20
	maxLayers = 64
)

// Validate tells what is wrong with c, if anything.
func (c Config) Validate() error {
	if kinds[c.Kind] == nil {
		return fmt.Errorf("decoder %q is not known (there are %s)", c.Kind, strings.Join(Kinds(), ", "))
	}
	for _, f := range []struct {
		name     string
		value    int
		low, top int
	}{
		{"vocab", c.Vocab, 5, maxVocab}, {"cells", c.Cells, 1, maxWidth}, {"channels", c.Channels, 1, maxWidth},
		{"embed", c.Embed, 1, maxWidth}, {"hidden", c.Hidden, 1, maxWidth}, {"max_words", c.MaxWords, 1, 1000},
	} {
		if f.value < f.low || f.value > f.top {
			return fmt.Errorf("decoder %s: %s is %d, not from %d to %d", c.Kind, f.name, f.value, f.low, f.top)
		}
	}
	for name, p := range map[string]float64{"dropout": c.Dropout, "grid_dropout": c.GridDropout, "word_dropout": c.WordDropout} {
		if !(p >= 0 && p < 1) {
			return fmt.Errorf("decoder %s: %s is %v, not from 0 to below 1", c.Kind, name, p)
		}
	}
	if c.Kind == "transformer" {
		return c.validateTransformer()
	}
	if c.Untied {
		return fmt.Errorf("decoder %s: untied is set, but its scores always have weights of their own", c.Kind)
	}
	return nil
}

// New returns a decoder with random weights; without rng they are zero, or
// what suits a layer, and wait to be filled.
func New(c Config, rng *rand.Rand) (Decoder, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	return kinds[c.Kind](c, rng), nil
}

// Load returns the decoder whose weights stand in f under prefix.
func Load(f *modelfile.File, prefix string, c Config) (Decoder, error) {
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("%s: %w", f.Name, err)
	}
	d := kinds[c.Kind](c, nil)
	ps := d.Params()
	errs := make([]error, len(ps))
	tensor.Parallel(len(ps), func(i int) { errs[i] = loadParam(f, prefix+ps[i].Name, ps[i]) })
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return d, nil
}

func loadParam(f *modelfile.File, name string, p *nn.Param) error {
	t, ok := f.Tensor(name)
	if !ok {
		return fmt.Errorf("%s: no tensor %s", f.Name, name)
	}
	if !slices.Equal(t.Shape, p.Shape) {
		return fmt.Errorf("%s: tensor %s has shape %v, not %v", f.Name, name, t.Shape, p.Shape)
	}
	data, err := f.Decode(t)
	if err != nil {
		return fmt.Errorf("%s: tensor %s: %w", f.Name, name, err)
	}
	p.Data = data
	return nil
}

func scale(factor float32, ps ...*nn.Param) {
	for _, p := range ps {
		tensor.Scale(p.Data, p.Data, factor)
	}
}

// A Batch is pictures with their captions, to learn from.
type Batch struct {
	Grid     *nn.Var // (pictures·cells, channels)
	Captions [][]int // word numbers, from text.Start to text.End (or cut)
	Picture  []int   // of each caption; ascending
}

// Words is the input of each step, caption after caption: all words but the
// last of each.
func (b *Batch) Words() []int {
	var words []int
	for _, c := range b.Captions {
		words = append(words, c[:len(c)-1]...)
	}
	return words
}

// Targets is the word that follows each of Words.
func (b *Batch) Targets() []int {
	var targets []int
	for _, c := range b.Captions {
		targets = append(targets, c[1:]...)
	}
	return targets
}

// dropWords reads a share p of words as unknown, but for the start, while training
// (Bowman et al. 2016): what is not told must be seen.
func dropWords(t *nn.Tape, words []int, p float64) []int {
	if t == nil || t.Rand == nil || p == 0 {
		return words
	}
	read := slices.Clone(words)
	for i, w := range read {
		if w != text.Start && t.Rand.Float64() < p {
			read[i] = text.Unknown
		}
	}
	return read
}

// positions is the place of each of Words in its caption.
func (b *Batch) positions() []int {
	var places []int
	for _, c := range b.Captions {
		for i := range len(c) - 1 {
			places = append(places, i)
		}
	}
	return places
}

// Freeze prepares d for captioning alone: matrix products become faster, and
// weights must no longer change. Without it Start works too.
func Freeze(d Decoder) {
	ps := d.Params()
	tensor.Parallel(len(ps), func(i int) { ps[i].Freeze() })
}
