package main

import "showtell/tensor/internal/asm/gen"

// A vectorFunc is a kernel that walks over vectors of equal length, by four values and at last by
// single ones.
type vectorFunc struct {
	name      string
	signature string
	argBytes  int
	vectors   []string // the slices, the first of which gives the length
	scalars   []string // float32 arguments with their offset, spread over registers from firstScalar on
	constants []string
	unroll    int // vectors of an iteration; 0: 1
	start     func(w *writer)
	body      func(w *writer, u int) // the u-th vector of an iteration
	finish    func(w *writer)
}

// Bodies and sums use registers 0 to 5, and above the eight scalars, spare ones; constants lie from
// 31 down.
const (
	firstScalar = 6
	firstSpare  = 14
)

// Vector i is read and written at Ri, with R4 values to go.
func (w *writer) vectorFunc(f vectorFunc) {
	w.begin(f.name+"NEON", f.signature, f.argBytes)
	for i, name := range f.vectors {
		w.op("MOVD %s_base+%d(FP), R%d", name, 24*i, i)
	}
	w.op("MOVD %s_len+8(FP), R4", f.vectors[0])
	for i, s := range f.scalars {
		w.op("FMOVS %s(FP), F%d", s, firstScalar+i)
		w.arm("dup v%.4s, v%.s[0]", firstScalar+i, firstScalar+i)
	}
	for _, name := range f.constants {
		w.op("MOVW $0x%08x, R5 // %s", gen.Constants[name], name)
		w.op("VDUP R5, V%d.S4", 31-len(w.constants))
		w.constants = append(w.constants, name)
	}
	if f.start != nil {
		f.start(w)
	}
	if f.unroll > 1 {
		w.vectorLoop(f, "many", "loop", f.unroll)
	}
	w.vectorLoop(f, "loop", "tail", 1)
	w.label("tail")
	w.op("CBZ R4, done")
	w.single = true
	f.body(w, 0)
	for i := range f.vectors {
		w.op("ADD $4, R%d", i)
	}
	w.op("SUB $1, R4")
	w.op("B tail")
	w.label("done")
	if f.finish != nil {
		f.finish(w)
	}
	w.op("RET")
}

func (w *writer) vectorLoop(f vectorFunc, label, next string, unroll int) {
	w.label(label)
	w.op("CMP $%d, R4", 4*unroll)
	w.op("BLT %s", next)
	for u := range unroll {
		f.body(w, u)
	}
	for i := range f.vectors {
		w.op("ADD $%d, R%d", 16*unroll, i)
	}
	w.op("SUB $%d, R4", 4*unroll)
	w.op("B %s", label)
}

// in and out move the u-th vector at pointer i, or the one value there.
func (w *writer) in(i, u, v int)  { w.op("%s %d(R%d), F%d", w.move(), 16*u, i, v) }
func (w *writer) out(v, i, u int) { w.op("%s F%d, %d(R%d)", w.move(), v, 16*u, i) }

func (w *writer) move() string {
	if w.single {
		return "FMOVS"
	}
	return "FMOVQ"
}

// dropOthers zeroes the lanes beyond a single value.
func (w *writer) dropOthers(v int) {
	if w.single {
		w.op("FMOVS F%d, F%d", v, v)
	}
}

// constant is the register that holds a constant.
func (w *writer) constant(name string) int {
	for i, c := range w.constants {
		if c == name {
			return 31 - i
		}
	}
	panic("constant " + name + " is not in a register")
}

const (
	binarySignature = "(dst, a, b []float32)"
	unarySignature  = "(dst, x []float32)"
	scalarSignature = "(dst, x []float32, s float32)"
)

func (w *writer) arithmetic() {
	for _, op := range []struct{ name, instruction string }{{"add", "fadd"}, {"mul", "fmul"}} {
		w.binary(op.name, func(w *writer, u int) {
			w.in(1, u, 0)
			w.in(2, u, 1)
			w.arm(op.instruction+" v%.4s, v%.4s, v%.4s", 0, 0, 1)
			w.out(0, 0, u)
		})
	}
	w.binary("mulAdd", func(w *writer, u int) {
		w.in(0, u, 0)
		w.in(1, u, 1)
		w.in(2, u, 2)
		w.arm("fmla v%.4s, v%.4s, v%.4s", 0, 1, 2)
		w.out(0, 0, u)
	})
	for _, op := range []struct{ name, instruction string }{{"scale", "fmul"}, {"shift", "fadd"}} {
		w.scalar(op.name, func(w *writer, u int) {
			w.in(1, u, 0)
			w.arm(op.instruction+" v%.4s, v%.4s, v%.4s", 0, 0, firstScalar)
			w.out(0, 0, u)
		})
	}
	w.scalar("axpy", func(w *writer, u int) {
		w.in(0, u, 0)
		w.in(1, u, 1)
		w.arm("fmla v%.4s, v%.4s, v%.4s", 0, 1, firstScalar)
		w.out(0, 0, u)
	})
	w.unary("relu", 4, []string{"zero"}, func(w *writer, u int) {
		w.in(1, u, 0)
		w.clamp(0, "zero", "")
		w.out(0, 0, u)
	})
	w.unary("relu6", 4, []string{"zero", "six"}, func(w *writer, u int) {
		w.in(1, u, 0)
		w.clamp(0, "zero", "six")
		w.out(0, 0, u)
	})
}

