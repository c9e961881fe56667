package main

// The packing kernels lay k rows of w values side by side: dst[p*ds+i] for p < k and i < w,
// strides in elements. packCopy reads src[p*ss+i], w up to three vectors; packTrans reads
// src[i*ss+p], w up to one vector, and writes whole vectors.
const packSignature = "(dst, src *float32, k, ss, ds, w int)"

func (w *writer) packArgs() {
	for _, arg := range []string{"dst+0(FP), R0", "src+8(FP), R1", "k+16(FP), R2", "ss+24(FP), R3", "ds+32(FP), R4", "w+40(FP), R5"} {
		w.op("MOVD %s", arg)
	}
	w.op("LSL $2, R3")
	w.op("LSL $2, R4")
}

func (w *writer) packCopy() {
	w.begin("packCopyNEON", packSignature, 48)
	w.packArgs()
	w.eachSpan("R5", func(s span) {
		w.lastPart(s, "R0", "R5", "R6")
		w.lastPart(s, "R1", "R5", "R7")
		w.label(s.name + "Loop")
		w.load(s, "R1", "R7", 0)
		w.store(s, 0, "R0", "R6")
		w.advance(s, "R3", "R1", "R7")
		w.advance(s, "R4", "R0", "R6")
		w.op("SUBS $1, R2")
		w.op("BNE %sLoop", s.name)
		w.op("RET")
	})
}

// packTrans transposes squares of four by four. Rows beyond w are not read: the first one stands for
// them, and what it leaves behind means nothing.
func (w *writer) packTrans() {
	w.begin("packTransNEON", packSignature, 48)
	w.packArgs()
	w.op("MOVD R1, R8")
	for i := 1; i < 4; i++ {
		w.op("ADD R3, R%d, R%d", 7+i, 8+i)
	}
	for i := 1; i < 4; i++ {
		w.op("CMP $%d, R5", i)
		w.op("CSEL GT, R%d, R8, R%d", 8+i, 8+i)
	}
	w.label("square")
	w.op("CMP $4, R2")
	w.op("BLT tail")
	for i := range 4 {
		w.op("FMOVQ.P 16(R%d), F%d", 8+i, i)
	}
	w.arm("trn1 v%.4s, v%.4s, v%.4s", 4, 0, 1) // a0 b0 a2 b2
	w.arm("trn2 v%.4s, v%.4s, v%.4s", 5, 0, 1) // a1 b1 a3 b3
	w.arm("trn1 v%.4s, v%.4s, v%.4s", 6, 2, 3)
	w.arm("trn2 v%.4s, v%.4s, v%.4s", 7, 2, 3)
	w.arm("zip1 v%.2d, v%.2d, v%.2d", 0, 4, 6)
	w.arm("zip1 v%.2d, v%.2d, v%.2d", 1, 5, 7)
	w.arm("zip2 v%.2d, v%.2d, v%.2d", 2, 4, 6)
	w.arm("zip2 v%.2d, v%.2d, v%.2d", 3, 5, 7)
	for p := range 4 {
		w.op("FMOVQ F%d, (R0)", p)
		w.op("ADD R4, R0")
	}
	w.op("SUB $4, R2")
	w.op("B square")
	w.label("tail")
	w.op("CBZ R2, done")
	for i := range 4 {
		w.op("FMOVS.P 4(R%d), F%d", 8+i, i)
	}
	for i := range 4 {
		w.op("FMOVS F%d, %d(R0)", i, 4*i)
	}
	w.op("ADD R4, R0")
	w.op("SUB $1, R2")
	w.op("B tail")
	w.label("done")
	w.op("RET")
}
