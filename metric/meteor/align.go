package meteor

import (
	"cmp"
	"slices"
)

// beam is how many states the search keeps at each word.
const beam = 40

// An aligner chooses matches. Its arrays are used again for the next sentence.
type aligner struct {
	corpus                           *corpus
	hyp, ref                         *sentence
	hypWords, hypPhrases, refPhrases index

	matches            []match // by start in ref
	starts             []int32 // by word of ref: its first match; one more for the end
	swapped            []match // found from hyp to ref
	hypCover, refCover []int32 // matches that cover each word

	fixed     []int32 // by start in ref: the match chosen before the search, -1: none
	now, next states
	even      bool // all states of now end alike, at end, and not as they say
	end       end
	taken     []link
	chosen    []match
}

func newAligner(c *corpus) *aligner {
	a := &aligner{corpus: c}
	a.hypWords.first = make([]int32, len(c.words))
	if c.phrases != nil {
		a.hypPhrases.first = make([]int32, len(c.phrases.others))
		a.refPhrases.first = make([]int32, len(c.phrases.others))
	}
	return a
}

// A state is an alignment of the words of ref before some word.
type state struct {
	rank     int64 // words covered on both sides, as the search counts them, times manyChunks, less the chunks
	distance int64
	used     uint64 // words of hyp that are taken: word i is bit i%64
	end
	taken int32 // the last match taken, in aligner.taken; -1: none
}

// An end is where the last match of a state ends.
type end struct {
	ref int32 // or the word after one that stayed alone, or a word before that
	hyp int32 // -1 if the word before stayed alone
}

const manyChunks = 1 << 32

// A link is a match that a state has taken and the one before.
type link struct{ match, before int32 }

// states are the best of those that were put in, at most beam, the best first and
// of equals the first.
type states []state

// put adds a state, and returns it; nil if it is not among the best.
func (s *states) put(x *state) *state {
	list := *s
	if len(list) < beam {
		list = append(list, state{})
		*s = list
	} else if !better(x, &list[beam-1]) {
		return nil
	}
	at := len(list) - 1
	for at > 0 && better(x, &list[at-1]) {
		list[at] = list[at-1]
		at--
	}
	list[at] = *x
	return &list[at]
}

// sort brings states that have changed in order again.
func (s states) sort() {
	for i := 1; i < len(s); i++ {
		if !better(&s[i], &s[i-1]) {
			continue
		}
		x := s[i]
		at := i
		for at > 0 && better(&x, &s[at-1]) {
			s[at] = s[at-1]
			at--
		}
		s[at] = x
	}
}

// better says if a state covers more words, or as many in fewer chunks, or in as
// many that are nearer.
func better(x, y *state) bool {
	return x.rank > y.rank || x.rank == y.rank && x.distance < y.distance
}

// align chooses among the matches that find has listed, and returns those chosen
// by ascending place in ref.
func (a *aligner) align() []match {
	a.start()
	for cur := range int32(len(a.ref.words)) {
		if a.fixed[cur] >= 0 || a.starts[cur] == a.starts[cur+1] {
			a.pass(cur)
			continue
		}
		a.part()
		a.next = a.next[:0]
		for i := range a.now {
			if x := &a.now[i]; cur < x.end.ref {
				a.next.put(x)
			} else {
				a.branch(x, cur)
			}
		}
		a.now, a.next = a.next, a.now
	}
	if !a.even {
		for i := range a.now {
			a.now[i].leave(0)
		}
		a.now.sort()
	}
	return a.collect(&a.now[0])
}

// start makes the first state, and fixes matches without rival.
func (a *aligner) start() {
	a.now = append(a.now[:0], state{taken: -1})
	a.even, a.end = true, end{hyp: -1}
	a.taken = a.taken[:0]
	a.fixed = a.fixed[:0]
	for j := range a.ref.words {
		fixed := int32(-1)
		if k := a.starts[j]; a.starts[j+1] == k+1 && a.alone(&a.matches[k]) {
			fixed = k
		}
		a.fixed = append(a.fixed, fixed)
	}
}

// alone says if no other match covers a word of m.
func (a *aligner) alone(m *match) bool {
	for _, n := range a.refCover[m.ref:m.refEnd] {
		if n != 1 {
			return false
		}
	}
	for _, n := range a.hypCover[m.hyp:m.hypEnd] {
		if n != 1 {
			return false
		}
	}
	return true
}

