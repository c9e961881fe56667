package decoder

import (
	"cmp"
	"slices"

	"showtell/nn"
)

// steps lays the words of a batch out step by step, as an LSTM reads them:
// the longest captions first, so that those still running at a step are the
// first rows.
type steps struct {
	words   []int // input words: step 0 of all captions, step 1, ...
	active  []int // captions running at each step
	order   []int // captions, longest first
	picture []int // of each caption in that order
	back    []int // row of `words` for each word of the batch in caption order
}

func newSteps(b *Batch) *steps {
	s := &steps{order: make([]int, len(b.Captions))}
	for i := range s.order {
		s.order[i] = i
	}
	slices.SortStableFunc(s.order, func(x, y int) int { return cmp.Compare(len(b.Captions[y]), len(b.Captions[x])) })
	for _, c := range s.order {
		s.picture = append(s.picture, b.Picture[c])
	}
	rows := make([][]int, len(b.Captions)) // per caption, the row of each step
	for step := 0; ; step++ {
		n := 0
		for _, c := range s.order {
			if step >= len(b.Captions[c])-1 {
				break
			}
			rows[c] = append(rows[c], len(s.words))
			s.words = append(s.words, b.Captions[c][step])
			n++
		}
		if n == 0 {
			break
		}
		s.active = append(s.active, n)
	}
	s.back = slices.Concat(rows...)
	return s
}

// owners is the picture of every row of words.
func (s *steps) owners() []int {
	var all []int
	for _, n := range s.active {
		all = append(all, s.picture[:n]...)
	}
	return all
}

// first is the first n rows of a state.
func first(t *nn.Tape, s nn.State, n int) nn.State {
	if s.H.Rows() == n {
		return s
	}
	return nn.State{H: nn.Rows(t, s.H, 0, n), C: nn.Rows(t, s.C, 0, n)}
}

// gatherState takes rows of a state by index.
func gatherState(t *nn.Tape, s nn.State, index []int) nn.State {
	return nn.State{H: nn.Gather(t, s.H, index), C: nn.Gather(t, s.C, index)}
}

// zeroState is the state before the first word.
func zeroState(n, hidden int) nn.State {
	zero := func() *nn.Var { return nn.Const(make([]float32, n*hidden), n, hidden) }
	return nn.State{H: zero(), C: zero()}
}
