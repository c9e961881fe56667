package tensor

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestPool8(t *testing.T) {
	for seed := range uint64(60) {
		checkPool8(t, seed)
	}
}

func FuzzPool8(f *testing.F) {
	f.Fuzz(func(t *testing.T, seed uint64) { checkPool8(t, seed) })
}

func checkPool8(t *testing.T, seed uint64) {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 888))
	w := Window{H: 1 + rng.IntN(4), W: 1 + rng.IntN(4), Stride: 1 + rng.IntN(2)}
	w.Top, w.Left = rng.IntN(w.H), rng.IntN(w.W)
	src := image8(rng, 1+rng.IntN(9), 1+rng.IntN(9), 1+rng.IntN(100))
	h, width := 1+(src.H-1+w.Top)/w.Stride, 1+(src.W-1+w.Left)/w.Stride
	zero := uint8(rng.IntN(256))
	for _, l := range int8Levels() {
		for _, p := range []pooling{poolMax, poolSeen, poolAll} {
			dst := image8(rng, h, width, src.C)
			w.pool8(l, p, dst, src, zero)
			for i := range h * width * src.C {
				y, x, c := i/src.C/width, i/src.C%width, i%src.C
				if got, want := dst.Row(y, x, 1)[c], w.reference8(p, src, zero, y, x, c); got != want {
					t.Fatalf("seed %d, %v, %+v, pooling %d: output (%d, %d, %d) = %d, want %d", seed, l, w, p, y, x, c, got, want)
				}
			}
		}
	}
}

// reference8 pools cell by cell.
func (w Window) reference8(p pooling, src Image8, zero uint8, y, x, c int) uint8 {
	sum, seen, largest := 0, 0, uint8(0)
	for i := range w.H * w.W {
		row, col := y*w.Stride-w.Top+i/w.W, x*w.Stride-w.Left+i%w.W
		if row < 0 || row >= src.H || col < 0 || col >= src.W {
			if p == poolAll {
				sum, seen = sum+int(zero), seen+1
			}
			continue
		}
		v := src.Row(row, col, 1)[c]
		sum, seen, largest = sum+int(v), seen+1, max(largest, v)
	}
	if p == poolMax {
		return largest
	}
	return uint8(math.RoundToEven(float64(float32(sum) * (1 / float32(seen)))))
}
