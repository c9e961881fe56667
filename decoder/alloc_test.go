//go:build !race

// The race detector makes pools forget things at random.

package decoder_test

import (
	"testing"

	"showtell/decoder"
)

// The first step knows how many pictures there are, the second how many beams.
func TestStepsAllocateNothing(t *testing.T) {
	for _, kind := range decoder.Kinds() {
		for _, beams := range []int{1, 3} {
			c := decoder.Config{
				Kind: kind, Vocab: 500, Cells: 9, Channels: 32, Embed: 64, Hidden: 64,
				Layers: 2, Heads: 4, FeedForward: 128, MaxWords: 20,
			}
			w := newWalk(t, c, 4, beams)
			w.next(t)
			w.next(t)
			if n := testing.AllocsPerRun(15, func() { w.next(t) }); n > 0 {
				t.Errorf("%s: a step of %d beams makes %v allocations", kind, beams, n)
			}
		}
	}
}
