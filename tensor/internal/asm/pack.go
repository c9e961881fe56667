package main

import "fmt"

// The packing kernels lay k rows of w values side by side: dst[p*ds+i] for p < k and i < w,
// strides in elements. packCopy reads src[p*ss+i], w up to two vectors;
// packTrans reads src[i*ss+p], w up to one vector.
// AVX2 writes whole vectors, so dst has room for them: one for w up to 8, else two.
const packSignature = "(dst, src *float32, k, ss, ds, w int)"

func writePack(w *writer) {
	w.packCopy()
	w.packTrans()
}

func (w *writer) packArgs() {
	w.op("MOVQ", "dst+0(FP)", "DI")
	w.op("MOVQ", "src+8(FP)", "SI")
	w.op("MOVQ", "k+16(FP)", "DX")
	w.op("MOVQ", "ss+24(FP)", "R8")
	w.op("MOVQ", "ds+32(FP)", "R9")
	w.op("MOVQ", "w+40(FP)", "CX")
	w.op("SHLQ", "$2", "R8")
	w.op("SHLQ", "$2", "R9")
}

func (w *writer) packCopy() {
	w.begin("packCopy"+w.name, packSignature, 48)
	w.packArgs()
	if w.isa == avx512 {
		w.op("MOVQ", "$1", "AX")
		w.op("SHLQ", "CX", "AX")
		w.op("DECQ", "AX")
		w.op("KMOVW", "AX", "K1")
		w.op("SHRQ", "$16", "AX")
		w.op("KMOVW", "AX", "K2")
	} else {
		w.op("LEAQ", "masks<>+64(SB)", "R10")
		w.op("LEAQ", "(CX*4)", "AX")
		w.op("SUBQ", "AX", "R10")
		w.op("VMOVUPS", "(R10)", "Y2")
		w.op("VMOVUPS", "32(R10)", "Y3")
	}
	w.op("CMPQ", "CX", fmt.Sprint("$", w.lanes))
	w.op("JLE", "one")
	w.packCopyLoop("two", 2)
	w.end()
	w.packCopyLoop("one", 1)
	w.end()
}

func (w *writer) packCopyLoop(label string, vectors int) {
	masks := []string{"K1", "K2"}
	if w.isa == avx2 {
		masks = []string{"Y2", "Y3"}
	}
	w.label(label)
	w.op("PREFETCHT0", "(SI)(R8*8)")
	for v := range vectors {
		w.masked, w.mask = true, masks[v]
		w.load(fmt.Sprintf("%d(SI)", v*w.bytes()), w.reg(v))
	}
	for v := range vectors {
		w.masked, w.mask = w.isa == avx512, masks[v]
		w.store(w.reg(v), fmt.Sprintf("%d(DI)", v*w.bytes()))
	}
	w.op("ADDQ", "R8", "SI")
	w.op("ADDQ", "R9", "DI")
	w.op("DECQ", "DX")
	w.op("JNZ", label)
}

// packTrans transposes squares of one vector's size. Rows beyond w are not read; what stands in
// their registers is not written or never used.
func (w *writer) packTrans() {
	w.begin("packTrans"+w.name, packSignature, 48)
	w.packArgs()
	w.op("MOVQ", "CX", "R10") // w
	if w.isa == avx512 {
		w.op("MOVQ", "$1", "AX")
		w.op("SHLQ", "CX", "AX")
		w.op("DECQ", "AX")
		w.op("KMOVW", "AX", "K2")
		w.op("MOVQ", "$0xffff", "AX")
		w.op("KMOVW", "AX", "K1")
	}
	for i := range w.lanes {
		w.zero(w.reg(i))
	}
	w.label("square")
	w.op("CMPQ", "DX", fmt.Sprint("$", w.lanes))
	w.op("JLT", "tail")
	w.packSquare("whole", false)
	w.op("ADDQ", fmt.Sprint("$", w.bytes()), "SI")
	w.op("SUBQ", fmt.Sprint("$", w.lanes), "DX")
	w.op("JMP", "square")
	w.label("tail")
	w.op("TESTQ", "DX", "DX")
	w.op("JZ", "done")
	w.packTailMask()
	w.packSquare("last", true)
	w.label("done")
	w.end()
}

