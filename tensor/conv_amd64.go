package tensor

func convKernelsOf(l level) convKernels {
	switch l {
	case levelAVX512:
		return convKernels{lanes: 16, widths: 8, byWidth: convAVX512}
	case levelAVX2:
		return convKernels{lanes: 8, widths: 8, byWidth: convAVX2}
	}
	return convGeneric
}

// depthwiseKernelsOf are the kernels to use in turn, each for the channels that are left.
func depthwiseKernelsOf(l level) []depthwiseKernels {
	var kernels []depthwiseKernels
	if l >= levelAVX512 {
		kernels = append(kernels, depthwiseKernels{16, depthwiseAVX512})
	}
	if l >= levelAVX2 {
		kernels = append(kernels, depthwiseKernels{8, depthwiseAVX2})
	}
	return kernels
}
