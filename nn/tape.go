// Package nn holds the layers of networks, each with its gradient beside it.
//
// An operation takes a *Tape first. On a tape it also records how to go back,
// and Tape.Backward leaves the gradient of a loss in every Var and Param that
// took part. With a nil tape, or one of NewScratch, it only computes: the same
// network definition serves training and inference. Start with NewTape, Linear
// and CrossEntropy.
//
// A wrong shape is a programmer's mistake and panics.
package nn

import (
	"fmt"
	"math/bits"
	"math/rand/v2"
	"slices"

	"showtell/tensor"
)

// A Var is a dense float32 array: what an operation takes and gives. Most
// operations see it as a matrix of Rows() x Cols().
type Var struct {
	Shape []int
	Data  []float32

	grad   []float32
	tape   *Tape // where its gradient lives; nil: no gradient wanted
	parent *Var  // set in a view of rows: the gradient is part of the parent's
	offset int
	dims   [4]int // where Shape lies, in a Var of a tape

	activation tensor.Activation // that made Data, where a convolution did
	masked     bool              // the gradient has gone back through it
}

// Const returns a Var around data that wants no gradient, such as the input
// of a network.
func Const(data []float32, shape ...int) *Var {
	if size(shape) != len(data) {
		panic(fmt.Sprintf("nn: %d values do not fill shape %v", len(data), shape))
	}
	return &Var{Shape: shape, Data: data}
}

// Cols is the length of the last dimension.
func (v *Var) Cols() int { return v.Shape[len(v.Shape)-1] }

// Rows is the product of all dimensions but the last.
func (v *Var) Rows() int { return size(v.Shape[:len(v.Shape)-1]) }

// Row is row i of the matrix.
func (v *Var) Row(i int) []float32 { c := v.Cols(); return v.Data[i*c : (i+1)*c] }

// Mat is the Var as a matrix of Rows() x Cols().
func (v *Var) Mat() tensor.Matrix { return tensor.Mat(v.Data, v.Rows(), v.Cols()) }

// WantsGrad tells whether Backward is to leave a gradient here.
func (v *Var) WantsGrad() bool { return v.tape != nil }

// learnIf tells whether the result of an operation on a tape that learns wants a
// gradient: only if something that went into it does. Otherwise there is nothing
// to record.
func (v *Var) learnIf(wanted bool) bool {
	if !wanted {
		v.tape = nil
	}
	return v.tape != nil
}

// Grad is the gradient, of the length of Data, for adding to. It is made, all
// zero, when first asked for. Only for a Var that WantsGrad.
func (v *Var) Grad() []float32 {
	v.masked = false
	if v.grad != nil {
		return v.grad
	}
	if v.parent != nil {
		v.grad = v.parent.Grad()[v.offset : v.offset+len(v.Data)]
	} else {
		v.grad = v.tape.alloc(len(v.Data))
		clear(v.grad)
	}
	return v.grad
}

// gradMat is the gradient as a matrix.
func (v *Var) gradMat() tensor.Matrix { return tensor.Mat(v.Grad(), v.Rows(), v.Cols()) }

// addProduct adds a·b to the gradient, or sets it where there is none yet.
func (v *Var) addProduct(a, b tensor.Matrix) {
	if v.grad == nil && v.parent == nil {
		v.grad = v.tape.alloc(len(v.Data))
		tensor.MatMul(v.gradMat(), a, b)
		return
	}
	tensor.MatMulAdd(v.gradMat(), a, b)
}

// A Param is a weight: a Var that outlives the tape, with a name and a
// gradient that adds up until ZeroGrad.
type Param struct {
	Var
	Name   string
	Bias   bool // biases, norms: weight decay leaves them alone
	Fixed  bool // not learned: statistics of the data
	Table  bool // of rows to look up, never multiplied
	packed *tensor.Packed
}

// paramTape only marks a Param as wanting a gradient and allocates it.
var paramTape = &Tape{}

// NewParam returns a weight of zeros.
func NewParam(name string, shape ...int) *Param {
	return &Param{Name: name, Var: Var{Shape: shape, Data: make([]float32, size(shape)), tape: paramTape}}
}

