package nn

import (
	"fmt"
	"slices"

	"showtell/tensor"
)

// Add is a + b, of equal size.
func Add(t *Tape, a, b *Var) *Var {
	if len(a.Data) != len(b.Data) {
		panic(fmt.Sprintf("nn: adding %v and %v", a.Shape, b.Shape))
	}
	y := t.New(a.Shape...)
	operands{y: y.Data, a: a.Data, b: b.Data}.values(func(o *operands, lo, hi int) {
		tensor.Add(o.y[lo:hi], o.a[lo:hi], o.b[lo:hi])
	})
	if !y.learnIf(a.WantsGrad() || b.WantsGrad()) {
		return y
	}
	t.record(func() {
		if y.grad == nil {
			return
		}
		addGrad(a, y.grad)
		addGrad(b, y.grad)
	})
	return y
}

// Scale is s·x.
func Scale(t *Tape, x *Var, s float32) *Var {
	y := t.New(x.Shape...)
	operands{y: y.Data, a: x.Data, s: s}.values(func(o *operands, lo, hi int) {
		tensor.Scale(o.y[lo:hi], o.a[lo:hi], o.s)
	})
	if !t.learns() {
		return y
	}
	t.record(func() {
		if y.grad == nil || !x.WantsGrad() {
			return
		}
		dx := x.Grad()
		each(len(dx), func(lo, hi int) { tensor.AXPY(dx[lo:hi], s, y.grad[lo:hi]) })
	})
	return y
}

// Rows is a view of rows lo to hi (exclusive) of x: no copy, in the gradient
// neither.
func Rows(t *Tape, x *Var, lo, hi int) *Var {
	c := x.Cols()
	return &Var{Shape: []int{hi - lo, c}, Data: x.Data[lo*c : hi*c], tape: x.tape, parent: viewParent(x), offset: lo * c}
}

func viewParent(x *Var) *Var {
	if x.tape == nil {
		return nil
	}
	return x
}

// Concat joins matrices of equal rows side by side.
func Concat(t *Tape, xs ...*Var) *Var {
	rows, cols := xs[0].Rows(), 0
	for _, x := range xs {
		if x.Rows() != rows {
			panic(fmt.Sprintf("nn: joining %v and %v", xs[0].Shape, x.Shape))
		}
		cols += x.Cols()
	}
	y := t.New(rows, cols)
	if !slices.ContainsFunc(xs, (*Var).WantsGrad) {
		y.tape = nil
	}
	at := 0
	for _, x := range xs {
		operands{y: y.Data[at:], a: x.Data, cols: x.Cols(), stride: cols}.rows(rows, x.Cols(), copyRows)
		at += x.Cols()
	}
	if !t.learns() {
		return y
	}
	parts := slices.Clone(xs) // the caller's need not last, and costs no allocation
	t.record(func() {
		if y.grad == nil {
			return
		}
		at := 0
		for _, x := range parts {
			c, off := x.Cols(), at
			at += c
			if !x.WantsGrad() {
				continue
			}
			dx := x.Grad()
			eachRow(rows, c, func(i int) {
				tensor.Add(dx[i*c:(i+1)*c], dx[i*c:(i+1)*c], y.grad[i*cols+off:i*cols+off+c])
			})
		}
	})
	return y
}

// copyRows copies rows side by side to rows of a stride.
func copyRows(o *operands, lo, hi int) {
	for i := lo; i < hi; i++ {
		copy(o.y[i*o.stride:][:o.cols], o.a[i*o.cols:])
	}
}

// gatherRows copies rows by index.
func gatherRows(o *operands, lo, hi int) {
	for i := lo; i < hi; i++ {
		copy(o.y[i*o.cols:][:o.cols], o.a[o.ids[i]*o.cols:])
	}
}

