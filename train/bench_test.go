package train

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"showtell/dataset"
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
				if t.Step == t.stage.steps() {
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

// BenchmarkReward is a whole step by rewards at the same size, and the share of it
// that scoring takes.
func BenchmarkReward(b *testing.B) {
	for _, setting := range []string{"bleu=0", "bleu=1"} {
		b.Run(setting, func(b *testing.B) {
			t := benchRewarded(b, "reward."+setting)
			tape := nn.NewTape(nil)
			for b.Loop() {
				if t.Step == t.stage.steps() {
					t.Step = 0
				}
				if err := t.step(tape); err != nil {
					b.Fatal(err)
				}
			}
			step := b.Elapsed().Seconds() / float64(b.N)
			b.ReportMetric(100*scoring(b, t)/step, "%scoring")
		})
	}
}

// benchRewarded is at the stage of rewards.
func benchRewarded(b *testing.B, setting string) *trainer {
	t := benchTrainer(b, "default")
	t.Recipe.Reward = defaultReward
	err := t.Recipe.set(setting)
	if err != nil {
		b.Fatal(err)
	}
	words := text.BuildVocab(func(func(string) bool) {}, 1).Words()
	for i := len(words); i < t.config.Vocab; i++ {
		words = append(words, fmt.Sprint("w", i))
	}
	if t.vocab, err = text.NewVocab(words); err != nil {
		b.Fatal(err)
	}
	t.Set = &dataset.Set{}
	for _, e := range t.examples {
		item := dataset.Item{Name: e.name, Split: "train"}
		for _, c := range e.captions {
			item.Captions = append(item.Captions, t.vocab.Decode(c[1:]))
		}
		t.Set.Items = append(t.Set.Items, item)
	}
	s, err := t.rewardStage(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	t.begin(0, s)
	return t
}

// scoring is the seconds that the rewards of one step take.
func scoring(b *testing.B, t *trainer) float64 {
	s, err := t.scorer()
	if err != nil {
		b.Fatal(err)
	}
	var captions [][]int
	var pictures []int
	for i, e := range t.examples[:t.Recipe.Reward.Pictures] {
		for _, c := range e.captions[:t.Recipe.Reward.Samples] {
			captions, pictures = append(captions, c[1:]), append(pictures, i)
		}
	}
	const times = 20
	began := time.Now()
	for range times {
		if _, err := s.score(captions, pictures); err != nil {
			b.Fatal(err)
		}
	}
	return time.Since(began).Seconds() / times
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
	if err := t.enter(b.Context(), 0); err != nil {
		b.Fatal(err)
	}
	return t
}
