package nn

import (
	"fmt"
	"sync"

	"showtell/tensor"
)

// AdditiveAttention is the attention of Bahdanau et al. 2015, as in Xu et al.
// 2015 and Anderson et al. 2018:
//
//	score(j) = w·tanh(query + key(j))    result = sum of softmax(score)(j)·value(j)
//
// Query is (n, width) and already projected, keys (pictures·cells, width)
// too; values are (pictures·cells, depth). Query i looks at the cells of
// picture owner[i]. It returns (n, depth) and the weights (n, cells).
func AdditiveAttention(t *Tape, query, keys, values *Var, w *Param, owner []int, cells int) (*Var, []float32) {
	if len(owner) != query.Rows() || keys.Rows() != values.Rows() || query.Cols() != keys.Cols() {
		panic(fmt.Sprintf("nn: additive attention of %v over %v and %v", query.Shape, keys.Shape, values.Shape))
	}
	y, prob := t.New(query.Rows(), values.Cols()), t.alloc(query.Rows()*cells)
	a := additives.Get().(*additive)
	*a = additive{query: query, keys: keys, values: values, y: y, w: w, owner: owner, cells: cells, prob: prob, h: t.alloc(len(query.Data))}
	tensor.ParallelTiles(len(owner), a)
	if !t.learns() {
		*a = additive{}
		additives.Put(a)
		return y, prob
	}
	t.record(func() {
		if a.y.grad == nil {
			return
		}
		query.Grad()
		keys.Grad()
		if values.WantsGrad() {
			values.Grad()
		}
		a.queries = make([][]int, keys.Rows()/cells)
		for i, p := range owner {
			a.queries[p] = append(a.queries[p], i)
		}
		dw := make([][]float32, len(a.queries))
		tensor.Parallel(len(a.queries), func(p int) { dw[p] = a.backward(p) })
		for _, d := range dw { // in the order of pictures: the sum is the same for any number of workers
			if d != nil {
				tensor.Add(w.Grad(), w.Grad(), d)
			}
		}
	})
	return y, prob
}

type additive struct {
	query, keys, values, y *Var
	w                      *Param
	owner                  []int
	cells                  int
	prob                   []float32
	h                      []float32 // memory of the forward pass, as large as query
	queries                [][]int   // per picture
}

// additives that are not for learning are used again.
var additives = sync.Pool{New: func() any { return new(additive) }}

// Tile does the forward pass of query i.
func (a *additive) Tile(i int) {
	width := a.query.Cols()
	a.forward(i, a.owner[i], a.h[i*width:(i+1)*width])
}

// hidden is tanh(query + key).
func (a *additive) hidden(dst []float32, query, key int) {
	tensor.Add(dst, a.query.Row(query), a.keys.Row(key))
	tensor.Tanh(dst, dst)
}

// forward answers query i; h is memory of its width.
func (a *additive) forward(i, picture int, h []float32) {
	prob := a.prob[i*a.cells : (i+1)*a.cells]
	for j := range prob {
		a.hidden(h, i, picture*a.cells+j)
		prob[j] = tensor.Dot(h, a.w.Data)
	}
	tensor.Softmax(prob)
	out := a.y.Row(i)
	clear(out)
	for j, p := range prob {
		tensor.AXPY(out, p, a.values.Row(picture*a.cells+j))
	}
}

// backward goes through all queries of a picture and returns the gradient of
// w.
func (a *additive) backward(picture int) []float32 {
	if len(a.queries[picture]) == 0 {
		return nil
	}
	width, depth := a.query.Cols(), a.values.Cols()
	h, dw := make([]float32, width), make([]float32, width)
	ds := make([]float32, a.cells)
	first := picture * a.cells
	for _, i := range a.queries[picture] {
		dy := a.y.grad[i*depth : (i+1)*depth]
		prob := a.prob[i*a.cells : (i+1)*a.cells]
		for j := range ds {
			ds[j] = tensor.Dot(dy, a.values.Row(first+j))
		}
		mean := tensor.Dot(ds, prob)
		dq := a.query.grad[i*width : (i+1)*width]
		for j, p := range prob {
			if a.values.WantsGrad() {
				tensor.AXPY(a.values.grad[(first+j)*depth:(first+j+1)*depth], p, dy)
			}
			s := p * (ds[j] - mean)
			a.hidden(h, i, first+j)
			tensor.AXPY(dw, s, h)
			dk := a.keys.grad[(first+j)*width : (first+j+1)*width]
			for c, v := range h {
				d := s * a.w.Data[c] * (1 - v*v)
				dk[c] += d
				dq[c] += d
			}
		}
	}
	return dw
}
