package tensor

import (
	"fmt"
	"math"
)

// Add writes a+b to dst, which may be a or b.
func Add(dst, a, b []float32) { binary("Add", kern.add, dst, a, b) }

// Mul writes the element-wise product of a and b to dst, which may be a or b.
func Mul(dst, a, b []float32) { binary("Mul", kern.mul, dst, a, b) }

// MulAdd adds the element-wise product of a and b to dst, which may be a or b.
func MulAdd(dst, a, b []float32) { binary("MulAdd", kern.mulAdd, dst, a, b) }

// Scale writes x*s to dst, which may be x.
func Scale(dst, x []float32, s float32) { scalar("Scale", kern.scale, dst, x, s) }

// Shift writes x+s to dst, which may be x.
func Shift(dst, x []float32, s float32) { scalar("Shift", kern.shift, dst, x, s) }

// AXPY adds a*x to dst.
func AXPY(dst []float32, a float32, x []float32) { scalar("AXPY", kern.axpy, dst, x, a) }

// Dot is the inner product of a and the first len(a) values of b.
func Dot(a, b []float32) float32 {
	need("Dot", len(a), len(b))
	s := float32(0)
	for ; len(a) > chunk; a, b = a[chunk:], b[chunk:] {
		s += kern.dot(a[:chunk], b[:chunk])
	}
	return s + kern.dot(a, b[:len(a)])
}

// Sum adds the values of x in float64.
func Sum(x []float32) float32 { return float32(total(kern.sum, x)) }

// SumSquares adds the squares of x in float64.
func SumSquares(x []float32) float64 { return total(kern.sumSquares, x) }

// Max is the greatest value of x that is a number, -Inf if there is none.
func Max(x []float32) float32 {
	m := float32(math.Inf(-1))
	for ; len(x) > chunk; x = x[chunk:] {
		m = max(m, kern.max(x[:chunk]))
	}
	return max(m, kern.max(x))
}

// Above is the place of the first value of x that is more than floor or not a number, len(x) if there is
// none.
func Above(x []float32, floor float32) int {
	for at := 0; ; at += chunk {
		part := x[at:min(at+chunk, len(x))]
		if i := kern.above(part, floor); i < len(part) || at+len(part) == len(x) {
			return at + i
		}
	}
}

// Exp writes e to the power of x to dst, which may be x. The error is at most 1 ulp.
func Exp(dst, x []float32) { unary("Exp", kern.exp, dst, x) }

// Tanh writes the hyperbolic tangent of x to dst, which may be x. The error is at most 2 ulp, near
// zero too.
func Tanh(dst, x []float32) { unary("Tanh", kern.tanh, dst, x) }

// Sigmoid writes 1/(1+exp(-x)) to dst, which may be x. The error is at most 2 ulp.
func Sigmoid(dst, x []float32) { unary("Sigmoid", kern.sigmoid, dst, x) }

// SiLU writes x/(1+exp(-x)) to dst, which may be x. The error is at most 4e-7 of the
// result, or of 1e-3 where that is more.
func SiLU(dst, x []float32) { unary("SiLU", kern.silu, dst, x) }

// Normal writes the share of the standard normal distribution that lies below x, (1+erf(x/√2))/2, to
// dst, which may be x. The relative error is at most 6e-7 + 1e-7·x² below zero, 6e-7 above.
func Normal(dst, x []float32) { unary("Normal", kern.normal, dst, x) }

// ReLU writes x, or 0 where x is negative, to dst, which may be x.
func ReLU(dst, x []float32) { unary("ReLU", kern.relu, dst, x) }

// ReLU6 writes x, held between 0 and 6, to dst, which may be x.
func ReLU6(dst, x []float32) { unary("ReLU6", kern.relu6, dst, x) }

func unary(name string, f func(dst, x []float32), dst, x []float32) {
	need(name, len(dst), len(x))
	for ; len(dst) > chunk; dst, x = dst[chunk:], x[chunk:] {
		f(dst[:chunk], x[:chunk])
	}
	f(dst, x[:len(dst)])
}

func binary(name string, f func(dst, a, b []float32), dst, a, b []float32) {
	need(name, len(dst), len(a))
	need(name, len(dst), len(b))
	for ; len(dst) > chunk; dst, a, b = dst[chunk:], a[chunk:], b[chunk:] {
		f(dst[:chunk], a[:chunk], b[:chunk])
	}
	f(dst, a[:len(dst)], b[:len(dst)])
}

func scalar(name string, f func(dst, x []float32, s float32), dst, x []float32, s float32) {
	need(name, len(dst), len(x))
	for ; len(dst) > chunk; dst, x = dst[chunk:], x[chunk:] {
		f(dst[:chunk], x[:chunk], s)
	}
	f(dst, x[:len(dst)], s)
}

func total(f func(x []float32) float64, x []float32) float64 {
	s := 0.0
	for ; len(x) > chunk; x = x[chunk:] {
		s += f(x[:chunk])
	}
	return s + f(x)
}

// need panics where an operand of length has is shorter than the result.
func need(name string, n, has int) {
	if has < n {
		panic(fmt.Sprintf("tensor: %s of %d values into %d", name, has, n))
	}
}
