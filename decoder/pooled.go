package decoder

import (
	"math"
	"math/rand/v2"

	"showtell/nn"
	"showtell/tensor"
)

// pooled is the mean of the grid, standardised with the mean and deviation
// that each channel has over the training pictures. Without that an LSTM
// learns a third less from the features of EfficientNet.
type pooled struct {
	cells           int
	mean, deviation *nn.Param // (channels), fixed
}

func newPooled(c Config) *pooled {
	p := &pooled{
		cells:     c.Cells,
		mean:      nn.NewParam("pooled.mean", c.Channels),
		deviation: nn.NewParam("pooled.deviation", c.Channels).Fill(1),
	}
	p.mean.Fixed, p.deviation.Fixed = true, true
	return p
}

func (p *pooled) Params() []*nn.Param { return []*nn.Param{p.mean, p.deviation} }

func (p *pooled) fit(mean, deviation []float32) {
	copy(p.mean.Data, mean)
	copy(p.deviation.Data, deviation)
}

// forward maps (pictures·cells, channels) to (pictures, channels). The
// result wants no gradient unless the grid does.
func (p *pooled) forward(t *nn.Tape, grid *nn.Var) *nn.Var {
	inv := make([]float32, len(p.mean.Data))
	shift := make([]float32, len(inv))
	for i, d := range p.deviation.Data {
		inv[i] = 1 / max(d, 1e-6)
		shift[i] = -p.mean.Data[i] * inv[i]
	}
	return nn.Affine(t, nn.MeanRows(t, grid, p.cells), inv, shift)
}

// Fitter is a decoder that wants the mean and deviation of each channel of
// the pooled features over the training pictures before it learns.
type Fitter interface {
	Fit(mean, deviation []float32)
}

// A Moments sums pooled features for a Fitter.
type Moments struct {
	n            int
	sum, squares []float64
}

// Add counts the grid (cells·channels) of a picture.
func (m *Moments) Add(grid []float32, channels int) {
	if m.sum == nil {
		m.sum, m.squares = make([]float64, channels), make([]float64, channels)
	}
	mean := make([]float32, channels)
	cells := len(grid) / channels
	for i := range cells {
		tensor.AXPY(mean, 1/float32(cells), grid[i*channels:(i+1)*channels])
	}
	for i, v := range mean {
		m.sum[i] += float64(v)
		m.squares[i] += float64(v) * float64(v)
	}
	m.n++
}

// Moments returns mean and standard deviation of each channel.
func (m *Moments) Moments() (mean, deviation []float32) {
	mean, deviation = make([]float32, len(m.sum)), make([]float32, len(m.sum))
	for i, s := range m.sum {
		mu := s / float64(m.n)
		mean[i] = float32(mu)
		deviation[i] = float32(math.Sqrt(max(0, m.squares[i]/float64(m.n)-mu*mu)))
	}
	return mean, deviation
}

// Worded is a decoder whose word vectors can be set, as from GloVe.
type Worded interface {
	Words() *nn.Param // (vocab, embed)
}

func newWords(rng *rand.Rand, c Config) *nn.Param {
	p := nn.NewParam("words", c.Vocab, c.Embed).Normal(rng, 1/math.Sqrt(float64(c.Embed)))
	p.Table = true
	return p
}

// params joins the weights of layers.
func params(layers ...interface{ Params() []*nn.Param }) []*nn.Param {
	var all []*nn.Param
	for _, l := range layers {
		all = append(all, l.Params()...)
	}
	return all
}

// one is a single weight as a layer.
type one struct{ p *nn.Param }

func (o one) Params() []*nn.Param { return []*nn.Param{o.p} }
