//go:build !amd64 && !arm64

package tensor

func convKernelsOf(level) convKernels { return convGeneric }

func depthwiseKernelsOf(level) []depthwiseKernels { return nil }

func poolKernelsOf(level) poolKernels { return poolKernels{} }

func winogradKernelsOf(level) winogradKernels { return winogradGeneric }
