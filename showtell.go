// Package showtell describes photographs in a sentence. Open a model, or take
// the one that comes with the program from package builtin, then call Caption.
package showtell

import (
	"context"
	"fmt"
	"image"
	"io"
	"math"

	"showtell/confidence"
	"showtell/encoder"
	"showtell/imageprep"
	"showtell/search"
	"showtell/tensor"
	"showtell/text"
	"showtell/wording"
)

// A Model describes pictures. It is safe for concurrent use and needs no
// closing.
type Model struct {
	Manifest
	network  *encoder.Network // of the first eye
	vocab    *text.Vocab
	eyes     []eye
	speakers []speaker
}

// Options of captioning. Nil and zero fields mean the defaults, which a model
// carries with it (Manifest.Search).
type Options struct {
	Beams       int           // hypotheses kept at each word; 1 is greedy search
	MaxWords    int           // longest caption
	LengthPower float64       // score is log-probability / words^LengthPower; below 0: not divided
	NoRepeat    int           // 0: never a word twice running; n: nor any n words twice; below 0: anything goes
	Style       wording.Style // how the sentence is put

	// Groups above 1 makes so many candidates that differ (diverse beam search): each
	// is the best of a group of beams, two unless Beams says more. A word costs a group
	// Diversity, off its log-probability, for each beam of an earlier group that chose
	// it at the same step; 0 means 0.5.
	Groups    int
	Diversity float64

	// A Temperature above 0 draws words by chance, instead of a search: 1 as
	// probable as the model says, less for the more probable. TopP below 1 leaves
	// out the improbable (nucleus sampling). What a picture gets depends on Seed and
	// on itself.
	Temperature, TopP float64
	Seed              uint64
}

// A Caption is one description of a picture.
type Caption struct {
	Text    string  // the sentence, for showing, in the style asked for: "A dog runs on grass."
	LogProb float64 // natural logarithm of its probability
	Score   float64 // what candidates are ranked by
	// Confidence is the probability that the caption is good, as Manifest.Confidence
	// explains; 0 where the model has none.
	Confidence float64
	Words      []Word
}

// A Word of a caption, as the model said it.
type Word struct {
	Text      string
	LogProb   float64
	Attention []float32 // over the cells of the grid, row by row, sum 1; nil without attention
}

// Raw is the caption as the model said it: lower case, no full stop. This is
// what metrics score.
func (c Caption) Raw() string {
	s := ""
	for i, w := range c.Words {
		if i > 0 {
			s += " "
		}
		s += w.Text
	}
	return s
}

// ReadImage reads a picture of any known format, upright.
func ReadImage(r io.Reader) (image.Image, error) { return imageprep.Read(r, nil) }

// Caption describes a picture.
func (m *Model) Caption(ctx context.Context, img image.Image, o *Options) (Caption, error) {
	best, err := m.describe(ctx, img, o, 1)
	if err != nil {
		return Caption{}, err
	}
	return best[0], nil
}

// Candidates returns as many descriptions of a picture as the search has
// groups, or beams where it has no groups, or fewer, the best first.
func (m *Model) Candidates(ctx context.Context, img image.Image, o *Options) ([]Caption, error) {
	so := m.options(o)
	return m.describe(ctx, img, o, either(so.Groups, so.Beams))
}

func (m *Model) describe(ctx context.Context, img image.Image, o *Options, n int) ([]Caption, error) {
	grid := make([]float32, m.features())
	if err := m.see(grid, img); err != nil {
		return nil, err
	}
	all, err := m.DescribeGrids(ctx, grid, o, n)
	if err != nil {
		return nil, err
	}
	return all[0], nil
}

// Grid is the number of rows and columns that Word.Attention is over.
func (m *Model) Grid() (rows, columns int) {
	h, w, _ := m.network.Grid()
	return h, w
}

// Network is the encoder of the model.
func (m *Model) Network() *encoder.Network { return m.network }

