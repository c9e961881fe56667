package main

import "showtell/tensor/internal/asm/gen"

// Sums in float64 use registers 2 and 3, others 0 to 3; bodies load into 4, and AVX2's tail mask is 5.

func writeReductions(w *writer) {
	w.vectorFunc(vectorFunc{
		name: "sum", signature: "(x []float32) float64", argBytes: 32, vectors: []string{"x"},
		start: startDoubles,
		body: func(w *writer, u int) {
			w.in(0, u, w.reg(4))
			w.addDoubles(w.reg(4), w.reg(0), w.reg(1))
		},
		finish: func(w *writer) { w.finishDoubles("ret+24(FP)") },
	})
	w.vectorFunc(vectorFunc{
		name: "sumSquares", signature: "(x []float32) float64", argBytes: 32, vectors: []string{"x"},
		start: startDoubles,
		body: func(w *writer, u int) {
			w.in(0, u, w.reg(4))
			w.toDoubles(w.reg(4), w.reg(0), w.reg(1))
			w.op("VFMADD231PD", w.reg(0), w.reg(0), w.reg(2))
			w.op("VFMADD231PD", w.reg(1), w.reg(1), w.reg(3))
		},
		finish: func(w *writer) { w.finishDoubles("ret+24(FP)") },
	})
	w.vectorFunc(vectorFunc{
		name: "dot", signature: "(a, b []float32) float32", argBytes: 52, vectors: []string{"a", "b"}, unroll: 4,
		start: func(w *writer) {
			for i := range 4 {
				w.zero(w.reg(i))
			}
		},
		body: func(w *writer, u int) {
			b := w.scalarReg(0)
			w.in(0, u, w.reg(4))
			w.in(1, u, b)
			w.op("VFMADD231PS", b, w.reg(4), w.reg(u))
		},
		finish: func(w *writer) {
			w.fold("VADDPS")
			w.op("MOVSS", "X0", "ret+48(FP)")
		},
	})
	w.vectorFunc(vectorFunc{
		name: "max", signature: "(x []float32) float32", argBytes: 28, vectors: []string{"x"}, unroll: 4,
		start: func(w *writer) {
			for i := range 4 {
				w.op("VBROADCASTSS", w.repeated("negInf", gen.Constants["negInf"]), w.reg(i))
			}
		},
		body: func(w *writer, u int) {
			x := w.reg(4)
			switch {
			case !w.masked:
				w.in(0, u, x)
			case w.isa == avx512:
				w.op("VBROADCASTSS", w.repeated("negInf", gen.Constants["negInf"]), x)
				w.op("VMOVUPS", w.at(0, u), w.mask, x)
			default:
				w.in(0, u, x)
				w.op("VMOVUPS", w.repeated("negInf", gen.Constants["negInf"]), w.scalarReg(0))
				w.op("VBLENDVPS", w.mask, x, w.scalarReg(0), x)
			}
			w.op("VMAXPS", w.reg(u), x, w.reg(u)) // keeps the maximum where x is not a number
		},
		finish: func(w *writer) {
			w.fold("VMAXPS")
			w.op("MOVSS", "X0", "ret+24(FP)")
		},
	})
}

func startDoubles(w *writer) {
	w.zero(w.reg(2))
	w.zero(w.reg(3))
}

// toDoubles widens the halves of x.
func (w *writer) toDoubles(x, low, high string) {
	lowHalf, half := "Y"+x[1:], "Y"+high[1:]
	extract := "VEXTRACTF32X8"
	if w.isa == avx2 {
		lowHalf, half = "X"+x[1:], "X"+high[1:]
		extract = "VEXTRACTF128"
	}
	w.op(extract, "$1", x, half)
	w.op("VCVTPS2PD", lowHalf, low)
	w.op("VCVTPS2PD", half, high)
}

// addDoubles adds x to the sums by way of two spare registers.
func (w *writer) addDoubles(x, low, high string) {
	w.toDoubles(x, low, high)
	w.op("VADDPD", low, w.reg(2), w.reg(2))
	w.op("VADDPD", high, w.reg(3), w.reg(3))
}

func (w *writer) finishDoubles(result string) {
	w.op("VADDPD", w.reg(3), w.reg(2), w.reg(0))
	if w.isa == avx512 {
		w.op("VEXTRACTF64X4", "$1", "Z0", "Y1")
		w.op("VADDPD", "Y1", "Y0", "Y0")
	}
	w.op("VEXTRACTF128", "$1", "Y0", "X1")
	w.op("VADDPD", "X1", "X0", "X0")
	w.op("VSHUFPD", "$1", "X0", "X0", "X1")
	w.op("VADDPD", "X1", "X0", "X0")
	w.op("MOVSD", "X0", result)
}

// fold combines registers 0 to 3, and then the lanes, into the first lane of register 0.
func (w *writer) fold(op string) {
	w.op(op, w.reg(1), w.reg(0), w.reg(0))
	w.op(op, w.reg(3), w.reg(2), w.reg(2))
	w.op(op, w.reg(2), w.reg(0), w.reg(0))
	if w.isa == avx512 {
		w.op("VEXTRACTF64X4", "$1", "Z0", "Y1")
		w.op(op, "Y1", "Y0", "Y0")
	}
	w.op("VEXTRACTF128", "$1", "Y0", "X1")
	w.op(op, "X1", "X0", "X0")
	w.op("VSHUFPS", "$0x4e", "X0", "X0", "X1")
	w.op(op, "X1", "X0", "X0")
	w.op("VSHUFPS", "$0xb1", "X0", "X0", "X1")
	w.op(op, "X1", "X0", "X0")
}
