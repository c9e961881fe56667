package tensor

import (
	"math"
	"unsafe"
)

// depthGradArgs is known to internal/asm/conv. Strides are in bytes.
type depthGradArgs struct {
	src, grad, dst              unsafe.Pointer
	rows, cols                  int // of grad
	srcRow, srcPixel            int // from what one output sees to what the next does
	gradRow, gradPixel          int
	tapRow, tapPixel, tapStride int // between taps in src, in src, in dst
	vectors                     int // of channels
}

// depthGradKernels add to weight gradients of 3x3 and 5x5 taps, the latter of rows5 rows at a time.
type depthGradKernels struct {
	lanes  int
	k3, k5 func(*depthGradArgs)
	rows5  int
}

// depthGrad adds what a band gives to the gradient of depthwise weights; x and grad are as backward
// has them.
func (t *Training) depthGrad(kernels []depthGradKernels, sums []float32, x, grad Image) {
	first := 0
	for _, k := range kernels {
		run, rows := k.k3, 3
		if t.KH == 5 {
			run, rows = k.k5, k.rows5
		}
		n := (t.In - first) / k.lanes
		if n == 0 || t.KH != t.KW || t.KH != 3 && t.KH != 5 {
			continue
		}
		for ky := 0; ky < t.KH; ky += rows {
			run(&depthGradArgs{
				src: unsafe.Pointer(&x.Data[ky*x.Stride+first]), grad: unsafe.Pointer(&grad.Data[first]), dst: unsafe.Pointer(&sums[ky*t.KW*t.In+first]),
				rows: grad.H, cols: grad.W, srcRow: 4 * t.Stride * x.Stride, srcPixel: 4 * t.Stride * t.In,
				gradRow: 4 * grad.Stride, gradPixel: 4 * t.Stride * t.In,
				tapRow: 4 * x.Stride, tapPixel: 4 * t.In, tapStride: 4 * t.In, vectors: n,
			})
		}
		first += n * k.lanes
	}
	if first < t.In {
		t.depthGradByTap(sums, x, grad, first)
	}
}

// depthGradByTap does the channels from first on without a kernel of its own.
func (t *Training) depthGradByTap(sums []float32, x, grad Image, first int) {
	for y := range grad.H {
		for q := range grad.W {
			dy := grad.Data[y*grad.Stride+q*t.Stride*t.In:][first:t.In]
			for ky := range t.KH {
				for kx := range t.KW {
					seen := x.Data[(y*t.Stride+ky)*x.Stride+(q*t.Stride+kx)*t.In:][first:t.In]
					kern.mulAdd(sums[(ky*t.KW+kx)*t.In:][first:t.In], dy, seen)
				}
			}
		}
	}
}

// maskArgs is known to internal/asm/conv.
type maskArgs struct {
	dst, grad, out unsafe.Pointer
	vectors        int
	low, high      float32
}

// MaskGrad goes back through an activation whose output was out: dst = grad where the activation did
// not clamp, zero elsewhere, and where out is NaN. dst may be grad.
func MaskGrad(dst, grad, out []float32, a Activation) { mask(cpuLevel, dst, grad, out, a) }

func mask(l level, dst, grad, out []float32, a Activation) {
	need("MaskGrad", len(dst), len(grad))
	need("MaskGrad", len(dst), len(out))
	if a == Identity {
		if len(dst) > 0 && &dst[0] != &grad[0] {
			copy(dst, grad)
		}
		return
	}
	low, high := a.limits()
	done := maskVectors(l, dst, grad, out, low, high)
	dst, grad, out = dst[done:], grad[done:len(dst)], out[done:len(dst)]
	for i, v := range out {
		kept := math.Float32bits(grad[i]) // of integers Go makes conditional moves, of floats branches
		if !(v > low) {
			kept = 0
		}
		if !(v < high) {
			kept = 0
		}
		dst[i] = math.Float32frombits(kept)
	}
}
