package main

import "fmt"

// The matrix kernels compute h rows of a result tile, all its columns at once:
//
//	c[i, 0:w] (+)= sum over p < k of a[i*ars+p*acs] * b[p*brs : p*brs+w]
//
// for w up to two vectors, with strides in elements. Every element is one chain of fused
// multiply-adds in the order of p, so it does not depend on h, w or the strides.
const gemmSignature = "(k int, a *float32, ars, acs int, b *float32, brs int, c *float32, crs int, w int, add bool)"

var (
	rowBases = []string{"SI", "R8", "R9", "R10"} // of rows 0, 3, 6 and 9 of a
	byteArgs = map[string]string{"ars+16": "R11", "acs+24": "R12", "brs+40": "R13", "crs+56": "BX"}
)

func writeGemm(w *writer) {
	if w.isa == avx2 {
		w.words("masks", maskWindow(16)...)
	}
	rows := 12
	if w.isa == avx2 {
		rows = 6
	}
	for h := 1; h <= rows; h++ {
		w.gemm(h)
	}
}

// maskWindow is n words of ones before n of zeros: from word n-w on, it masks the first w lanes.
func maskWindow(n int) []uint32 {
	words := make([]uint32, 2*n)
	for i := range n {
		words[i] = 0xffffffff
	}
	return words
}

func (w *writer) gemm(h int) {
	w.begin(fmt.Sprintf("gemm%d%s", h, w.name), gemmSignature, 73)
	w.op("MOVQ", "k+0(FP)", "CX")
	w.op("MOVQ", "a+8(FP)", "SI")
	w.op("MOVQ", "b+32(FP)", "DI")
	w.op("MOVQ", "c+48(FP)", "DX")
	for _, arg := range []string{"ars+16", "acs+24", "brs+40", "crs+56"} {
		w.op("MOVQ", arg+"(FP)", byteArgs[arg])
		w.op("SHLQ", "$2", byteArgs[arg])
	}
	for g := 1; g*3 < h; g++ { // base g = base g-1 + 3 rows
		w.op("LEAQ", "(R11)(R11*2)", "AX")
		w.op("LEAQ", fmt.Sprintf("(%s)(AX*1)", rowBases[g-1]), rowBases[g])
	}
	for i := range 2 * h {
		w.zero(w.reg(i))
	}
	w.op("MOVQ", "DX", "AX")
	for range h {
		w.op("PREFETCHT0", "(AX)")
		w.op("PREFETCHT0", fmt.Sprintf("%d(AX)", 2*w.bytes()-4))
		w.op("ADDQ", "BX", "AX")
	}
	if w.isa == avx512 {
		w.gemmMasks512()
		w.gemmLoop(h, "loop", false)
		w.gemmStore(h, true)
		w.end()
		return
	}
	w.op("MOVQ", "w+64(FP)", "AX")
	w.op("CMPQ", "AX", "$16")
	w.op("JLT", "narrow")
	w.gemmLoop(h, "loop", false)
	w.gemmStore(h, false)
	w.end()
	w.label("narrow")
	w.op("LEAQ", "masks<>+64(SB)", "R15")
	w.op("SHLQ", "$2", "AX")
	w.op("SUBQ", "AX", "R15")
	w.gemmLoop(h, "narrowLoop", true)
	w.gemmStore(h, true)
	w.end()
}

// gemmMasks512 masks the columns: K1 those of the first vector, K2 of the second.
func (w *writer) gemmMasks512() {
	w.op("MOVQ", "CX", "R15")
	w.op("MOVQ", "w+64(FP)", "CX")
	w.op("MOVQ", "$1", "AX")
	w.op("SHLQ", "CX", "AX")
	w.op("DECQ", "AX")
	w.op("KMOVW", "AX", "K1")
	w.op("SHRQ", "$16", "AX")
	w.op("KMOVW", "AX", "K2")
	w.op("MOVQ", "R15", "CX")
}

func (w *writer) gemmLoop(h int, label string, narrow bool) {
	w.label(label)
	b0, b1 := w.reg(2*w.gemmRows()), w.reg(2*w.gemmRows()+1)
	second := fmt.Sprintf("%d(DI)", w.bytes())
	switch {
	case w.isa == avx512:
		w.op("VMOVUPS.Z", "(DI)", "K1", b0)
		w.op("VMOVUPS.Z", second, "K2", b1)
	case narrow: // the mask borrows a register of a's
		w.op("VMOVUPS", "(R15)", "Y14")
		w.op("VMASKMOVPS", "(DI)", "Y14", b0)
		w.op("VMOVUPS", "32(R15)", "Y15")
		w.op("VMASKMOVPS", second, "Y15", b1)
	default:
		w.op("VMOVUPS", "(DI)", b0)
		w.op("VMOVUPS", second, b1)
	}
	w.op("ADDQ", "R13", "DI")
	first := 2*w.gemmRows() + 2
	for i := range h {
		a := w.reg(first + i%(w.count-first))
		w.op("VBROADCASTSS", rowAddress(i), a)
		w.op("VFMADD231PS", b0, a, w.reg(2*i))
		w.op("VFMADD231PS", b1, a, w.reg(2*i+1))
	}
	for g := 0; g*3 < h; g++ {
		w.op("ADDQ", "R12", rowBases[g])
	}
	w.op("DECQ", "CX")
	w.op("JNZ", label)
}

// gemmRows is how many rows the largest kernel has.
func (w *writer) gemmRows() int {
	if w.isa == avx512 {
		return 12
	}
	return 6
}

func rowAddress(i int) string {
	return "(" + rowBases[i/3] + ")" + [...]string{"", "(R11*1)", "(R11*2)"}[i%3]
}

// gemmStore writes the tile, adding to what is there if asked to.
func (w *writer) gemmStore(h int, masked bool) {
	label := "store"
	masks := []string{"K1", "K2"}
	if w.isa == avx2 && masked {
		label, masks = "narrowStore", []string{"Y12", "Y13"}
		w.op("VMOVUPS", "(R15)", "Y12")
		w.op("VMOVUPS", "32(R15)", "Y13")
	}
	w.op("MOVBLZX", "add+72(FP)", "AX")
	w.op("TESTL", "AX", "AX")
	w.op("JZ", label)
	w.op("MOVQ", "DX", "AX")
	for i := range h {
		for v := range 2 {
			address, reg := fmt.Sprintf("%d(AX)", v*w.bytes()), w.reg(2*i+v)
			switch {
			case w.isa == avx512:
				w.op("VADDPS", address, reg, masks[v], reg)
			case masked:
				w.op("VMASKMOVPS", address, masks[v], "Y14")
				w.op("VADDPS", "Y14", reg, reg)
			default:
				w.op("VADDPS", address, reg, reg)
			}
		}
		w.op("ADDQ", "BX", "AX")
	}
	w.label(label)
	w.masked = masked
	for i := range h {
		for v := range 2 {
			w.mask = masks[v]
			w.store(w.reg(2*i+v), fmt.Sprintf("%d(DX)", v*w.bytes()))
		}
		w.op("ADDQ", "BX", "DX")
	}
}
