package main

import "fmt"

// Byte offsets of the fields of tensor.convArgs.
const (
	convSrc, convWeights, convDst, convBias, convResidual = 0, 8, 16, 24, 32
	convRows, convRowStride, convLen, convPixelStride     = 40, 48, 56, 64
	convDstStride, convResStride, convLow, convHigh       = 72, 80, 88, 92
)

// strip is the most pixels of a convolution kernel, each with a pointer from R8 on; its sums, of up
// to three vectors of channels, take the registers from firstSum on.
const strip = 8

// convs writes the convolution kernels and returns their table.
func (w *writer) convs() string {
	table := "// Kernels by the number of output channels; element n-1 does n pixels.\nvar convNEON = map[int][]func(*convArgs){\n"
	for vectors := 1; vectors <= 3; vectors++ {
		table += fmt.Sprintf("%d: {", 4*vectors)
		for n := 1; n <= strip; n++ {
			table += w.conv(vectors, n) + ", "
		}
		table += "},\n"
	}
	return table + "}\n\n"
}

// conv writes the kernel for n pixels and some vectors of channels:
//
//	dst[i][o] = clamp(bias[o] + residual[i][o] + Σ src[row][i][k]*weights[row][k][o])
func (w *writer) conv(vectors, n int) string {
	name := fmt.Sprintf("convNEONw%dn%d", 4*vectors, n)
	sum := func(i, v int) int { return firstSum + i*vectors + v }
	w.beginArgs(name, "convArgs", []arg{{convSrc, 8}, {convWeights, 2}, {convBias, 3}, {convRows, 4}, {convRowStride, 5}, {convLen, 6}, {convPixelStride, 7}})
	for i := 1; i < n; i++ {
		w.op("ADD R7, R%d, R%d", firstRow+i-1, firstRow+i)
	}
	for v := range vectors {
		w.op("FMOVQ %d(R3), F%d", 16*v, sum(0, v))
		for i := 1; i < n; i++ {
			w.arm("mov v%.16b, v%.16b", sum(i, v), sum(0, v))
		}
	}
	w.convSums(vectors, n, sum)
	w.convEpilogue(vectors, n, sum)
	return name
}

// convSums adds the products of all rows of taps. R16 is the place in a pixel's values, R17 where a
// row begins and R19 where it ends.
func (w *writer) convSums(vectors, n int, sum func(i, v int) int) {
	w.op("LSL $2, R6")
	w.op("MOVD $0, R17")
	w.label("row")
	w.op("MOVD R17, R16")
	w.op("ADD R6, R17, R19")
	w.label("next")
	for v := range vectors {
		w.op("FMOVQ %d(R2), F%d", 16*v, v)
	}
	w.op("ADD $%d, R2", 16*vectors)
	w.valuesOfRows(n, func(i, x int) {
		for v := range vectors {
			w.arm("fmla v%.4s, v%.4s, v%.s[0]", sum(i, v), v, x)
		}
	})
	w.op("ADD $4, R16")
	w.op("CMP R19, R16")
	w.op("BNE next")
	w.op("ADD R5, R17")
	w.op("SUBS $1, R4")
	w.op("BNE row")
}

// convEpilogue adds the residual where there is one, clamps and stores.
func (w *writer) convEpilogue(vectors, n int, sum func(i, v int) int) {
	w.op("MOVD %d(R0), R1", convResidual)
	w.op("CBZ R1, clamp")
	w.op("MOVD %d(R0), R2", convResStride)
	for i := range n {
		for v := range vectors {
			w.op("FMOVQ %d(R1), F%d", 16*v, v)
			w.arm("fadd v%.4s, v%.4s, v%.4s", sum(i, v), sum(i, v), v)
		}
		w.op("ADD R2, R1")
	}
	w.label("clamp")
	w.limits(convLow, 0, 1)
	w.op("MOVD %d(R0), R1", convDst)
	w.op("MOVD %d(R0), R2", convDstStride)
	for i := range n {
		for v := range vectors {
			w.clampStore(sum(i, v), 0, 1, fmt.Sprintf("%d(R1)", 16*v))
		}
		w.op("ADD R2, R1")
	}
	w.op("RET")
}

