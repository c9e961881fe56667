package main

import "fmt"

// Byte offsets of the fields of tensor.conv8Args.
const (
	convSrc, convWeights, convDst, convBias, convScale, convResidual = 0, 8, 16, 24, 32, 40
	convRows, convRowStride, convLen, convPixelStride                = 48, 56, 64, 72
	convDstStride, convResStride, convFloats                         = 80, 88, 96
	convResScale, convLow, convHigh                                  = 104, 108, 112
)

// convBegin loads what all convolution kernels keep in general registers.
func convBegin(a *assembly, name string) {
	a.begin(name, "conv8Args")
	a.op("MOVQ %d(AX), SI", convSrc)
	a.op("MOVQ %d(AX), DI", convWeights)
	a.op("MOVQ %d(AX), R13", convBias)
	a.op("MOVQ %d(AX), BX", convRows)
	a.op("MOVQ %d(AX), R8", convPixelStride)
	a.op("LEAQ (R8)(R8*2), R9")
}

// convLoop writes the loops over rows of taps and over fours of input channels. Three pixels share
// a pointer, one pixel stride apart.
func convLoop(a *assembly, n int, step func(pixel func(i, offset int) string)) {
	pointers := []string{"DX", "R10", "R11", "R12"}[:(n+2)/3]
	a.label("row")
	a.op("MOVQ SI, DX")
	for i := 1; i < len(pointers); i++ {
		a.op("LEAQ (%s)(R9*1), %s", pointers[i-1], pointers[i])
	}
	a.op("MOVQ %d(AX), CX", convLen)
	a.label("next")
	step(func(i, offset int) string {
		return fmt.Sprint(offset, "(", pointers[i/3], ")", []string{"", "(R8*1)", "(R8*2)"}[i%3])
	})
	for _, p := range pointers {
		a.op("ADDQ $4, %s", p)
	}
	a.op("DECQ CX")
	a.op("JNZ next")
	a.op("ADDQ %d(AX), SI", convRowStride)
	a.op("DECQ BX")
	a.op("JNZ row")
}

// convVNNI writes the kernel for n pixels and some vectors of 16 channels. VPDPBUSD adds four
// products of a byte of src and a signed byte of weights to a sum, exactly. Where sums leave no
// register for a vector of weights, it is taken from memory each time.
func convVNNI(a *assembly, vectors, n int) string {
	name := fmt.Sprintf("conv8VNNIv%dn%d", vectors, n)
	sum := func(i, v int) string { return fmt.Sprint("Z", i*vectors+v) }
	first := max(24, n*vectors) // register of weights
	held := min(vectors, 31-first)
	weight := func(v int) string {
		if v < held {
			return fmt.Sprint("Z", first+v)
		}
		return fmt.Sprintf("%d(DI)", 64*v)
	}
	spare := first + held
	convBegin(a, name)
	for v := range vectors {
		a.op("VMOVDQU32 %d(R13), %s", 64*v, sum(0, v))
		for i := 1; i < n; i++ {
			a.op("VMOVDQA32 %s, %s", sum(0, v), sum(i, v))
		}
	}
	convLoop(a, n, func(pixel func(i, offset int) string) {
		for v := range held {
			a.op("VMOVDQU32 %d(DI), %s", 64*v, weight(v))
		}
		for i := range n {
			x := fmt.Sprint("Z", spare+i%(32-spare))
			a.op("VPBROADCASTD %s, %s", pixel(i, 0), x)
			for v := range vectors {
				a.op("VPDPBUSD %s, %s, %s", weight(v), x, sum(i, v))
			}
		}
		a.op("ADDQ $%d, DI", 64*vectors)
	})
	convVNNIEnd(a, vectors, n, sum)
	return name
}

