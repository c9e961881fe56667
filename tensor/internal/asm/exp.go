package main

import (
	"math"

	"showtell/tensor/internal/asm/gen"
)

var expConstants = []string{"log2e", "ln2hi", "ln2lo", "one", "c2", "c3", "c4", "c5", "c6", "c7"}

// reduce splits x, in place, into n and r.
func (w *writer) reduce(x, n string) {
	w.op("VMULPS", w.constant("log2e"), x, n)
	if w.isa == avx512 {
		w.op("VRNDSCALEPS", "$0", n, n)
	} else {
		w.op("VROUNDPS", "$0", n, n)
	}
	w.op("VFNMADD231PS", w.constant("ln2hi"), n, x)
	w.op("VFNMADD231PS", w.constant("ln2lo"), n, x)
}

// polynomial puts the sum of the powers of r from c7 to the last coefficient into y: (exp(r)-1)/r with
// "one" as the last, (exp(r)-1-r)/r² with "c2".
func (w *writer) polynomial(r, y, last string) {
	w.op("VMOVUPS", w.constant("c7"), y)
	for _, c := range []string{"c6", "c5", "c4", "c3", "c2", "one"} {
		w.op("VFMADD213PS", w.constant(c), r, y)
		if c == last {
			return
		}
	}
}

// exp puts exp(x) into y, for x between expLow and expTop or not a number; it uses up x and n.
func (w *writer) exp(x, n, y string) {
	w.reduce(x, n)
	w.polynomial(x, y, "one")
	w.op("VFMADD213PS", w.constant("one"), x, y)
	if w.isa == avx512 {
		w.op("VSCALEFPS", n, y, y)
		return
	}
	w.op("VCVTPS2DQ", n, n) // 2^n by two factors, since it may lie outside of the float32 range
	w.op("VPSRAD", "$1", n, x)
	w.op("VPSUBD", x, n, n)
	for _, part := range []string{x, n} {
		w.op("VPADDD", w.constant("bias"), part, part)
		w.op("VPSLLD", "$23", part, part)
		w.op("VMULPS", part, y, y)
	}
}

// clamp holds x between two constants in registers; what is not a number stays.
func (w *writer) clamp(x string, low, top string) {
	w.op("VMAXPS", x, w.constant(low), x)
	if top != "" {
		w.op("VMINPS", x, w.constant(top), x)
	}
}

func writeExponentials(w *writer) {
	all := append([]string{"expLow", "expTop"}, expConstants...)
	w.vectorFunc(vectorFunc{
		name: "exp", signature: unarySignature, argBytes: 48, vectors: []string{"dst", "x"}, constants: all,
		body: func(w *writer, u int) {
			w.in(1, u, w.reg(0))
			w.clamp(w.reg(0), "expLow", "expTop")
			w.exp(w.reg(0), w.reg(1), w.reg(2))
			w.out(w.reg(2), 0, u)
		},
	})
	w.vectorFunc(vectorFunc{
		name: "expSum", signature: "(dst, x []float32, max float32) float64", argBytes: 64, vectors: []string{"dst", "x"},
		scalars: []string{"max+48"}, spare: 8, constants: all, start: startDoubles,
		body: func(w *writer, u int) {
			w.in(1, u, w.reg(0))
			w.expBelow(true)
		},
		finish: func(w *writer) { w.finishDoubles("ret+56(FP)") },
	})
	w.vectorFunc(vectorFunc{
		name: "sumExp", signature: "(x []float32, max float32) float64", argBytes: 40, vectors: []string{"x"},
		scalars: []string{"max+24"}, spare: 8, constants: all, start: startDoubles,
		body: func(w *writer, u int) {
			w.in(0, u, w.reg(0))
			w.expBelow(false)
		},
		finish: func(w *writer) { w.finishDoubles("ret+32(FP)") },
	})
	writeSigmoid(w)
	writeSiLU(w)
	writeTanh(w)
	writeNormal(w)
}

// expBelow adds exp(x - max) to the sums, x in register 0, and writes it to dst if asked to.
func (w *writer) expBelow(keep bool) {
	w.op("VSUBPS", w.scalarReg(0), w.reg(0), w.reg(0))
	w.clamp(w.reg(0), "expLow", "expTop")
	w.exp(w.reg(0), w.reg(1), w.reg(4))
	if keep {
		w.out(w.reg(4), 0, 0)
	}
	w.dropMasked(w.reg(4))
	w.addDoubles(w.reg(4), w.reg(0), w.reg(1))
}

