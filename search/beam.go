package search

import (
	"context"
	"fmt"
	"slices"
)

// Beam searches the best sentences of pictures 0 to n-1 and returns up to NBest
// of each, best first and all different; there is always one.
//
// At each step the Beams most probable continuations of a picture's open
// hypotheses are kept; those that chose the end token are finished and the
// others stay open. A picture leaves the batch when no open hypothesis can reach
// its NBest finished ones, or at MaxWords, where open hypotheses count as they
// are. Equal scores go by the order of the words, lower id first, so a picture
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
	pictures := make([]picture, n)
	for i := range pictures {
		pictures[i] = picture{opts: &o, open: []*hypothesis{{word: o.Start, row: i}}}
	}
	c := &caller{model: m, opts: &o}
	var words, parents []int
	var bans *bans
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
		if bans == nil {
			bans = newBans(&o, c.width)
		}
		for i := range pictures {
			if err := pictures[i].advance(rows, attention, bans); err != nil {
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
func (h *hypothesis) words() []int {
	words := make([]int, h.length)
	for ; h.parent != nil; h = h.parent {
		words[h.length-1] = h.word
	}
	return words
}

func (h *hypothesis) result() Result {
	r := Result{LogProb: h.total, Score: h.score, Ended: h.ended, LogProbs: make([]float64, h.length)}
	r.Words = h.words()
	if h.ended {
		r.Words = r.Words[:h.length-1]
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

// A picture is the search of one picture.
type picture struct {
	opts *Options
	open []*hypothesis // most probable first
	done []*hypothesis // best score first, at most NBest
}

// advance moves each open hypothesis on by a word, given the model's rows.
func (p *picture) advance(rows, attention [][]float32, bans *bans) error {
	if len(p.open) == 0 {
		return nil
	}
	next := make([]*hypothesis, 0, p.opts.Beams+1)
	var best []choice
	for _, h := range p.open {
		undo := bans.mark(h)
		var err error
		best, err = top(best[:0], rows[h.row], p.opts.Beams, bans.banned)
		undo()
		if err != nil {
			return err
		}
		if len(best) == 0 {
			p.finish(h)
		}
		for _, c := range best {
			next = p.keep(next, &hypothesis{
				parent: h, word: c.word, logProb: c.logProb, total: h.total + c.logProb, length: h.length + 1, row: h.row,
			})
		}
	}
	p.open = p.open[:0]
	copies := make(map[int][]float32) // of the attention of a row
	for _, h := range next {
		if attention != nil {
			if copies[h.row] == nil {
				copies[h.row] = append([]float32{}, attention[h.row]...)
			}
			h.attention = copies[h.row]
		}
		if h.word == p.opts.End {
			h.ended = true
			p.finish(h)
		} else {
			p.open = append(p.open, h)
		}
	}
	if len(p.open) > 0 && p.decided() {
		p.open = nil
	}
	return nil
}

// keep inserts h into the Beams most probable hypotheses of a length.
func (p *picture) keep(list []*hypothesis, h *hypothesis) []*hypothesis {
	return insert(list, h, p.opts.Beams, func(h *hypothesis) float64 { return h.total })
}

// finish inserts h into the NBest finished hypotheses.
func (p *picture) finish(h *hypothesis) {
	h.score = p.opts.score(h.total, h.length)
	p.done = insert(p.done, h, p.opts.NBest, func(h *hypothesis) float64 { return h.score })
}

// insert puts h into a list that is sorted by value, high to low, then by words,
// and holds at most limit.
func insert(list []*hypothesis, h *hypothesis, limit int, value func(*hypothesis) float64) []*hypothesis {
	v := value(h)
	if len(list) == limit && v < value(list[limit-1]) {
		return list
	}
	i := len(list)
	for ; i > 0; i-- {
		other := value(list[i-1])
		if other > v || other == v && slices.Compare(list[i-1].words(), h.words()) <= 0 {
			break
		}
	}
	list = slices.Insert(list, i, h)
	return list[:min(len(list), limit)]
}

// decided says that no open hypothesis can reach the finished ones. Further words
// add log-probabilities of at most 0 and the length grows to MaxWords at most, so
// the best that can become of a hypothesis is its present sum over that length.
func (p *picture) decided() bool {
	if len(p.done) < p.opts.NBest {
		return false
	}
	bound := p.opts.score(p.open[0].total, p.opts.MaxWords)
	return bound < p.done[len(p.done)-1].score
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
