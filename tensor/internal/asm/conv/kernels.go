package main

import "fmt"

// Byte offsets of the fields of tensor.convArgs.
const (
	convSrc, convWeights, convDst, convBias, convResidual = 0, 8, 16, 24, 32
	convRows, convRowStride, convLen, convPixelStride     = 40, 48, 56, 64
	convDstStride, convResStride, convLow, convHigh       = 72, 80, 88, 92
	convStrips, convAtSrc, convAtDst, convAtResidual      = 96, 104, 112, 120
	convAhead, convAheadStep                              = 128, 136
)

// convKernel writes the kernel for strips of n pixels and width channels:
//
//	dst[i][o] = clamp(bias[o] + residual[i][o] + Σ src[row][i][k]*weights[row][k][o])
func convKernel(a *assembly, s isa, width, n int) string {
	name := fmt.Sprintf("conv%sw%dn%d", s.name, width, n)
	vectors := s.vectors(width)
	sum := func(i, v int) string { return s.vector(i*vectors+v, v, width) }
	weight := func(v int) string { return s.vector(s.sums+v, v, width) }

	a.begin(name, "convArgs")
	for _, p := range [][2]int{{convSrc, convAtSrc}, {convDst, convAtDst}, {convResidual, convAtResidual}} {
		a.op("MOVQ %d(AX), SI", p[0])
		a.op("MOVQ SI, %d(AX)", p[1])
	}
	a.label("strip")
	a.op("MOVQ %d(AX), SI", convAtSrc)
	a.op("MOVQ %d(AX), DI", convWeights)
	a.op("MOVQ %d(AX), R13", convBias)
	a.op("MOVQ %d(AX), BX", convRows)
	a.op("MOVQ %d(AX), R8", convPixelStride)
	a.op("LEAQ (R8)(R8*2), R9")
	for v := range vectors {
		a.op("VMOVUPS %d(R13), %s", 4*s.lanes*v, sum(0, v))
		for i := 1; i < n; i++ {
			a.op("VMOVAPS %s, %s", sum(0, v), sum(i, v))
		}
	}
	a.op("MOVQ %d(AX), R13", convAheadStep)
	a.op("MOVQ %d(AX), R14", convAhead)
	convSums(a, s, width, n, sum, weight)
	a.op("MOVQ R14, %d(AX)", convAhead)
	convEpilogue(a, s, width, n, sum)
	a.op("MOVQ DX, %d(AX)", convAtDst)
	a.op("IMUL3Q $%d, %d(AX), R8", n, convPixelStride)
	a.op("ADDQ R8, %d(AX)", convAtSrc)
	a.op("DECQ %d(AX)", convStrips)
	a.op("JNZ strip")
	a.end()
	return name
}

// convSums adds the products of all rows. Three pixels share a pointer, one pixel stride apart.
func convSums(a *assembly, s isa, width, n int, sum func(i, v int) string, weight func(v int) string) {
	vectors := s.vectors(width)
	pointers := []string{"DX", "R10", "R11", "R12"}[:(n+2)/3]
	spare := s.sums + vectors // first register free for values of src
	free := 32 - spare
	if s.lanes == 8 {
		free = 16 - spare
	}
	a.label("row")
	a.op("MOVQ SI, DX")
	for i := 1; i < len(pointers); i++ {
		a.op("LEAQ (%s)(R9*1), %s", pointers[i-1], pointers[i])
	}
	a.op("MOVQ %d(AX), CX", convLen)
	a.label("next")
	for v := range vectors {
		a.op("VMOVUPS %d(DI), %s", 4*s.lanes*v, weight(v))
	}
	for i := range n {
		x := spare + i%free
		pixel := "(" + pointers[i/3] + ")" + []string{"", "(R8*1)", "(R8*2)"}[i%3]
		if vectors == 1 && s.lanes == 16 {
			a.op("VFMADD231PS.BCST %s, %s, %s", pixel, weight(0), sum(i, 0))
			continue
		}
		a.op("VBROADCASTSS %s, %s%d", pixel, s.reg, x)
		for v := range vectors {
			a.op("VFMADD231PS %s, %s, %s", weight(v), s.vector(x, v, width), sum(i, v))
		}
	}
	a.op("PREFETCHT0 (R14)")
	a.op("ADDQ R13, R14")
	a.op("ADDQ $%d, DI", 4*width)
	for _, p := range pointers {
		a.op("ADDQ $4, %s", p)
	}
	a.op("DECQ CX")
	a.op("JNZ next")
	a.op("ADDQ %d(AX), SI", convRowStride)
	a.op("DECQ BX")
	a.op("JNZ row")
}

