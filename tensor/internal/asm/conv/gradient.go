package main

import "fmt"

// Byte offsets of the fields of tensor.depthGradArgs.
const (
	gradSrc, gradGrad, gradDst, gradRows, gradCols = 0, 8, 16, 24, 32
	gradSrcRow, gradSrcPixel                       = 40, 48
	gradGradRow, gradGradPixel                     = 56, 64
	gradTapRow, gradTapPixel, gradTapDst           = 72, 80, 88
	gradVectors                                    = 96
)

// depthGradKernel writes the kernel that adds to the weight gradients of rows x size taps, for any
// number of whole vectors of channels. All sums of a vector stay in registers.
//
//	dst[ky][kx] += Σ grad[y][x]*src[y*stride+ky][x*stride+kx]
func depthGradKernel(a *assembly, s isa, rows, size int) string {
	name := fmt.Sprintf("depthGrad%sk%d", s.name, size)
	sum := func(ky, kx int) string { return fmt.Sprint(s.reg, ky*size+kx) }
	grad := fmt.Sprint(s.reg, rows*size)
	eachTap := func(f func(sum string)) {
		a.op("MOVQ DI, R14")
		for i := range rows * size {
			f(sum(i/size, i%size))
			a.op("ADDQ %d(AX), R14", gradTapDst)
		}
	}

	a.begin(name, "depthGradArgs")
	a.op("MOVQ %d(AX), SI", gradSrc)
	a.op("MOVQ %d(AX), DX", gradGrad)
	a.op("MOVQ %d(AX), DI", gradDst)
	a.op("MOVQ %d(AX), R8", gradTapPixel)
	a.op("LEAQ (R8)(R8*2), R9")
	a.label("vector")
	eachTap(func(sum string) { a.op("VMOVUPS (R14), %s", sum) })
	a.op("MOVQ SI, R10")
	a.op("MOVQ DX, R11")
	a.op("MOVQ %d(AX), BX", gradRows)
	a.label("row")
	a.op("MOVQ R10, R12")
	a.op("MOVQ R11, R13")
	a.op("MOVQ %d(AX), CX", gradCols)
	a.label("pixel")
	a.op("VMOVUPS (R13), %s", grad)
	a.op("MOVQ R12, R14")
	for ky := range rows {
		if ky > 0 {
			a.op("ADDQ %d(AX), R14", gradTapRow)
		}
		for kx := range size {
			a.op("VFMADD231PS (R14)%s, %s, %s", []string{"", "(R8*1)", "(R8*2)", "(R9*1)", "(R8*4)"}[kx], grad, sum(ky, kx))
		}
	}
	a.op("ADDQ %d(AX), R12", gradSrcPixel)
	a.op("ADDQ %d(AX), R13", gradGradPixel)
	a.op("DECQ CX")
	a.op("JNZ pixel")
	a.op("ADDQ %d(AX), R10", gradSrcRow)
	a.op("ADDQ %d(AX), R11", gradGradRow)
	a.op("DECQ BX")
	a.op("JNZ row")
	eachTap(func(sum string) { a.op("VMOVUPS %s, (R14)", sum) })
	for _, p := range []string{"SI", "DX", "DI"} {
		a.op("ADDQ $%d, %s", 4*s.lanes, p)
	}
	a.op("DECQ %d(AX)", gradVectors)
	a.op("JNZ vector")
	a.end()
	return name
}

// Byte offsets of the fields of tensor.maskArgs.
const maskDst, maskGrad, maskOut, maskVectors, maskLow, maskHigh = 0, 8, 16, 24, 32, 36

// maskKernel writes the kernel that copies grad where low < out < high and gives zero elsewhere.
func maskKernel(a *assembly, s isa) string {
	name := "mask" + s.name
	low, high, out, above, below := s.reg+"0", s.reg+"1", s.reg+"2", s.reg+"3", s.reg+"4"
	a.begin(name, "maskArgs")
	a.op("MOVQ %d(AX), DI", maskDst)
	a.op("MOVQ %d(AX), SI", maskGrad)
	a.op("MOVQ %d(AX), DX", maskOut)
	a.op("MOVQ %d(AX), CX", maskVectors)
	a.op("VBROADCASTSS %d(AX), %s", maskLow, low)
	a.op("VBROADCASTSS %d(AX), %s", maskHigh, high)
	a.label("vector")
	a.op("VMOVUPS (DX), %s", out)
	a.op("VCMPPS $14, %s, %s, %s", low, out, above) // 14: greater than, false for NaN
	a.op("VCMPPS $1, %s, %s, %s", high, out, below) // 1: less than
	a.op("VANDPS %s, %s, %s", above, below, below)
	a.op("VANDPS (SI), %s, %s", below, below)
	a.op("VMOVUPS %s, (DI)", below)
	for _, p := range []string{"DI", "SI", "DX"} {
		a.op("ADDQ $%d, %s", 4*s.lanes, p)
	}
	a.op("DECQ CX")
	a.op("JNZ vector")
	a.end()
	return name
}