// sigmoid(x) = e/(1+e) for x < 0, else 1/(1+e), with e = exp(-|x|), so that neither end loses digits.
// What the quotient q of a numerator u lacks, from the rounding of 1+e too, is u - q - q·e over 1+e,
// where u - q is exact.
func writeSigmoid(w *writer) {
	w.vectorFunc(vectorFunc{
		name: "sigmoid", signature: unarySignature, argBytes: 48, vectors: []string{"dst", "x"},
		constants: append([]string{"expLow", "one", "sign", "half"}, append(without("one", expConstants), "rough")...),
		body: func(w *writer, _ int) {
			x, y, n, e, u := w.reg(0), w.reg(1), w.reg(2), w.reg(3), w.reg(4)
			w.in(1, 0, x)
			w.op("VORPS", w.constant("sign"), x, y)
			w.clamp(y, "expLow", "")
			w.exp(y, n, e)
			w.op("VADDPS", w.constant("one"), e, y)
			if w.isa == avx512 {
				w.op("VPMOVD2M", x, "K2")
				w.op("VBLENDMPS", e, w.constant("one"), "K2", u)
			} else {
				w.op("VBLENDVPS", x, e, w.constant("one"), u)
			}
			q := n
			w.op("VDIVPS", y, u, q)
			w.op("VSUBPS", q, u, u)
			w.op("VFNMADD231PS", e, q, u)
			w.addRest(q, u, y)
			w.out(q, 0, 0)
		},
	})
}

// addRest adds u/y to q, where u is a few units in the last place of q, and y from 1 to 2; it uses up y.
func (w *writer) addRest(q, u, y string) {
	w.op("VFNMADD213PS", w.constant("rough"), w.constant("half"), y)
	w.op("VFMADD231PS", u, y, q)
}

// silu(x) = x/(1+exp(-x)); the denominator becomes +Inf where the result is hardly a number any more.
func writeSiLU(w *writer) {
	f := vectorFunc{name: "silu", signature: unarySignature, argBytes: 48, vectors: []string{"dst", "x"}}
	if w.isa == avx512 {
		f.constants = []string{"expLow", "siluTop", "minusLog2e", "sixteenths", "root1", "root2", "root3", "one"}
		f.start = func(w *writer) { w.op("VMOVUPS", w.words("roots", roots()...)+"(SB)", w.reg(firstScalar)) }
		f.body = siluByRoots
	} else {
		f.constants = append([]string{"expLow", "expTop", "sign"}, expConstants...)
		f.body = func(w *writer, u int) {
			x, y, n, e := w.reg(0), w.reg(1), w.reg(2), w.reg(3)
			w.in(1, u, x)
			w.op("VXORPS", w.constant("sign"), x, y)
			w.clamp(y, "expLow", "expTop")
			w.exp(y, n, e)
			w.op("VADDPS", w.constant("one"), e, e)
			w.op("VDIVPS", e, x, x)
			w.out(x, 0, u)
		}
	}
	w.vectorFunc(f)
}

// roots are 2^(i/16).
func roots() (words []uint32) {
	for i := range 16 {
		words = append(words, gen.Float(float32(math.Exp2(float64(i)/16))))
	}
	return words
}

// siluByRoots takes exp(-x) = 2^(n/16 + f) apart, with n = -16·x·log2(e) rounded: a root of the
// table, a power of two and a polynomial in f, |f| <= 1/32.
func siluByRoots(w *writer, u int) {
	x, y, k, f := w.reg(0), w.reg(1), w.reg(2), w.reg(3)
	w.in(1, u, x)
	w.op("VMAXPS", x, w.constant("expLow"), y)
	w.op("VMINPS", y, w.constant("siluTop"), y)
	w.op("VMOVAPS", w.constant("sixteenths"), k)
	w.op("VFMADD231PS", w.constant("minusLog2e"), y, k) // its last four bits choose the root
	w.op("VPERMPS", w.reg(firstScalar), k, w.reg(4))
	w.op("VSUBPS", w.constant("sixteenths"), k, k)
	w.op("VMOVAPS", k, f)
	w.op("VFMSUB231PS", w.constant("minusLog2e"), y, f) // y·minusLog2e - k
	w.op("VMOVAPS", w.constant("root3"), y)
	for _, c := range []string{"root2", "root1", "one"} {
		w.op("VFMADD213PS", w.constant(c), f, y)
	}
	w.op("VMULPS", w.reg(4), y, y)
	w.op("VSCALEFPS", k, y, y)
	w.op("VADDPS", w.constant("one"), y, y)
	w.op("VDIVPS", y, x, x)
	w.out(x, 0, u)
}

