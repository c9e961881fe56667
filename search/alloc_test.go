//go:build !race

// The race detector makes allocations of its own.

package search

import (
	"context"
	"math/rand/v2"
	"testing"
)

// tireless is a model whose sentences do not end, and which allocates nothing.
type tireless struct {
	rng           *rand.Rand
	rows, weights [][]float32
	now           int // prefixes
}

func newTireless(prefixes, width int) *tireless {
	m := &tireless{rng: rand.New(rand.NewPCG(1, 2))}
	for range prefixes {
		m.rows, m.weights = append(m.rows, make([]float32, width)), append(m.weights, make([]float32, 9))
	}
	return m
}

func (m *tireless) Next(ctx context.Context, words, parents []int) ([][]float32, error) {
	m.now = len(words)
	for _, row := range m.rows[:m.now] {
		for i := range row {
			row[i] = -1 - m.rng.Float32()
		}
		row[2] = -100 // the end
		if m.rng.IntN(2) == 0 {
			row[7] = row[8] // as probable
		}
	}
	return m.rows[:m.now], nil
}

func (m *tireless) Attention() [][]float32 { return m.weights[:m.now] }

// A search of many words makes as many allocations as one of few.
func TestStepsAllocateNothing(t *testing.T) {
	const pictures = 3
	for _, o := range []Options{{Beams: 1}, {Beams: 4, NBest: 2}, {Beams: 3, NoRepeat: 2, MinWords: 5}} {
		count := func(words int) float64 {
			o := o
			o.MaxWords, o.End = words, 2
			m := newTireless(pictures*o.Beams, 30)
			return testing.AllocsPerRun(5, func() {
				if _, err := Beam(t.Context(), m, pictures, &o); err != nil {
					t.Fatal(err)
				}
			})
		}
		if few, many := count(3), count(23); few != many {
			t.Errorf("%+v: 3 words take %v allocations, 23 take %v", o, few, many)
		}
	}
}

func TestGeneratedStepsAllocateNothing(t *testing.T) {
	const pictures = 3
	for _, r := range []Rules{{}, {Beams: 4, NBest: 2}, {Beams: 3, NoRepeat: 2, MinNewTokens: 5, RepetitionPenalty: 1.5}} {
		count := func(words int) float64 {
			r := r
			r.Prompt, r.End, r.MaxNewTokens = []int{1, 3}, []int{2}, words
			m := newTireless(pictures*max(r.Beams, 1), 300)
			return testing.AllocsPerRun(5, func() {
				if _, err := Generate(t.Context(), m, pictures, &r); err != nil {
					t.Fatal(err)
				}
			})
		}
		if few, many := count(3), count(23); few != many {
			t.Errorf("%+v: 3 words take %v allocations, 23 take %v", r, few, many)
		}
	}
}
