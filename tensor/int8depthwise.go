package tensor

import (
	"fmt"
	"unsafe"
)

// A Depthwise8 is a convolution of each channel of bytes with a kernel of its own. Kernels of 3x3 and
// 5x5 with stride 1 or 2 are vectorised, others are plain Go. It is safe for concurrent use.
type Depthwise8 struct {
	ConvShape
	kernels *depthwise8Kernels
	run     []func(*depthwise8Args) // element n-1 does n pixels; nil: plain Go
	weights []uint8                 // by block of channels
	bias    []int32                 // by block, in its order
	scale   []float32
	plain   Weights8
}

// depthwise8Kernels are the kernels of one level by 10*size + stride, and how they want their weights.
type depthwise8Kernels struct {
	byKey map[int][]func(*depthwise8Args)
	block int             // channels that they do together
	group int             // taps of a column that they do together, zeros after the last
	wide  bool            // weights are int16
	order func(i int) int // which channel of a block stands at place i
}

// depthwise8Args is known to internal/asm/int8. Strides are in bytes.
type depthwise8Args struct {
	src, weights, dst, bias, scale    unsafe.Pointer
	rowStride, pixelStride, dstStride int
	blocks                            int
}

// NewDepthwise8 packs weights. In and Out are equal.
func NewDepthwise8(shape ConvShape, w Weights8) *Depthwise8 {
	return newDepthwise8(int8Level(cpuLevel), shape, w)
}

func newDepthwise8(l level, shape ConvShape, w Weights8) *Depthwise8 {
	if shape.In != shape.Out {
		panic(fmt.Sprintf("tensor: depthwise convolution of %d to %d channels", shape.In, shape.Out))
	}
	shape.check8(shape.KH*shape.KW*shape.In, w)
	d := &Depthwise8{ConvShape: shape, kernels: depthwise8KernelsOf(l)}
	if shape.KH == shape.KW && shape.In > 4 && d.kernels != nil {
		d.run = d.kernels.byKey[10*shape.KH+shape.Stride]
	}
	if d.run == nil {
		d.plain = Weights8{append([]int8(nil), w.Weights...), append([]int32(nil), w.Bias...), append([]float32(nil), w.Scale...)}
		return d
	}
	d.pack(w)
	return d
}

// pack lays out the weights of each block as [column of taps][group of rows][place][row], and bias and
// scale as [place].
func (d *Depthwise8) pack(w Weights8) {
	k := d.kernels
	channels, size := Pad8(d.In), 1
	if k.wide {
		size = 2
	}
	groups := (d.KH + k.group - 1) / k.group
	d.weights = make([]uint8, d.KW*groups*k.group*channels*size)
	d.bias, d.scale = make([]int32, channels), make([]float32, channels)
	for at := range channels {
		c := at/k.block*k.block + k.order(at%k.block)
		if c >= d.In {
			continue
		}
		d.bias[at], d.scale[at] = w.Bias[c], w.Scale[c]
		for y := range d.KH {
			for x := range d.KW {
				v := w.Weights[(y*d.KW+x)*d.In+c]
				column := (at/k.block*d.KW+x)*groups + y/k.group
				i := ((column*k.block+at%k.block)*k.group + y%k.group) * size
				d.weights[i] = uint8(v)
				if k.wide {
					d.weights[i+1] = uint8(int16(v) >> 8)
				}
			}
		}
	}
}

// Run computes dst, where output (y, x) sees the KH x KW pixels of src from (y, x)*Stride. src must not
// overlap dst.
func (d *Depthwise8) Run(dst, src Image8) {
	dst.check()
	d.checkImages8(dst.H, dst.W, src)
	if dst.C != src.C {
		panic(fmt.Sprintf("tensor: depthwise convolution of pixels of %d to %d bytes", src.C, dst.C))
	}
	if dst.H == 0 || dst.W == 0 {
		return
	}
	rows := 1 + 2*tileWork/(dst.W*d.KH*d.KW*d.In)
	Parallel((dst.H+rows-1)/rows, func(i int) {
		for y := i * rows; y < min((i+1)*rows, dst.H); y++ {
			if d.run != nil {
				d.row(dst, src, y)
			} else {
				d.generic(dst, src, y)
			}
		}
	})
}

func (d *Depthwise8) row(dst, src Image8, y int) {
	a := &depthwise8Args{
		weights: unsafe.Pointer(&d.weights[0]), bias: unsafe.Pointer(&d.bias[0]), scale: unsafe.Pointer(&d.scale[0]),
		rowStride: src.Stride, pixelStride: src.C, dstStride: dst.C, blocks: (d.In + d.kernels.block - 1) / d.kernels.block,
	}
	strip := evenly(dst.W, len(d.run))
	for x := 0; x < dst.W; x += strip {
		a.src = unsafe.Pointer(&src.Data[y*d.Stride*src.Stride+x*d.Stride*src.C])
		a.dst = unsafe.Pointer(&dst.Data[y*dst.Stride+x*dst.C])
		d.run[min(strip, dst.W-x)-1](a)
	}
}

// generic computes row y in plain Go.
func (d *Depthwise8) generic(dst, src Image8, y int) {
	sums := make([]int32, d.In)
	for x := range dst.W {
		copy(sums, d.plain.Bias)
		for ky := range d.KH {
			for kx := range d.KW {
				from := src.Data[(y*d.Stride+ky)*src.Stride+(x*d.Stride+kx)*src.C:][:len(sums)]
				w := d.plain.Weights[(ky*d.KW+kx)*d.In:][:len(sums)]
				for c := range sums {
					sums[c] += int32(from[c]) * int32(w[c])
				}
			}
		}
		to := dst.Data[y*dst.Stride+x*dst.C:][:len(sums)]
		scale := d.plain.Scale[:len(sums)]
		for c, s := range sums {
			to[c] = roundByte(float32(s) * scale[c])
		}
	}
}
