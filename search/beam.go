package search

import (
	"cmp"
	"context"
	"fmt"
	"slices"
)

// Beam searches the best sentences of pictures 0 to n-1 and returns up to NBest
// of each, best first and all different; there is always one.
//
// At each step the Beams most probable continuations of a picture's open
// hypotheses are kept; those that chose the end token are finished and the
// others stay open. An open hypothesis that cannot reach the NBest finished ones is
// given up; a picture without open ones leaves the batch, as at MaxWords, where open
// hypotheses count as they are. Equal scores go by the order of the words, lower id first, so a picture
// gets the same results in any batch.
//
// A cancelled ctx returns ctx.Err(). A score that is not a number, or above 0,
// is an error that names the step.
func Beam(ctx context.Context, m Model, n int, opts *Options) ([][]Result, error) {
	o, err := opts.resolved()
	if err != nil {
		return nil, err
	}
	if n < 0 {
		return nil, fmt.Errorf("search: %d pictures", n)
	}
	c := &caller{model: m, opts: &o}
	s := newScratch(n, &o)
	words, parents := make([]int, 0, n*s.few), make([]int, 0, n*s.few)
	pictures := make([]picture, n)
	for i := range pictures {
		root := s.hypothesis(hypothesis{word: o.Start, row: i})
		pictures[i] = picture{opts: &o, open: append(s.list(), root), done: s.list()}
	}
	for range o.MaxWords {
		words, parents = words[:0], parents[:0]
		for _, p := range pictures {
			for _, h := range p.open {
				words, parents = append(words, h.word), append(parents, h.row)
				h.row = len(words) - 1
			}
		}
		if len(words) == 0 {
			break
		}
		rows, attention, err := c.next(ctx, words, parents)
		if err != nil {
			return nil, err
		}
		if s.bans == nil {
			s.bans = newBans(&o, c.width)
		}
		for i := range pictures {
			if err := pictures[i].advance(rows, attention, s); err != nil {
				return nil, c.errorf("picture %d: %w", i, err)
			}
		}
	}
	results := make([][]Result, n)
	for i := range pictures {
		results[i] = pictures[i].results()
	}
	return results, nil
}

// A hypothesis is a sentence so far: a word after a shorter hypothesis.
type hypothesis struct {
	parent    *hypothesis // nil: nothing but the start token
	word      int
	logProb   float64 // of the word
	total     float64 // of all words
	score     float64 // once finished
	length    int     // words, the end token among them
	row       int     // in the last call of the model; before that, in the one to come, its parent's
	attention []float32
	ended     bool
}

// words of the hypothesis, without the start token.
func (h *hypothesis) words() []int { return h.appendWords([]int{}) }

func (h *hypothesis) appendWords(words []int) []int {
	at := len(words)
	words = slices.Grow(words, h.length)[:at+h.length]
	for ; h.parent != nil; h = h.parent {
		words[at+h.length-1] = h.word
	}
	return words
}

func (h *hypothesis) result() Result {
	r := Result{LogProb: h.total, Score: h.score, Ended: h.ended, LogProbs: make([]float64, h.length)}
	r.Words = h.words()
	if h.ended {
		r.Words, r.End = r.Words[:h.length-1], h.word
	}
	attends := h.parent != nil && h.attention != nil
	if attends {
		r.Attention = make([][]float32, len(r.Words))
	}
	for ; h.parent != nil; h = h.parent {
		r.LogProbs[h.length-1] = h.logProb
		if attends && h.length <= len(r.Words) {
			r.Attention[h.length-1] = h.attention
		}
	}
	return r
}

// scratch is the memory that the pictures of a search share. A step allocates
// nothing, unless there are very many hypotheses.
type scratch struct {
	bans       *bans
	few        int // hypotheses of a picture to make room for
	all        int // of all pictures and steps
	best       []choice
	next       []*hypothesis
	lists      []*hypothesis // room for the lists of pictures
	hypotheses []hypothesis  // room for those to come
	spare      []*hypothesis // that nothing refers to
	weights    []float32     // room for attention to come
}

func newScratch(n int, o *Options) *scratch {
	s := &scratch{few: min(o.Beams, 64)}
	s.all = n * (1 + s.few*min(o.MaxWords, 256))
	s.best, s.next, s.spare = make([]choice, 0, s.few+1), make([]*hypothesis, 0, s.few), make([]*hypothesis, 0, s.few)
	s.lists = make([]*hypothesis, 2*n*s.few)
	return s
}

// list is a list with room for the hypotheses of a picture.
func (s *scratch) list() []*hypothesis {
	l := s.lists[:0:s.few]
	s.lists = s.lists[s.few:]
	return l
}

// hypothesis keeps h.
func (s *scratch) hypothesis(h hypothesis) *hypothesis {
	var kept *hypothesis
	if last := len(s.spare) - 1; last >= 0 {
		kept, s.spare = s.spare[last], s.spare[:last]
	} else {
		if len(s.hypotheses) == 0 {
			s.hypotheses = make([]hypothesis, min(s.all+s.few, 1<<13))
		}
		kept, s.hypotheses = &s.hypotheses[0], s.hypotheses[1:]
	}
	*kept = h
	return kept
}

