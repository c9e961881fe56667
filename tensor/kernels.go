package tensor

//go:generate go run ./internal/asm/neon .

// kernels is one row of the table of inner loops: what a set of instructions can do.
// All slices of a call have the length of the first; the callers see to that.
type kernels struct {
	level level

	gemm       []gemmFunc // by the number of rows, 1 to mr
	mr, nr     int        // rows and columns of a tile
	aWidth     int        // values from one packed column of a's panel to the next, at least mr
	packCopy   packFunc   // of adjacent columns, up to nr
	packTrans  packFunc   // of adjacent rows, up to transWidth columns
	transWidth int

	add, mul, mulAdd func(dst, a, b []float32)
	scale, shift     func(dst, x []float32, s float32) // x*s, x+s
	axpy             func(dst, x []float32, a float32)

	dot        func(a, b []float32) float32
	sum        func(x []float32) float64
	sumSquares func(x []float32) float64
	max        func(x []float32) float32
	above      func(x []float32, floor float32) int // the first not at most floor; len(x): none

	exp, tanh, sigmoid, silu, normal, relu, relu6 func(dst, x []float32)

	expSum func(dst, x []float32, max float32) float64 // dst = exp(x-max); their sum
	sumExp func(x []float32, max float32) float64      // the sum alone

	adamw func(w, g, m, v []float32, c *adamwStep)
	ema   func(avg, w []float32, keep, add float32)

	fma     func(n int) // n times fmaSize multiply-adds in registers
	fmaSize int

	halfToFloat func(dst []float32, src []uint16)
	floatToHalf func(dst []uint16, src []float32)
}

// kern is the row in use.
var kern = table[cpuLevel]

// chunk is how many elements one call of a kernel gets: a few microseconds' worth, so that the
// garbage collector, which cannot interrupt assembly, need not wait.
const chunk = 1 << 14

// A gemmFunc computes some rows (h, say) of a tile of a product, with strides in elements:
//
//	c[i*crs+j] (+)= sum over p < k of a[i*ars+p*acs] * b[p*brs+j]    for i < h and j < w
//
// Each element is one chain of additions in the order of p. k and w are at least 1.
type gemmFunc func(k int, a *float32, ars, acs int, b *float32, brs int, c *float32, crs int, w int, add bool)

// A packFunc lays k rows of w values side by side, dst[p*ds+i] for p < k and i < w, from src[p*ss+i]
// (packCopy) or src[i*ss+p] (packTrans). What it writes beyond w, up to ds, means nothing.
type packFunc func(dst, src *float32, k, ss, ds, w int)
