package tensor

import "unsafe"

// depthGradKernelsOf are the kernels to use in turn, each for the channels that are left.
func depthGradKernelsOf(l level) []depthGradKernels { return depthGradAMD64[levelAVX512-l:] }

var depthGradAMD64 = []depthGradKernels{
	{lanes: 16, k3: depthGradAVX512k3, k5: depthGradAVX512k5, rows5: 5},
	{lanes: 8, k3: depthGradAVX2k3, k5: depthGradAVX2k5, rows5: 1},
}

// maskVectors masks whole vectors and tells how many values they are.
func maskVectors(l level, dst, grad, out []float32, low, high float32) (done int) {
	const lanes = 8
	if l < levelAVX2 {
		return 0
	}
	for done+lanes <= len(dst) {
		n := min(len(dst)-done, chunk) / lanes
		maskAVX2(&maskArgs{unsafe.Pointer(&dst[done]), unsafe.Pointer(&grad[done]), unsafe.Pointer(&out[done]), n, low, high})
		done += n * lanes
	}
	return done
}
