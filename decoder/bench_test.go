package decoder_test

import (
	"math/rand/v2"
	"testing"

	"showtell/decoder"
	"showtell/nn"
)

// BenchmarkNext is a step of 16 pictures with 5 beams each, after 7 words.
func BenchmarkNext(b *testing.B) {
	for _, kind := range decoder.Kinds() {
		b.Run(kind, func(b *testing.B) {
			c := decoder.Config{
				Kind: kind, Vocab: 2536, Cells: 49, Channels: 1280, Embed: 320, Hidden: 320,
				Layers: 2, Heads: 8, FeedForward: 1280, MaxWords: 20,
			}
			w := newWalk(b, c, 16, 5)
			const steps = 12
			for b.Loop() {
				w.start()
				for range steps {
					w.next(b)
				}
			}
			b.ReportMetric(b.Elapsed().Seconds()*1e6/float64(b.N)/steps, "us/step")
		})
	}
}

// A walk steps through a session as a search of several beams would, with
// words by chance.
type walk struct {
	d              decoder.Decoder
	grid           *nn.Var
	session        decoder.Session
	words, parents []int
	pictures       int
	beams          int
	rng            *rand.Rand
}

func newWalk(tb testing.TB, c decoder.Config, pictures, beams int) *walk {
	rng := rand.New(rand.NewPCG(3, 4))
	d, err := decoder.New(c, rng)
	if err != nil {
		tb.Fatal(err)
	}
	decoder.Freeze(d)
	grid := make([]float32, pictures*c.Cells*c.Channels)
	for i := range grid {
		grid[i] = max(0, float32(rng.NormFloat64()))
	}
	w := &walk{d: d, grid: nn.Const(grid, pictures*c.Cells, c.Channels), pictures: pictures, beams: beams, rng: rng}
	w.start()
	return w
}

func (w *walk) start() {
	w.session = w.d.Start(w.grid)
	w.words, w.parents = w.words[:0], w.parents[:0]
	for i := range w.pictures {
		w.words, w.parents = append(w.words, 1), append(w.parents, i)
	}
}

// next takes a step, and chooses the next words and their parents.
func (w *walk) next(tb testing.TB) {
	rows, err := w.session.Next(tb.Context(), w.words, w.parents)
	if err != nil {
		tb.Fatal(err)
	}
	each := len(rows) / w.pictures
	w.words, w.parents = w.words[:0], w.parents[:0]
	for i := range w.pictures * w.beams {
		w.words = append(w.words, 4+w.rng.IntN(len(rows[0])-4))
		w.parents = append(w.parents, i/w.beams*each+w.rng.IntN(each))
	}
}
