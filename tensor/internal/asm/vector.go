package main

import "fmt"

// A vectorFunc is a kernel that walks over vectors of equal length.
type vectorFunc struct {
	name      string
	signature string
	argBytes  int
	vectors   []string // the slices, the first of which gives the length
	scalars   []string // float32 arguments with their offset, spread into s0, s1, ...
	constants []string
	spare     int // registers that constants must leave free; 0: 8
	unroll    int // 0: 1
	start     func(w *writer)
	body      func(w *writer, u int) // the u-th vector of an iteration
	finish    func(w *writer)
}

var pointers = []string{"DI", "SI", "R8", "R9"}

// Registers of scalar arguments: above those that bodies use for temporary values and sums.
const firstScalar = 6

func (w *writer) scalarReg(i int) string { return w.reg(firstScalar + i) }

func (w *writer) vectorFunc(f vectorFunc) {
	w.begin(f.name+w.name, f.signature, f.argBytes)
	for i, name := range f.vectors {
		w.op("MOVQ", fmt.Sprintf("%s_base+%d(FP)", name, 24*i), pointers[i])
	}
	w.op("MOVQ", f.vectors[0]+"_len+8(FP)", "CX")
	for i, s := range f.scalars {
		w.op("VBROADCASTSS", s+"(FP)", w.scalarReg(i))
	}
	w.keep(max(f.spare, firstScalar+len(f.scalars)), f.constants...)
	if f.start != nil {
		f.start(w)
	}
	if f.unroll > 1 {
		w.vectorLoop(f, "many", "loop", f.unroll)
	}
	w.vectorLoop(f, "loop", "tail", 1)
	w.label("tail")
	w.op("TESTQ", "CX", "CX")
	w.op("JZ", "done")
	w.tailMask()
	w.masked = true
	f.body(w, 0)
	w.masked = false
	w.label("done")
	if f.finish != nil {
		f.finish(w)
	}
	w.end()
}

func (w *writer) vectorLoop(f vectorFunc, label, next string, unroll int) {
	w.label(label)
	w.op("CMPQ", "CX", fmt.Sprint("$", unroll*w.lanes))
	w.op("JLT", next)
	for u := range unroll {
		f.body(w, u)
	}
	for i := range f.vectors {
		w.op("ADDQ", fmt.Sprint("$", unroll*w.bytes()), pointers[i])
	}
	w.op("SUBQ", fmt.Sprint("$", unroll*w.lanes), "CX")
	w.op("JMP", label)
}

// tailMask masks the CX values that are left. In AVX2 the mask takes Y5.
func (w *writer) tailMask() {
	if w.isa == avx512 {
		w.mask = "K1"
		w.op("MOVQ", "$1", "AX")
		w.op("SHLQ", "CX", "AX")
		w.op("DECQ", "AX")
		w.op("KMOVW", "AX", "K1")
		return
	}
	w.mask = "Y5"
	w.words("masks", maskWindow(8)...)
	w.op("LEAQ", "masks<>+32(SB)", "AX")
	w.op("SHLQ", "$2", "CX")
	w.op("SUBQ", "CX", "AX")
	w.op("VMOVUPS", "(AX)", "Y5")
}

// in and out address the u-th vector at pointer i.
func (w *writer) in(i, u int, reg string)  { w.load(w.at(i, u), reg) }
func (w *writer) out(reg string, i, u int) { w.store(reg, w.at(i, u)) }
func (w *writer) at(i, u int) string       { return fmt.Sprintf("%d(%s)", u*w.bytes(), pointers[i]) }

// dropMasked zeroes the lanes beyond the mask.
func (w *writer) dropMasked(reg string) {
	switch {
	case !w.masked:
	case w.isa == avx512:
		w.op("VMOVAPS.Z", reg, w.mask, reg)
	default:
		w.op("VANDPS", w.mask, reg, reg)
	}
}

func writeVectors(w *writer) {
	writeArithmetic(w)
	writeReductions(w)
	writeExponentials(w)
	writeUpdates(w)
	if w.isa == avx2 {
		writeHalf(w)
		writeAbove(w)
	}
}

const (
	binarySignature = "(dst, a, b []float32)"
	unarySignature  = "(dst, x []float32)"
	scalarSignature = "(dst, x []float32, s float32)"
)

