package tensor

import (
	"fmt"
	"unsafe"
)

// An Expanded is a pointwise convolution and the depthwise convolution of what it gives, as in an
// inverted residual (Sandler et al. 2018). What lies between is large and is never stored whole: a
// group of channels and a band of rows at a time stay in the cache. It is safe for concurrent use.
type Expanded struct {
	point *Conv
	depth *Depthwise
	parts [][]depthwisePart // of each group of point
}

// NewExpanded makes one of two convolutions, nil if that would not be faster.
func NewExpanded(point *Conv, depth *Depthwise) *Expanded {
	if point.KH != 1 || point.KW != 1 || point.Stride != 1 || point.Out != depth.In {
		panic(fmt.Sprintf("tensor: %+v before a depthwise convolution %+v", point.ConvShape, depth.ConvShape))
	}
	e := &Expanded{point: point, depth: depth}
	for _, g := range point.groups {
		parts := depth.split(g.first, g.count)
		for _, p := range parts {
			if p.run == nil {
				return nil
			}
		}
		e.parts = append(e.parts, parts)
	}
	return e
}

const (
	bandSize      = 1 << 17 // values between the two convolutions that a tile may hold
	expandedTiles = 6       // to share out; more would make more rows twice
)

// Run computes dst from src, where what lies between has top rows and left columns of zeros before
// it, and behind it as many as dst needs.
func (e *Expanded) Run(dst, src Image, top, left int) {
	dst.check()
	src.check()
	d := e.depth
	if src.C != e.point.In || dst.C != d.Out || top < 0 || left < 0 {
		panic(fmt.Sprintf("tensor: %+v and %+v of %d to %d channels", e.point.ConvShape, d.ConvShape, src.C, dst.C))
	}
	if dst.H == 0 || dst.W == 0 {
		return
	}
	r := expandedRun{Expanded: e, dst: dst, src: src, top: top, left: left, width: (dst.W-1)*d.Stride + d.KW}
	fit := bandSize/(r.width*e.point.groups[0].width) - d.KH
	bands := (expandedTiles + len(e.parts) - 1) / len(e.parts)
	r.rows = evenly(dst.H, max(1, min(1+fit/d.Stride, (dst.H+bands-1)/bands)))
	bands = (dst.H + r.rows - 1) / r.rows
	Parallel(bands*len(e.parts), func(i int) { r.tile(i/len(e.parts)*r.rows, i%len(e.parts)) })
}

type expandedRun struct {
	*Expanded
	dst, src         Image
	top, left, width int // width: pixels of a row between
	rows             int // of dst in a band
}

// tile computes a group of channels in the band of rows from y on.
func (r *expandedRun) tile(y, group int) {
	rows := min(r.rows, r.dst.H-y)
	high := (rows-1)*r.depth.Stride + r.depth.KH
	width := r.point.groups[group].width
	b := borrow(high * r.width * width)
	defer b.giveBack()
	between := Img(b.data[:high*r.width*width], high, r.width, width)
	r.expand(between, y*r.depth.Stride-r.top, group)
	a := &depthwiseArgs{pixelStride: 4 * width, rowStride: 4 * between.Stride, dstStride: 4 * r.dst.C, tapStride: 4 * r.dst.C}
	a.low, a.high = r.depth.Activation.limits()
	for i := range rows {
		for _, p := range r.parts[group] {
			r.depth.vectors(a, p, r.dst.Row(y+i, 0, r.dst.W), between.Data[i*r.depth.Stride*between.Stride+p.first-r.point.groups[group].first:])
		}
		if g := r.point.groups[group]; r.depth.Activation.Curved() {
			r.depth.Activation.curve(r.dst.Slice(y+i, 0, 1, r.dst.W), g.first, g.count)
		}
	}
}

// expand makes the rows from y of src on, with their border.
func (r *expandedRun) expand(between Image, y, group int) {
	g := &r.point.groups[group]
	a := &convArgs{
		rows: 1, len: r.src.C, pixelStride: 4 * r.src.C, dstStride: 4 * g.width,
		weights: unsafe.Pointer(&r.point.weights[g.weights]), bias: unsafe.Pointer(&r.point.bias[g.bias]),
	}
	a.low, a.high = r.point.Activation.limits()
	pixels := max(0, min(r.src.W, r.width-r.left))
	first, end := max(0, -y), min(between.H, r.src.H-y) // rows that src has
	if pixels == 0 || first >= end {
		clear(between.Data)
		return
	}
	r.clearBorder(between, first, end, pixels)
	_, long, short := g.cut(pixels)
	a.fetch(r.point.behind(g), (end-first)*(long+short))
	for i := first; i < end; i++ {
		row := between.Row(i, r.left, pixels)
		g.row(a, row, r.src.Row(y+i, 0, pixels), pixels)
		if r.point.Activation.Curved() {
			r.point.Activation.apply(row)
		}
	}
}

// clearBorder clears all around some pixels of rows first to end.
func (r *expandedRun) clearBorder(between Image, first, end, pixels int) {
	const small = 1 << 13 // values that are cleared at once in less time than their border
	if len(between.Data) <= small {
		clear(between.Data)
		return
	}
	clear(between.Data[:first*between.Stride])
	for i := first; i < end; i++ {
		clear(between.Row(i, 0, r.left))
		clear(between.Row(i, r.left+pixels, r.width-r.left-pixels))
	}
	clear(between.Data[end*between.Stride:])
}

// row does some pixels that lie side by side, all channels of the kernel.
func (g *convGroup) row(a *convArgs, dst, src []float32, pixels int) {
	size, long, short := g.cut(pixels)
	a.src, a.dst, a.strips = unsafe.Pointer(&src[0]), unsafe.Pointer(&dst[0]), long
	g.run[size-1](a)
	if short > 0 {
		done := long * size
		a.src, a.dst, a.strips = unsafe.Pointer(&src[done*a.pixelStride/4]), unsafe.Pointer(&dst[done*a.dstStride/4]), short
		g.run[size-2](a)
	}
}