// Normal fills p with normal numbers of the given standard deviation. Without
// rng it leaves p alone: its values will be read from a file.
func (p *Param) Normal(rng *rand.Rand, std float64) *Param {
	if rng == nil {
		return p
	}
	for i := range p.Data {
		p.Data[i] = float32(rng.NormFloat64() * std)
	}
	return p
}

// Uniform fills p with numbers from -bound to bound; without rng it leaves p
// alone.
func (p *Param) Uniform(rng *rand.Rand, bound float64) *Param {
	if rng == nil {
		return p
	}
	for i := range p.Data {
		p.Data[i] = float32((2*rng.Float64() - 1) * bound)
	}
	return p
}

// Fill sets every value of p.
func (p *Param) Fill(x float32) *Param {
	for i := range p.Data {
		p.Data[i] = x
	}
	return p
}

// learns tells whether there is a p that wants a gradient.
func (p *Param) learns() bool { return p != nil && !p.Fixed }

// ZeroGrad forgets the gradient.
func (p *Param) ZeroGrad() { clear(p.grad) }

// Freeze prepares p for inference alone: matrix products become faster, and
// changes of Data are no longer seen. Only matrices that are not tables gain
// from it.
func (p *Param) Freeze() {
	if len(p.Shape) == 2 && !p.Table && p.packed == nil {
		p.packed = tensor.Pack(p.Mat().T())
	}
}

// A Tape records operations, so that Backward can return through them. The
// arrays that operations make on it are used again after Reset. A Tape serves
// one goroutine.
type Tape struct {
	Rand *rand.Rand // source of dropout

	scratch bool // only lends arrays
	back    []func()
	free    [64][][]float32 // by size class
	used    [][]float32
	vars    []*[varsRoom]Var
	varsOut int // in use

	convs map[convUse]*convKernels
	spare []float32 // see convScratch
}

// varsRoom is how many Vars a tape makes at once.
const varsRoom = 32

// NewTape returns an empty tape whose dropout draws from rng.
func NewTape(rng *rand.Rand) *Tape { return &Tape{Rand: rng} }

// NewScratch returns a tape for inference: like a nil tape it records nothing,
// but its arrays are used again after Reset, so that a step which is repeated
// allocates next to nothing.
func NewScratch() *Tape { return &Tape{scratch: true} }

// learns tells whether gradients are wanted.
func (t *Tape) learns() bool { return t != nil && !t.scratch }

// Reset forgets all operations. What was made on the tape, Vars and their
// arrays, must not be used afterwards.
func (t *Tape) Reset() {
	t.varsOut = 0
	clear(t.back)
	t.back = t.back[:0]
	for _, s := range t.used {
		c := class(cap(s))
		t.free[c] = append(t.free[c], s)
	}
	t.used = t.used[:0]
}

// Backward computes the gradient of loss, a single number, with respect to
// everything on the tape. It is not kept for the results of convolutions, which
// are large.
func (t *Tape) Backward(loss *Var) {
	if len(loss.Data) != 1 {
		panic("nn: Backward wants a single number")
	}
	loss.Grad()[0] = 1
	for i := len(t.back) - 1; i >= 0; i-- {
		t.back[i]()
	}
}

// record notes how to go back through an operation.
func (t *Tape) record(back func()) {
	if t.learns() {
		t.back = append(t.back, back)
	}
}

// New returns an uninitialised Var for the result of an operation on t.
func (t *Tape) New(shape ...int) *Var {
	v := t.newVar()
	if t.learns() {
		v.tape = t
	}
	v.Shape = append(v.dims[:0], shape...)
	v.Data = t.alloc(size(shape))
	return v
}

// Const is the function Const, with a Var of t.
func (t *Tape) Const(data []float32, shape ...int) *Var {
	if size(shape) != len(data) {
		panic(fmt.Sprintf("nn: %d values do not fill a shape of %d", len(data), size(shape))) // shape stays off the heap
	}
	v := t.newVar()
	v.Shape, v.Data = append(v.dims[:0], shape...), data
	return v
}

