package decoder

import (
	"showtell/nn"
	"showtell/tensor"
)

// prefixes is what every session keeps of its sentences so far, and the memory
// that its steps work in.
type prefixes struct {
	step         int   // the one that runs, from 0
	owners       []int // picture of each prefix
	ownersBefore []int // of the step before
	tape         *nn.Tape
	rows         logRows     // what Next returns
	maps         [][]float32 // what Attention returns
}

func newPrefixes() prefixes { return prefixes{step: -1, tape: nn.NewScratch()} }

// advance begins a step and returns its tape, on which nothing of the step
// before stays.
func (p *prefixes) advance(parents []int) *nn.Tape {
	p.step++
	p.tape.Reset()
	p.owners, p.ownersBefore = p.ownersBefore[:0], p.owners
	for _, parent := range parents {
		if p.step > 0 {
			parent = p.ownersBefore[parent]
		}
		p.owners = append(p.owners, parent)
	}
	return p.tape
}

// A memory is the state of an LSTM that lasts from step to step. At first it
// is zero.
type memory struct{ h, c []float32 }

// recall is the state of the parents, for their children.
func (m *memory) recall(t *nn.Tape, parents []int, hidden int) nn.State {
	if len(m.h) == 0 {
		return zeroState(len(parents), hidden)
	}
	n := len(m.h) / hidden
	return gatherState(t, nn.State{H: t.Const(m.h, n, hidden), C: t.Const(m.c, n, hidden)}, parents)
}

func (m *memory) keep(s nn.State) {
	m.h, m.c = append(m.h[:0], s.H.Data...), append(m.c[:0], s.C.Data...)
}

// logRows are logits that become log-probabilities.
type logRows [][]float32

// Tile does row i, for tensor.ParallelTiles.
func (r *logRows) Tile(i int) { tensor.LogSoftmax((*r)[i], (*r)[i]) }

// logProbs turns each row of logits into log-probabilities, in place.
func (p *prefixes) logProbs(logits *nn.Var) [][]float32 {
	p.rows = p.rows[:0]
	for i := range logits.Rows() {
		p.rows = append(p.rows, logits.Row(i))
	}
	tensor.ParallelTiles(len(p.rows), &p.rows)
	return p.rows
}

// attention cuts weights, some for each prefix, and keeps the first `cells` of them.
func (p *prefixes) attention(weights []float32, each, cells int) [][]float32 {
	p.maps = p.maps[:0]
	for ; len(weights) > 0; weights = weights[each:] {
		p.maps = append(p.maps, weights[:cells])
	}
	return p.maps
}
