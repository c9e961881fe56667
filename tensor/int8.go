package tensor

import (
	"fmt"
	"math"
	"unsafe"
)

//go:generate go run ./internal/asm/int8 .

// An Image8 is a view of pixels of unsigned bytes, each Pad8 of its channels wide: pixel (y, x) is
// Data[y*Stride+x*C:][:C]. What stands in the bytes beyond the channels means nothing.
type Image8 struct {
	Data    []uint8
	H, W, C int // C is a value of Pad8
	Stride  int // bytes from one row to the next
}

// Pad8 is the bytes that a pixel of an Image8 takes: four, or a multiple of 32.
func Pad8(channels int) int {
	if channels <= 4 {
		return 4
	}
	return (channels + 31) &^ 31
}

// Least8 is how many channels a Conv8 must have for its result to be bytes: its kernels write 16.
const Least8 = 5

// Img8 views contiguous data as an (h, w, c) image.
func Img8(data []uint8, h, w, c int) Image8 {
	m := Image8{Data: data, H: h, W: w, C: c, Stride: w * c}
	m.check()
	return m
}

// Slice is the view of h x w pixels that begins at (y, x).
func (m Image8) Slice(y, x, h, w int) Image8 {
	if y < 0 || x < 0 || h < 0 || w < 0 || y+h > m.H || x+w > m.W {
		panic(fmt.Sprintf("tensor: slice at (%d, %d) of size %dx%d outside of a %dx%d image", y, x, h, w, m.H, m.W))
	}
	m.H, m.W = h, w
	if h > 0 && w > 0 {
		m.Data = m.Data[y*m.Stride+x*m.C:]
	}
	return m
}

// Row is the bytes of w pixels from (y, x).
func (m Image8) Row(y, x, w int) []uint8 { return m.Data[y*m.Stride+x*m.C:][: w*m.C : w*m.C] }

func (m Image8) contiguous() bool { return m.Stride == m.W*m.C || m.H == 1 }

// flat views a contiguous image as a single row.
func (m Image8) flat() Image8 {
	return Image8{Data: m.Data, H: 1, W: m.H * m.W, C: m.C, Stride: m.H * m.W * m.C}
}

// check panics unless every pixel lies within Data.
func (m Image8) check() {
	if m.H < 0 || m.W < 0 || m.C != Pad8(m.C) || m.Stride < m.W*m.C {
		panic(fmt.Sprintf("tensor: %dx%d image of %d bytes a pixel with stride %d", m.H, m.W, m.C, m.Stride))
	}
	if m.H > 0 && m.W > 0 && (m.H-1)*m.Stride+m.W*m.C > len(m.Data) {
		panic(fmt.Sprintf("tensor: %dx%dx%d image with stride %d over %d bytes", m.H, m.W, m.C, m.Stride, len(m.Data)))
	}
}

// Weights8 are the numbers of an integer convolution. All paths compute the same bytes from them:
//
//	sum = Bias[o] + Σ src·Weights                        int32, exact
//	v   = float32(sum)*Scale[o] + float32(residual)*r    each operation rounded to float32
//	dst = v rounded to the nearest integer, ties to even, and clamped to 0 ... 255
//
// Zero points of src, of the residual and of dst are to be part of Bias. Scale must be from 0 to below
// 1/4, and r below 2^20.
type Weights8 struct {
	Weights []int8    // (KH, KW, In, Out); depthwise: (KH, KW, In)
	Bias    []int32   // (Out)
	Scale   []float32 // (Out)
}

func (s ConvShape) check8(size int, w Weights8) {
	if s.KH < 1 || s.KW < 1 || s.In < 1 || s.Out < 1 || s.Stride < 1 {
		panic(fmt.Sprintf("tensor: convolution of shape %+v", s))
	}
	if len(w.Weights) != size || len(w.Bias) != s.Out || len(w.Scale) != s.Out {
		panic(fmt.Sprintf("tensor: %d weights, %d biases and %d scales for a convolution of shape %+v",
			len(w.Weights), len(w.Bias), len(w.Scale), s))
	}
	for _, v := range w.Scale {
		if !(v >= 0 && v < 0.25) {
			panic(fmt.Sprintf("tensor: scale of %g", v))
		}
	}
}

// checkImages8 panics unless src is large enough for dst.
func (s ConvShape) checkImages8(h, w int, src Image8) {
	src.check()
	if src.C != Pad8(s.In) {
		panic(fmt.Sprintf("tensor: convolution of %d channels called with pixels of %d bytes", s.In, src.C))
	}
	if h > 0 && w > 0 && ((h-1)*s.Stride+s.KH > src.H || (w-1)*s.Stride+s.KW > src.W) {
		panic(fmt.Sprintf("tensor: %dx%d pixels are too few for %dx%d of a %dx%d convolution of stride %d",
			src.H, src.W, h, w, s.KH, s.KW, s.Stride))
	}
}

