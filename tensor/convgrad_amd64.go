package tensor

// depthGradKernelsOf are the kernels to use in turn, each for the channels that are left.
func depthGradKernelsOf(l level) []depthGradKernels { return depthGradAMD64[levelAVX512-l:] }

var depthGradAMD64 = []depthGradKernels{
	{lanes: 16, k3: depthGradAVX512k3, k5: depthGradAVX512k5, rows5: 5},
	{lanes: 8, k3: depthGradAVX2k3, k5: depthGradAVX2k5, rows5: 1},
}

// maskKernelOf is nil for plain Go.
func maskKernelOf(l level) func(*maskArgs) {
	if l >= levelAVX2 {
		return maskAVX2
	}
	return nil
}
