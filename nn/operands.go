package nn

import (
	"sync"

	"showtell/tensor"
)

// operands is what an operation works on. It reaches the tiles by a pool: a closure would be an
// allocation.
type operands struct {
	y, a, b, c, d, e []float32
	cols, stride     int // of rows; from one of y's to the next
	ids              []int
	s                float32
	epsilon          float64
	f                func(dst, x []float32)

	do      func(o *operands, lo, hi int)
	n, step int // values or rows; of a tile
}

var operandsPool = sync.Pool{New: func() any { return new(operands) }}

// Tile does a tile, for tensor.ParallelTiles.
func (o *operands) Tile(i int) { o.do(o, i*o.step, min(o.n, (i+1)*o.step)) }

// run calls f, which is no closure, for consecutive ranges that cover 0..n, in parallel.
func (o operands) run(n, step int, f func(o *operands, lo, hi int)) {
	pooled := operandsPool.Get().(*operands)
	*pooled = o
	pooled.do, pooled.n, pooled.step = f, n, step
	tensor.ParallelTiles((n+step-1)/step, pooled)
	*pooled = operands{}
	operandsPool.Put(pooled)
}

// values runs f for the values of o.y.
func (o operands) values(f func(o *operands, lo, hi int)) { o.run(len(o.y), chunk, f) }

// rows runs f for n rows, each of which takes work like that for so many values.
func (o operands) rows(n, work int, f func(o *operands, lo, hi int)) {
	o.run(n, max(1, chunk/max(1, work)), f)
}
