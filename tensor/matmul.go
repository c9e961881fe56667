package tensor

import "fmt"

// MatMul writes the product a·b to dst: (m, k) times (k, n) gives (m, n). The ColStride of dst
// must be 1; dst must not overlap a or b.
func MatMul(dst, a, b Matrix) { multiply(dst, a, b, false) }

// MatMulAdd adds the product a·b to dst, under the rules of MatMul.
func MatMulAdd(dst, a, b Matrix) { multiply(dst, a, b, true) }

// Packed is the right-hand side of a product in the order in which the kernels read it.
// It is safe for concurrent use.
type Packed struct {
	b Matrix
}

// Pack copies b, a (k, n) matrix.
func Pack(b Matrix) *Packed {
	b.check()
	c := Mat(make([]float32, b.Rows*b.Cols), b.Rows, b.Cols)
	for i := range b.Rows {
		for j := range b.Cols {
			c.Data[i*b.Cols+j] = b.At(i, j)
		}
	}
	return &Packed{c}
}

// Rows is k of the packed (k, n) matrix.
func (p *Packed) Rows() int { return p.b.Rows }

// Cols is n of the packed (k, n) matrix.
func (p *Packed) Cols() int { return p.b.Cols }

// MatMulPacked writes the product a·b to dst, under the rules of MatMul.
func MatMulPacked(dst, a Matrix, b *Packed) { multiply(dst, a, b.b, false) }

func multiply(dst, a, b Matrix, add bool) {
	checkProduct(dst, a, b)
	dst.ColStride = 1 // it may differ where there is one column
	Parallel(dst.Rows, func(i int) {
		row := dst.Row(i)
		if !add {
			clear(row)
		}
		for p := range a.Cols {
			v := a.At(i, p)
			if b.ColStride == 1 {
				AXPY(row, v, b.Row(p))
				continue
			}
			for j := range row {
				row[j] += v * b.At(p, j)
			}
		}
	})
}

func checkProduct(dst, a, b Matrix) {
	dst.check()
	a.check()
	b.check()
	if a.Cols != b.Rows || dst.Rows != a.Rows || dst.Cols != b.Cols {
		panic(fmt.Sprintf("tensor: product of %dx%d and %dx%d into %dx%d", a.Rows, a.Cols, b.Rows, b.Cols, dst.Rows, dst.Cols))
	}
	if dst.Cols > 1 && dst.ColStride != 1 || dst.Rows > 1 && dst.RowStride < dst.Cols {
		panic(fmt.Sprintf("tensor: product into a matrix with strides %d, %d", dst.RowStride, dst.ColStride))
	}
}