func writeArithmetic(w *writer) {
	for _, op := range []struct{ name, instruction string }{{"add", "VADDPS"}, {"mul", "VMULPS"}} {
		w.vectorFunc(vectorFunc{
			name: op.name, signature: binarySignature, argBytes: 72, vectors: []string{"dst", "a", "b"},
			body: func(w *writer, u int) {
				w.in(1, u, w.reg(0))
				w.in(2, u, w.reg(1))
				w.op(op.instruction, w.reg(1), w.reg(0), w.reg(0))
				w.out(w.reg(0), 0, u)
			},
		})
	}
	w.vectorFunc(vectorFunc{
		name: "mulAdd", signature: binarySignature, argBytes: 72, vectors: []string{"dst", "a", "b"},
		body: func(w *writer, u int) {
			w.in(0, u, w.reg(0))
			w.in(1, u, w.reg(1))
			w.in(2, u, w.reg(2))
			w.op("VFMADD231PS", w.reg(2), w.reg(1), w.reg(0))
			w.out(w.reg(0), 0, u)
		},
	})
	for _, op := range []struct{ name, instruction string }{{"scale", "VMULPS"}, {"shift", "VADDPS"}} {
		w.vectorFunc(vectorFunc{
			name: op.name, signature: scalarSignature, argBytes: 52, vectors: []string{"dst", "x"}, scalars: []string{"s+48"},
			body: func(w *writer, u int) {
				w.in(1, u, w.reg(0))
				w.op(op.instruction, w.scalarReg(0), w.reg(0), w.reg(0))
				w.out(w.reg(0), 0, u)
			},
		})
	}
	w.vectorFunc(vectorFunc{
		name: "axpy", signature: scalarSignature, argBytes: 52, vectors: []string{"dst", "x"}, scalars: []string{"s+48"},
		body: func(w *writer, u int) {
			w.in(0, u, w.reg(0))
			w.in(1, u, w.reg(1))
			w.op("VFMADD231PS", w.scalarReg(0), w.reg(1), w.reg(0))
			w.out(w.reg(0), 0, u)
		},
	})
	// VMAXPS and VMINPS give their first operand (in Go's order) where one is not a number.
	w.vectorFunc(vectorFunc{
		name: "relu", signature: unarySignature, argBytes: 48, vectors: []string{"dst", "x"}, constants: []string{"zero"},
		body: func(w *writer, u int) {
			w.in(1, u, w.reg(0))
			w.op("VMAXPS", w.reg(0), w.constant("zero"), w.reg(0))
			w.out(w.reg(0), 0, u)
		},
	})
	w.vectorFunc(vectorFunc{
		name: "relu6", signature: unarySignature, argBytes: 48, vectors: []string{"dst", "x"}, constants: []string{"zero", "six"},
		body: func(w *writer, u int) {
			w.in(1, u, w.reg(0))
			w.op("VMAXPS", w.reg(0), w.constant("zero"), w.reg(0))
			w.op("VMINPS", w.reg(0), w.constant("six"), w.reg(0))
			w.out(w.reg(0), 0, u)
		},
	})
}

// writeUpdates writes the optimiser's kernels.
func writeUpdates(w *writer) {
	w.vectorFunc(vectorFunc{
		name: "ema", signature: "(avg, w []float32, keep, add float32)", argBytes: 56, vectors: []string{"avg", "w"},
		scalars: []string{"keep+48", "add+52"},
		body: func(w *writer, u int) {
			w.in(0, u, w.reg(0))
			w.in(1, u, w.reg(1))
			w.op("VMULPS", w.scalarReg(1), w.reg(1), w.reg(1))
			w.op("VFMADD213PS", w.reg(1), w.scalarReg(0), w.reg(0))
			w.out(w.reg(0), 0, u)
		},
	})
	// In the order of the fields of adamwStep.
	const (
		beta1 = iota
		rest1
		beta2
		rest2
		rate
		root
		eps
		keep
	)
	w.vectorFunc(vectorFunc{
		name: "adamw", signature: "(w, g, m, v []float32, c *adamwStep)", argBytes: 104, vectors: []string{"w", "g", "m", "v"},
		start: func(w *writer) {
			w.op("MOVQ", "c+96(FP)", "DX")
			for i := range keep + 1 {
				w.op("VBROADCASTSS", fmt.Sprintf("%d(DX)", 4*i), w.scalarReg(i))
			}
		},
		body: func(w *writer, u int) {
			g, m, v, t := w.reg(0), w.reg(1), w.reg(2), w.reg(3)
			w.in(1, u, g)
			w.in(2, u, m)
			w.in(3, u, v)
			w.op("VMULPS", w.scalarReg(rest1), g, t)
			w.op("VFMADD213PS", t, w.scalarReg(beta1), m)
			w.op("VMULPS", w.scalarReg(rest2), g, t)
			w.op("VMULPS", g, t, t)
			w.op("VFMADD213PS", t, w.scalarReg(beta2), v)
			w.out(m, 2, u)
			w.out(v, 3, u)
			w.op("VSQRTPS", v, v)
			w.op("VFMADD213PS", w.scalarReg(eps), w.scalarReg(root), v)
			w.op("VMULPS", w.scalarReg(rate), m, m)
			w.op("VDIVPS", v, m, m)
			w.in(0, u, g)
			w.op("VFMSUB213PS", m, w.scalarReg(keep), g)
			w.out(g, 0, u)
		},
	})
}