// tanh(|x|) = -m/(2+m) with m = exp(-2|x|) - 1 = 2^n·(exp(r)-1) + (2^n-1), which is as exact near
// zero as elsewhere. What the quotient q lacks is m - 2q - q·m over 2+m, where m - 2q is exact.
func writeTanh(w *writer) {
	w.vectorFunc(vectorFunc{
		name: "tanh", signature: unarySignature, argBytes: 48, vectors: []string{"dst", "x"},
		constants: append([]string{"tanhLo", "sign", "one", "half"}, append(without("one", expConstants), "two", "minus2", "abs", "rough")...),
		body: func(w *writer, _ int) {
			x, y, n, m, u := w.reg(0), w.reg(1), w.reg(2), w.reg(3), w.reg(4)
			w.in(1, 0, x)
			w.op("VANDPS", w.constant("abs"), x, y)
			w.op("VMULPS", w.constant("minus2"), y, y)
			w.clamp(y, "tanhLo", "")
			w.reduce(y, n)
			w.polynomial(y, m, "c2")
			w.op("VMULPS", y, y, u)
			w.op("VFMADD213PS", y, u, m) // exp(r)-1 = r + r²·(...), more exact than a product
			w.power(n)
			w.op("VSUBPS", w.constant("one"), n, y)
			w.op("VFMADD213PS", y, n, m)
			w.op("VADDPS", w.constant("two"), m, y)
			q := n
			w.op("VDIVPS", y, m, q)
			w.op("VMOVAPS", m, u)
			w.op("VFMADD231PS", w.constant("minus2"), q, u)
			w.op("VFNMADD231PS", m, q, u)
			w.addRest(q, u, y)
			w.op("VANDPS", w.constant("abs"), q, q)
			w.op("VANDPS", w.constant("sign"), x, x)
			w.op("VORPS", x, q, q)
			w.out(q, 0, 0)
		},
	})
}

// Below zero what gen.Constants has of the normal distribution, above it the rest of 1.
func writeNormal(w *writer) {
	all := append([]string{"expLow", "one"}, without("one", expConstants)...)
	w.vectorFunc(vectorFunc{
		name: "normal", signature: unarySignature, argBytes: 48, vectors: []string{"dst", "x"},
		constants: append(all, "normal", "abs", "minusHalf", "p1", "p2", "p3", "p4", "p5", "p6", "p7", "p8"),
		body: func(w *writer, u int) {
			x, a, t, p, n := w.reg(0), w.reg(1), w.reg(2), w.reg(3), w.reg(4)
			w.in(1, u, x)
			w.op("VANDPS", w.constant("abs"), x, a)
			w.op("VMOVUPS", w.constant("normal"), t)
			w.op("VFMADD213PS", w.constant("one"), a, t)
			w.op("VDIVPS", t, w.constant("one"), t)
			w.op("VMOVUPS", w.constant("p8"), p)
			for _, c := range []string{"p7", "p6", "p5", "p4", "p3", "p2", "p1"} {
				w.op("VFMADD213PS", w.constant(c), t, p)
			}
			w.op("VMULPS", t, p, p)
			w.op("VMULPS", a, a, a)
			w.op("VMULPS", w.constant("minusHalf"), a, a)
			w.clamp(a, "expLow", "")
			w.exp(a, n, t)
			w.op("VMULPS", t, p, p)
			w.op("VSUBPS", p, w.constant("one"), t)
			if w.isa == avx512 {
				w.op("VPMOVD2M", x, "K2")
				w.op("VBLENDMPS", p, t, "K2", p)
			} else {
				w.op("VBLENDVPS", x, p, t, p)
			}
			w.out(p, 0, u)
		},
	})
}

// power replaces n, a whole number, by 2^n within the normal float32 range.
func (w *writer) power(n string) {
	if w.isa == avx512 {
		w.op("VSCALEFPS", n, w.constant("one"), n)
		return
	}
	w.op("VCVTPS2DQ", n, n)
	w.op("VPADDD", w.constant("bias"), n, n)
	w.op("VPSLLD", "$23", n, n)
}

func without(name string, names []string) []string {
	var rest []string
	for _, n := range names {
		if n != name {
			rest = append(rest, n)
		}
	}
	return rest
}