// convVNNIEnd scales, adds the residual where there is one, and stores bytes or floats.
func convVNNIEnd(a *assembly, vectors, n int, sum func(i, v int) string) {
	each := func(f func(i, v int, sum string)) {
		for i := range n {
			for v := range vectors {
				f(i, v, sum(i, v))
			}
		}
	}
	a.op("MOVQ %d(AX), R13", convScale)
	each(func(_, v int, s string) {
		a.op("VCVTDQ2PS %s, %s", s, s)
		a.op("VMULPS %d(R13), %s, %s", 64*v, s, s)
	})
	a.op("MOVQ %d(AX), SI", convResidual)
	a.op("TESTQ SI, SI")
	a.op("JZ store")
	a.op("VBROADCASTSS %d(AX), Z28", convResScale)
	each(func(i, v int, s string) {
		t := fmt.Sprint("Z", 29+(i*vectors+v)%3)
		a.op("VPMOVZXBD %d(SI), %s", 16*v, t)
		a.op("VCVTDQ2PS %s, %s", t, t)
		a.op("VMULPS Z28, %s, %s", t, t)
		a.op("VADDPS %s, %s, %s", t, s, s)
		if v == vectors-1 && i < n-1 {
			a.op("ADDQ %d(AX), SI", convResStride)
		}
	})
	a.label("store")
	a.op("MOVQ %d(AX), DX", convDst)
	a.op("MOVQ %d(AX), R8", convDstStride)
	a.op("CMPQ %d(AX), $0", convFloats)
	a.op("JNE floats")
	convVNNIBytes(a, vectors, n, sum)
	a.end()
	a.label("floats")
	a.op("VBROADCASTSS %d(AX), Z30", convLow)
	a.op("VBROADCASTSS %d(AX), Z31", convHigh)
	each(func(_, v int, s string) {
		a.op("VMAXPS Z30, %s, %s", s, s)
		a.op("VMINPS Z31, %s, %s", s, s)
		a.op("VMOVUPS %s, %d(DX)", s, 64*v)
		if v == vectors-1 {
			a.op("ADDQ R8, DX")
		}
	})
	a.end()
}

// convVNNIBytes rounds and stores. Packing works within quarters of registers; VPERMD then puts the
// quarters of each vector together.
func convVNNIBytes(a *assembly, vectors, n int, sum func(i, v int) string) {
	pack := func(into, s1, s2, s3 string) {
		a.op("VPACKSSDW %s, %s, %s", s1, into, into)
		if s2 != into {
			a.op("VPACKSSDW %s, %s, %s", s3, s2, s2)
		}
		a.op("VPACKUSWB %s, %s, %s", s2, into, into)
		a.op("VPERMD %s, Z28, %s", into, into)
	}
	if vectors%2 == 0 {
		a.op("VMOVDQU32 quarters8<>(SB), Z28")
	} else {
		a.op("VPXORD Z28, Z28, Z28")
	}
	for i := range n {
		for v := range vectors {
			a.op("VCVTPS2DQ %s, %s", sum(i, v), sum(i, v))
		}
		switch {
		case vectors == 4:
			pack(sum(i, 0), sum(i, 1), sum(i, 2), sum(i, 3))
			a.op("VMOVDQU32 %s, (DX)", sum(i, 0))
		case vectors == 2 && i%2 == 0 && i == n-1:
			pack(sum(i, 0), sum(i, 1), sum(i, 0), sum(i, 1))
			a.op("VMOVDQU32 %s, (DX)", half(sum(i, 0)))
		case vectors == 2 && i%2 == 1:
			pack(sum(i-1, 0), sum(i-1, 1), sum(i, 0), sum(i, 1))
			a.op("VMOVDQU32 %s, (DX)", half(sum(i-1, 0)))
			a.op("VEXTRACTI64X4 $1, %s, (DX)(R8*1)", sum(i-1, 0))
			a.op("LEAQ (DX)(R8*2), DX")
		case vectors%2 == 1:
			for v := range vectors {
				a.op("VPMAXSD Z28, %s, %s", sum(i, v), sum(i, v))
				a.op("VPMOVUSDB %s, %d(DX)", sum(i, v), 16*v)
			}
		}
		if vectors != 2 {
			a.op("ADDQ R8, DX")
		}
	}
}

// half is the name of the lower half of a register.
func half(z string) string { return "Y" + z[1:] }

