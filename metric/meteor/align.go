package meteor

import (
	"cmp"
	"slices"
)

// beam is how many states the search keeps at each word.
const beam = 40

// An aligner chooses matches. Its arrays are used again for the next sentence.
type aligner struct {
	corpus             *corpus
	hyp, ref           []int32
	matches            [][]match // by start in ref
	hypCover, refCover []int     // matches that cover each word
	hypPlaces          map[int32][]place
	refPlaces          map[int32][]place

	fixed     []*match // by start in ref, chosen before the search
	now, next states
	taken     []link
	chosen    []match
}

func newAligner(c *corpus) *aligner {
	return &aligner{corpus: c, hypPlaces: map[int32][]place{}, refPlaces: map[int32][]place{}}
}

// A state is an alignment of the words of ref before some word.
type state struct {
	words    int // covered on both sides, as the search counts them
	chunks   int
	distance int
	at       int // end of the last match in ref, or the word after one that stayed alone
	last     int // end of the last match in hyp, -1 if the word before stayed alone
	taken    int // the last match taken, in aligner.taken; -1: none
	used     int // where the state's words are in states.used
}

// A link is a match that a state has taken and the one before.
type link struct {
	match  *match
	before int
}

// states are the best of those that were put in, at most beam, the best first and
// of equals the first. Their words in use are in one array, a fixed number of bits
// each: those of ref and then those of hyp.
type states struct {
	list []state
	used []uint64
	size int // numbers in used for each state
}

func (s *states) reset(bits int) {
	s.size = (bits + 63) / 64
	s.list = s.list[:0]
	s.used = append(s.used[:0], make([]uint64, beam*s.size)...)
}

// put adds a state whose words are in use as in from, and returns it; nil if it is
// not among the best.
func (s *states) put(x state, from *states) *state {
	at := len(s.list)
	for at > 0 && better(x, s.list[at-1]) {
		at--
	}
	if at == beam {
		return nil
	}
	place := len(s.list) * s.size
	if len(s.list) == beam {
		place = s.list[beam-1].used
		s.list = s.list[:beam-1]
	}
	copy(s.used[place:place+s.size], from.used[x.used:])
	x.used = place
	s.list = slices.Insert(s.list, at, x)
	return &s.list[at]
}

func better(x, y state) bool {
	switch {
	case x.words != y.words:
		return x.words > y.words
	case x.chunks != y.chunks:
		return x.chunks < y.chunks
	}
	return x.distance < y.distance
}

func (s *states) uses(x *state, bit int) bool {
	return s.used[x.used+bit/64]>>(bit%64)&1 != 0
}

func (s *states) use(x *state, bit int) { s.used[x.used+bit/64] |= 1 << (bit % 64) }

// align chooses among the matches that find has listed, and returns those chosen
// by ascending place in ref.
func (a *aligner) align() []match {
	a.start()
	for cur := range len(a.ref) + 1 {
		a.next.reset(len(a.ref) + len(a.hyp))
		for _, x := range a.now.list {
			a.step(x, cur)
		}
		if len(a.next.list) == 0 {
			break
		}
		a.now, a.next = a.next, a.now
	}
	return a.collect(a.now.list[0])
}

// start makes the first state, in which matches without rival are fixed.
func (a *aligner) start() {
	a.now.reset(len(a.ref) + len(a.hyp))
	a.now.list = append(a.now.list, state{last: -1, taken: -1})
	a.taken = a.taken[:0]
	a.fixed = append(a.fixed[:0], make([]*match, len(a.ref))...)
	for j := range a.ref {
		if len(a.matches[j]) != 1 {
			continue
		}
		if m := &a.matches[j][0]; a.alone(m) {
			a.fixed[j] = m
			a.mark(&a.now, &a.now.list[0], m)
		}
	}
}

// alone says if no other match covers a word of m.
func (a *aligner) alone(m *match) bool {
	other := func(n int) bool { return n != 1 }
	return !slices.ContainsFunc(a.refCover[m.ref:m.refEnd], other) && !slices.ContainsFunc(a.hypCover[m.hyp:m.hypEnd], other)
}