// packTailMask masks the DX columns that are left.
func (w *writer) packTailMask() {
	if w.isa == avx512 {
		w.op("MOVQ", "DX", "CX")
		w.op("MOVQ", "$1", "AX")
		w.op("SHLQ", "CX", "AX")
		w.op("DECQ", "AX")
		w.op("KMOVW", "AX", "K1")
		return
	}
	w.op("LEAQ", "masks<>+64(SB)", "R11")
	w.op("LEAQ", "(DX*4)", "AX")
	w.op("SUBQ", "AX", "R11")
	w.op("VMOVUPS", "(R11)", "Y15")
}

// packSquare transposes one square, of DX columns if it is the tail.
func (w *writer) packSquare(label string, tail bool) {
	w.masked, w.mask = tail, "K1"
	if w.isa == avx2 {
		w.mask = "Y15"
	}
	w.op("MOVQ", "SI", "BX")
	for i := range w.lanes {
		if i > 0 {
			w.op("CMPQ", "R10", fmt.Sprint("$", i))
			w.op("JLE", label)
			w.op("ADDQ", "R8", "BX")
		}
		w.load("(BX)", w.reg(i))
	}
	w.label(label)
	columns := w.transpose512
	if w.isa == avx2 {
		columns = w.transpose256
	}
	w.masked, w.mask = w.isa == avx512, "K2"
	for p, reg := range columns() {
		if tail && p > 0 {
			w.op("CMPQ", "DX", fmt.Sprint("$", p))
			w.op("JLE", "done")
		}
		w.store(reg, "(DI)")
		w.op("ADDQ", "R9", "DI")
	}
}

// transpose256 turns the 8x8 square in Y0-Y7; it names the registers that hold its columns.
func (w *writer) transpose256() []string {
	y := w.reg
	for i := 0; i < 8; i += 2 { // pairs of rows: columns 0 1, 4 5 and 2 3, 6 7
		w.op("VUNPCKLPS", y(i+1), y(i), y(8+i/2))
		w.op("VUNPCKHPS", y(i+1), y(i), y(12+i/2)) // the tail's mask in Y15 has served by now
	}
	for i := range 2 { // four rows: columns c and c+4
		w.op("VUNPCKLPD", y(9+2*i), y(8+2*i), y(4*i))
		w.op("VUNPCKHPD", y(9+2*i), y(8+2*i), y(4*i+1))
		w.op("VUNPCKLPD", y(13+2*i), y(12+2*i), y(4*i+2))
		w.op("VUNPCKHPD", y(13+2*i), y(12+2*i), y(4*i+3))
	}
	columns := make([]string, 8)
	for c := range 4 {
		w.op("VPERM2F128", "$0x20", y(4+c), y(c), y(8+c))
		w.op("VPERM2F128", "$0x31", y(4+c), y(c), y(12+c))
		columns[c], columns[c+4] = y(8+c), y(12+c)
	}
	return columns
}

// transpose512 turns the 16x16 square in Z0-Z15; it names the registers that hold its columns.
func (w *writer) transpose512() []string {
	z := w.reg
	for i := 0; i < 16; i += 2 {
		w.op("VUNPCKLPS", z(i+1), z(i), z(16+i))
		w.op("VUNPCKHPS", z(i+1), z(i), z(17+i))
	}
	for i := 0; i < 16; i += 4 { // z(i+c): columns c, c+4, c+8, c+12 of rows i to i+3
		w.op("VUNPCKLPD", z(18+i), z(16+i), z(i))
		w.op("VUNPCKHPD", z(18+i), z(16+i), z(i+1))
		w.op("VUNPCKLPD", z(19+i), z(17+i), z(i+2))
		w.op("VUNPCKHPD", z(19+i), z(17+i), z(i+3))
	}
	columns := make([]string, 16)
	for c := range 4 {
		w.op("VSHUFF32X4", "$0x88", z(4+c), z(c), z(16)) // columns c, c+8 of rows 0 to 7
		w.op("VSHUFF32X4", "$0xdd", z(4+c), z(c), z(17)) // columns c+4, c+12
		w.op("VSHUFF32X4", "$0x88", z(12+c), z(8+c), z(18))
		w.op("VSHUFF32X4", "$0xdd", z(12+c), z(8+c), z(19))
		w.op("VSHUFF32X4", "$0x88", z(18), z(16), z(c))
		w.op("VSHUFF32X4", "$0x88", z(19), z(17), z(4+c))
		w.op("VSHUFF32X4", "$0xdd", z(18), z(16), z(8+c))
		w.op("VSHUFF32X4", "$0xdd", z(19), z(17), z(12+c))
		for q := range 4 {
			columns[c+4*q] = z(4*q + c)
		}
	}
	return columns
}
