package tensor

import "math"

// Softmax replaces x by exp(x) over their sum, and returns the logarithm of that sum. Values of
// -Inf become 0; if all are -Inf, or x is empty, x becomes zeros and the result is -Inf.
func Softmax(x []float32) float64 {
	m := Max(x)
	if math.IsInf(float64(m), -1) && !hasNaN(x) {
		clear(x)
		return math.Inf(-1)
	}
	s := 0.0
	rest := x
	for ; len(rest) > chunk; rest = rest[chunk:] {
		s += kern.expSum(rest[:chunk], rest[:chunk], m)
	}
	s += kern.expSum(rest, rest, m)
	Scale(x, x, float32(1/s))
	return float64(m) + math.Log(s)
}

// LogSoftmax writes x minus the logarithm of the sum of exp(x) to dst, which may be x.
// If all values are -Inf, so is dst.
func LogSoftmax(dst, x []float32) {
	need("LogSoftmax", len(dst), len(x))
	x = x[:len(dst)]
	m := Max(x)
	if math.IsInf(float64(m), -1) && !hasNaN(x) {
		copy(dst, x)
		return
	}
	s := 0.0
	rest := x
	for ; len(rest) > chunk; rest = rest[chunk:] {
		s += kern.sumExp(rest[:chunk], m)
	}
	s += kern.sumExp(rest, m)
	logSum := math.Log(s)
	if big := float64(m) + logSum; math.Abs(float64(m)) < 64 {
		Shift(dst, x, float32(-big))
		return
	}
	Shift(dst, x, -m) // apart, so that a large m does not swallow the digits of logSum
	Shift(dst, dst, float32(-logSum))
}

func hasNaN(x []float32) bool {
	for _, v := range x {
		if v != v {
			return true
		}
	}
	return false
}
