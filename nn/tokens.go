package nn

import (
	"fmt"

	"showtell/tensor"
)

// Patches cuts pictures (n, h, w, c) into squares of size x size pixels, row by
// row: (n·h/size·w/size, c·size·size), the values of a square in the order
// (channel, row, column), as PyTorch's convolutions have their weights. What is
// left over at the right and below is not used. Pictures get no gradient.
func Patches(t *Tape, pictures *Var, size int) *Var {
	if len(pictures.Shape) != 4 || size < 1 || pictures.WantsGrad() {
		panic(fmt.Sprintf("nn: patches of %d pixels of %v", size, pictures.Shape))
	}
	n, h, w, c := pictures.Shape[0], pictures.Shape[1], pictures.Shape[2], pictures.Shape[3]
	rows, cols := h/size, w/size
	y := t.New(n*rows*cols, c*size*size)
	y.tape = nil
	eachRow(n*rows, cols*y.Cols(), func(i int) {
		for j := range cols {
			cell := y.Row(i*cols + j)
			for r := range size {
				at := (i/rows*h+i%rows*size+r)*w + j*size
				from := pictures.Data[at*c : (at+size)*c]
				for k := range c {
					to := cell[(k*size+r)*size:][:size]
					for x := range to {
						to[x] = from[x*c+k]
					}
				}
			}
		}
	})
	return y
}

// Tokens puts the row first before each run of n rows of x, and adds positions
// (n+1, width) to each such sequence: (rows/n·(n+1), width).
func Tokens(t *Tape, x *Var, first, positions *Param, n int) *Var {
	cols := x.Cols()
	if x.Rows()%n != 0 || len(first.Data) != cols || len(positions.Data) != (n+1)*cols {
		panic(fmt.Sprintf("nn: tokens of %v by %d, with %v and positions %v", x.Shape, n, first.Shape, positions.Shape))
	}
	groups := x.Rows() / n
	y := t.New(groups*(n+1), cols)
	eachRow(y.Rows(), cols, func(i int) {
		g, k := i/(n+1), i%(n+1)
		from := first.Data
		if k > 0 {
			from = x.Row(g*n + k - 1)
		}
		tensor.Add(y.Row(i), from, positions.Row(k))
	})
	if !y.learnIf(x.WantsGrad() || first.learns() || positions.learns()) {
		return y
	}
	t.record(func() {
		if y.grad == nil {
			return
		}
		dy := tensor.Mat(y.grad, y.Rows(), cols)
		for g := range groups {
			at := g * (n + 1)
			if positions.learns() {
				d := positions.Grad()
				each(len(d), func(lo, hi int) { tensor.Add(d[lo:hi], d[lo:hi], y.grad[at*cols+lo:at*cols+hi]) })
			}
			if first.learns() {
				tensor.Add(first.Grad(), first.Grad(), dy.Row(at))
			}
			if x.WantsGrad() {
				d := x.Grad()[g*n*cols : (g+1)*n*cols]
				each(len(d), func(lo, hi int) { tensor.Add(d[lo:hi], d[lo:hi], y.grad[(at+1)*cols+lo:(at+1)*cols+hi]) })
			}
		}
	})
	return y
}