func (a *aligner) mark(s *states, x *state, m *match) {
	for j := m.ref; j < m.refEnd; j++ {
		s.use(x, j)
	}
	for i := m.hyp; i < m.hypEnd; i++ {
		s.use(x, len(a.ref)+i)
	}
}

func (a *aligner) free(s *states, x *state, m *match) bool {
	for j := m.ref; j < m.refEnd; j++ {
		if s.uses(x, j) {
			return false
		}
	}
	for i := m.hyp; i < m.hypEnd; i++ {
		if s.uses(x, len(a.ref)+i) {
			return false
		}
	}
	return true
}

// step puts what can become of a state at word cur of ref into a.next.
func (a *aligner) step(x state, cur int) {
	switch {
	case cur == len(a.ref):
		if x.last != -1 {
			x.chunks++
		}
		a.next.put(x, &a.now)
	case !a.now.uses(&x, cur):
		a.branch(x, cur)
	case cur < x.at:
		a.next.put(x, &a.now)
	case a.fixed[x.at] != nil:
		m := a.fixed[x.at]
		x.take(m)
		x.distance += m.distance()
		a.next.put(x, &a.now)
	}
}

// branch takes each match at cur that is still possible, or none.
func (a *aligner) branch(x state, cur int) {
	for k := range a.matches[cur] {
		m := &a.matches[cur][k]
		if !a.free(&a.now, &x, m) {
			continue
		}
		child := x
		child.take(m)
		if kept := a.next.put(child, &a.now); kept != nil {
			a.mark(&a.next, kept, m)
			a.taken = append(a.taken, link{m, x.taken})
			kept.taken = len(a.taken) - 1
		}
		x.distance += m.distance() // in the official program, not the child's
	}
	if x.last != -1 {
		x.chunks++
		x.last = -1
	}
	x.at++
	a.next.put(x, &a.now)
}

// take moves a state behind a match. Words that are not equal count one half, and
// the official program cuts the sum of each side off to an integer.
func (x *state) take(m *match) {
	if m.module == exact {
		x.words += m.refEnd - m.ref + m.hypEnd - m.hyp
	} else {
		x.words += (m.refEnd-m.ref)/2 + (m.hypEnd-m.hyp)/2
	}
	if x.last != -1 && m.hyp != x.last {
		x.chunks++
	}
	x.at, x.last = m.refEnd, m.hypEnd
}

// collect returns the matches of a state and the fixed ones.
func (a *aligner) collect(x state) []match {
	a.chosen = a.chosen[:0]
	for k := x.taken; k >= 0; k = a.taken[k].before {
		a.chosen = append(a.chosen, *a.taken[k].match)
	}
	for _, m := range a.fixed {
		if m != nil {
			a.chosen = append(a.chosen, *m)
		}
	}
	slices.SortFunc(a.chosen, func(x, y match) int { return cmp.Compare(x.ref, y.ref) })
	return a.chosen
}

// stats aligns a hypothesis with a reference and counts.
func (a *aligner) stats(hyp, ref []int32) Stats {
	a.hyp, a.ref = hyp, ref
	a.find()
	var s Stats
	for _, w := range hyp {
		s.Hyp.Words.add(a.corpus.words[w].function)
	}
	for _, w := range ref {
		s.Ref.Words.add(a.corpus.words[w].function)
	}
	refEnd, hypEnd := -1, -1
	for _, m := range a.align() {
		for _, w := range ref[m.ref:m.refEnd] {
			s.Ref.Matched[m.module].add(a.corpus.words[w].function)
		}
		for _, w := range hyp[m.hyp:m.hypEnd] {
			s.Hyp.Matched[m.module].add(a.corpus.words[w].function)
		}
		if m.ref != refEnd || m.hyp != hypEnd {
			s.Chunks++
		}
		refEnd, hypEnd = m.refEnd, m.hypEnd
	}
	return s
}