// Gather takes rows of x by index, any number of times: (len(index), cols).
func Gather(t *Tape, x *Var, index []int) *Var {
	cols := x.Cols()
	y := t.New(len(index), cols)
	operands{y: y.Data, a: x.Data, cols: cols, ids: index}.rows(len(index), cols, gatherRows)
	if !y.learnIf(x.WantsGrad()) {
		return y
	}
	t.record(func() {
		if y.grad == nil {
			return
		}
		dx := x.Grad()
		for i, r := range index {
			tensor.Add(dx[r*cols:(r+1)*cols], dx[r*cols:(r+1)*cols], y.grad[i*cols:(i+1)*cols])
		}
	})
	return y
}

// MeanRows is the mean of each run of n rows: (rows/n, cols).
func MeanRows(t *Tape, x *Var, n int) *Var {
	if x.Rows()%n != 0 {
		panic(fmt.Sprintf("nn: means of %d rows of %v", n, x.Shape))
	}
	cols := x.Cols()
	y := t.New(x.Rows()/n, cols)
	inv := 1 / float32(n)
	eachRow(y.Rows(), cols*n, func(i int) {
		row := y.Row(i)
		clear(row)
		for j := range n {
			tensor.AXPY(row, inv, x.Row(i*n+j))
		}
	})
	t.record(func() {
		if y.grad == nil || !x.WantsGrad() {
			return
		}
		dx := x.Grad()
		eachRow(x.Rows(), cols, func(j int) {
			tensor.AXPY(dx[j*cols:(j+1)*cols], inv, y.grad[j/n*cols:(j/n+1)*cols])
		})
	})
	return y
}

// addGrad adds dy to the gradient of x, if x wants one.
func addGrad(x *Var, dy []float32) {
	if !x.WantsGrad() {
		return
	}
	if x.grad == nil && x.parent == nil {
		x.grad = x.tape.alloc(len(dy))
		each(len(dy), func(lo, hi int) { copy(x.grad[lo:hi], dy[lo:hi]) })
		return
	}
	dx := x.Grad()
	each(len(dx), func(lo, hi int) { tensor.Add(dx[lo:hi], dx[lo:hi], dy[lo:hi]) })
}

// Stack joins matrices of equal width below each other.
func Stack(t *Tape, xs ...*Var) *Var {
	rows, cols := 0, xs[0].Cols()
	for _, x := range xs {
		if x.Cols() != cols {
			panic(fmt.Sprintf("nn: stacking %v and %v", xs[0].Shape, x.Shape))
		}
		rows += x.Rows()
	}
	y := t.New(rows, cols)
	at := 0
	for _, x := range xs {
		at += copy(y.Data[at:], x.Data)
	}
	t.record(func() {
		if y.grad == nil {
			return
		}
		at := 0
		for _, x := range xs {
			addGrad(x, y.grad[at:at+len(x.Data)])
			at += len(x.Data)
		}
	})
	return y
}

// AppendMean adds the mean of each run of n rows as a row of its own behind
// them: (rows/n·(n+1), cols).
func AppendMean(t *Tape, x *Var, n int) *Var {
	if x.Rows()%n != 0 {
		panic(fmt.Sprintf("nn: means of %d rows of %v", n, x.Shape))
	}
	cols, groups, inv := x.Cols(), x.Rows()/n, 1/float32(n)
	y := t.New(groups*(n+1), cols)
	eachRow(groups, n*cols, func(g int) {
		out := y.Data[g*(n+1)*cols : (g+1)*(n+1)*cols]
		copy(out, x.Data[g*n*cols:(g+1)*n*cols])
		mean := out[n*cols:]
		clear(mean)
		for i := range n {
			tensor.AXPY(mean, inv, out[i*cols:(i+1)*cols])
		}
	})
	t.record(func() {
		if y.grad == nil || !x.WantsGrad() {
			return
		}
		dx := x.Grad()
		eachRow(groups, n*cols, func(g int) {
			dy := y.grad[g*(n+1)*cols : (g+1)*(n+1)*cols]
			for i := range n {
				d := dx[(g*n+i)*cols : (g*n+i+1)*cols]
				tensor.Add(d, d, dy[i*cols:(i+1)*cols])
				tensor.AXPY(d, inv, dy[n*cols:])
			}
		})
	})
	return y
}
