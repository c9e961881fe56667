//go:build !amd64

package tensor

func int8Level(l level) level { return l }

func conv8KernelsOf(level) *conv8Kernels { return &conv8Generic }

func depthwise8KernelsOf(level) *depthwise8Kernels { return nil }

func pool8KernelsOf(level) pool8Kernels { return pool8Kernels{} }
