package tensor

import (
	"math/bits"
	"sync"
)

// A buffer is scratch memory from a pool.
type buffer struct {
	data  []float32
	class int
}

// pools hold buffers of 1<<class values.
var pools [48]sync.Pool

// smallest is the class of the smallest buffers: large enough for Go to align them to cache lines.
const smallest = 10

// borrow gives a buffer of at least n values with anything in them; giveBack ends its use.
func borrow(n int) *buffer {
	class := max(bits.Len(uint(max(n, 1)-1)), smallest)
	if b, ok := pools[class].Get().(*buffer); ok {
		return b
	}
	return &buffer{data: make([]float32, 1<<class), class: class}
}

func (b *buffer) giveBack() { pools[b.class].Put(b) }
