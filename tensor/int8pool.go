package tensor

import (
	"fmt"
	"unsafe"
)

// Max8 writes the largest byte of each channel in the window, under the rules of Max.
func (w Window) Max8(dst, src Image8) { w.pool8(int8Level(cpuLevel), poolMax, dst, src, 0) }

// Average8 writes the mean of each channel's bytes in the window, under the rules of Max: their sum
// times 1/count, rounded to float32, then to the nearest integer, ties to even.
func (w Window) Average8(dst, src Image8) { w.pool8(int8Level(cpuLevel), poolSeen, dst, src, 0) }

// AveragePadded8 is Average8 with zero, the byte that stands for 0, outside of the image; it counts.
func (w Window) AveragePadded8(dst, src Image8, zero uint8) {
	w.pool8(int8Level(cpuLevel), poolAll, dst, src, zero)
}

// most8 is the cells of the largest window whose sum of bytes has room in 16 bits.
const most8 = 257

// pool8Args is known to internal/asm/int8. Strides are in bytes.
type pool8Args struct {
	src, dst                           unsafe.Pointer
	rows, cols, rowStride, pixelStride int
	blocks                             int // of 32 channels
	outside                            int32
	scale                              float32
}

// pool8Kernels reduce rows x cols pixels to one: their maximum, or their sum and outside, times scale.
type pool8Kernels struct{ max, sum func(*pool8Args) }

func (w Window) pool8(l level, p pooling, dst, src Image8, zero uint8) {
	w.check8(dst, src)
	each := serially
	if dst.H*dst.W*dst.C*w.H*w.W > 4*tileWork {
		each = Parallel
	}
	f := pool8Of(l, p, src.C)
	each(dst.H, func(y int) {
		top, rows := clip(y*w.Stride-w.Top, w.H, src.H)
		a := &pool8Args{rows: rows, rowStride: src.Stride, pixelStride: src.C, blocks: src.C / 32}
		for x := range dst.W {
			var left int
			left, a.cols = clip(x*w.Stride-w.Left, w.W, src.W)
			switch p {
			case poolSeen:
				a.scale = 1 / float32(a.rows*a.cols)
			case poolAll:
				a.scale = 1 / float32(w.H*w.W)
				a.outside = int32(zero) * int32(w.H*w.W-a.rows*a.cols)
			}
			a.src = unsafe.Pointer(&src.Data[top*src.Stride+left*src.C])
			a.dst = unsafe.Pointer(&dst.Data[y*dst.Stride+x*dst.C])
			f(a)
		}
	})
}

// pool8Of is the kernel for pixels of so many bytes, of which those of the processor want blocks.
func pool8Of(l level, p pooling, bytes int) func(*pool8Args) {
	k := pool8KernelsOf(l)
	if bytes%32 != 0 || k.max == nil {
		return func(a *pool8Args) { pool8Generic(a, p, bytes) }
	}
	if p == poolMax {
		return k.max
	}
	return k.sum
}

func pool8Generic(a *pool8Args, p pooling, bytes int) {
	dst := unsafe.Slice((*uint8)(a.dst), bytes)
	for c := range dst {
		sum, largest := a.outside, uint8(0)
		for y := range a.rows {
			for x := range a.cols {
				v := *(*uint8)(unsafe.Add(a.src, y*a.rowStride+x*a.pixelStride+c))
				sum, largest = sum+int32(v), max(largest, v)
			}
		}
		dst[c] = largest
		if p != poolMax {
			dst[c] = roundByte(float32(sum) * a.scale)
		}
	}
}

func (w Window) check8(dst, src Image8) {
	dst.check()
	src.check()
	w.checkSizes(dst.C, src.C, dst.H, dst.W, src.H, src.W)
	if w.H*w.W > most8 {
		panic(fmt.Sprintf("tensor: pooling %+v of bytes", w))
	}
}
