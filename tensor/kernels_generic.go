package tensor

import "math"

var genericKernels = kernels{
	level:      levelGeneric,
	gemm:       []gemmFunc{nil, gemmRows(1), gemmRows(2), gemmRows(3), gemmGeneric4},
	mr:         4,
	nr:         4,
	aWidth:     4,
	transWidth: 4,
	packCopy:   packCopyGeneric,
	packTrans:  packTransGeneric,
	add: func(dst, a, b []float32) {
		for i := range dst {
			dst[i] = a[i] + b[i]
		}
	},
	mul: func(dst, a, b []float32) {
		for i := range dst {
			dst[i] = a[i] * b[i]
		}
	},
	mulAdd: func(dst, a, b []float32) {
		for i := range dst {
			dst[i] += a[i] * b[i]
		}
	},
	scale: func(dst, x []float32, s float32) {
		for i := range dst {
			dst[i] = x[i] * s
		}
	},
	shift: func(dst, x []float32, s float32) {
		for i := range dst {
			dst[i] = x[i] + s
		}
	},
	axpy: func(dst, x []float32, a float32) {
		for i := range dst {
			dst[i] += a * x[i]
		}
	},
	dot:        dotGeneric,
	sum:        sumGeneric,
	sumSquares: sumSquaresGeneric,
	max:        maxGeneric,
	above:      aboveGeneric,
	exp:        each(expGeneric),
	tanh:       each(func(x float32) float32 { return float32(math.Tanh(float64(x))) }),
	sigmoid:    each(func(x float32) float32 { return float32(1 / (1 + math.Exp(-float64(x)))) }),
	silu:       each(func(x float32) float32 { return float32(float64(x) / (1 + math.Exp(-float64(x)))) }),
	normal:     each(func(x float32) float32 { return float32(math.Erfc(-float64(x)/math.Sqrt2) / 2) }),
	relu: each(func(x float32) float32 {
		if x < 0 {
			return 0
		}
		return x
	}),
	relu6: each(func(x float32) float32 {
		if x < 0 {
			return 0
		} else if x > 6 {
			return 6
		}
		return x
	}),
	expSum: expSumGeneric,
	sumExp: sumExpGeneric,
	adamw:  adamwGeneric,
	ema:    emaGeneric,
	fma:    fmaGeneric, fmaSize: 8,
	halfToFloat: halfToFloatGeneric,
	floatToHalf: floatToHalfGeneric,
}

func each(f func(float32) float32) func(dst, x []float32) {
	return func(dst, x []float32) {
		for i := range dst {
			dst[i] = f(x[i])
		}
	}
}

func expGeneric(x float32) float32 { return float32(math.Exp(float64(x))) }

func dotGeneric(a, b []float32) float32 {
	var s [4]float32
	for len(a) >= 4 && len(b) >= 4 {
		s[0] += a[0] * b[0]
		s[1] += a[1] * b[1]
		s[2] += a[2] * b[2]
		s[3] += a[3] * b[3]
		a, b = a[4:], b[4:]
	}
	for i := range a {
		s[0] += a[i] * b[i]
	}
	return (s[0] + s[1]) + (s[2] + s[3])
}

func sumGeneric(x []float32) float64 {
	s := 0.0
	for _, v := range x {
		s += float64(v)
	}
	return s
}

func sumSquaresGeneric(x []float32) float64 {
	s := 0.0
	for _, v := range x {
		s += float64(v) * float64(v)
	}
	return s
}

func maxGeneric(x []float32) float32 {
	m := float32(math.Inf(-1))
	for _, v := range x {
		if v > m {
			m = v
		}
	}
	return m
}

func aboveGeneric(x []float32, floor float32) int {
	for i, v := range x {
		if !(v <= floor) {
			return i
		}
	}
	return len(x)
}

func expSumGeneric(dst, x []float32, max float32) float64 {
	s := 0.0
	for i := range dst {
		dst[i] = expGeneric(x[i] - max)
		s += float64(dst[i])
	}
	return s
}

func sumExpGeneric(x []float32, max float32) float64 {
	s := 0.0
	for _, v := range x {
		s += float64(expGeneric(v - max))
	}
	return s
}

func adamwGeneric(w, g, m, v []float32, c *adamwStep) {
	for i, gi := range g {
		mi := c.beta1*m[i] + c.rest1*gi
		vi := c.beta2*v[i] + c.rest2*gi*gi
		m[i], v[i] = mi, vi
		root := float32(math.Sqrt(float64(vi)))
		w[i] = c.keep*w[i] - c.rate*mi/(root*c.root+c.eps)
	}
}

func emaGeneric(avg, w []float32, keep, add float32) {
	for i := range avg {
		avg[i] = keep*avg[i] + add*w[i]
	}
}

func fmaGeneric(n int) {
	var a, b, c, d, e, f, g, h float32
	x, y := float32(1), float32(0)
	for range n {
		a += x * y
		b += x * y
		c += x * y
		d += x * y
		e += x * y
		f += x * y
		g += x * y
		h += x * y
		y = -y
	}
	if sum := a + b + c + d + e + f + g + h; sum != sum {
		panic("tensor: a multiple of 1 is not a number") // so that the sums are computed
	}
}
