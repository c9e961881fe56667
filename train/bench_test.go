package train

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"showtell/decoder"
	"showtell/nn"
	"showtell/text"
)

// lengths are 60 evenly spaced quantiles of the lengths of Flickr8k's training
// captions, with the end, cut at 17 words. bench/train_step.py has the same.
var lengths = []int{5, 6, 6, 7, 7, 7, 7, 8, 8, 8, 8, 8, 9, 9, 9, 9, 9, 9, 10, 10, 10, 10, 10, 10, 11, 11, 11, 11, 11, 11,
	11, 12, 12, 12, 12, 12, 12, 13, 13, 13, 13, 13, 13, 14, 14, 14, 14, 15, 15, 15, 15, 16, 16, 16, 17, 17, 18, 18, 18, 18}

// fixed gives every picture the same features.
type fixed []float32

func (f fixed) Grid(dst []float32, _ string, _ bool) bool { copy(dst, f); return true }

// BenchmarkStep is a whole training step of each recipe at the size of
// Flickr8k: 12 pictures with five captions each, 2,539 words. The time of
// "default" is what bench/train sets against PyTorch.
func BenchmarkStep(b *testing.B) {
	for _, name := range Recipes() {
		b.Run(name, func(b *testing.B) {
			t := benchTrainer(b, name)
			tape := nn.NewTape(nil)
			for b.Loop() {
				if t.Step == t.steps() {
					t.Step = 0
				}
				if err := t.step(tape); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N), "ms/step")
		})
	}
}

func benchTrainer(b *testing.B, name string) *trainer {
	r, err := LoadRecipe(name)
	if err != nil {
		b.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 1))
	const words, cells, channels = 2539, 49, 1280
	grid := make(fixed, cells*channels)
	for i := range grid {
		grid[i] = rng.Float32()
	}
	t := &trainer{Job: Job{Recipe: r, Features: grid}}
	t.config = r.Decoder
	t.config.Vocab, t.config.Cells, t.config.Channels = words, cells, channels
	if t.dec, err = decoder.New(t.config, rng); err != nil {
		b.Fatal(err)
	}
	t.batcher = batcher{features: grid, pictures: r.Pictures, mirror: r.Mirror, cells: cells, channels: channels}
	order := rng.Perm(len(lengths))
	for i := range 10 * r.Pictures {
		e := example{name: fmt.Sprint(i)}
		for k := range 5 {
			caption := []int{text.Start}
			for range lengths[order[(5*i+k)%len(order)]] {
				caption = append(caption, 4+rng.IntN(words-4))
			}
			e.captions = append(e.captions, caption)
		}
		t.examples = append(t.examples, e)
	}
	var learned []*nn.Param
	for _, p := range t.dec.Params() {
		if !p.Fixed {
			learned = append(learned, p)
		}
	}
	t.opt = newOptimizer(&t.Recipe, learned)
	return t
}
