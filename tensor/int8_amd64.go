package tensor

import "golang.org/x/sys/cpu"

// int8Level is the level of the integer kernels: those of AVX-512 want VNNI too.
func int8Level(l level) level {
	if l == levelAVX512 && !cpu.X86.HasAVX512VNNI {
		return levelAVX2
	}
	return l
}

func conv8KernelsOf(l level) *conv8Kernels {
	switch l {
	case levelAVX512:
		return &conv8Kernels{byVectors: conv8VNNI}
	case levelAVX2:
		return &conv8Kernels{byVectors: conv8AVX2, wide: true}
	}
	return &conv8Generic
}

func depthwise8KernelsOf(l level) *depthwise8Kernels {
	switch l {
	case levelAVX512:
		// Unpacking bytes and words within halves of 16 channels leaves 4k ... 4k+3 of each in register k.
		return &depthwise8Kernels{byKey: depthwise8VNNI, block: 32, group: 4, order: func(i int) int { return i/4%2*16 + i/8*4 + i%4 }}
	case levelAVX2:
		return &depthwise8Kernels{byKey: depthwise8AVX2, block: 16, group: 2, wide: true, order: func(i int) int { return i }}
	}
	return nil
}

func pool8KernelsOf(l level) pool8Kernels {
	if l >= levelAVX2 {
		return pool8AVX2
	}
	return pool8Kernels{}
}
