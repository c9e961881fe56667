// Package tensor holds the dense float32 operations that models need, in AVX-512, AVX2 and plain Go.
//
// Call MatMul first: it multiplies two Matrix views of any strides. A right-hand side that is used
// often, such as a weight at inference, is faster once through Pack and MatMulPacked. Vector
// functions (Add, Exp, Softmax, ...) run on the calling goroutine; matrix products and optimiser
// updates hand out tiles with Parallel. Results depend on the processor (see CPU) in the last bits,
// never on the number of workers.
//
// Wrong shapes are mistakes of the programmer and panic.
package tensor

import "fmt"

// A Matrix is a view of float32 values: element (i, j) is Data[i*RowStride+j*ColStride].
type Matrix struct {
	Data       []float32
	Rows, Cols int
	RowStride  int // in elements, not negative
	ColStride  int // in elements, not negative
}

// Mat views contiguous row-major data as a (rows, cols) matrix.
func Mat(data []float32, rows, cols int) Matrix {
	m := Matrix{Data: data, Rows: rows, Cols: cols, RowStride: cols, ColStride: 1}
	m.check()
	return m
}

// T is the transposed view.
func (m Matrix) T() Matrix {
	m.Rows, m.Cols = m.Cols, m.Rows
	m.RowStride, m.ColStride = m.ColStride, m.RowStride
	return m
}

// Slice is the view of rows x cols elements that begins at (row, col).
func (m Matrix) Slice(row, col, rows, cols int) Matrix {
	if row < 0 || col < 0 || rows < 0 || cols < 0 || row+rows > m.Rows || col+cols > m.Cols {
		panic(fmt.Sprintf("tensor: slice at (%d, %d) of size %dx%d outside of a %dx%d matrix", row, col, rows, cols, m.Rows, m.Cols))
	}
	m.Rows, m.Cols = rows, cols
	if rows > 0 && cols > 0 {
		m.Data = m.Data[row*m.RowStride+col*m.ColStride:]
	}
	return m
}

// At is element (i, j).
func (m Matrix) At(i, j int) float32 { return m.Data[i*m.RowStride+j*m.ColStride] }

// Row is row i of a matrix whose ColStride is 1.
func (m Matrix) Row(i int) []float32 {
	if m.ColStride != 1 {
		panic("tensor: row of a matrix whose columns are not adjacent")
	}
	return m.Data[i*m.RowStride:][:m.Cols:m.Cols]
}

// check panics unless every element lies within Data.
func (m Matrix) check() {
	if m.Rows < 0 || m.Cols < 0 || m.RowStride < 0 || m.ColStride < 0 {
		panic(fmt.Sprintf("tensor: %dx%d matrix with strides %d, %d", m.Rows, m.Cols, m.RowStride, m.ColStride))
	}
	if m.Rows == 0 || m.Cols == 0 {
		return
	}
	if last := (m.Rows-1)*m.RowStride + (m.Cols-1)*m.ColStride; last >= len(m.Data) {
		panic(fmt.Sprintf("tensor: %dx%d matrix with strides %d, %d over %d values", m.Rows, m.Cols, m.RowStride, m.ColStride, len(m.Data)))
	}
}
