package nn

import (
	"fmt"
	"math"
	"sync"

	"showtell/tensor"
)

// A Span says which rows of keys and values the query rows Q0 to Q1 look at:
// K0 to K1 (ends exclusive).
type Span struct{ Q0, Q1, K0, K1 int }

// Attention is scaled dot-product attention (Vaswani et al. 2017) with several
// heads:
//
//	softmax(Q·Kᵀ/sqrt(width/heads))·V   for each head and span
//
// q is (queries, width), k and v are (keys, width). While training, no two
// spans may share a row. With causal, query j of a span sees its first j+1
// keys only. Weights, if not nil, receives the mean over heads of the
// attention, span after span, each (Q1-Q0, K1-K0).
func Attention(t *Tape, q, k, v *Var, spans []Span, heads int, causal bool, weights *[]float32) *Var {
	width := q.Cols()
	if width%heads != 0 || k.Cols() != width || v.Cols() != width {
		panic(fmt.Sprintf("nn: attention of %v over %v and %v with %d heads", q.Shape, k.Shape, v.Shape, heads))
	}
	a := attentions.Get().(*attention)
	*a = attention{q: q, k: k, v: v, width: width, spans: spans, heads: heads, causal: causal, at: a.at}
	return a.apply(t, weights)
}

// SelfAttention is Attention of rows to each other: qkv (rows, 3·width) has their
// queries, keys and values side by side, and each run of n rows is a span.
func SelfAttention(t *Tape, qkv *Var, n, heads int) *Var {
	width := qkv.Cols() / 3
	if qkv.Cols()%3 != 0 || width%heads != 0 || qkv.Rows()%n != 0 {
		panic(fmt.Sprintf("nn: attention of %v in spans of %d with %d heads", qkv.Shape, n, heads))
	}
	spans := make([]Span, qkv.Rows()/n)
	for i := range spans {
		spans[i] = Span{i * n, (i + 1) * n, i * n, (i + 1) * n}
	}
	a := attentions.Get().(*attention)
	*a = attention{q: qkv, k: qkv, v: qkv, kAt: width, vAt: 2 * width, width: width, spans: spans, heads: heads, at: a.at}
	return a.apply(t, nil)
}

// apply does the forward pass, and forgets a unless it has to learn.
func (a *attention) apply(t *Tape, weights *[]float32) *Var {
	q, k, v, spans, heads := a.q, a.k, a.v, a.spans, a.heads
	y := t.New(q.Rows(), a.width)
	a.y, a.at = y, append(a.at[:0], 0)
	for i, s := range spans {
		a.at = append(a.at, a.at[i]+heads*(s.Q1-s.Q0)*(s.K1-s.K0))
	}
	a.prob = t.alloc(a.at[len(spans)])
	tensor.ParallelTiles(len(spans)*heads, a)
	if weights != nil {
		*weights = a.meanOverHeads(t)
	}
	if !y.learnIf(q.WantsGrad() || k.WantsGrad() || v.WantsGrad()) {
		t.giveBack(a.prob)
		*a = attention{at: a.at}
		attentions.Put(a)
		return y
	}
	t.record(func() {
		if a.y.grad == nil {
			return
		}
		a.dprob = t.alloc(len(a.prob))
		q.Grad() // made here, not by the tiles
		k.Grad()
		v.Grad()
		tensor.Parallel(len(spans)*heads, func(i int) { a.backward(i/heads, i%heads) })
	})
	return y
}

type attention struct {
	q, k, v, y  *Var
	kAt, vAt    int // columns where keys and values begin
	width       int // of each
	spans       []Span
	heads       int
	causal      bool
	at          []int // where the weights of a span begin in prob
	prob, dprob []float32
}

// attentions that are not for learning are used again.
var attentions = sync.Pool{New: func() any { return new(attention) }}

// Tile does the forward pass of a span and head.
func (a *attention) Tile(i int) { a.forward(i/a.heads, i%a.heads) }

// scores is the part of buf that belongs to a span and head.
func (a *attention) scores(buf []float32, span, head int) tensor.Matrix {
	s := a.spans[span]
	nq, nk := s.Q1-s.Q0, s.K1-s.K0
	lo := a.at[span] + head*nq*nk
	return tensor.Mat(buf[lo:lo+nq*nk], nq, nk)
}

// part is the columns of a head, those of the first head beginning at column at,
// in rows lo to hi of data, which has the shape of x.
func (a *attention) part(x *Var, data []float32, at, head, lo, hi int) tensor.Matrix {
	depth := a.width / a.heads
	return tensor.Mat(data, x.Rows(), x.Cols()).Slice(lo, at+head*depth, hi-lo, depth)
}

