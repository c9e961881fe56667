package search

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
)

// A still gives the same rows at each step, of a vocabulary as large as BERT's.
type still [][]float32

func (s still) Next(ctx context.Context, words, parents []int) ([][]float32, error) {
	return s[:len(words)], nil
}

func (s still) Logits() [][]float32 { return s }

// One operation is a step of all pictures.
func BenchmarkGenerate(b *testing.B) {
	const width = 30522
	rng := rand.New(rand.NewPCG(1, 2))
	rows := make(still, 24)
	for i := range rows {
		logits := make([]float32, width)
		for w := range logits {
			logits[w] = float32(2 * rng.NormFloat64())
		}
		logits[102] = -30
		rows[i] = logSoftmax(logits)
	}
	for _, r := range []Rules{{Beams: 1}, {Beams: 3}, {Beams: 1, RepetitionPenalty: 1.5}, {Beams: 3, RepetitionPenalty: 1.5, NoRepeat: 3}} {
		b.Run(fmt.Sprintf("beams=%d,penalty=%v", r.Beams, r.RepetitionPenalty), func(b *testing.B) {
			r.Prompt, r.End, r.LengthPenalty = []int{1}, []int{102}, 1
			for n := b.N; n > 0; n -= 20 {
				r.MaxNewTokens = min(n, 20)
				if _, err := Generate(b.Context(), rows[:8*r.Beams], 8, &r); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
