package main

import (
	"fmt"

	"showtell/tensor/internal/asm/gen"
)

// The steps of exp are those of the AVX2 kernels, so the results have the same bits.

var expConstants = []string{"log2e", "ln2hi", "ln2lo", "one", "c2", "c3", "c4", "c5", "c6", "c7"}

// reduce splits x, in place, into n and r.
func (w *writer) reduce(x, n int) {
	w.arm("fmul v%.4s, v%.4s, v%.4s", n, x, w.constant("log2e"))
	w.arm("frintn v%.4s, v%.4s", n, n)
	w.arm("fmls v%.4s, v%.4s, v%.4s", x, n, w.constant("ln2hi"))
	w.arm("fmls v%.4s, v%.4s, v%.4s", x, n, w.constant("ln2lo"))
}

// polynomial puts the sum of the powers of r from c7 to the last coefficient into a spare register,
// which it returns: (exp(r)-1)/r with "one" as the last, (exp(r)-1-r)/r² with "c2".
func (w *writer) polynomial(r int, last string) int {
	y, next := w.constant("c7"), firstSpare
	for _, c := range []string{"c6", "c5", "c4", "c3", "c2", "one"} {
		w.arm("mov v%.16b, v%.16b", next, w.constant(c))
		w.arm("fmla v%.4s, v%.4s, v%.4s", next, y, r)
		y, next = next, firstSpare+(next+1-firstSpare)%2
		if c == last {
			break
		}
	}
	return y
}

// exp puts exp(x) into y, for x between expLow and expTop or not a number; it uses up x and n.
func (w *writer) exp(x, n, y int) {
	w.reduce(x, n)
	p := w.polynomial(x, "one")
	w.arm("mov v%.16b, v%.16b", y, w.constant("one"))
	w.arm("fmla v%.4s, v%.4s, v%.4s", y, p, x)
	w.arm("fcvtns v%.4s, v%.4s", n, n) // 2^n by two factors, since it may lie outside of the float32 range
	w.arm("sshr v%.4s, v%.4s, #1", x, n)
	w.arm("sub v%.4s, v%.4s, v%.4s", n, n, x)
	for _, part := range []int{x, n} {
		w.power(part)
		w.arm("fmul v%.4s, v%.4s, v%.4s", y, y, part)
	}
}

// power replaces the integer n by 2^n, if that is a normal float32.
func (w *writer) power(n int) {
	w.arm("shl v%.4s, v%.4s, #23", n, n)
	w.arm("add v%.4s, v%.4s, v%.4s", n, n, w.constant("one"))
}

func (w *writer) exponentials() {
	all := append([]string{"expLow", "expTop"}, expConstants...)
	w.unary("exp", 1, all, func(w *writer, u int) {
		w.in(1, u, 0)
		w.clamp(0, "expLow", "expTop")
		w.exp(0, 1, 2)
		w.out(2, 0, u)
	})
	w.vectorFunc(vectorFunc{
		name: "expSum", signature: "(dst, x []float32, max float32) float64", argBytes: 64, vectors: []string{"dst", "x"},
		scalars: []string{"max+48"}, constants: all, start: startDoubles,
		body: func(w *writer, u int) {
			w.in(1, u, 0)
			w.expBelow()
			w.out(4, 0, u)
			w.dropOthers(4)
			w.addDoubles(4)
		},
		finish: func(w *writer) { w.finishDoubles("ret+56(FP)") },
	})
	w.vectorFunc(vectorFunc{
		name: "sumExp", signature: "(x []float32, max float32) float64", argBytes: 40, vectors: []string{"x"},
		scalars: []string{"max+24"}, constants: all, start: startDoubles,
		body: func(w *writer, u int) {
			w.in(0, u, 0)
			w.expBelow()
			w.dropOthers(4)
			w.addDoubles(4)
		},
		finish: func(w *writer) { w.finishDoubles("ret+32(FP)") },
	})
	w.sigmoid()
	w.silu()
	w.tanh()
	w.normal()
}

// expBelow puts exp(x - max) into register 4, x in register 0.
func (w *writer) expBelow() {
	w.arm("fsub v%.4s, v%.4s, v%.4s", 0, 0, firstScalar)
	w.clamp(0, "expLow", "expTop")
	w.exp(0, 1, 4)
}

// sigmoid(x) = e/(1+e) for x < 0, else 1/(1+e), with e = exp(-|x|), so that neither end loses digits.
// What the quotient q of a numerator u lacks, from the rounding of 1+e too, is u - q - q·e over 1+e,
// where u - q is exact.
func (w *writer) sigmoid() {
	w.unary("sigmoid", 1, append([]string{"expLow", "half", "rough"}, expConstants...), func(w *writer, _ int) {
		const x, y, q, e, u = 0, 1, 2, 3, 0
		w.in(1, 0, x)
		w.arm("fabs v%.4s, v%.4s", y, x)
		w.arm("fneg v%.4s, v%.4s", y, y)
		w.clamp(y, "expLow", "")
		w.exp(y, q, e)
		w.arm("fadd v%.4s, v%.4s, v%.4s", y, e, w.constant("one"))
		w.arm("sshr v%.4s, v%.4s, #31", x, x) // ones where x is negative
		w.arm("bsl v%.16b, v%.16b, v%.16b", u, e, w.constant("one"))
		w.arm("fdiv v%.4s, v%.4s, v%.4s", q, u, y)
		w.arm("fsub v%.4s, v%.4s, v%.4s", u, u, q)
		w.arm("fmls v%.4s, v%.4s, v%.4s", u, q, e)
		w.addRest(q, u, y)
		w.out(q, 0, 0)
	})
}

