package tensor

import (
	"fmt"
	"unsafe"
)

// A Depthwise is a convolution of each channel with a kernel of its own, with bias and activation.
// Kernels of 3x3 and 5x5 with stride 1 or 2 are vectorised over channels, others are plain Go. It is
// safe for concurrent use.
type Depthwise struct {
	ConvShape
	weights, bias []float32
	kernels       []depthwiseKernels
	parts         []depthwisePart
}

// A depthwisePart is the channels that one set of kernels computes.
type depthwisePart struct {
	first, vectors int
	run            []func(*depthwiseArgs) // element n-1 does n pixels; nil: plain Go
}

// depthwiseKernels are kernels by 10*size + stride.
type depthwiseKernels struct {
	lanes int
	byKey map[int][]func(*depthwiseArgs)
}

// depthwiseArgs is known to internal/asm/conv. Strides are in bytes.
type depthwiseArgs struct {
	src, weights, dst, bias           unsafe.Pointer
	rowStride, pixelStride, dstStride int
	tapStride, vectors                int
	low, high                         float32
}

// NewDepthwise copies weights (KH, KW, In) and bias (In); a nil bias is zero. In and Out are equal.
func NewDepthwise(shape ConvShape, weights, bias []float32) *Depthwise {
	return newDepthwise(cpuLevel, shape, weights, bias)
}

func newDepthwise(l level, shape ConvShape, weights, bias []float32) *Depthwise {
	if shape.In != shape.Out {
		panic(fmt.Sprintf("tensor: depthwise convolution of %d to %d channels", shape.In, shape.Out))
	}
	shape.check(shape.KH*shape.KW*shape.In, weights, bias)
	d := &Depthwise{ConvShape: shape, weights: append([]float32(nil), weights...), bias: make([]float32, shape.In)}
	copy(d.bias, bias)
	d.kernels = depthwiseKernelsOf(l)
	d.parts = d.split(0, shape.In)
	return d
}

// split shares out channels from first on among the kernels.
func (d *Depthwise) split(first, count int) (parts []depthwisePart) {
	end := first + count
	for _, k := range d.kernels {
		run := k.byKey[10*d.KH+d.Stride]
		if n := (end - first) / k.lanes; n > 0 && run != nil && d.KH == d.KW {
			parts = append(parts, depthwisePart{first, n, run})
			first += n * k.lanes
		}
	}
	if first < end {
		parts = append(parts, depthwisePart{first, end - first, nil})
	}
	return parts
}

// Run computes dst, where output (y, x) sees the KH x KW pixels of src from (y, x)*Stride. src must
// not overlap dst.
func (d *Depthwise) Run(dst, src Image) { d.run(dst, src, Parallel) }

// RunSerial is Run on the calling goroutine alone.
func (d *Depthwise) RunSerial(dst, src Image) { d.run(dst, src, serially) }

// tileWork is the multiplications that a parallel tile of Depthwise should have at least.
const tileWork = 1 << 17

func (d *Depthwise) run(dst, src Image, each func(n int, f func(tile int))) {
	d.checkImages(dst, src)
	if dst.H == 0 || dst.W == 0 {
		return
	}
	rows := 1 + tileWork/(dst.W*d.KH*d.KW*d.In)
	each((dst.H+rows-1)/rows, func(i int) {
		a := &depthwiseArgs{pixelStride: 4 * d.In, rowStride: 4 * src.Stride, dstStride: 4 * d.In, tapStride: 4 * d.In}
		a.low, a.high = d.Activation.limits()
		for y := i * rows; y < min((i+1)*rows, dst.H); y++ {
			for _, p := range d.parts {
				d.row(a, p, dst, src, y)
			}
			if d.Activation.Curved() {
				d.Activation.apply(dst.Row(y, 0, dst.W))
			}
		}
	})
}

// row computes the channels of p in row y.
func (d *Depthwise) row(a *depthwiseArgs, p depthwisePart, dst, src Image, y int) {
	to, from := dst.Row(y, 0, dst.W), src.Data[y*d.Stride*src.Stride+p.first:]
	if p.run == nil {
		d.generic(to[p.first:], from, src.Stride, p, dst.W)
		return
	}
	d.vectors(a, p, to, from)
}

// vectors computes a row, dst, of the channels of p by its kernels; src begins with the first channel.
func (d *Depthwise) vectors(a *depthwiseArgs, p depthwisePart, dst, src []float32) {
	a.weights, a.bias, a.vectors = unsafe.Pointer(&d.weights[p.first]), unsafe.Pointer(&d.bias[p.first]), p.vectors
	width := len(dst) / d.In
	strip := evenly(width, len(p.run))
	for x := 0; x < width; x += strip {
		a.src, a.dst = unsafe.Pointer(&src[x*d.Stride*a.pixelStride/4]), unsafe.Pointer(&dst[x*d.In+p.first])
		p.run[min(strip, width-x)-1](a)
	}
}

// generic computes n pixels of the channels of p in plain Go.
func (d *Depthwise) generic(dst, src []float32, rowStride int, p depthwisePart, n int) {
	low, high := d.Activation.limits()
	for i := range n {
		sums := dst[i*d.In:][:p.vectors]
		copy(sums, d.bias[p.first:])
		for ky := range d.KH {
			for kx := range d.KW {
				x := src[ky*rowStride+(i*d.Stride+kx)*d.In:][:len(sums)]
				w := d.weights[(ky*d.KW+kx)*d.In+p.first:][:len(sums)]
				for c := range sums {
					sums[c] += x[c] * w[c]
				}
			}
		}
		for c, v := range sums {
			sums[c] = clamp(v, low, high)
		}
	}
}
