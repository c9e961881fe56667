//go:build !amd64 && !arm64

package tensor

func convKernelsOf(level) convKernels { return convGeneric }

func depthwiseKernelsOf(level) []depthwiseKernels { return nil }
