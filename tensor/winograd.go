package tensor

import "unsafe"

// A winograd does a convolution of stride 1 in tiles with fewer multiplications (Winograd 1980,
// Lavin and Gray 2016). Six pixels d of a line and the kernel g become six values each, whose
// products, summed over the channels, become 7-len(g) outputs, where the sum itself would take
// len(g) multiplications for each:
//
//	A'[ (G g) ∘ (B'd) ]
//
// The same along both sides of a square of 6x6 pixels gives A'[ (G g G') ∘ (B'd B) ]A: 4x4 outputs of
// a kernel of 3x3 for 36 multiplications instead of 144. For each of the 36 places the sum over
// channels is a matrix product: tiles times input channels. The points are 0, 1, -1, 2, -2 and
// infinity; errors are some 1e-6 to 1e-5 of the largest output.
//
// The kernel of a line may be longer, in segments side by side, or have several rows: both make the
// sum over channels longer.
type winograd struct {
	ConvShape
	kernels  winogradKernels
	square   bool
	upright  bool // lines are columns
	size     int  // outputs of a tile, on each side of a square
	segments int
	depth    int         // of a product: rows of a line's kernel, times segments, times In
	groups   []convGroup // of a product; their weights are those of the first place
	weights  []float32   // (place, depth, Out), each place as in Conv
	bias     []float32
	zero     []float32 // bias of the products
}

// winogradArgs is known to internal/asm/conv. Strides are in bytes.
type winogradArgs struct {
	pixels, products, bias       unsafe.Pointer
	rowStride, pixelStride, step int // step: from one place to the next
	vectors                      int // of channels
	low, high                    float32
}

// winogradKernels transform one tile.
type winogradKernels struct {
	lanes              int
	lineIn, squareIn   func(*winogradArgs)
	lineOut, squareOut [winogradPoints]func(*winogradArgs) // by the outputs on a side
}

const (
	winogradPoints = 6
	winogradBlock  = 64 // squares that are multiplied together
)

// chooseWinograd is the method for outputs of h x w pixels, nil if the plain sum is faster.
func chooseWinograd(l level, s ConvShape, h, w int) *winograd {
	n := &winograd{ConvShape: s, kernels: winogradKernelsOf(l), segments: 1}
	if s.Stride != 1 || s.Activation.Curved() || min(s.In, s.Out) < 32 || s.In%n.kernels.lanes != 0 || s.Out%n.kernels.lanes != 0 {
		return nil
	}
	switch {
	case s.KH == s.KW && (s.KH == 3 || s.KH == 5) && h*w >= 144:
		n.square, n.size, n.depth = true, 7-s.KH, s.In
	case s.KH == 3 && s.KW == 3 && h*w >= 36:
		n.size, n.depth = 4, 3*s.In // the weights of squares are too many for so few pixels
	case min(s.KH, s.KW) == 1 && max(s.KH, s.KW) == 3 && h*w >= 36:
		n.upright, n.size, n.depth = s.KW == 1, 4, s.In
	case min(s.KH, s.KW) == 1 && max(s.KH, s.KW) == 7 && h*w >= 36:
		n.upright, n.size, n.segments, n.depth = s.KW == 1, 3, 2, 2*s.In
	default:
		return nil
	}
	return n
}

func (n *winograd) places() int {
	if n.square {
		return winogradPoints * winogradPoints
	}
	return winogradPoints
}

// pack takes weights (KH, KW, In, Out) and bias (Out).
func (n *winograd) pack(l level, weights, bias []float32) {
	n.bias = make([]float32, n.Out)
	copy(n.bias, bias)
	n.groups = convKernelsOf(l).split(n.Out, false)
	for i := range n.groups {
		n.groups[i].weights = n.groups[i].first * n.depth
		n.zero = make([]float32, max(len(n.zero), n.groups[i].width))
	}
	n.weights = make([]float32, n.places()*n.depth*n.Out)
	factors, rows := n.factors(), n.depth/n.In
	Parallel(n.In, func(c int) {
		for _, g := range n.groups {
			for i, taps := range factors {
				to := n.weights[i/rows*n.depth*n.Out+g.weights+(i%rows*n.In+c)*g.width:][:g.count]
				for tap, v := range taps {
					if v != 0 {
						AXPY(to, float32(v), weights[(tap*n.In+c)*n.Out+g.first:][:g.count])
					}
				}
			}
		}
	})
}