// An arg is a field, by its offset, and the register that is to hold it.
type arg struct{ offset, register int }

// beginArgs opens a function of one argument, a pointer to its args, which it leaves in R0.
func (w *writer) beginArgs(name, args string, fields []arg) {
	w.begin(name, "(args *"+args+")", 8)
	w.op("MOVD args+0(FP), R0")
	for _, f := range fields {
		w.op("MOVD %d(R0), R%d", f.offset, f.register)
	}
}

// limits spreads the limits at an offset of the args.
func (w *writer) limits(offset, low, high int) {
	w.op("ADD $%d, R0, R20", offset)
	w.op("VLD1R.P 4(R20), [V%d.S4]", low)
	w.op("VLD1R (R20), [V%d.S4]", high)
}

// clampStore keeps what is not a number.
func (w *writer) clampStore(value, low, high int, to string) {
	w.arm("fmax v%.4s, v%.4s, v%.4s", value, value, low)
	w.arm("fmin v%.4s, v%.4s, v%.4s", value, value, high)
	w.op("FMOVQ F%d, %s", value, to)
}

// Byte offsets of the fields of tensor.depthwiseArgs.
const (
	depthSrc, depthWeights, depthDst, depthBias       = 0, 8, 16, 24
	depthRowStride, depthPixelStride, depthDstStride  = 32, 40, 48
	depthTapStride, depthVectors, depthLow, depthHigh = 56, 64, 72, 76
)

// depthwises writes the depthwise kernels and returns their table.
func (w *writer) depthwises() string {
	table := "// Kernels by 10*size + stride; element n-1 does n pixels.\nvar depthwiseNEON = map[int][]func(*depthwiseArgs){\n"
	for _, size := range []int{3, 5} {
		for stride := 1; stride <= 2; stride++ {
			table += fmt.Sprintf("%d: {", 10*size+stride)
			for n := 1; n <= strip; n++ {
				table += w.depthwise(size, stride, n) + ", "
			}
			table += "},\n"
		}
	}
	return table + "}\n"
}

// depthwise writes the kernel for n pixels of a row and any number of vectors of channels. Each
// value of src is loaded once for all the pixels and taps that need it.
func (w *writer) depthwise(size, stride, n int) string {
	name := fmt.Sprintf("depthwiseNEONk%ds%dn%d", size, stride, n)
	const weight, spare = strip, strip + 5 // registers; sums are 0 to 7
	w.beginArgs(name, "depthwiseArgs", []arg{{depthSrc, 1}, {depthWeights, 2}, {depthDst, 3}, {depthBias, 4}, {depthRowStride, 5},
		{depthPixelStride, 6}, {depthTapStride, 7}, {depthDstStride, 8}, {depthVectors, 9}})
	w.limits(depthLow, 30, 31)
	w.label("vector")
	w.op("FMOVQ.P 16(R4), F0")
	for i := 1; i < n; i++ {
		w.arm("mov v%.16b, v%.16b", i, 0)
	}
	w.op("MOVD R1, R11")
	w.op("MOVD R2, R12")
	w.op("MOVD $%d, R10", size)
	w.label("row")
	for tap := range size {
		w.op("VLD1.P (R12)(R7), [V%d.S4]", weight+tap)
	}
	w.op("MOVD R11, R13")
	for column := range (n-1)*stride + size {
		x := spare + column%(30-spare)
		w.op("VLD1.P (R13)(R6), [V%d.S4]", x)
		for i := range n {
			if tap := column - i*stride; 0 <= tap && tap < size {
				w.arm("fmla v%.4s, v%.4s, v%.4s", i, x, weight+tap)
			}
		}
	}
	w.op("ADD R5, R11")
	w.op("SUBS $1, R10")
	w.op("BNE row")
	w.op("MOVD R3, R13")
	for i := range n {
		w.clampStore(i, 30, 31, "(R13)")
		w.op("ADD R8, R13")
	}
	for _, p := range []string{"R1", "R2", "R3"} {
		w.op("ADD $16, %s", p)
	}
	w.op("SUBS $1, R9")
	w.op("BNE vector")
	w.op("RET")
	return name
}
