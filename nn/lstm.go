package nn

import (
	"math"
	"math/rand/v2"

	"showtell/tensor"
)

// An LSTM is a layer of long short-term memory (Hochreiter and Schmidhuber
// 1997, with forget gates):
//
//	i, f, o = sigmoid(...)   g = tanh(...)   of x·Wxᵀ + h·Whᵀ + b
//	c' = f·c + i·g           h' = o·tanh(c')
//
// The gates stand in the order i, f, g, o. Project all steps of x at once,
// then take the steps one by one.
type LSTM struct {
	Wx *Param // (4·hidden, in)
	Wh *Param // (4·hidden, hidden)
	B  *Param // (4·hidden)
}

// A State is what an LSTM carries from step to step, each (rows, hidden).
type State struct{ H, C *Var }

// NewLSTM returns a layer with weights from ±1/sqrt(hidden) and a forget bias
// of 1.
func NewLSTM(rng *rand.Rand, name string, in, hidden int) *LSTM {
	bound := 1 / math.Sqrt(float64(hidden))
	l := &LSTM{
		Wx: NewParam(name+".weight_ih", 4*hidden, in).Uniform(rng, bound),
		Wh: NewParam(name+".weight_hh", 4*hidden, hidden).Uniform(rng, bound),
		B:  NewParam(name+".bias", 4*hidden),
	}
	l.B.Bias = true
	for i := hidden; i < 2*hidden; i++ {
		l.B.Data[i] = 1
	}
	return l
}

// Params lists the weights.
func (l *LSTM) Params() []*Param { return []*Param{l.Wx, l.Wh, l.B} }

// Hidden is the width of the state.
func (l *LSTM) Hidden() int { return l.Wh.Shape[1] }

// Project is the part of the gates that depends on the input alone: (rows, in)
// to (rows, 4·hidden).
func (l *LSTM) Project(t *Tape, x *Var) *Var { return Product(t, x, l.Wx, l.B) }

// Step advances the state by one step, given the projected input of as many
// rows as the state has.
func (l *LSTM) Step(t *Tape, projected *Var, s State) State {
	n, hidden := s.H.Rows(), l.Hidden()
	gates := t.New(n, 4*hidden)
	copy(gates.Data, projected.Data)
	if l.Wh.packed != nil && !t.learns() {
		rec := t.New(n, 4*hidden)
		tensor.MatMulPacked(rec.Mat(), s.H.Mat(), l.Wh.packed)
		tensor.Add(gates.Data, gates.Data, rec.Data)
	} else {
		tensor.MatMulAdd(gates.Mat(), s.H.Mat(), l.Wh.Mat().T())
	}
	h, c := t.New(n, hidden), t.New(n, hidden)
	tc := t.alloc(n * hidden) // tanh of the new c
	operands{y: h.Data, a: gates.Data, b: s.C.Data, c: c.Data, d: tc, cols: hidden}.rows(n, 8*hidden, lstmRows)
	if !t.learns() {
		return State{H: h, C: c}
	}
	t.record(func() {
		if h.grad == nil && c.grad == nil {
			return
		}
		dh, dc, dprev := h.Grad(), c.Grad(), s.C.Grad()
		dgates := t.New(n, 4*hidden)
		eachRow(n, 8*hidden, func(i int) {
			lo, hi := i*hidden, (i+1)*hidden
			lstmCellGrad(dgates.Row(i), gates.Row(i), s.C.Data[lo:hi], tc[lo:hi], dh[lo:hi], dc[lo:hi], dprev[lo:hi])
		})
		d := dgates.Mat()
		tensor.MatMulAdd(l.Wh.gradMat(), d.T(), s.H.Mat())
		s.H.addProduct(d, l.Wh.Mat())
		addGrad(projected, dgates.Data)
	})
	return State{H: h, C: c}
}

// lstmRows makes new states h in y and c in c of gate sums in a and old states in b.
func lstmRows(o *operands, from, to int) {
	for i := from; i < to; i++ {
		lo, hi := i*o.cols, (i+1)*o.cols
		lstmCell(o.a[4*lo:4*hi], o.b[lo:hi], o.c[lo:hi], o.y[lo:hi], o.d[lo:hi])
	}
}

// lstmCell turns the sums in g into gates and writes the new state.
func lstmCell(g, c0, c, h, tc []float32) {
	n := len(c)
	tensor.Sigmoid(g[:2*n], g[:2*n])
	tensor.Tanh(g[2*n:3*n], g[2*n:3*n])
	tensor.Sigmoid(g[3*n:], g[3*n:])
	tensor.Mul(c, g[n:2*n], c0)
	tensor.MulAdd(c, g[:n], g[2*n:3*n])
	tensor.Tanh(tc, c)
	tensor.Mul(h, g[3*n:], tc)
}

// lstmCellGrad writes the gradient of the gate sums to d and adds that of the
// old cell to dprev.
func lstmCellGrad(d, g, c0, tc, dh, dc, dprev []float32) {
	n := len(tc)
	in, forget, cand, out := g[:n], g[n:2*n], g[2*n:3*n], g[3*n:4*n]
	di, df, dg, do := d[:n], d[n:2*n], d[2*n:3*n], d[3*n:4*n]
	for j, tv := range tc {
		i, f, u, o, e := in[j], forget[j], cand[j], out[j], dh[j]
		q := dc[j] + e*o*(1-tv*tv)
		di[j] = q * u * i * (1 - i)
		df[j] = q * c0[j] * f * (1 - f)
		dg[j] = q * i * (1 - u*u)
		do[j] = e * tv * o * (1 - o)
		dprev[j] += q * f
	}
}
