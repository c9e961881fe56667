package tensor

import (
	"fmt"
	"sync"
)

// MatMul writes the product a·b to dst: (m, k) times (k, n) gives (m, n). The ColStride of dst
// must be 1; dst must not overlap a or b. For k up to 8191 a row of the result does not depend on
// how many rows there are, nor on whether b is packed.
func MatMul(dst, a, b Matrix) { multiply(kern, dst, a, b, nil, false) }

// MatMulAdd adds the product a·b to dst, under the rules of MatMul.
func MatMulAdd(dst, a, b Matrix) { multiply(kern, dst, a, b, nil, true) }

// MatMulPacked writes the product a·b to dst, under the rules of MatMul.
func MatMulPacked(dst, a Matrix, b *Packed) {
	multiply(b.kern, dst, a, Matrix{Rows: b.rows, Cols: b.cols}, &b.panels, false)
}

const (
	maxBlock     = 384     // rows of b whose products are added up in registers
	matMulSerial = 1 << 18 // multiplications below which one goroutine is fastest
	matMulTile   = 1 << 19 // multiplications worth a tile
	maxTile      = 12      // panels a tile
)

// blockRows is into how many rows k is cut. It depends on k alone, as the bits of a result do on it.
func blockRows(k int) int {
	blocks := max((k+maxBlock-1)/maxBlock, 1)
	return max((k+blocks-1)/blocks, 1)
}

// A source says where a tile finds an operand.
type source int

const (
	direct source = iota // in the matrix
	shared               // in panels packed beforehand, for all tiles
	local                // in panels that each tile packs for itself
)

// A product is one call of MatMul, cut into tiles: (tileRows x tileCols) elements of dst each.
type product struct {
	kern               *kernels
	dst, a, b          Matrix
	add                bool
	block              int
	aFrom, bFrom       source
	aPanels, bPanels   panels
	tileRows, tileCols int
	packing            packing
}

var products = sync.Pool{New: func() any { return new(product) }}

func multiply(kern *kernels, dst, a, b Matrix, packed *panels, add bool) {
	checkProduct(dst, a, b, packed != nil)
	m, n, k := dst.Rows, dst.Cols, a.Cols
	if m == 0 || n == 0 || k == 0 {
		if !add {
			for i := range m {
				clear(dst.Data[i*dst.RowStride:][:n])
			}
		}
		return
	}
	if packed == nil && isLong(m, n, k) {
		multiplyLong(kern, dst, a, b, add)
		return
	}
	multiplyTiles(kern, dst, a, b, packed, add)
}

// multiplyTiles computes a product that is not empty.
func multiplyTiles(kern *kernels, dst, a, b Matrix, packed *panels, add bool) {
	m, n, k := dst.Rows, dst.Cols, a.Cols
	x := products.Get().(*product)
	*x = product{kern: kern, dst: dst, a: a, b: b, add: add, block: blockRows(k)}
	x.chooseSources(packed)
	if m*n*k < matMulSerial {
		x.tileRows, x.tileCols = m, n
		x.Tile(0)
	} else {
		x.cut()
		x.runTiles()
	}
	*x = product{}
	products.Put(x)
}

func checkProduct(dst, a, b Matrix, packed bool) {
	dst.check()
	a.check()
	if !packed {
		b.check()
	}
	if a.Cols != b.Rows || dst.Rows != a.Rows || dst.Cols != b.Cols {
		panic(fmt.Sprintf("tensor: product of %dx%d and %dx%d into %dx%d", a.Rows, a.Cols, b.Rows, b.Cols, dst.Rows, dst.Cols))
	}
	if dst.Cols > 1 && dst.ColStride != 1 || dst.Rows > 1 && dst.RowStride < dst.Cols {
		panic(fmt.Sprintf("tensor: product into a matrix with strides %d, %d", dst.RowStride, dst.ColStride))
	}
}

// chooseSources reads an operand where it lies if it is used too few times for packing to pay.
func (x *product) chooseSources(packed *panels) {
	m, n, k := x.dst.Rows, x.dst.Cols, x.a.Cols
	x.aFrom, x.bFrom = local, local
	if n <= 2*x.kern.nr || m <= x.kern.mr && x.a.ColStride == 1 {
		x.aFrom = direct
	}
	switch {
	case packed != nil:
		x.bFrom, x.bPanels = shared, *packed
	case x.b.ColStride == 1 && (m <= 2*x.kern.mr || n*k <= 1<<13):
		x.bFrom = direct
	}
}