func (w *writer) binary(name string, body func(w *writer, u int)) {
	w.vectorFunc(vectorFunc{name: name, signature: binarySignature, argBytes: 72, vectors: []string{"dst", "a", "b"}, unroll: 4, body: body})
}

func (w *writer) scalar(name string, body func(w *writer, u int)) {
	w.vectorFunc(vectorFunc{name: name, signature: scalarSignature, argBytes: 52, vectors: []string{"dst", "x"},
		scalars: []string{"s+48"}, unroll: 4, body: body})
}

func (w *writer) unary(name string, unroll int, constants []string, body func(w *writer, u int)) {
	w.vectorFunc(vectorFunc{name: name, signature: unarySignature, argBytes: 48, vectors: []string{"dst", "x"},
		constants: constants, unroll: unroll, body: body})
}

// clamp holds x between two constants; what is not a number stays.
func (w *writer) clamp(x int, low, top string) {
	w.arm("fmax v%.4s, v%.4s, v%.4s", x, x, w.constant(low))
	if top != "" {
		w.arm("fmin v%.4s, v%.4s, v%.4s", x, x, w.constant(top))
	}
}

// updates writes the optimiser's kernels.
func (w *writer) updates() {
	w.vectorFunc(vectorFunc{
		name: "ema", signature: "(avg, w []float32, keep, add float32)", argBytes: 56, vectors: []string{"avg", "w"},
		scalars: []string{"keep+48", "add+52"},
		body: func(w *writer, u int) {
			w.in(0, u, 0)
			w.in(1, u, 1)
			w.arm("fmul v%.4s, v%.4s, v%.4s", 1, 1, firstScalar+1)
			w.arm("fmla v%.4s, v%.4s, v%.4s", 1, 0, firstScalar)
			w.out(1, 0, u)
		},
	})
	// In the order of the fields of adamwStep.
	const (
		beta1 = firstScalar + iota
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
			w.op("MOVD c+96(FP), R5")
			for v := beta1; v <= keep; v++ {
				w.op("VLD1R.P 4(R5), [V%d.S4]", v)
			}
		},
		body: func(w *writer, u int) {
			const g, m, v, t = 0, 1, 2, 3
			w.in(1, u, g)
			w.in(2, u, m)
			w.in(3, u, v)
			w.arm("fmul v%.4s, v%.4s, v%.4s", t, g, rest1)
			w.arm("fmla v%.4s, v%.4s, v%.4s", t, m, beta1)
			w.out(t, 2, u)
			w.arm("fmul v%.4s, v%.4s, v%.4s", m, g, rest2)
			w.arm("fmul v%.4s, v%.4s, v%.4s", m, m, g)
			w.arm("fmla v%.4s, v%.4s, v%.4s", m, v, beta2)
			w.out(m, 3, u)
			w.arm("fsqrt v%.4s, v%.4s", v, m)
			w.arm("mov v%.16b, v%.16b", m, eps)
			w.arm("fmla v%.4s, v%.4s, v%.4s", m, v, root)
			w.arm("fmul v%.4s, v%.4s, v%.4s", t, t, rate)
			w.arm("fdiv v%.4s, v%.4s, v%.4s", t, t, m)
			w.arm("fneg v%.4s, v%.4s", t, t)
			w.in(0, u, g)
			w.arm("fmla v%.4s, v%.4s, v%.4s", t, g, keep)
			w.out(t, 0, u)
		},
	})
}

// halves writes the conversions of float16; n is a multiple of 8.
func (w *writer) halves() {
	w.begin("halfToFloat8NEON", "(dst *float32, src *uint16, n int)", 24)
	w.halfArgs()
	w.op("FMOVQ.P 16(R1), F0")
	w.arm("fcvtl v%.4s, v%.4h", 1, 0)
	w.arm("fcvtl2 v%.4s, v%.8h", 2, 0)
	w.op("FMOVQ.P F1, 16(R0)")
	w.op("FMOVQ.P F2, 16(R0)")
	w.halfLoop()
	w.begin("floatToHalf8NEON", "(dst *uint16, src *float32, n int)", 24)
	w.halfArgs()
	w.op("FMOVQ.P 16(R1), F0")
	w.op("FMOVQ.P 16(R1), F1")
	w.arm("fcvtn v%.4h, v%.4s", 2, 0)
	w.arm("fcvtn2 v%.8h, v%.4s", 2, 1)
	w.op("FMOVQ.P F2, 16(R0)")
	w.halfLoop()
}

func (w *writer) halfArgs() {
	w.op("MOVD dst+0(FP), R0")
	w.op("MOVD src+8(FP), R1")
	w.op("MOVD n+16(FP), R2")
	w.label("loop")
}

func (w *writer) halfLoop() {
	w.op("SUBS $8, R2")
	w.op("BNE loop")
	w.op("RET")
}