// factors are those of each tap of a kernel in its values, by place and, in a line's kernel, row and
// segment.
func (n *winograd) factors() (all [][]float64) {
	size := 7 - n.size
	g := winogradG(size)
	for _, a := range g {
		if n.square {
			for _, b := range g {
				taps := make([]float64, n.KH*n.KW)
				for i := range taps {
					taps[i] = a[i/size] * b[i%size]
				}
				all = append(all, taps)
			}
			continue
		}
		length := n.KW // of a line's kernel; one that is upright has but one column
		if n.upright {
			length = n.KH
		}
		for row := range n.depth / n.In {
			taps := make([]float64, n.KH*n.KW)
			for i, v := range a {
				if x := row%n.segments*size + i; x < length { // beyond the last segment there is nothing
					taps[row/n.segments*length+x] = v
				}
			}
			all = append(all, taps)
		}
	}
	return all
}

// winogradG is G for kernels of some taps: powers of the points over their distances.
func winogradG(taps int) [winogradPoints][]float64 {
	var g [winogradPoints][]float64
	points := []float64{0, 1, -1, 2, -2}
	for i, p := range points {
		scale := 1.0
		for j, q := range points {
			if i != j {
				scale /= p - q
			}
		}
		for range taps {
			g[i] = append(g[i], scale)
			scale *= p
		}
	}
	g[len(points)] = make([]float64, taps)
	g[len(points)][taps-1] = 1
	return g
}

// A winogradRun is one application to a block of tiles. Left sides are (place, row, depth of a row)
// with some room between places, products (place, row, Out).
type winogradRun struct {
	*winograd
	dst, src, residual plane
	in, out            []float32
	inStep, outStep    int // values from one place to the next
	tilesAcross        int
	first, tiles       int // squares of the block
}

// A plane is an Image whose rows and columns may have changed places.
type plane struct {
	data                   []float32
	h, w, c                int
	rowStride, pixelStride int
}

func (m Image) plane(turn bool) plane {
	if turn {
		return plane{m.Data, m.W, m.H, m.C, m.C, m.Stride}
	}
	return plane{m.Data, m.H, m.W, m.C, m.Stride, m.C}
}

// slice is the part of h x w pixels, cut off where p ends.
func (p plane) slice(y, x, h, w int) plane {
	p.data = p.data[min(y*p.rowStride+x*p.pixelStride, len(p.data)):]
	p.h, p.w = max(min(h, p.h-y), 0), max(min(w, p.w-x), 0)
	return p
}

func (p plane) pixel(y, x int) []float32 { return p.data[y*p.rowStride+x*p.pixelStride:][:p.c] }

// copy copies all of src.
func (p plane) copy(src plane) {
	for y := range src.h {
		for x := range src.w {
			copy(p.pixel(y, x), src.pixel(y, x))
		}
	}
}

func (n *winograd) run(dst, src, residual Image, each func(n int, f func(tile int))) {
	src = src.Slice(0, 0, dst.H-1+n.KH, dst.W-1+n.KW) // nothing behind matters, not even NaN
	r := winogradRun{winograd: n, dst: dst.plane(n.upright), src: src.plane(n.upright), residual: residual.plane(n.upright)}
	r.tilesAcross = (r.dst.w + n.size - 1) / n.size
	if !n.square {
		r.lines(each)
		return
	}
	tiles := r.tilesAcross * ((r.dst.h + n.size - 1) / n.size)
	blocks, size := (tiles+winogradBlock-1)/winogradBlock, evenly(tiles, winogradBlock)
	block := func(i int, each func(n int, f func(tile int))) {
		r := r
		r.first, r.tiles = i*size, min(size, tiles-i*size)
		r.squares(each)
	}
	if blocks >= 8*Workers() {
		each(blocks, func(i int) { block(i, serially) })
		return
	}
	for i := range blocks {
		block(i, each)
	}
}

// borrow makes room for left sides of inSize values a place and products of outSize.
func (r *winogradRun) borrow(inSize, outSize int) (giveBack func()) {
	const apart = 16 // else the places would compete for the same lines of the cache
	r.inStep, r.outStep = inSize+apart, outSize+apart
	in, out := borrow(r.places()*r.inStep), borrow(r.places()*r.outStep)
	r.in, r.out = in.data, out.data
	return func() { in.giveBack(); out.giveBack() }
}

// squares does the tiles from first on.
func (r *winogradRun) squares(each func(n int, f func(tile int))) {
	defer r.borrow(r.tiles*r.In, r.tiles*r.Out)()
	some := func(f func(a *winogradArgs, tile, y, x int)) { // a few tiles at a time
		const few = 8
		each((r.tiles+few-1)/few, func(i int) {
			a := &winogradArgs{}
			for tile := few * i; tile < min(few*(i+1), r.tiles); tile++ {
				f(a, tile, (r.first+tile)/r.tilesAcross*r.size, (r.first+tile)%r.tilesAcross*r.size)
			}
		})
	}
	some(func(a *winogradArgs, tile, y, x int) {
		r.input(r.kernels.squareIn, a, r.src.slice(y, x, winogradPoints, winogradPoints), winogradPoints, r.in[tile*r.In:])
	})
	each(r.places()*len(r.groups), func(i int) { r.multiply(i, 0, 0, r.tiles, r.In) })
	some(func(a *winogradArgs, tile, y, x int) {
		r.output(r.kernels.squareOut[r.size], a, y, x, r.size, r.out[tile*r.Out:])
	})
}