// convAVX2 writes the kernel for n pixels and 16 channels. VPMADDUBSW would saturate, so bytes are
// widened: VPMADDWD adds two products of 16-bit numbers, exactly. Weights are pairs of int16.
func convAVX2(a *assembly, n int) string {
	name := fmt.Sprintf("conv8AVX2n%d", n)
	sum := func(i, v int) string { return fmt.Sprint("Y", 2*i+v) }
	convBegin(a, name)
	for v := range 2 {
		a.op("VMOVDQU %d(R13), %s", 32*v, sum(0, v))
		for i := 1; i < n; i++ {
			a.op("VMOVDQA %s, %s", sum(0, v), sum(i, v))
		}
	}
	convLoop(a, n, func(pixel func(i, offset int) string) {
		for half := range 2 {
			a.op("VMOVDQU %d(DI), Y10", 64*half)
			a.op("VMOVDQU %d(DI), Y11", 64*half+32)
			for i := range n {
				x := 12 + i%2
				a.op("VPBROADCASTW %s, X%d", pixel(i, 2*half), x)
				a.op("VPMOVZXBW X%d, Y%d", x, x)
				a.op("VPMADDWD Y10, Y%d, Y14", x)
				a.op("VPADDD Y14, %s, %s", sum(i, 0), sum(i, 0))
				a.op("VPMADDWD Y11, Y%d, Y15", x)
				a.op("VPADDD Y15, %s, %s", sum(i, 1), sum(i, 1))
			}
		}
		a.op("ADDQ $128, DI")
	})
	convAVX2End(a, n, sum)
	return name
}

func convAVX2End(a *assembly, n int, sum func(i, v int) string) {
	each := func(f func(i, v int, sum string)) {
		for i := range n {
			for v := range 2 {
				f(i, v, sum(i, v))
			}
		}
	}
	a.op("MOVQ %d(AX), R13", convScale)
	each(func(_, v int, s string) {
		a.op("VCVTDQ2PS %s, %s", s, s)
		a.op("VMULPS %d(R13), %s, %s", 32*v, s, s)
	})
	a.op("MOVQ %d(AX), SI", convResidual)
	a.op("TESTQ SI, SI")
	a.op("JZ store")
	a.op("VBROADCASTSS %d(AX), Y15", convResScale)
	each(func(i, v int, s string) {
		a.op("VPMOVZXBD %d(SI), Y14", 8*v)
		a.op("VCVTDQ2PS Y14, Y14")
		a.op("VMULPS Y15, Y14, Y14")
		a.op("VADDPS Y14, %s, %s", s, s)
		if v == 1 && i < n-1 {
			a.op("ADDQ %d(AX), SI", convResStride)
		}
	})
	a.label("store")
	a.op("MOVQ %d(AX), DX", convDst)
	a.op("MOVQ %d(AX), R8", convDstStride)
	a.op("CMPQ %d(AX), $0", convFloats)
	a.op("JNE floats")
	for i := range n {
		storeAVX2(a, sum(i, 0), sum(i, 1), "(DX)")
		a.op("ADDQ R8, DX")
	}
	a.end()
	a.label("floats")
	a.op("VBROADCASTSS %d(AX), Y14", convLow)
	a.op("VBROADCASTSS %d(AX), Y15", convHigh)
	each(func(_, v int, s string) {
		a.op("VMAXPS Y14, %s, %s", s, s)
		a.op("VMINPS Y15, %s, %s", s, s)
		a.op("VMOVUPS %s, %d(DX)", s, 32*v)
		if v == 1 {
			a.op("ADDQ R8, DX")
		}
	})
	a.end()
}

// storeAVX2 rounds 8+8 floats to 16 bytes, saturating.
func storeAVX2(a *assembly, low, high, to string) {
	a.op("VCVTPS2DQ %s, %s", low, low)
	a.op("VCVTPS2DQ %s, %s", high, high)
	a.op("VPACKSSDW %s, %s, %s", high, low, low)
	a.op("VPERMQ $0xD8, %s, %s", low, low)
	a.op("VEXTRACTI128 $1, %s, X%s", low, high[1:])
	a.op("VPACKUSWB X%s, X%s, X%s", high[1:], low[1:], low[1:])
	a.op("VMOVDQU X%s, %s", low[1:], to)
}
