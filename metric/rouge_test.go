package metric

import (
	"math/rand/v2"
	"testing"
)

// TestInPlaces compares the two ways to find the length of a common subsequence.
func TestInPlaces(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	text := func(n int) []int32 {
		words := make([]int32, n)
		for i := range words {
			words[i] = 1 + rng.Int32N(6)
		}
		return words
	}
	for range 2000 {
		a, b := text(1+rng.IntN(64)), text(1+rng.IntN(90))
		f := &common{numbers: &numbers{sentences: [][]int32{nil, a}}, places: make([]uint64, 7)}
		f.setHyp(1)
		if got, want := f.inPlaces(b, len(a)), int(longestCommon(a, b, &f.row)); got != want {
			t.Fatalf("%v and %v: %d, want %d", a, b, got, want)
		}
	}
}