// convEpilogue adds the residual where there is one, clamps and stores.
func convEpilogue(a *assembly, s isa, width, n int, sum func(i, v int) string) {
	vectors := s.vectors(width)
	a.op("MOVQ %d(AX), SI", convAtResidual)
	a.op("TESTQ SI, SI")
	a.op("JZ clamp")
	for i := range n {
		for v := range vectors {
			a.op("VADDPS %d(SI), %s, %s", 4*s.lanes*v, sum(i, v), sum(i, v))
		}
		a.op("ADDQ %d(AX), SI", convResStride)
	}
	a.op("MOVQ SI, %d(AX)", convAtResidual)
	a.label("clamp")
	low, high := s.sums, s.sums+1
	a.op("VBROADCASTSS %d(AX), %s%d", convLow, s.reg, low)
	a.op("VBROADCASTSS %d(AX), %s%d", convHigh, s.reg, high)
	a.op("MOVQ %d(AX), DX", convAtDst)
	a.op("MOVQ %d(AX), R8", convDstStride)
	for i := range n {
		for v := range vectors {
			clampStore(a, sum(i, v), s.vector(low, v, width), s.vector(high, v, width), fmt.Sprintf("%d(DX)", 4*s.lanes*v))
		}
		a.op("ADDQ R8, DX")
	}
}

// clampStore keeps a NaN: it is the second source that the instructions then choose.
func clampStore(a *assembly, value, low, high, to string) {
	a.op("VMAXPS %s, %s, %s", value, low, value)
	a.op("VMINPS %s, %s, %s", value, high, value)
	a.op("VMOVUPS %s, %s", value, to)
}

// depthwisePixels is the longest strip of a depthwise kernel: with the weights of one row of taps
// its sums fit 16 registers.
const depthwisePixels = 8

// Byte offsets of the fields of tensor.depthwiseArgs.
const (
	depthSrc, depthWeights, depthDst, depthBias       = 0, 8, 16, 24
	depthRowStride, depthPixelStride, depthDstStride  = 32, 40, 48
	depthTapStride, depthVectors, depthLow, depthHigh = 56, 64, 72, 76
)

// depthwiseKernel writes the kernel for n pixels of a row and any number of whole vectors of
// channels. Each value of src is loaded once for all the pixels and taps that need it.
func depthwiseKernel(a *assembly, s isa, size, stride, n int) string {
	name := fmt.Sprintf("depthwise%sk%ds%dn%d", s.name, size, stride, n)
	sum := func(i int) string { return fmt.Sprint(s.reg, i) }
	weight := func(i int) string { return fmt.Sprint(s.reg, depthwisePixels+i) }
	spare := depthwisePixels + size

	a.begin(name, "depthwiseArgs")
	a.op("MOVQ %d(AX), SI", depthSrc)
	a.op("MOVQ %d(AX), DI", depthWeights)
	a.op("MOVQ %d(AX), DX", depthDst)
	a.op("MOVQ %d(AX), R13", depthBias)
	a.op("MOVQ %d(AX), R8", depthPixelStride)
	a.op("MOVQ %d(AX), R9", depthTapStride)
	a.op("MOVQ %d(AX), R10", depthDstStride)
	a.op("MOVQ %d(AX), CX", depthVectors)
	a.label("vector")
	a.op("VMOVUPS (R13), %s", sum(0))
	for i := 1; i < n; i++ {
		a.op("VMOVAPS %s, %s", sum(0), sum(i))
	}
	a.op("MOVQ SI, R11")
	a.op("MOVQ DI, R12")
	a.op("MOVQ $%d, BX", size)
	a.label("row")
	for i := range size {
		a.op("VMOVUPS (R12), %s", weight(i))
		a.op("ADDQ R9, R12")
	}
	a.op("MOVQ R11, R14")
	for column := range (n-1)*stride + size {
		x := fmt.Sprint(s.reg, spare+column%(16-spare))
		a.op("VMOVUPS (R14), %s", x)
		a.op("ADDQ R8, R14")
		for i := range n {
			if tap := column - i*stride; 0 <= tap && tap < size {
				a.op("VFMADD231PS %s, %s, %s", weight(tap), x, sum(i))
			}
		}
	}
	a.op("ADDQ %d(AX), R11", depthRowStride)
	a.op("DECQ BX")
	a.op("JNZ row")
	a.op("VBROADCASTSS %d(AX), %s", depthLow, weight(0))
	a.op("VBROADCASTSS %d(AX), %s", depthHigh, weight(1))
	a.op("MOVQ DX, R14")
	for i := range n {
		clampStore(a, sum(i), weight(0), weight(1), "(R14)")
		a.op("ADDQ R10, R14")
	}
	for _, p := range []string{"SI", "DI", "DX", "R13"} {
		a.op("ADDQ $%d, %s", 4*s.lanes, p)
	}
	a.op("DECQ CX")
	a.op("JNZ vector")
	a.end()
	return name
}