// addRest adds u/y to q, where u is a few units in the last place of q, and y from 1 to 2.
func (w *writer) addRest(q, u, y int) {
	w.arm("mov v%.16b, v%.16b", firstSpare, w.constant("rough"))
	w.arm("fmls v%.4s, v%.4s, v%.4s", firstSpare, y, w.constant("half"))
	w.arm("fmla v%.4s, v%.4s, v%.4s", q, u, firstSpare)
}

// silu(x) = x/(1+exp(-x)); the denominator becomes +Inf where the result is hardly a number any more.
func (w *writer) silu() {
	w.unary("silu", 1, append([]string{"expLow", "expTop"}, expConstants...), func(w *writer, u int) {
		const x, y, n, e = 0, 1, 2, 3
		w.in(1, u, x)
		w.arm("fneg v%.4s, v%.4s", y, x)
		w.clamp(y, "expLow", "expTop")
		w.exp(y, n, e)
		w.arm("fadd v%.4s, v%.4s, v%.4s", e, e, w.constant("one"))
		w.arm("fdiv v%.4s, v%.4s, v%.4s", x, x, e)
		w.out(x, 0, u)
	})
}

// tanh(|x|) = -m/(2+m) with m = exp(-2|x|) - 1 = 2^n·(exp(r)-1) + (2^n-1), which is as exact near
// zero as elsewhere. What the quotient q lacks is m - 2q - q·m over 2+m, where m - 2q is exact.
func (w *writer) tanh() {
	w.unary("tanh", 1, append([]string{"tanhLo", "sign", "two", "minus2", "half", "rough"}, expConstants...), func(w *writer, _ int) {
		const x, y, n, m, u, q = 0, 1, 2, 3, 4, 2
		w.in(1, 0, x)
		w.arm("fabs v%.4s, v%.4s", y, x)
		w.arm("fmul v%.4s, v%.4s, v%.4s", y, y, w.constant("minus2"))
		w.clamp(y, "tanhLo", "")
		w.reduce(y, n)
		p := w.polynomial(y, "c2")
		w.arm("fmul v%.4s, v%.4s, v%.4s", u, y, y)
		w.arm("fmla v%.4s, v%.4s, v%.4s", y, p, u) // exp(r)-1 = r + r²·(...), more exact than a product
		w.arm("fcvtns v%.4s, v%.4s", n, n)
		w.power(n)
		w.arm("fsub v%.4s, v%.4s, v%.4s", m, n, w.constant("one"))
		w.arm("fmla v%.4s, v%.4s, v%.4s", m, y, n)
		w.arm("fadd v%.4s, v%.4s, v%.4s", y, m, w.constant("two"))
		w.arm("fdiv v%.4s, v%.4s, v%.4s", q, m, y)
		w.arm("mov v%.16b, v%.16b", u, m)
		w.arm("fmla v%.4s, v%.4s, v%.4s", u, q, w.constant("minus2"))
		w.arm("fmls v%.4s, v%.4s, v%.4s", u, q, m)
		w.addRest(q, u, y)
		w.arm("bit v%.16b, v%.16b, v%.16b", q, x, w.constant("sign"))
		w.out(q, 0, 0)
	})
}

// normal is, below zero, what gen.Constants has of the normal distribution, above it the rest of 1.
func (w *writer) normal() {
	const first = firstScalar // of the registers that hold p1 to p8
	w.vectorFunc(vectorFunc{
		name: "normal", signature: unarySignature, argBytes: 48, vectors: []string{"dst", "x"},
		constants: append([]string{"expLow", "normal", "minusHalf"}, expConstants...),
		start: func(w *writer) {
			for i := range 8 {
				name := fmt.Sprint("p", i+1)
				w.op("MOVW $0x%08x, R5 // %s", gen.Constants[name], name)
				w.op("VDUP R5, V%d.S4", first+i)
			}
		},
		body: func(w *writer, u int) {
			const x, a, t, p, n = 0, 1, 2, 3, 4
			w.in(1, u, x)
			w.arm("fabs v%.4s, v%.4s", a, x)
			w.arm("mov v%.16b, v%.16b", t, w.constant("one"))
			w.arm("fmla v%.4s, v%.4s, v%.4s", t, a, w.constant("normal"))
			w.arm("fdiv v%.4s, v%.4s, v%.4s", t, w.constant("one"), t)
			last, next := first+7, p
			for i := 6; i >= 0; i-- {
				w.arm("mov v%.16b, v%.16b", next, first+i)
				w.arm("fmla v%.4s, v%.4s, v%.4s", next, last, t)
				last, next = next, p+n-next
			}
			w.arm("fmul v%.4s, v%.4s, v%.4s", p, last, t)
			w.arm("fmul v%.4s, v%.4s, v%.4s", a, a, a)
			w.arm("fmul v%.4s, v%.4s, v%.4s", a, a, w.constant("minusHalf"))
			w.clamp(a, "expLow", "")
			w.exp(a, n, t)
			w.arm("fmul v%.4s, v%.4s, v%.4s", p, p, t)
			w.arm("fsub v%.4s, v%.4s, v%.4s", t, w.constant("one"), p)
			w.arm("sshr v%.4s, v%.4s, #31", x, x) // ones where x is negative
			w.arm("bsl v%.16b, v%.16b, v%.16b", x, p, t)
			w.out(x, 0, u)
		},
	})
}