// A Conv8 is a convolution of bytes with optional residual, its weights packed for the processor.
// ConvShape.Activation counts only where the result is float32: bytes end at 0 and 255 anyway. It is
// safe for concurrent use.
type Conv8 struct {
	ConvShape
	kernels *conv8Kernels
	fours   int // of input channels in a row of taps
	groups  []conv8Group
	weights []uint8 // by group: [row of taps][four][channel] of four int8, or of two pairs of int16
	bias    []int32 // padded to 16
	scale   []float32
}

// A conv8Group is neighbouring output channels that one kernel computes together.
type conv8Group struct {
	first, vectors int // the first channel; vectors of 16
	weights        int // where its weights begin
	run            []func(*conv8Args)
}

// conv8Kernels are the kernels of one level, by vectors of 16 channels; element n-1 does n pixels.
type conv8Kernels struct {
	byVectors map[int][]func(*conv8Args)
	wide      bool // weights are pairs of int16
}

// conv8Args is known to internal/asm/int8. Strides are in bytes.
type conv8Args struct {
	src, weights, dst, bias, scale, residual unsafe.Pointer
	rows, rowStride                          int // rows of taps
	len, pixelStride                         int // fours of one row of taps; to the next output's
	dstStride, resStride, floats             int
	resScale, low, high                      float32
}

// NewConv8 packs weights.
func NewConv8(shape ConvShape, w Weights8) *Conv8 { return newConv8(int8Level(cpuLevel), shape, w) }

func newConv8(l level, shape ConvShape, w Weights8) *Conv8 {
	shape.check8(shape.KH*shape.KW*shape.In*shape.Out, w)
	c := &Conv8{ConvShape: shape, kernels: conv8KernelsOf(l)}
	pixel := (shape.In + 3) &^ 3 // bytes of a pixel that count
	if shape.KW > 1 {
		pixel = Pad8(shape.In)
	}
	c.fours = shape.KW * pixel / 4
	padded := (shape.Out + 15) &^ 15
	c.bias, c.scale = make([]int32, padded), make([]float32, padded)
	copy(c.bias, w.Bias)
	copy(c.scale, w.Scale)
	most := len(c.kernels.byVectors)
	vectors := padded / 16
	parts := (vectors + most - 1) / most
	for first := 0; first < padded; parts-- {
		take := (vectors + parts - 1) / parts
		vectors -= take
		g := conv8Group{first: first, vectors: take, weights: len(c.weights), run: c.kernels.byVectors[take]}
		c.groups = append(c.groups, g)
		c.pack(g, pixel, w.Weights)
		first += 16 * take
	}
	return c
}

// pack appends the weights of a group.
func (c *Conv8) pack(g conv8Group, pixel int, weights []int8) {
	width := 16 * g.vectors
	size := 1
	if c.kernels.wide {
		size = 2
	}
	c.weights = append(c.weights, make([]uint8, c.KH*c.fours*width*4*size)...)
	for tap := range c.KH * c.KW {
		for in := range c.In {
			k := tap*pixel + in // of all rows: rows are of whole fours
			for o := range min(width, c.Out-g.first) {
				v := weights[(tap*c.In+in)*c.Out+g.first+o]
				if !c.kernels.wide {
					c.weights[g.weights+(k/4*width+o)*4+k%4] = uint8(v)
					continue
				}
				at := g.weights + ((k/2*width+o)*2+k%2)*2
				c.weights[at], c.weights[at+1] = uint8(v), uint8(int16(v)>>8)
			}
		}
	}
}

// Run computes dst, where output (y, x) sees the KH x KW pixels of src from (y, x)*Stride. The residual,
// of the size of dst, is scaled and added; none if its Data is nil. It may be dst; src must not overlap
// dst.
func (c *Conv8) Run(dst, src, residual Image8, resScale float32) {
	dst.check()
	c.checkImages8(dst.H, dst.W, src)
	if dst.C != Pad8(c.Out) || c.Out < Least8 {
		panic(fmt.Sprintf("tensor: convolution to %d channels called with pixels of %d bytes", c.Out, dst.C))
	}
	c.checkResidual(dst.H, dst.W, residual, resScale)
	point := c.KH == 1 && c.KW == 1 && c.Stride == 1
	if point && dst.contiguous() && dst.W == src.W && src.contiguous() && (residual.Data == nil || residual.contiguous()) {
		src = src.Slice(0, 0, dst.H, src.W)
		dst, src, residual = dst.flat(), src.flat(), residual.flat()
	}
	r := conv8Run{Conv8: c, dst: dst, src: src, residual: residual, resScale: resScale, h: dst.H, w: dst.W}
	r.run()
}

