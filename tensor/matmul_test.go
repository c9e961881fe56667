package tensor

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// layout makes a (rows, cols) view of random values: row-major, transposed, or in a wider matrix.
func layout(r *rand.Rand, kind string, rows, cols int) Matrix {
	switch kind {
	case "rows":
		return Mat(random(r, rows*cols), rows, cols)
	case "columns":
		return Mat(random(r, rows*cols), cols, rows).T()
	case "wide rows":
		return Mat(random(r, (rows+2)*(cols+5)), rows+2, cols+5).Slice(1, 3, rows, cols)
	case "wide columns":
		return Mat(random(r, (rows+5)*(cols+2)), cols+2, rows+5).Slice(1, 3, cols, rows).T()
	case "strided":
		m := Matrix{Data: random(r, rows*cols*6+6), Rows: rows, Cols: cols, RowStride: cols*6 + 1, ColStride: 3}
		m.Data = append(m.Data, make([]float32, rows)...)
		return m
	}
	panic(kind)
}

var layouts = []string{"rows", "columns", "wide rows", "wide columns", "strided"}

func random(r *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = r.Float32()*2 - 1
	}
	return x
}

// checkMatMul compares a product with one in float64. dst lies in a wider matrix whose other
// elements must stay as they are.
func checkMatMul(t *testing.T, a, b Matrix, add bool, multiply func(dst, a, b Matrix)) {
	t.Helper()
	m, n, k := a.Rows, b.Cols, a.Cols
	wide := Mat(make([]float32, (m+2)*(n+7)), m+2, n+7)
	for i := range wide.Data {
		wide.Data[i] = 5
	}
	multiply(wide.Slice(1, 3, m, n), a, b)
	for i := range m + 2 {
		for j := range n + 7 {
			want, size := 5.0, 5.0
			if i >= 1 && i <= m && j >= 3 && j < n+3 {
				if !add {
					want = 0
				}
				for p := range k {
					v := float64(a.At(i-1, p)) * float64(b.At(p, j-3))
					want, size = want+v, size+math.Abs(v)
				}
			}
			if got := wide.At(i, j); math.Abs(float64(got)-want) > size*1e-6 || got != got {
				t.Fatalf("(%d, %d)x(%d, %d): element (%d, %d) is %v, want %v", m, k, k, n, i-1, j-3, got, want)
			}
		}
	}
}

func TestMatMul(t *testing.T) {
	sizes := [][3]int{{0, 3, 2}, {3, 0, 2}, {3, 2, 0}, {1, 1, 1}, {1, 70, 33}, {3, 5, 7}, {12, 32, 16}, {13, 33, 17}, {25, 65, 400}, {49, 50, 64}, {70, 90, 30}, {150, 130, 90}}
	for _, size := range sizes {
		for _, la := range layouts {
			for _, lb := range layouts {
				r := rand.New(rand.NewPCG(1, 2))
				m, n, k := size[0], size[1], size[2]
				t.Run(fmt.Sprintf("%dx%dx%d/%s/%s", m, n, k, la, lb), func(t *testing.T) {
					a, b := layout(r, la, m, k), layout(r, lb, k, n)
					checkMatMul(t, a, b, false, MatMul)
					checkMatMul(t, a, b, true, MatMulAdd)
					checkMatMul(t, a, b, false, func(dst, a, b Matrix) { MatMulPacked(dst, a, Pack(b)) })
				})
			}
		}
	}
}

func TestWrongShapesPanic(t *testing.T) {
	m := func(rows, cols int) Matrix { return Mat(make([]float32, rows*cols), rows, cols) }
	for name, f := range map[string]func(){
		"inner":         func() { MatMul(m(2, 2), m(2, 3), m(2, 2)) },
		"result":        func() { MatMul(m(2, 3), m(2, 2), m(2, 2)) },
		"packed":        func() { MatMulPacked(m(2, 2), m(2, 3), Pack(m(2, 2))) },
		"dst columns":   func() { MatMul(m(2, 2).T(), m(2, 2), m(2, 2)) },
		"dst rows meet": func() { MatMul(Matrix{make([]float32, 9), 2, 2, 1, 1}, m(2, 2), m(2, 2)) },
		"short data":    func() { Mat(make([]float32, 3), 2, 2) },
		"slice":         func() { m(2, 2).Slice(1, 0, 2, 1) },
		"add":           func() { Add(make([]float32, 2), make([]float32, 1), make([]float32, 2)) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			f()
		})
	}
}
