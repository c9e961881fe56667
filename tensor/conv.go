package tensor

import (
	"fmt"
	"math"
	"unsafe"
)

//go:generate go run ./internal/asm/conv .

var infinity = float32(math.Inf(1))

// A ConvShape says what a convolution or a depthwise convolution does. It has no padding: the
// caller gives an image with a border of zeros, often a Slice of a larger one.
type ConvShape struct {
	KH, KW     int // size of the kernel
	In, Out    int // channels; equal where depthwise
	Stride     int // in both directions, at least 1
	Activation Activation
}

// A Conv is a convolution with bias, optional residual and activation, its weights packed for the
// processor. It is safe for concurrent use.
type Conv struct {
	ConvShape
	groups  []convGroup
	weights []float32 // by group: [row of taps][column of taps and input channel][width]
	bias    []float32 // by group: [width]

	winograd *winograd // instead of weights, where that is faster
}

// A convGroup is neighbouring output channels that one kernel computes together.
type convGroup struct {
	first, count int // channels; width-count more are padding
	width        int
	weights      int // where its weights begin
	bias         int
	run          []func(*convArgs) // element n-1 does strips of n pixels
}

// convArgs is known to internal/asm/conv. Strides are in bytes.
type convArgs struct {
	src, weights, dst, bias, residual unsafe.Pointer
	rows, rowStride                   int // rows of taps
	len, pixelStride                  int // values of one row of taps; to the next output's
	dstStride, resStride              int
	low, high                         float32
	strips                            int        // at least 1, one behind the other
	_                                 [3]uintptr // where in src, dst and residual the kernel is
	ahead                             uintptr    // what comes into the cache meanwhile
	aheadStep                         int        // bytes, each time that some weights are used
}

// fetch brings data into the cache while a kernel goes so many times over its weights, evenly: what
// comes next need not wait for memory then.
func (a *convArgs) fetch(data []float32, times int) {
	a.ahead, a.aheadStep = uintptr(a.weights), 0
	if uses := times * a.rows * a.len; len(data) > 0 && uses > 0 {
		a.ahead, a.aheadStep = uintptr(unsafe.Pointer(&data[0])), (4*len(data)+uses-1)/uses
	}
}

// behind is the weights of the group after g, or what there is of them.
func (c *Conv) behind(g *convGroup) []float32 {
	size := c.KH * c.KW * c.In * g.width
	return c.weights[g.weights+size : min(g.weights+2*size, len(c.weights))]
}

// NewConv packs weights (KH, KW, In, Out) and bias (Out); a nil bias is zero.
func NewConv(shape ConvShape, weights, bias []float32) *Conv {
	return newConv(cpuLevel, shape, weights, bias)
}

// NewConvFor is NewConv for outputs of h x w pixels: it may choose another method where that is faster
// for them. The rounding errors are then larger, up to some 1e-5 of the largest output, and a NaN or
// an infinity may spread to outputs near it. Other sizes give the same, but may be slower.
func NewConvFor(h, w int, shape ConvShape, weights, bias []float32) *Conv {
	return newConvFor(cpuLevel, h, w, shape, weights, bias)
}

func newConvFor(l level, h, w int, shape ConvShape, weights, bias []float32) *Conv {
	shape.check(shape.KH*shape.KW*shape.In*shape.Out, weights, bias)
	n := chooseWinograd(l, shape, h, w)
	if n == nil {
		// Few pixels are one place of a tiling, and all that can be shared out is groups.
		return packConv(shape, convKernelsOf(l).split(shape.Out, h*w <= tilePixels), weights, bias)
	}
	n.pack(l, weights, bias)
	return &Conv{ConvShape: shape, winograd: n}
}

func newConv(l level, shape ConvShape, weights, bias []float32) *Conv {
	shape.check(shape.KH*shape.KW*shape.In*shape.Out, weights, bias)
	return packConv(shape, convKernelsOf(l).split(shape.Out, false), weights, bias)
}

func packConv(shape ConvShape, groups []convGroup, weights, bias []float32) *Conv {
	c := &Conv{ConvShape: shape, groups: groups}
	k := shape.KH * shape.KW * shape.In
	width := 0
	for _, g := range c.groups {
		width += g.width
	}
	c.weights, c.bias = make([]float32, 0, k*width), make([]float32, 0, width)
	for i := range c.groups {
		g := &c.groups[i]
		g.weights, g.bias = len(c.weights), len(c.bias)
		c.weights = append(c.weights, make([]float32, k*g.width)...)
		c.bias = append(c.bias, make([]float32, g.width)...)
		for j := range k {
			copy(c.weights[g.weights+j*g.width:], weights[j*shape.Out+g.first:][:g.count])
		}
		if bias != nil {
			copy(c.bias[g.bias:], bias[g.first:][:g.count])
		}
	}
	return c
}

func (s ConvShape) check(size int, weights, bias []float32) {
	if s.KH < 1 || s.KW < 1 || s.In < 1 || s.Out < 1 || s.Stride < 1 {
		panic(fmt.Sprintf("tensor: convolution of shape %+v", s))
	}
	if len(weights) != size || bias != nil && len(bias) != s.Out {
		panic(fmt.Sprintf("tensor: %d weights and %d biases for a convolution of shape %+v", len(weights), len(bias), s))
	}
}

// checkImages panics unless src is large enough for dst.
func (s ConvShape) checkImages(dst, src Image) {
	dst.check()
	src.check()
	if src.C != s.In || dst.C != s.Out {
		panic(fmt.Sprintf("tensor: convolution of %d to %d channels called with %d and %d", s.In, s.Out, src.C, dst.C))
	}
	if dst.H > 0 && dst.W > 0 && ((dst.H-1)*s.Stride+s.KH > src.H || (dst.W-1)*s.Stride+s.KW > src.W) {
		panic(fmt.Sprintf("tensor: %dx%d pixels are too few for %dx%d of a %dx%d convolution of stride %d",
			src.H, src.W, dst.H, dst.W, s.KH, s.KW, s.Stride))
	}
}

