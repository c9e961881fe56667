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

func poolKernelsOf(l level) poolKernels {
	if l >= levelAVX2 {
		return poolKernels{lanes: 8, max: poolMaxAVX2, sum: poolSumAVX2}
	}
	return poolKernels{}
}

func winogradKernelsOf(l level) winogradKernels {
	switch l {
	case levelAVX512:
		return winogradKernels{
			lanes: 16, lineIn: winogradLineInAVX512, squareIn: winogradSquareInAVX512,
			lineOut:   [winogradPoints]func(*winogradArgs){3: winogradLineOut3AVX512, 4: winogradLineOut4AVX512},
			squareOut: [winogradPoints]func(*winogradArgs){2: winogradSquareOut2AVX512, 4: winogradSquareOut4AVX512},
		}
	case levelAVX2:
		return winogradKernels{
			lanes: 8, lineIn: winogradLineInAVX2, squareIn: winogradSquareInAVX2,
			lineOut:   [winogradPoints]func(*winogradArgs){3: winogradLineOut3AVX2, 4: winogradLineOut4AVX2},
			squareOut: [winogradPoints]func(*winogradArgs){2: winogradSquareOut2AVX2, 4: winogradSquareOut4AVX2},
		}
	}
	return winogradGeneric
}
