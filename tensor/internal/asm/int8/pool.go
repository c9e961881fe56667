package main

// Byte offsets of the fields of tensor.pool8Args.
const (
	poolSrc, poolDst, poolRows, poolCols       = 0, 8, 16, 24
	poolRowStride, poolPixelStride, poolBlocks = 32, 40, 48
	poolOutside, poolScale                     = 56, 60
)

// poolAVX2 writes the kernels that reduce rows x cols pixels to one, 32 channels at a time.
func poolAVX2(a *assembly) (largest, sum string) {
	poolLoop(a, "pool8AVX2max", func() {
		a.op("VPXOR Y0, Y0, Y0")
	}, func() {
		a.op("VPMAXUB (R11), Y0, Y0")
	}, func() {
		a.op("VMOVDQU Y0, (DX)")
	})
	// Sums are of 16 bits until the last cell is in.
	poolLoop(a, "pool8AVX2sum", func() {
		a.op("VPXOR Y0, Y0, Y0")
		a.op("VPXOR Y1, Y1, Y1")
	}, func() {
		for i := range 2 {
			a.op("VPMOVZXBW %d(R11), Y%d", 16*i, 2+i)
			a.op("VPADDW Y%d, Y%d, Y%d", 2+i, i, i)
		}
	}, func() {
		a.op("VPBROADCASTD %d(AX), Y6", poolOutside)
		a.op("VBROADCASTSS %d(AX), Y7", poolScale)
		for i := range 2 {
			a.op("VEXTRACTI128 $1, Y%d, X3", i)
			a.op("VPMOVZXWD X%d, Y2", i)
			a.op("VPMOVZXWD X3, Y3")
			for k := 2; k < 4; k++ {
				a.op("VPADDD Y6, Y%d, Y%d", k, k)
				a.op("VCVTDQ2PS Y%d, Y%d", k, k)
				a.op("VMULPS Y7, Y%d, Y%d", k, k)
			}
			storeAVX2(a, "Y2", "Y3", []string{"(DX)", "16(DX)"}[i])
		}
	})
	return "pool8AVX2max", "pool8AVX2sum"
}

// poolLoop writes the loops over blocks of channels, over rows and over cells, which are at (R11).
func poolLoop(a *assembly, name string, open, cell, end func()) {
	a.begin(name, "pool8Args")
	a.op("MOVQ %d(AX), SI", poolSrc)
	a.op("MOVQ %d(AX), DX", poolDst)
	a.op("MOVQ %d(AX), R9", poolRowStride)
	a.op("MOVQ %d(AX), R8", poolPixelStride)
	a.op("MOVQ %d(AX), CX", poolBlocks)
	a.label("block")
	open()
	a.op("MOVQ SI, R10")
	a.op("MOVQ %d(AX), BX", poolRows)
	a.label("row")
	a.op("MOVQ R10, R11")
	a.op("MOVQ %d(AX), DI", poolCols)
	a.label("cell")
	cell()
	a.op("ADDQ R8, R11")
	a.op("DECQ DI")
	a.op("JNZ cell")
	a.op("ADDQ R9, R10")
	a.op("DECQ BX")
	a.op("JNZ row")
	end()
	a.op("ADDQ $32, SI")
	a.op("ADDQ $32, DX")
	a.op("DECQ CX")
	a.op("JNZ block")
	a.end()
}