// newVar returns an empty Var.
func (t *Tape) newVar() *Var {
	if t == nil {
		return &Var{}
	}
	if t.varsOut == len(t.vars)*varsRoom {
		t.vars = append(t.vars, new([varsRoom]Var))
	}
	v := &t.vars[t.varsOut/varsRoom][t.varsOut%varsRoom]
	t.varsOut++
	*v = Var{}
	return v
}

// alloc returns n floats with any content.
func (t *Tape) alloc(n int) []float32 {
	if t == nil || t == paramTape {
		return make([]float32, n)
	}
	c := class(n)
	top := c
	if t.scratch { // a step may be smaller than the one before
		top = min(c+8, len(t.free)-1)
	}
	for i := c; i <= top; i++ {
		if last := len(t.free[i]) - 1; last >= 0 {
			s := t.free[i][last]
			t.free[i] = t.free[i][:last]
			t.used = append(t.used, s)
			return s[:n]
		}
	}
	s := make([]float32, classSize(c))
	t.used = append(t.used, s)
	return s[:n]
}

// Drop gives back the memory of v, which nothing may read any more, Backward
// neither: it reads what went into operations that learn.
func (t *Tape) Drop(v *Var) {
	if t.giveBack(v.Data) {
		v.Data = nil
	}
}

// Spend gives back the memory of what y was made of, if only y needed it and no
// gradient will. It returns y.
func (t *Tape) Spend(y *Var, used ...*Var) *Var {
	if !y.WantsGrad() {
		for _, v := range used {
			t.Drop(v)
		}
	}
	return y
}

// dropGrad gives back the memory of v's gradient, which nobody will read.
func (t *Tape) dropGrad(v *Var) {
	if v.parent == nil && t.giveBack(v.grad) {
		v.grad = nil
	}
}

// giveBack makes memory free before Reset, if it is of this tape.
func (t *Tape) giveBack(data []float32) bool {
	if t == nil {
		return false
	}
	for i := len(t.used) - 1; i >= 0 && len(data) > 0; i-- {
		if s := t.used[i]; &s[0] == &data[0] {
			t.used = slices.Delete(t.used, i, i+1)
			t.free[class(cap(s))] = append(t.free[class(cap(s))], s)
			return true
		}
	}
	return false
}

// convScratch is n floats with any content, until the next call.
func (t *Tape) convScratch(n int) []float32 {
	if t == nil {
		return make([]float32, n)
	}
	if cap(t.spare) < n {
		t.spare = make([]float32, n)
	}
	return t.spare[:n]
}

// Size classes are powers of two and the half-way points between them.
func class(n int) int {
	if n <= 2 {
		return 0
	}
	b := bits.Len(uint(n - 1)) // 2^(b-1) < n <= 2^b
	if n <= 3<<(b-2) {
		return 2*b - 3
	}
	return 2*b - 2
}

func classSize(c int) int {
	if c == 0 {
		return 2
	}
	if c%2 == 1 {
		return 3 << ((c+3)/2 - 2)
	}
	return 1 << ((c + 2) / 2)
}

func size(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// chunk is how many numbers one parallel tile of an element-wise operation
// takes.
const chunk = 1 << 14

// each calls f for consecutive ranges that cover 0..n, in parallel.
func each(n int, f func(lo, hi int)) {
	tensor.Parallel((n+chunk-1)/chunk, func(i int) { f(i*chunk, min(n, (i+1)*chunk)) })
}

// eachRow calls f for every row index, in parallel tiles of whole rows.
func eachRow(rows, cols int, f func(row int)) {
	step := max(1, chunk/max(1, cols))
	tensor.Parallel((rows+step-1)/step, func(i int) {
		for r := i * step; r < min(rows, (i+1)*step); r++ {
			f(r)
		}
	})
}

// addColumns adds the sum of the rows of m to sum.
func addColumns(sum []float32, m tensor.Matrix) {
	const width = 64
	tensor.Parallel((m.Cols+width-1)/width, func(i int) {
		lo, hi := i*width, min(m.Cols, (i+1)*width)
		dst := sum[lo:hi]
		for r := range m.Rows {
			tensor.Add(dst, dst, m.Data[r*m.RowStride+lo:r*m.RowStride+hi])
		}
	})
}
