package tensor

import (
	"fmt"
	"unsafe"
)

// A Window is what each output of a pooling looks at: H x W pixels, the first from Top and Left
// before the image, the next Stride further. What lies outside of the image does not count.
type Window struct {
	H, W, Stride int
	Top, Left    int
}

// Max writes the largest value of each channel in the window, NaN where there is one. Every window
// must see a pixel of src; dst must not overlap it.
func (w Window) Max(dst, src Image) { w.pool(cpuLevel, poolMax, dst, src) }

// Average writes the mean of each channel in the window, under the rules of Max.
func (w Window) Average(dst, src Image) { w.pool(cpuLevel, poolSeen, dst, src) }

// AveragePadded is Average with zeros outside of the image, which count.
func (w Window) AveragePadded(dst, src Image) { w.pool(cpuLevel, poolAll, dst, src) }

// A pooling is what becomes of the values in a window.
type pooling int

const (
	poolMax pooling = iota
	poolSeen
	poolAll
)

// poolArgs is known to internal/asm/conv. Strides are in bytes.
type poolArgs struct {
	src, dst                           unsafe.Pointer
	rows, cols, rowStride, pixelStride int
	vectors                            int // of channels
	scale                              float32
}

// poolKernels reduce rows x cols pixels to one: their maximum, or their sum times scale.
type poolKernels struct {
	lanes    int
	max, sum func(*poolArgs)
}

func (w Window) pool(l level, p pooling, dst, src Image) {
	w.check(dst, src)
	each := serially
	if dst.H*dst.W*dst.C*w.H*w.W > tileWork {
		each = Parallel
	}
	each(dst.H, func(y int) {
		top, rows := clip(y*w.Stride-w.Top, w.H, src.H)
		a := &poolArgs{rows: rows, rowStride: 4 * src.Stride, pixelStride: 4 * src.C}
		for x := range dst.W {
			var left int
			left, a.cols = clip(x*w.Stride-w.Left, w.W, src.W)
			switch p {
			case poolSeen:
				a.scale = 1 / float32(a.rows*a.cols)
			case poolAll:
				a.scale = 1 / float32(w.H*w.W)
			}
			poolPixel(l, p, a, dst.Row(y, x, 1), src.Data[top*src.Stride+left*src.C:])
		}
	})
}

// clip is what lies within [0, size) of n places from at on.
func clip(at, n, size int) (first, count int) {
	first = max(at, 0)
	return first, min(at+n, size) - first
}

// poolPixel writes one pixel, of which a tells the window, whose corner is src.
func poolPixel(l level, p pooling, a *poolArgs, dst, src []float32) {
	k := poolKernelsOf(l)
	first := 0
	if a.vectors = len(dst) / max(k.lanes, 1); k.lanes > 0 && a.vectors > 0 {
		a.src, a.dst = unsafe.Pointer(&src[0]), unsafe.Pointer(&dst[0])
		if p == poolMax {
			k.max(a)
		} else {
			k.sum(a)
		}
		first = a.vectors * k.lanes
	}
	if first < len(dst) {
		poolGeneric(p, a, dst[first:], src[first:])
	}
}

func poolGeneric(p pooling, a *poolArgs, dst, src []float32) {
	copy(dst, src)
	for i := 1; i < a.rows*a.cols; i++ {
		x := src[(i/a.cols*a.rowStride+i%a.cols*a.pixelStride)/4:][:len(dst)]
		for c, v := range x {
			if p == poolMax {
				dst[c] = max(dst[c], v)
			} else {
				dst[c] += v
			}
		}
	}
	if p != poolMax {
		for c := range dst {
			dst[c] *= a.scale
		}
	}
}

func (w Window) check(dst, src Image) {
	dst.check()
	src.check()
	w.checkSizes(dst.C, src.C, dst.H, dst.W, src.H, src.W)
}

// checkSizes panics unless every window of h x w outputs sees a pixel of fromH x fromW.
func (w Window) checkSizes(c, fromC, h, width, fromH, fromW int) {
	if w.H < 1 || w.W < 1 || w.Stride < 1 || c != fromC {
		panic(fmt.Sprintf("tensor: pooling %+v of %d to %d channels", w, fromC, c))
	}
	if h < 1 || width < 1 {
		return
	}
	if w.Top < 0 || w.Left < 0 || w.Top >= w.H || w.Left >= w.W ||
		(h-1)*w.Stride-w.Top >= fromH || (width-1)*w.Stride-w.Left >= fromW {
		panic(fmt.Sprintf("tensor: pooling %+v of %dx%d to %dx%d pixels has windows outside of the image", w, fromH, fromW, h, width))
	}
}
