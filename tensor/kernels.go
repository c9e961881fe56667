package tensor

// kernels is one row of the table of inner loops: what a set of instructions can do.
// All slices of a call have the length of the first; the callers see to that.
type kernels struct {
	level level

	add, mul, mulAdd func(dst, a, b []float32)
	scale, shift     func(dst, x []float32, s float32) // x*s, x+s
	axpy             func(dst, x []float32, a float32)

	dot        func(a, b []float32) float32
	sum        func(x []float32) float64
	sumSquares func(x []float32) float64
	max        func(x []float32) float32

	exp, tanh, sigmoid, relu, relu6 func(dst, x []float32)

	expSum func(dst, x []float32, max float32) float64 // dst = exp(x-max); their sum
	sumExp func(x []float32, max float32) float64      // the sum alone

	adamw func(w, g, m, v []float32, c *adamwStep)
	ema   func(avg, w []float32, keep, add float32)

	halfToFloat func(dst []float32, src []uint16)
	floatToHalf func(dst []uint16, src []float32)
}

// table has a row for every level that this machine can run.
var table = []*kernels{&genericKernels}

// kern is the row in use.
var kern = table[min(int(cpuLevel), len(table)-1)]

// chunk is how many elements one call of a kernel gets: a few microseconds' worth, so that the
// garbage collector, which cannot interrupt assembly, need not wait.
const chunk = 1 << 14
