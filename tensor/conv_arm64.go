package tensor

func convKernelsOf(l level) convKernels {
	if l == levelNEON {
		return convKernels{lanes: 4, widths: 4, byWidth: convNEON}
	}
	return convGeneric
}

func depthwiseKernelsOf(l level) []depthwiseKernels {
	if l == levelNEON {
		return []depthwiseKernels{{4, depthwiseNEON}}
	}
	return nil
}
