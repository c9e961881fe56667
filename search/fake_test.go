package search

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
)

// A fake scores next words by a function of the picture and the words so far,
// start token left out. Its attention is {picture, words so far}.
type fake struct {
	score    func(picture int, words []int) []float32
	prefixes []prefix
	rows     [][]float32
	weights  [][]float32
	calls    int
	asked    int // prefixes in all calls
}

type prefix struct {
	picture int
	words   []int
}

func (f *fake) Next(ctx context.Context, words, parents []int) ([][]float32, error) {
	next := make([]prefix, len(words))
	f.rows = make([][]float32, len(words))
	for i, parent := range parents {
		next[i] = prefix{picture: parent}
		if f.calls > 0 {
			old := f.prefixes[parent]
			next[i] = prefix{old.picture, append(slices.Clone(old.words), words[i])}
		}
		f.rows[i] = slices.Clone(f.score(next[i].picture, next[i].words))
	}
	f.prefixes = next
	f.calls++
	f.asked += len(words)
	return f.rows, nil
}

// Attention overwrites what it returned before, as a Model may.
func (f *fake) Attention() [][]float32 {
	for _, w := range f.weights {
		clear(w)
	}
	for len(f.weights) < len(f.prefixes) {
		f.weights = append(f.weights, make([]float32, 2))
	}
	for i, p := range f.prefixes {
		f.weights[i][0], f.weights[i][1] = float32(p.picture), float32(len(p.words))
	}
	return f.weights[:len(f.prefixes)]
}

// plain hides the attention of a fake.
type plain struct{ *fake }

func (plain) Attention() [][]float32 { return nil }

// random scores with a generator seeded by picture and words, so that every
// prefix has its own distribution. Scores are multiples of 1/8 when coarse, to
// make ties.
func random(seed uint64, width int, coarse bool) func(int, []int) []float32 {
	return func(picture int, words []int) []float32 {
		h := seed*0x9e3779b97f4a7c15 + uint64(picture)
		for _, w := range words {
			h = (h ^ uint64(w+1)) * 0xbf58476d1ce4e5b9
		}
		rng := rand.New(rand.NewPCG(h, h>>7))
		row := make([]float32, width)
		sum := 0.0
		for i := range row {
			row[i] = float32(2 * rng.NormFloat64())
			sum += math.Exp(float64(row[i]))
		}
		for i := range row {
			row[i] -= float32(math.Log(sum))
			if coarse {
				row[i] = float32(math.Min(0, math.Round(float64(row[i])*2)/2))
			}
			if rng.IntN(6) == 0 {
				row[i] = float32(math.Inf(-1))
			}
		}
		return row
	}
}