// writeHalf writes the conversions of F16C, which both levels use; n is a multiple of 8.
func writeHalf(w *writer) {
	w.begin("halfToFloatF16C", "(dst *float32, src *uint16, n int)", 24)
	w.op("MOVQ", "dst+0(FP)", "DI")
	w.op("MOVQ", "src+8(FP)", "SI")
	w.op("MOVQ", "n+16(FP)", "CX")
	w.label("loop")
	w.op("VCVTPH2PS", "(SI)", "Y0")
	w.op("VMOVUPS", "Y0", "(DI)")
	w.op("ADDQ", "$16", "SI")
	w.op("ADDQ", "$32", "DI")
	w.op("SUBQ", "$8", "CX")
	w.op("JNZ", "loop")
	w.end()
	w.begin("floatToHalfF16C", "(dst *uint16, src *float32, n int)", 24)
	w.op("MOVQ", "dst+0(FP)", "DI")
	w.op("MOVQ", "src+8(FP)", "SI")
	w.op("MOVQ", "n+16(FP)", "CX")
	w.label("loop")
	w.op("VMOVUPS", "(SI)", "Y0")
	w.op("VCVTPS2PH", "$0", "Y0", "(DI)")
	w.op("ADDQ", "$32", "SI")
	w.op("ADDQ", "$16", "DI")
	w.op("SUBQ", "$8", "CX")
	w.op("JNZ", "loop")
	w.end()
}

// writeAbove writes the search for a large value, which both levels use; n is a multiple of 32.
func writeAbove(w *writer) {
	const notAtLeast = "$0x19" // floor >= x is false, as it is where x is not a number
	w.begin("aboveVectorsAVX2", "(x *float32, n int, floor float32) int", 32)
	w.op("MOVQ", "x+0(FP)", "SI")
	w.op("MOVQ", "n+8(FP)", "CX")
	w.op("VBROADCASTSS", "floor+16(FP)", "Y0")
	w.op("XORQ", "AX", "AX")
	w.label("loop")
	for i := range 4 {
		w.op("VCMPPS", notAtLeast, fmt.Sprintf("%d(SI)(AX*4)", 32*i), "Y0", fmt.Sprintf("Y%d", 1+i))
	}
	w.op("VORPS", "Y1", "Y2", "Y5")
	w.op("VORPS", "Y3", "Y4", "Y6")
	w.op("VORPS", "Y5", "Y6", "Y5")
	w.op("VMOVMSKPS", "Y5", "DX")
	w.op("TESTL", "DX", "DX")
	w.op("JNZ", "found")
	w.op("ADDQ", "$32", "AX")
	w.op("CMPQ", "AX", "CX")
	w.op("JLT", "loop")
	w.op("JMP", "done")
	w.label("found")
	w.op("VMOVMSKPS", "Y4", "DX")
	for i := 3; i > 0; i-- { // bit j of DX: value j of the 32
		w.op("SHLL", "$8", "DX")
		w.op("VMOVMSKPS", fmt.Sprintf("Y%d", i), "BX")
		w.op("ORL", "BX", "DX")
	}
	w.op("BSFL", "DX", "DX")
	w.op("ADDQ", "DX", "AX")
	w.label("done")
	w.op("MOVQ", "AX", "ret+24(FP)")
	w.end()
}
