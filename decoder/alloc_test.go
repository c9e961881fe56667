//go:build !race

// The race detector makes pools forget things at random.

package decoder_test

import (
	"runtime"
	"testing"

	"showtell/decoder"
)

// A step of a session makes some closures, but no arrays.
func TestStepsAllocateLittle(t *testing.T) {
	for _, kind := range decoder.Kinds() {
		c := decoder.Config{
			Kind: kind, Vocab: 500, Cells: 9, Channels: 32, Embed: 64, Hidden: 64,
			Layers: 2, Heads: 4, FeedForward: 128, MaxWords: 40,
		}
		w := newWalk(t, c, 4, 3)
		var before, after runtime.MemStats
		const warm, steps = 26, 8 // between two growths of the room for keys and values
		for i := range warm + steps {
			if i == warm {
				runtime.ReadMemStats(&before)
			}
			w.next(t)
		}
		runtime.ReadMemStats(&after)
		allocs, bytes := (after.Mallocs-before.Mallocs)/steps, (after.TotalAlloc-before.TotalAlloc)/steps
		t.Logf("%s: %d allocations of %d bytes in a step", kind, allocs, bytes)
		if allocs > 150 || bytes > 16_000 {
			t.Errorf("%s: a step makes %d allocations of %d bytes", kind, allocs, bytes)
		}
	}
}
