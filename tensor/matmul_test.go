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
	sizes := [][3]int{{0, 3, 2}, {3, 0, 2}, {3, 2, 0}, {1, 1, 1}, {1, 70, 33}, {3, 5, 7}, {12, 32, 16}, {13, 33, 17}, {25, 65, 400}, {49, 50, 64}, {150, 130, 90}}
	eachRow(t, func(t *testing.T, k *kernels) {
		r := rand.New(rand.NewPCG(1, 2))
		for _, size := range sizes {
			for _, la := range layouts {
				for _, lb := range layouts {
					t.Run(fmt.Sprint(size, la, lb), func(t *testing.T) {
						checkProducts(t, k, layout(r, la, size[0], size[2]), layout(r, lb, size[2], size[1]))
					})
				}
			}
		}
	})
}

func TestLongMatMul(t *testing.T) {
	eachRow(t, func(t *testing.T, k *kernels) {
		r := rand.New(rand.NewPCG(1, 2))
		checkProducts(t, k, layout(r, "wide columns", 5, 9000), layout(r, "wide rows", 9000, 7))
	})
}

// checkProducts checks every way to multiply a and b.
func checkProducts(t *testing.T, k *kernels, a, b Matrix) {
	t.Helper()
	checkMatMul(t, a, b, false, func(dst, a, b Matrix) { multiply(k, dst, a, b, nil, false) })
	checkMatMul(t, a, b, true, func(dst, a, b Matrix) { multiply(k, dst, a, b, nil, true) })
	checkMatMul(t, a, b, false, func(dst, a, b Matrix) { MatMulPacked(dst, a, k.packed(b)) })
}

func FuzzMatMul(f *testing.F) {
	f.Add(uint8(3), uint8(40), uint16(500), uint8(0), uint8(1), uint64(1))
	f.Add(uint8(100), uint8(90), uint16(30), uint8(3), uint8(4), uint64(2))
	f.Fuzz(func(t *testing.T, m, n uint8, k uint16, la, lb uint8, seed uint64) {
		r := rand.New(rand.NewPCG(seed, 0))
		a := layout(r, layouts[int(la)%len(layouts)], int(m), int(k%1000))
		b := layout(r, layouts[int(lb)%len(layouts)], int(k%1000), int(n))
		for _, row := range table {
			checkProducts(t, row, a, b)
		}
	})
}

// Rows of a result do not depend on other rows, on packing, on strides or on the number of workers.
func TestMatMulBits(t *testing.T) {
	eachRow(t, func(t *testing.T, k *kernels) {
		r := rand.New(rand.NewPCG(7, 8))
		m, n, depth := 170, 300, 1000
		a, b := Mat(random(r, m*depth), m, depth), Mat(random(r, depth*n), depth, n)
		bt := Mat(make([]float32, n*depth), n, depth).T()
		for i := range depth {
			for j := range n {
				bt.Data[i*bt.RowStride+j*bt.ColStride] = b.At(i, j)
			}
		}
		withWorkers(t, 1)
		want, got := Mat(make([]float32, m*n), m, n), Mat(make([]float32, m*n), m, n)
		multiply(k, want, a, b, nil, false)
		same := func(how string) {
			t.Helper()
			for i, v := range want.Data {
				if got.Data[i] != v {
					t.Fatalf("%s: element %d is %v, want %v", how, i, got.Data[i], v)
				}
			}
			clear(got.Data)
		}
		for _, workers := range []int{2, 3, 8} {
			SetWorkers(workers)
			multiply(k, got, a, b, nil, false)
			same(fmt.Sprint(workers, " workers"))
			MatMulPacked(got, a, k.packed(bt))
			same(fmt.Sprint(workers, " workers, packed"))
		}
		multiply(k, got, a, bt, nil, false)
		same("transposed")
		for i := 0; i < m; i += 17 {
			multiply(k, got.Slice(i, 0, 17, n), a.Slice(i, 0, 17, depth), b, nil, false)
		}
		same("by 17 rows")
		for i := range m {
			multiply(k, got.Slice(i, 0, 1, n), a.Slice(i, 0, 1, depth), b, nil, false)
		}
		same("by rows")
	})
}

func TestMatMulAllocatesNothing(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector allocates")
	}
	r := rand.New(rand.NewPCG(7, 8))
	a, b, c := Mat(random(r, 60*512), 60, 512), Mat(random(r, 512*256), 512, 256), Mat(make([]float32, 60*256), 60, 256)
	p := Pack(b)
	small := Mat(random(r, 64*49), 64, 49)
	dst := Mat(make([]float32, 49*49), 49, 49)
	n := testing.AllocsPerRun(50, func() {
		MatMul(c, a, b)
		MatMulPacked(c, a, p)
		MatMul(dst, small.T(), small)
	})
	if n > 0.5 {
		t.Errorf("%v allocations, want 0", n)
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
		"half":          func() { HalfToFloat(make([]float32, 2), make([]uint16, 1, 2)) },
		"adam":          func() { AdamW{}.Update(nil, nil, nil, nil) },
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