// pass moves all states over a word of ref that leaves no choice. States that end
// alike gain the same from then on, so only their end is moved.
func (a *aligner) pass(cur int32) {
	if a.even {
		if cur >= a.end.ref {
			a.end = a.after(cur)
		}
		return
	}
	a.even, a.end = true, a.after(cur)
	for i := range a.now {
		x := &a.now[i]
		switch {
		case cur < x.end.ref:
			a.even = false // until its match ends
		case a.fixed[cur] >= 0:
			m := &a.matches[a.fixed[cur]]
			x.take(m)
			x.distance += int64(m.distance())
		default:
			x.leave(cur)
		}
	}
	a.now.sort()
}

// after is the end of a state that passes a word.
func (a *aligner) after(cur int32) end {
	if k := a.fixed[cur]; k >= 0 {
		return end{a.matches[k].refEnd, a.matches[k].hypEnd}
	}
	return end{cur + 1, -1}
}

// part gives states that end alike each its end.
func (a *aligner) part() {
	if a.even {
		for i := range a.now {
			a.now[i].end = a.end
		}
		a.even = false
	}
}

// branch takes each match at cur that is still possible, or none.
func (a *aligner) branch(x *state, cur int32) {
	for k := a.starts[cur]; k < a.starts[cur+1]; k++ {
		m := &a.matches[k]
		bits := m.bits()
		if x.used&bits != 0 && !a.free(x, m) {
			continue
		}
		child := *x
		child.take(m)
		child.used |= bits
		child.taken = int32(len(a.taken))
		if a.next.put(&child) != nil {
			a.taken = append(a.taken, link{k, x.taken})
		}
		x.distance += int64(m.distance()) // in the official program, not the child's
	}
	x.leave(cur)
	a.next.put(x)
}

// bits are those of state.used.
func (m *match) bits() (bits uint64) {
	for i := m.hyp; i < m.hypEnd; i++ {
		bits |= 1 << (i % 64)
	}
	return bits
}

// free says if a state uses no word of hyp that m covers, although it uses one with
// the same bit. Words of ref need no look: the state is before them.
func (a *aligner) free(x *state, m *match) bool {
	if len(a.hyp.words) <= 64 {
		return false
	}
	for k := x.taken; k >= 0; k = a.taken[k].before {
		if n := &a.matches[a.taken[k].match]; m.hyp < n.hypEnd && n.hyp < m.hypEnd {
			return false
		}
	}
	return true
}

// take moves a state behind a match. Words that are not equal count one half, and
// the official program cuts the sum of each side off to an integer.
func (x *state) take(m *match) {
	ref, hyp := m.refEnd-m.ref, m.hypEnd-m.hyp
	if m.module != exact {
		ref, hyp = ref/2, hyp/2
	}
	x.rank += int64(ref+hyp) * manyChunks
	if x.end.hyp != -1 && m.hyp != x.end.hyp {
		x.rank--
	}
	x.end = end{m.refEnd, m.hypEnd}
}

// leave moves a state behind a word of ref that stays alone, or behind the last.
func (x *state) leave(cur int32) {
	if x.end.hyp != -1 {
		x.rank--
	}
	x.end = end{cur + 1, -1}
}

// collect returns the matches of a state and the fixed ones.
func (a *aligner) collect(x *state) []match {
	a.chosen = a.chosen[:0]
	for k := x.taken; k >= 0; k = a.taken[k].before {
		a.chosen = append(a.chosen, a.matches[a.taken[k].match])
	}
	for _, k := range a.fixed {
		if k >= 0 {
			a.chosen = append(a.chosen, a.matches[k])
		}
	}
	slices.SortFunc(a.chosen, func(x, y match) int { return cmp.Compare(x.ref, y.ref) })
	return a.chosen
}

// best returns the statistics with the reference of the highest score.
func (a *aligner) best(hyp int32, refs []int32) Stats {
	var best Stats
	highest := -1.0
	a.setHyp(&a.corpus.sentences[hyp])
	for _, ref := range refs {
		a.ref = &a.corpus.sentences[ref]
		s := a.stats()
		if score := s.Score(); score > highest {
			best, highest = s, score
		}
	}
	return best
}

// stats aligns the hypothesis with the reference and counts.
func (a *aligner) stats() Stats {
	var s Stats
	s.Hyp.Words, s.Ref.Words = a.hyp.counts, a.ref.counts
	a.find()
	refEnd, hypEnd := int32(-1), int32(-1)
	for _, m := range a.align() {
		for _, w := range a.ref.words[m.ref:m.refEnd] {
			s.Ref.Matched[m.module].add(a.corpus.words[w].function)
		}
		for _, w := range a.hyp.words[m.hyp:m.hypEnd] {
			s.Hyp.Matched[m.module].add(a.corpus.words[w].function)
		}
		if m.ref != refEnd || m.hyp != hypEnd {
			s.Chunks++
		}
		refEnd, hypEnd = m.refEnd, m.hypEnd
	}
	return s
}