// attention keeps a copy of weights.
func (s *scratch) attention(weights []float32) []float32 {
	n := len(weights)
	if len(s.weights) < n {
		s.weights = make([]float32, max(n, min(s.all*n, 1<<18)))
	}
	kept := s.weights[:n:n]
	s.weights = s.weights[n:]
	copy(kept, weights)
	return kept
}

// A picture is the search of one picture.
type picture struct {
	opts *Options
	open []*hypothesis // most probable first
	done []*hypothesis // best score first, at most NBest
}

// advance moves each open hypothesis on by a word, given the model's rows.
func (p *picture) advance(rows, attention [][]float32, s *scratch) error {
	next := s.next[:0]
	for _, h := range p.open {
		s.bans.mark(h)
		var err error
		s.best, err = top(s.best[:0], rows[h.row], p.opts.Beams, s.bans.banned)
		s.bans.unmark()
		if err != nil {
			return err
		}
		if len(s.best) == 0 {
			p.finish(h)
		}
		for _, c := range s.best {
			total := h.total + c.logProb
			if len(next) == p.opts.Beams && total < next[len(next)-1].total {
				break
			}
			var dropped *hypothesis
			next, dropped = p.keep(next, s.hypothesis(hypothesis{
				parent: h, word: c.word, logProb: c.logProb, total: total, length: h.length + 1, row: h.row,
			}))
			if dropped != nil {
				s.spare = append(s.spare, dropped)
			}
		}
	}
	s.next = next
	p.open = p.open[:0]
	for i, h := range next {
		if attention != nil {
			h.attention = attentionOf(next[:i], h.row)
			if h.attention == nil {
				h.attention = s.attention(attention[h.row])
			}
		}
		if h.word == p.opts.End {
			h.ended = true
			p.finish(h)
		} else {
			p.open = append(p.open, h)
		}
	}
	p.giveUp()
	return nil
}

// attentionOf is that of the hypothesis in list which comes from a row, if any.
func attentionOf(list []*hypothesis, row int) []float32 {
	for _, h := range list {
		if h.row == row {
			return h.attention
		}
	}
	return nil
}

// keep inserts h into the Beams most probable hypotheses of a length, and
// returns the one for which there is no room, if any.
func (p *picture) keep(list []*hypothesis, h *hypothesis) (kept []*hypothesis, dropped *hypothesis) {
	return insert(list, h, p.opts.Beams, func(h *hypothesis) float64 { return h.total })
}

// finish inserts h into the NBest finished hypotheses.
func (p *picture) finish(h *hypothesis) {
	h.score = p.opts.score(h.total, h.length)
	p.done, _ = insert(p.done, h, p.opts.NBest, func(h *hypothesis) float64 { return h.score })
}

// insert puts h into a list that is sorted by value, high to low, then by words,
// and holds at most limit; one that is dropped then may be h itself.
func insert(list []*hypothesis, h *hypothesis, limit int, value func(*hypothesis) float64) (_ []*hypothesis, dropped *hypothesis) {
	v := value(h)
	i := len(list)
	for ; i > 0; i-- {
		other := value(list[i-1])
		if other > v || other == v && compare(list[i-1], h) <= 0 {
			break
		}
	}
	if i == limit {
		return list, h
	}
	if len(list) == limit {
		dropped, list = list[limit-1], list[:limit-1]
	}
	return slices.Insert(list, i, h), dropped
}

// compare orders hypotheses of a picture by their words, as slices.Compare does.
func compare(a, b *hypothesis) int {
	order := cmp.Compare(a.length, b.length)
	for a.length > b.length {
		a = a.parent
	}
	for b.length > a.length {
		b = b.parent
	}
	for ; a != b; a, b = a.parent, b.parent { // from the last word to the first
		if c := cmp.Compare(a.word, b.word); c != 0 {
			order = c
		}
	}
	return order
}

// giveUp drops the open hypotheses that cannot reach the finished ones. Further words add
// log-probabilities of at most 0 and the length grows to MaxWords at most, so the best that can
// become of a hypothesis is its present sum over that length. What its continuations would have
// crowded out is no more probable, and cannot reach them either: the results stay the same.
func (p *picture) giveUp() {
	if len(p.done) < p.opts.NBest {
		return
	}
	least := p.done[len(p.done)-1].score
	for n := len(p.open); n > 0 && p.opts.score(p.open[n-1].total, p.opts.MaxWords) < least; n-- {
		p.open = p.open[:n-1]
	}
}

func (p *picture) results() []Result {
	for _, h := range p.open {
		p.finish(h)
	}
	results := make([]Result, len(p.done))
	for i, h := range p.done {
		results[i] = h.result()
	}
	return results
}