func (a *attention) scale() float32 {
	return float32(1 / math.Sqrt(float64(a.width/a.heads)))
}

func (a *attention) forward(span, head int) {
	s := a.spans[span]
	p := a.scores(a.prob, span, head)
	q := a.part(a.q, a.q.Data, 0, head, s.Q0, s.Q1)
	tensor.MatMul(p, q, a.part(a.k, a.k.Data, a.kAt, head, s.K0, s.K1).T())
	for j := range p.Rows {
		row := p.Data[j*p.Cols : (j+1)*p.Cols]
		if a.causal {
			clear(row[j+1:])
			row = row[:j+1]
		}
		tensor.Scale(row, row, a.scale())
		tensor.Softmax(row)
	}
	tensor.MatMul(a.part(a.y, a.y.Data, 0, head, s.Q0, s.Q1), p, a.part(a.v, a.v.Data, a.vAt, head, s.K0, s.K1))
}

func (a *attention) backward(span, head int) {
	s := a.spans[span]
	p, dp := a.scores(a.prob, span, head), a.scores(a.dprob, span, head)
	dy := a.part(a.y, a.y.grad, 0, head, s.Q0, s.Q1)
	tensor.MatMulAdd(a.part(a.v, a.v.grad, a.vAt, head, s.K0, s.K1), p.T(), dy)
	tensor.MatMul(dp, dy, a.part(a.v, a.v.Data, a.vAt, head, s.K0, s.K1).T())
	scale := a.scale()
	for j := range p.Rows {
		pr, d := p.Data[j*p.Cols:(j+1)*p.Cols], dp.Data[j*p.Cols:(j+1)*p.Cols]
		mean := tensor.Dot(pr, d) // 0 where the mask made p zero
		for i, w := range pr {
			d[i] = w * (d[i] - mean) * scale
		}
	}
	tensor.MatMulAdd(a.part(a.q, a.q.grad, 0, head, s.Q0, s.Q1), dp, a.part(a.k, a.k.Data, a.kAt, head, s.K0, s.K1))
	tensor.MatMulAdd(a.part(a.k, a.k.grad, a.kAt, head, s.K0, s.K1), dp.T(), a.part(a.q, a.q.Data, 0, head, s.Q0, s.Q1))
}

func (a *attention) meanOverHeads(t *Tape) []float32 {
	out := t.alloc(a.at[len(a.spans)] / a.heads)
	clear(out)
	for i := range a.spans {
		dst := out[a.at[i]/a.heads : a.at[i+1]/a.heads]
		for h := range a.heads {
			tensor.AXPY(dst, 1/float32(a.heads), a.scores(a.prob, i, h).Data)
		}
	}
	return out
}

// Recall is Attention, without a gradient, of queries that have n keys each,
// anywhere: query i looks at rows[i*n] to rows[(i+1)*n-1] of k and v.
func Recall(t *Tape, q, k, v *Var, rows []int, heads int) *Var {
	width, queries := q.Cols(), q.Rows()
	if t.learns() || width%heads != 0 || k.Cols() != width || v.Cols() != width || len(rows)%queries != 0 {
		panic(fmt.Sprintf("nn: recall of %v by %v over %v with %d rows and %d heads", v.Shape, q.Shape, k.Shape, len(rows), heads))
	}
	n := len(rows) / queries
	const room = 32 // so that n may grow for a while within the same memory
	y, scores := t.New(queries, width), t.alloc(queries*((n+room-1)/room*room))
	operands{y: y.Data, a: q.Data, b: k.Data, c: v.Data, d: scores, ids: rows, cols: width, stride: width / heads}.
		rows(queries, 2*n*width, recallRows)
	return y
}

// recallRows answers queries, rows of a, from keys in b and values in c; stride is the width of a head.
func recallRows(o *operands, lo, hi int) {
	n := len(o.ids) / o.n
	scale := float32(1 / math.Sqrt(float64(o.stride)))
	for i := lo; i < hi; i++ {
		prob, seen := o.d[i*n:(i+1)*n], o.ids[i*n:(i+1)*n]
		for at := 0; at < o.cols; at += o.stride {
			query, out := o.a[i*o.cols+at:][:o.stride], o.y[i*o.cols+at:][:o.stride]
			for j, r := range seen {
				prob[j] = scale * tensor.Dot(query, o.b[r*o.cols+at:][:o.stride])
			}
			tensor.Softmax(prob)
			clear(out)
			for j, r := range seen {
				tensor.AXPY(out, prob[j], o.c[r*o.cols+at:][:o.stride])
			}
		}
	}
}
