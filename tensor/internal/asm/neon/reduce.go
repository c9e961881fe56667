package main

// Sums in float64 use registers 2 and 3, others 0 to 3; bodies load into 4 and 5.

func (w *writer) reductions() {
	w.vectorFunc(vectorFunc{
		name: "sum", signature: "(x []float32) float64", argBytes: 32, vectors: []string{"x"},
		start: startDoubles,
		body: func(w *writer, u int) {
			w.in(0, u, 4)
			w.addDoubles(4)
		},
		finish: func(w *writer) { w.finishDoubles("ret+24(FP)") },
	})
	w.vectorFunc(vectorFunc{
		name: "sumSquares", signature: "(x []float32) float64", argBytes: 32, vectors: []string{"x"},
		start: startDoubles,
		body: func(w *writer, u int) {
			w.in(0, u, 4)
			w.toDoubles(4)
			w.arm("fmla v%.2d, v%.2d, v%.2d", 2, 0, 0)
			w.arm("fmla v%.2d, v%.2d, v%.2d", 3, 1, 1)
		},
		finish: func(w *writer) { w.finishDoubles("ret+24(FP)") },
	})
	w.vectorFunc(vectorFunc{
		name: "dot", signature: "(a, b []float32) float32", argBytes: 52, vectors: []string{"a", "b"}, unroll: 4,
		start: func(w *writer) {
			for v := range 4 {
				w.zero(v)
			}
		},
		body: func(w *writer, u int) {
			w.in(0, u, 4)
			w.in(1, u, 5)
			w.arm("fmla v%.4s, v%.4s, v%.4s", u, 4, 5)
		},
		finish: func(w *writer) {
			w.fold(func(to, from int) { w.arm("fadd v%.4s, v%.4s, v%.4s", to, to, from) })
			w.op("FMOVS F0, ret+48(FP)")
		},
	})
	w.vectorFunc(vectorFunc{
		name: "max", signature: "(x []float32) float32", argBytes: 28, vectors: []string{"x"}, unroll: 4, constants: []string{"negInf"},
		start: func(w *writer) {
			for v := range 4 {
				w.arm("mov v%.16b, v%.16b", v, w.constant("negInf"))
			}
		},
		body: func(w *writer, u int) {
			w.in(0, u, 4)
			if w.single {
				w.arm("dup v%.4s, v%.s[0]", 4, 4)
			}
			w.greater(u, 4)
		},
		finish: func(w *writer) {
			w.fold(w.greater)
			w.op("FMOVS F0, ret+24(FP)")
		},
	})
}

// greater keeps the values of max but where those of x are greater, which one that is not a number
// never is.
func (w *writer) greater(max, x int) {
	w.arm("fcmgt v%.4s, v%.4s, v%.4s", firstSpare, x, max)
	w.arm("bit v%.16b, v%.16b, v%.16b", max, x, firstSpare)
}

func startDoubles(w *writer) {
	w.zero(2)
	w.zero(3)
}

// toDoubles widens the halves of x into registers 0 and 1.
func (w *writer) toDoubles(x int) {
	w.arm("fcvtl v%.2d, v%.2s", 0, x)
	w.arm("fcvtl2 v%.2d, v%.4s", 1, x)
}

// addDoubles adds x to the sums by way of registers 0 and 1.
func (w *writer) addDoubles(x int) {
	w.toDoubles(x)
	w.arm("fadd v%.2d, v%.2d, v%.2d", 2, 2, 0)
	w.arm("fadd v%.2d, v%.2d, v%.2d", 3, 3, 1)
}

func (w *writer) finishDoubles(result string) {
	w.arm("fadd v%.2d, v%.2d, v%.2d", 0, 2, 3)
	w.arm("faddp d%, v%.2d", 0, 0)
	w.op("FMOVD F0, %s", result)
}

// fold combines registers 0 to 3, and then the lanes, into the first lane of register 0.
func (w *writer) fold(combine func(to, from int)) {
	combine(0, 1)
	combine(2, 3)
	combine(0, 2)
	w.op("VDUP V0.D[1], V1.D2")
	combine(0, 1)
	w.arm("dup v%.4s, v%.s[1]", 1, 0)
	combine(0, 1)
}
