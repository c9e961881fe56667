package tensor

// panels is a (k, n) matrix cut up in the order in which kernels read it: block after block of
// rows, in each panel after panel of columns, in each row after row of width values.
type panels struct {
	data  []float32
	width int // values a row of a panel takes
	count int // panels in each block
}

// panelsSize is how many values panels of k rows take.
func panelsSize(k, count, width int) int { return k * count * width }

// at is the panel of index i in the block of rows p to p+rows.
func (s *panels) at(p, rows, i int) []float32 {
	return s.data[(p*s.count+i*rows)*s.width:]
}

// pack writes columns [j, j+w) of rows [p, p+rows) of m to a panel of that width.
func (k *kernels) pack(panel []float32, width int, m *Matrix, p, rows, j, w int) {
	from := m.Data[p*m.RowStride+j*m.ColStride:]
	switch {
	case m.ColStride == 1:
		k.packCopy(&panel[0], &from[0], rows, m.RowStride, width, w)
	case m.RowStride == 1:
		for g := 0; g < w; g += k.transWidth {
			k.packTrans(&panel[g], &from[g*m.ColStride], rows, m.ColStride, width, min(k.transWidth, w-g))
		}
	default:
		for q := range rows {
			for i := range w {
				panel[q*width+i] = from[q*m.RowStride+i*m.ColStride]
			}
		}
	}
}

// Packed is the right-hand side of a product in the order in which the kernels read it.
// It is safe for concurrent use.
type Packed struct {
	rows, cols int
	kern       *kernels
	panels     panels
}

// Rows is k of the packed (k, n) matrix.
func (p *Packed) Rows() int { return p.rows }

// Cols is n of the packed (k, n) matrix.
func (p *Packed) Cols() int { return p.cols }

// Pack copies b, a (k, n) matrix.
func Pack(b Matrix) *Packed { return kern.packed(b) }

func (k *kernels) packed(b Matrix) *Packed {
	b.check()
	nr := k.nr
	count := (b.Cols + nr - 1) / nr
	p := &Packed{rows: b.Rows, cols: b.Cols, kern: k, panels: panels{width: nr, count: count}}
	p.panels.data = make([]float32, panelsSize(b.Rows, count, nr))
	fill := packing{kern: k, to: p.panels, from: b, step: nr, block: blockRows(b.Rows)}
	fill.run()
	return p
}

// packing fills panels, one of a block a tile.
type packing struct {
	kern  *kernels
	to    panels
	from  Matrix // (k, n)
	step  int    // columns a panel
	block int    // rows a block
}

// run works in parallel where that pays.
func (f *packing) run() {
	blocks := (f.from.Rows + f.block - 1) / f.block
	if f.from.Rows*f.from.Cols >= 1<<15 {
		ParallelTiles(f.to.count*blocks, f)
		return
	}
	for i := range f.to.count * blocks {
		f.Tile(i)
	}
}

func (f *packing) Tile(i int) {
	p, j := i/f.to.count*f.block, i%f.to.count*f.step
	rows, w := min(f.block, f.from.Rows-p), min(f.step, f.from.Cols-j)
	f.kern.pack(f.to.at(p, rows, i%f.to.count), f.to.width, &f.from, p, rows, j, w)
}