// cut chooses the tiles: of all columns and some rows, or the other way round, whichever makes
// more of them. What all tiles read is to be shared.
func (x *product) cut() {
	m, n, k := x.dst.Rows, x.dst.Cols, x.a.Cols
	x.tileRows, x.tileCols = m, n
	if m >= n {
		x.tileRows = tileSize(m, x.kern.mr, n*k)
		if x.bFrom == local {
			x.bFrom = shared
		}
		return
	}
	x.tileCols = tileSize(n, x.kern.nr, m*k)
	if x.aFrom == local {
		x.aFrom = shared
	}
}

// tileSize is how many of n rows (or columns) make a tile, a multiple of the panel's; work is what one row costs.
func tileSize(n, panel, work int) int {
	fair := n / (8 * Workers())
	least := matMulTile / work
	size := min(max(fair, least, 1), maxTile*panel)
	return (size + panel - 1) / panel * panel
}

// runTiles packs what is shared and computes the tiles.
func (x *product) runTiles() {
	if x.aFrom == shared {
		defer x.share(&x.aPanels, x.a.T(), x.kern.mr, x.kern.aWidth).giveBack()
	}
	if x.bFrom == shared && x.bPanels.data == nil {
		defer x.share(&x.bPanels, x.b, x.kern.nr, x.kern.nr).giveBack()
	}
	rows, cols := x.tiles()
	ParallelTiles(rows*cols, x)
}

// share packs m, (k, n), in panels of step columns.
func (x *product) share(to *panels, m Matrix, step, width int) *buffer {
	count := (m.Cols + step - 1) / step
	b := borrow(panelsSize(m.Rows, count, width))
	*to = panels{data: b.data, width: width, count: count}
	x.packing = packing{kern: x.kern, to: *to, from: m, step: step, block: x.block}
	x.packing.run()
	return b
}

func (x *product) tiles() (rows, cols int) {
	return (x.dst.Rows + x.tileRows - 1) / x.tileRows, (x.dst.Cols + x.tileCols - 1) / x.tileCols
}

// Tile computes tile t of dst.
func (x *product) Tile(t int) {
	_, cols := x.tiles()
	i, j := t/cols*x.tileRows, t%cols*x.tileCols
	rows, width := min(x.tileRows, x.dst.Rows-i), min(x.tileCols, x.dst.Cols-j)

	var scratch *buffer
	var aLocal, bLocal []float32
	aPanels := (rows + x.kern.mr - 1) / x.kern.mr
	aSize, bSize := x.block*aPanels*x.kern.aWidth, x.block*x.kern.nr
	if x.aFrom == local || x.bFrom == local {
		scratch = borrow(aSize + bSize)
		bLocal, aLocal = scratch.data[:bSize], scratch.data[bSize:]
	}
	at := x.a.T()
	for p := 0; p < x.a.Cols; p += x.block {
		depth := min(x.block, x.a.Cols-p)
		if x.aFrom == local {
			for q := range aPanels {
				r := q * x.kern.mr
				x.kern.pack(aLocal[q*depth*x.kern.aWidth:], x.kern.aWidth, &at, p, depth, i+r, min(x.kern.mr, rows-r))
			}
		}
		for c := j; c < j+width; c += x.kern.nr {
			x.strip(p, depth, i, rows, c, min(x.kern.nr, j+width-c), aLocal, bLocal)
		}
	}
	if scratch != nil {
		scratch.giveBack()
	}
}

// strip adds the products of depth columns of a, from p on, to w columns of a tile.
func (x *product) strip(p, depth, i, rows, j, w int, aLocal, bLocal []float32) {
	k := x.kern
	var b *float32
	brs := k.nr
	switch x.bFrom {
	case direct:
		b, brs = &x.b.Data[p*x.b.RowStride+j], x.b.RowStride
	case shared:
		b = &x.bPanels.at(p, depth, j/k.nr)[0]
	case local:
		b = &bLocal[0]
		k.pack(bLocal, k.nr, &x.b, p, depth, j, w)
	}
	var a *float32
	ars, acs := 1, k.aWidth
	for r := i; r < i+rows; r += k.mr {
		switch x.aFrom {
		case direct:
			a, ars, acs = &x.a.Data[r*x.a.RowStride+p*x.a.ColStride], x.a.RowStride, x.a.ColStride
		case shared:
			a = &x.aPanels.at(p, depth, r/k.mr)[0]
		case local:
			a = &aLocal[(r-i)/k.mr*depth*k.aWidth]
		}
		h := min(k.mr, i+rows-r)
		k.gemm[h](depth, a, ars, acs, b, brs, &x.dst.Data[r*x.dst.RowStride+j], x.dst.RowStride, w, x.add || p > 0)
	}
}
