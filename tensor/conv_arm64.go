package tensor

import "unsafe"

func convKernelsOf(l level) convKernels {
	if l == levelNEON {
		return convKernels{lanes: 4, widths: 4, byWidth: convStripsNEON}
	}
	return convGeneric
}

func depthwiseKernelsOf(l level) []depthwiseKernels {
	if l == levelNEON {
		return []depthwiseKernels{{4, depthwiseNEON}}
	}
	return nil
}

func poolKernelsOf(level) poolKernels { return poolKernels{} }

func winogradKernelsOf(level) winogradKernels { return winogradGeneric }

// convStripsNEON are the kernels of convNEON, each of which does one strip, for many.
var convStripsNEON = func() map[int][]func(*convArgs) {
	all := map[int][]func(*convArgs){}
	for width, kernels := range convNEON {
		for i, kernel := range kernels {
			all[width] = append(all[width], func(a *convArgs) { a.eachStrip(i+1, kernel) })
		}
	}
	return all
}()

// eachStrip calls a kernel for strips of n pixels.
func (a *convArgs) eachStrip(n int, kernel func(*convArgs)) {
	src, dst, residual := a.src, a.dst, a.residual
	for k := range a.strips {
		a.src, a.dst = unsafe.Add(src, k*n*a.pixelStride), unsafe.Add(dst, k*n*a.dstStride)
		if residual != nil {
			a.residual = unsafe.Add(residual, k*n*a.resStride)
		}
		kernel(a)
	}
	a.src, a.dst, a.residual = src, dst, residual
}