func (c *Conv8) checkResidual(h, w int, residual Image8, scale float32) {
	if residual.Data == nil {
		return
	}
	residual.check()
	if residual.H != h || residual.W != w || residual.C != Pad8(c.Out) {
		panic(fmt.Sprintf("tensor: residual of %dx%dx%d for %dx%dx%d", residual.H, residual.W, residual.C, h, w, Pad8(c.Out)))
	}
	if !(math.Abs(float64(scale)) < 1<<20) {
		panic(fmt.Sprintf("tensor: scale of %g of a residual", scale))
	}
}

// RunFloat computes dst as float32: v of Weights8, clamped as the activation says. Out must be a
// multiple of 16.
func (c *Conv8) RunFloat(dst Image, src, residual Image8, resScale float32) {
	dst.check()
	c.checkImages8(dst.H, dst.W, src)
	if dst.C != c.Out || c.Out%16 != 0 {
		panic(fmt.Sprintf("tensor: convolution to %d channels called for %d float32", c.Out, dst.C))
	}
	c.checkResidual(dst.H, dst.W, residual, resScale)
	r := conv8Run{Conv8: c, floats: dst, src: src, residual: residual, resScale: resScale, h: dst.H, w: dst.W}
	r.run()
}

// A conv8Run is one application of c. Its tiles are pixels (a band of rows, or a stretch of the only
// row) times groups of channels.
type conv8Run struct {
	*Conv8
	dst, src, residual Image8
	floats             Image // instead of dst
	resScale           float32
	h, w               int // of dst
	rows, cols         int // pixels of a tile
	groupsPerTile      int
}

func (r *conv8Run) run() {
	const tilePixels = 96 // read a group's weights while those are in the cache
	if r.h == 0 || r.w == 0 {
		return
	}
	r.rows, r.cols = max(1, tilePixels/r.w), r.w
	if r.w > tilePixels {
		r.cols = evenly(r.w, tilePixels)
	}
	bands := (r.h + r.rows - 1) / r.rows
	across := (r.w + r.cols - 1) / r.cols
	parts := min(len(r.groups), (4*Workers()+bands*across-1)/(bands*across)) // few pixels: share out channels
	r.groupsPerTile = (len(r.groups) + parts - 1) / parts
	parts = (len(r.groups) + r.groupsPerTile - 1) / r.groupsPerTile
	Parallel(bands*across*parts, func(i int) {
		part, place := i%parts, i/parts
		r.tile(place/across*r.rows, place%across*r.cols, part*r.groupsPerTile)
	})
}

// tile computes the pixels from (y, x) and the channels from a group on.
func (r *conv8Run) tile(y0, x0, group int) {
	a := &conv8Args{
		rows: r.KH, len: r.fours, rowStride: r.src.Stride, pixelStride: r.Stride * r.src.C,
		dstStride: r.dst.C, resStride: r.residual.C, resScale: r.resScale,
	}
	if r.floats.Data != nil {
		a.floats, a.dstStride = 1, 4*r.floats.C
		a.low, a.high = r.Activation.limits()
	}
	y1, x1 := min(y0+r.rows, r.h), min(x0+r.cols, r.w)
	for i := group; i < min(group+r.groupsPerTile, len(r.groups)); i++ {
		g := &r.groups[i]
		a.weights = unsafe.Pointer(&r.weights[g.weights])
		a.bias, a.scale = unsafe.Pointer(&r.bias[g.first]), unsafe.Pointer(&r.scale[g.first])
		strip := evenly(x1-x0, len(g.run))
		for y := y0; y < y1; y++ {
			for x := x0; x < x1; x += strip {
				r.place(a, g, y, x)
				g.run[min(strip, x1-x)-1](a)
			}
		}
	}
}

// place points a to what belongs to pixel (y, x) and group g.
func (r *conv8Run) place(a *conv8Args, g *conv8Group, y, x int) {
	a.src = unsafe.Pointer(&r.src.Data[y*r.Stride*r.src.Stride+x*a.pixelStride])
	if a.floats != 0 {
		a.dst = unsafe.Pointer(&r.floats.Data[y*r.floats.Stride+x*r.floats.C+g.first])
	} else {
		a.dst = unsafe.Pointer(&r.dst.Data[y*r.dst.Stride+x*r.dst.C+g.first])
	}
	if r.residual.Data != nil {
		a.residual = unsafe.Pointer(&r.residual.Data[y*r.residual.Stride+x*r.residual.C+g.first])
	}
}