// Byte offsets of the fields of tensor.poolArgs.
const (
	poolSrc, poolDst, poolRows, poolCols                = 0, 8, 16, 24
	poolRowStride, poolPixelStride, poolVecs, poolScale = 32, 40, 48, 56
)

// poolKernel writes the kernel that reduces the pixels of a window to one, for any number of whole
// vectors of channels: to their maximum, or to scale times their sum. A maximum keeps NaN: register
// 2 collects where there was one.
func poolKernel(a *assembly, s isa, largest bool) string {
	name := "poolSum" + s.name
	if largest {
		name = "poolMax" + s.name
	}
	sum, x, nan, unordered := s.reg+"0", s.reg+"1", s.reg+"2", s.reg+"3"
	a.begin(name, "poolArgs")
	a.op("MOVQ %d(AX), SI", poolSrc)
	a.op("MOVQ %d(AX), DI", poolDst)
	a.op("MOVQ %d(AX), R8", poolRowStride)
	a.op("MOVQ %d(AX), R9", poolPixelStride)
	a.op("MOVQ %d(AX), DX", poolVecs)
	a.label("vector")
	if largest {
		a.op("VMOVUPS (SI), %s", sum)
		a.op("VXORPS %s, %s, %s", nan, nan, nan)
	} else {
		a.op("VXORPS %s, %s, %s", sum, sum, sum)
	}
	a.op("MOVQ SI, R11")
	a.op("MOVQ %d(AX), BX", poolRows)
	a.label("row")
	a.op("MOVQ R11, R12")
	a.op("MOVQ %d(AX), CX", poolCols)
	a.label("pixel")
	if largest {
		a.op("VMOVUPS (R12), %s", x)
		a.op("VCMPPS $3, %s, %s, %s", x, x, unordered)
		a.op("VORPS %s, %s, %s", unordered, nan, nan)
		a.op("VMAXPS %s, %s, %s", x, sum, sum)
	} else {
		a.op("VADDPS (R12), %s, %s", sum, sum)
	}
	a.op("ADDQ R9, R12")
	a.op("DECQ CX")
	a.op("JNZ pixel")
	a.op("ADDQ R8, R11")
	a.op("DECQ BX")
	a.op("JNZ row")
	if largest {
		a.op("VORPS %s, %s, %s", nan, sum, sum)
	} else {
		a.op("VBROADCASTSS %d(AX), %s", poolScale, x)
		a.op("VMULPS %s, %s, %s", x, sum, sum)
	}
	a.op("VMOVUPS %s, (DI)", sum)
	a.op("ADDQ $%d, SI", 4*s.lanes)
	a.op("ADDQ $%d, DI", 4*s.lanes)
	a.op("DECQ DX")
	a.op("JNZ vector")
	a.end()
	return name
}