// DescribeGrids captions pictures from their feature grids, one behind the
// other, each (rows, columns, channels) as the model's encoder gives them; for an
// ensemble, those of its models one behind the other for each picture. It returns up to n captions of each, the best first.
func (m *Model) DescribeGrids(ctx context.Context, grids []float32, o *Options, n int) ([][]Caption, error) {
	size := m.features()
	if len(grids) == 0 || len(grids)%size != 0 {
		return nil, fmt.Errorf("%d feature values are not a whole number of grids of %d", len(grids), size)
	}
	so := m.options(o)
	so.NBest = n
	style := wording.Style{}
	if o != nil {
		style = o.Style
	}
	results, err := m.search(ctx, grids, o, &so)
	if err != nil {
		return nil, err
	}
	captions := make([][]Caption, len(results))
	for i, list := range results {
		for _, r := range list {
			captions[i] = append(captions[i], m.caption(r, style))
		}
	}
	return captions, nil
}

// search finds the sentences, or draws them.
func (m *Model) search(ctx context.Context, grids []float32, o *Options, so *search.Options) ([][]search.Result, error) {
	size := m.features()
	n := len(grids) / size
	if o == nil || o.Temperature == 0 && o.TopP == 0 {
		return search.Beam(ctx, m.start(grids), n, so)
	}
	s := search.Sampling{Seeds: make([]uint64, n), Temperature: o.Temperature, TopP: o.TopP}
	for i := range s.Seeds {
		s.Seeds[i] = o.Seed ^ fingerprint(grids[i*size:(i+1)*size])
	}
	return search.Sample(ctx, m.start(grids), n, so, s)
}

// fingerprint tells pictures apart, by FNV-1a of their features.
func fingerprint(features []float32) uint64 {
	h := uint64(14695981039346656037)
	for _, v := range features {
		h = (h ^ uint64(math.Float32bits(v))) * 1099511628211
	}
	return h
}

// options completes o with the defaults of the model.
func (m *Model) options(o *Options) search.Options {
	so := search.Options{Beams: m.Search.Beams, MinWords: 1, MaxWords: m.Search.MaxWords, LengthPower: m.Search.LengthPower, NoRepeat: m.Search.NoRepeat}
	if o != nil {
		so.Beams = either(o.Beams, so.Beams)
		so.MaxWords = either(o.MaxWords, so.MaxWords)
		so.LengthPower = either(o.LengthPower, so.LengthPower)
		so.NoRepeat = either(o.NoRepeat, so.NoRepeat)
		if o.Groups > 1 {
			so.Groups, so.Diversity = o.Groups, o.Diversity
			so.Beams = either(o.Beams, 2*o.Groups)
		}
	}
	so.Beams = either(so.Beams, 3)
	so.MaxWords = min(either(so.MaxWords, m.Decoder.MaxWords), m.Decoder.MaxWords)
	return so
}

func either[T comparable](a, b T) T {
	var zero T
	if a != zero {
		return a
	}
	return b
}

func (m *Model) caption(r search.Result, style wording.Style) Caption {
	c := Caption{LogProb: r.LogProb, Score: r.Score}
	for i, id := range r.Words {
		w := Word{Text: m.vocab.Word(id), LogProb: r.LogProbs[i]}
		if i < len(r.Attention) {
			w.Attention = r.Attention[i]
		}
		c.Words = append(c.Words, w)
	}
	c.Text = style.Sentence(c.Raw())
	if m.Manifest.Confidence != nil {
		c.Confidence = m.Manifest.Confidence.Probability(c.Evidence())
	}
	return c
}

// Evidence is what Manifest.Confidence judges the caption by.
func (c Caption) Evidence() confidence.Evidence {
	words := make([]float64, len(c.Words))
	for i, w := range c.Words {
		words[i] = w.LogProb
	}
	return confidence.Of(c.LogProb, words)
}

// Workers is the number of cores that captioning uses.
func Workers() int { return tensor.Workers() }