// Run computes dst, where output (y, x) sees the KH x KW pixels of src from (y, x)*Stride. The
// residual, of the size of dst, is added before the activation; none if its Data is nil. It may be
// dst; src must not overlap dst.
func (c *Conv) Run(dst, src, residual Image) { c.run(dst, src, residual, Parallel) }

// RunSerial is Run on the calling goroutine alone.
func (c *Conv) RunSerial(dst, src, residual Image) { c.run(dst, src, residual, serially) }

func (c *Conv) run(dst, src, residual Image, each func(n int, f func(tile int))) {
	c.checkImages(dst, src)
	if residual.Data != nil {
		residual.check()
		if residual.H != dst.H || residual.W != dst.W || residual.C != dst.C {
			panic(fmt.Sprintf("tensor: residual of %dx%dx%d for %dx%dx%d", residual.H, residual.W, residual.C, dst.H, dst.W, dst.C))
		}
	}
	if dst.H == 0 || dst.W == 0 {
		return
	}
	if c.winograd != nil {
		c.winograd.run(dst, src, residual, each)
		return
	}
	c.prepare(dst, src, residual).run(each)
}

func serially(n int, f func(tile int)) {
	for i := range n {
		f(i)
	}
}

// A convRun is one application of c.
type convRun struct {
	*Conv
	dst, src, residual Image
}

func (c *Conv) prepare(dst, src, residual Image) convRun {
	point := c.KH == 1 && c.KW == 1 && c.Stride == 1
	if point && dst.contiguous() && dst.W == src.W && src.contiguous() && (residual.Data == nil || residual.contiguous()) {
		src = src.Slice(0, 0, dst.H, src.W)
		dst, src, residual = dst.flat(), src.flat(), residual.flat()
	}
	return convRun{Conv: c, dst: dst, src: src, residual: residual}
}

func (r convRun) run(each func(n int, f func(tile int))) {
	t := newTiling(r.dst.H, r.dst.W, len(r.groups))
	each(t.count(), func(i int) { r.tile(t.tile(i)) })
}

func (r convRun) tile(t tile) {
	a := &convArgs{
		rows: r.KH, len: r.KW * r.In, rowStride: 4 * r.src.Stride, pixelStride: 4 * r.Stride * r.In,
		dstStride: 4 * r.dst.C, resStride: 4 * r.dst.C,
	}
	a.low, a.high = r.Activation.limits()
	for i := t.group0; i < t.group1; i++ {
		g := &r.groups[i]
		size, long, short := g.cut(t.x1 - t.x0)
		a.weights, a.bias = unsafe.Pointer(&r.weights[g.weights]), unsafe.Pointer(&r.bias[g.bias])
		a.fetch(r.behind(g), (t.y1-t.y0)*(long+short))
		for y := t.y0; y < t.y1; y++ {
			r.strips(a, g, y, t.x0, size, long)
			if short > 0 {
				r.strips(a, g, y, t.x0+long*size, size-1, short)
			}
		}
	}
	if r.Activation.Curved() {
		first, last := r.groups[t.group0].first, r.groups[t.group1-1]
		r.Activation.curve(r.dst.Slice(t.y0, t.x0, t.y1-t.y0, t.x1-t.x0), first, last.first+last.count-first)
	}
}

// strips computes count times n pixels from (y, x).
func (r *convRun) strips(a *convArgs, g *convGroup, y, x, n, count int) {
	if g.count < g.width {
		for i := range count {
			r.partial(*a, g, y, x+i*n, n)
		}
		return
	}
	a.src, a.strips = r.source(y, x), count
	a.dst = unsafe.Pointer(&r.dst.Data[y*r.dst.Stride+x*r.dst.C+g.first])
	a.residual = nil
	if r.residual.Data != nil {
		a.residual = unsafe.Pointer(&r.residual.Data[y*r.residual.Stride+x*r.dst.C+g.first])
	}
	g.run[n-1](a)
}

// cut shares out n pixels to strips, as few as can be and as even: long ones of a size and short ones
// of a pixel less. A rest of few pixels would leave the registers of its strip idle.
func (g *convGroup) cut(n int) (size, long, short int) {
	strips := (n + len(g.run) - 1) / len(g.run)
	size = (n + strips - 1) / strips
	long = n - strips*(size-1)
	return size, long, strips - long
}

// source is where the input of output (y, x) begins.
func (r *convRun) source(y, x int) unsafe.Pointer {
	return unsafe.Pointer(&r.src.Data[y*r.Stride*r.src.Stride+x*r.Stride*r.In])
}

// partial computes n pixels from (y, x) of a group with padding, by way of a place that has room for it.
func (r *convRun) partial(a convArgs, g *convGroup, y, x, n int) {
	var room, added [12 * 48]float32
	a.src, a.strips = r.source(y, x), 1
	a.dst, a.dstStride, a.resStride = unsafe.Pointer(&room[0]), 4*g.width, 4*g.width
	if r.residual.Data != nil {
		residual := r.residual.Data[y*r.residual.Stride+x*r.dst.C+g.first:]
		for i := range n {
			copy(added[i*g.width:], residual[i*r.dst.C:][:g.count])
		}
		a.residual = unsafe.Pointer(&added[0])
	}
	g.run[n-1](&a)
	dst := r.dst.Data[y*r.dst.Stride+x*r.dst.C+g.first:]
	for i := range n {
		copy(dst[i*r.dst.C:][:g.count], room[i*g.width:])
	}
}
