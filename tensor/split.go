package tensor

import "sync"

const (
	splitRows = 1 << 12 // rows of b in a part of a long product
	maxParts  = 32
)

// A longProduct is one whose result is too small to cut into tiles, as gradients of convolutions
// are. Parts of the inner dimension are multiplied apart and added up in their order.
type longProduct struct {
	kern *kernels
	a, b Matrix
	rows int // of b in a part
	out  []float32
}

var longProducts = sync.Pool{New: func() any { return new(longProduct) }}

// isLong depends on the shape alone, as the bits of the result do on it.
func isLong(m, n, k int) bool { return k >= 2*splitRows && m*n <= 1<<14 }

func multiplyLong(kern *kernels, dst, a, b Matrix, add bool) {
	m, n, k := dst.Rows, dst.Cols, a.Cols
	parts := min(k/splitRows, maxParts)
	rows := (k + parts - 1) / parts
	parts = (k + rows - 1) / rows
	out := borrow(parts * m * n)
	x := longProducts.Get().(*longProduct)
	*x = longProduct{kern: kern, a: a, b: b, rows: rows, out: out.data}
	ParallelTiles(parts, x)
	for part := range parts {
		for i := range m {
			row, from := dst.Data[i*dst.RowStride:][:n], out.data[(part*m+i)*n:][:n]
			if part == 0 && !add {
				copy(row, from)
			} else {
				kern.add(row, row, from)
			}
		}
	}
	*x = longProduct{}
	longProducts.Put(x)
	out.giveBack()
}

func (x *longProduct) Tile(part int) {
	m, n, p := x.a.Rows, x.b.Cols, part*x.rows
	depth := min(x.rows, x.a.Cols-p)
	dst := Mat(x.out[part*m*n:][:m*n], m, n)
	multiplyTiles(x.kern, dst, x.a.Slice(0, p, m, depth), x.b.Slice(p, 0, depth, n), nil, false)
}