// lines does everything: rows of left sides are those of the first tiles of all lines, then of the
// second, so that a product can take the next lines as well.
func (r *winogradRun) lines(each func(n int, f func(tile int))) {
	more := r.depth/(r.In*r.segments) - 1 // lines that see no output of their own
	lines, width := r.dst.h+more, r.segments*r.In
	defer r.borrow(r.tilesAcross*lines*width, r.tilesAcross*r.dst.h*r.Out)()
	each(lines, func(y int) {
		a := &winogradArgs{}
		for t := range r.tilesAcross {
			for s := range r.segments {
				patch := r.src.slice(y, t*r.size+s*(7-r.size), 1, winogradPoints)
				r.input(r.kernels.lineIn, a, patch, 1, r.in[(t*lines+y)*width+s*r.In:])
			}
		}
	})
	each(r.places()*len(r.groups), func(i int) {
		if more == 0 {
			r.multiply(i, 0, 0, r.tilesAcross*lines, width)
			return
		}
		for t := range r.tilesAcross {
			r.multiply(i, t*lines*width, t*r.dst.h*r.Out, r.dst.h, width)
		}
	})
	each(r.dst.h, func(y int) {
		a := &winogradArgs{}
		for t := range r.tilesAcross {
			r.output(r.kernels.lineOut[r.size], a, y, t*r.size, 1, r.out[(t*r.dst.h+y)*r.Out:])
		}
	})
}

// input transforms a patch of rows x 6 pixels, zeros where it is cut off.
func (r *winogradRun) input(kernel func(*winogradArgs), a *winogradArgs, patch plane, rows int, to []float32) {
	if patch.h < rows || patch.w < winogradPoints {
		b := borrow(rows * winogradPoints * r.In)
		defer b.giveBack()
		clear(b.data[:rows*winogradPoints*r.In])
		whole := Img(b.data, rows, winogradPoints, r.In).plane(false)
		whole.copy(patch)
		patch = whole
	}
	a.pixels, a.rowStride, a.pixelStride = unsafe.Pointer(&patch.data[0]), 4*patch.rowStride, 4*patch.pixelStride
	a.products, a.step, a.vectors = unsafe.Pointer(&to[0]), 4*r.inStep, r.In/r.kernels.lanes
	kernel(a)
}

// multiply makes the products of one group in one place, some rows of them. Rows of left sides are
// width apart.
func (r *winogradRun) multiply(i, in, out, rows, width int) {
	place, g := i/len(r.groups), &r.groups[i%len(r.groups)]
	a := &convArgs{
		rows: 1, len: r.depth, pixelStride: 4 * width, dstStride: 4 * r.Out,
		bias: unsafe.Pointer(&r.zero[0]), low: -infinity, high: infinity,
		weights: unsafe.Pointer(&r.weights[place*r.depth*r.Out+g.weights]),
	}
	a.ahead = uintptr(a.weights)
	g.row(a, r.out[place*r.outStep+out+g.first:], r.in[place*r.inStep+in:], rows)
}

// output makes the rows x size outputs from (y, x) on, as far as there are so many.
func (r *winogradRun) output(kernel func(*winogradArgs), a *winogradArgs, y, x, rows int, from []float32) {
	to := r.dst.slice(y, x, rows, r.size)
	a.products, a.step, a.vectors, a.bias = unsafe.Pointer(&from[0]), 4*r.outStep, r.Out/r.kernels.lanes, unsafe.Pointer(&r.bias[0])
	a.low, a.high = r.Activation.limits()
	whole := to.h == rows && to.w == r.size
	if whole && r.residual.data == nil {
		a.pixels, a.rowStride, a.pixelStride = unsafe.Pointer(&to.data[0]), 4*to.rowStride, 4*to.pixelStride
		kernel(a)
		return
	}
	b := borrow(rows * r.size * r.Out)
	defer b.giveBack()
	tile := Img(b.data, rows, r.size, r.Out).plane(false)
	a.pixels, a.rowStride, a.pixelStride = unsafe.Pointer(&b.data[0]), 4*tile.rowStride, 4*tile.pixelStride
	if r.residual.data == nil {
		kernel(a)
		to.copy(tile.slice(0, 0, to.h, to.w))
		return
	}
	a.low, a.high = Identity.limits()
	kernel(a)
	residual := r.residual.slice(y, x, rows, r.size)
	for y := range to.h {
		for x := range to.w {
			d := to.pixel(y, x)
			Add(d, tile.pixel(y, x), residual.pixel(y, x))
			r.Activation.apply(d)
		}
	}
}
