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

	*found
	all     []found // by reference
	order   []int
	swapped []match // found from hyp to ref

	hypWeights, refWeights []float64 // scratch

	fixed     []int32 // by start in ref: the match chosen before the search, -1: none
	now, next states
	even      bool // all states of now end alike, at end, and not as they say
	end       end
	choices   []choice
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

// put adds a state if it is among the best.
func (s *states) put(x *state) {
	if s.full(x) {
		return
	}
	list := *s
	if len(list) < beam {
		list = append(list, state{})
		*s = list
	}
	last := len(list) - 1
	at := last
	for at > 0 && better(x, &list[at-1]) {
		at--
	}
	copy(list[at+1:], list[at:last])
	list[at] = *x
}

// full says if there are so many better states that x is not among them.
func (s states) full(x *state) bool { return len(s) == beam && !better(x, &s[beam-1]) }

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
		a.next, a.choices = a.next[:0], a.choices[:0]
		for k := a.starts[cur]; k < a.starts[cur+1]; k++ {
			a.choices = append(a.choices, a.choiceOf(k))
		}
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
	var fixed choice
	if k := a.fixed[cur]; k >= 0 {
		fixed = a.choiceOf(k)
	}
	for i := range a.now {
		x := &a.now[i]
		switch {
		case cur < x.end.ref:
			a.even = false // until its match ends
		case a.fixed[cur] >= 0:
			x.take(&fixed)
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

// A choice is a match that states may take, and what they become by that.
type choice struct {
	match    int32
	start    int32 // in hyp
	end      end
	used     uint64
	rank     int64 // without what a new chunk costs
	distance int64
}

// choiceOf is the choice of a match. Words that are not equal count one half, and the
// official program cuts the sum of each side off to an integer.
func (a *aligner) choiceOf(k int32) choice {
	m := &a.matches[k]
	ref, hyp := m.refEnd-m.ref, m.hypEnd-m.hyp
	if m.module != exact {
		ref, hyp = ref/2, hyp/2
	}
	c := choice{match: k, start: m.hyp, end: end{m.refEnd, m.hypEnd}, rank: int64(ref+hyp) * manyChunks, distance: int64(m.distance())}
	for i := m.hyp; i < m.hypEnd; i++ {
		c.used |= 1 << (i % 64)
	}
	return c
}

// branch takes each of the choices at cur that is still possible, or none.
func (a *aligner) branch(x *state, cur int32) {
	for i := range a.choices {
		c := &a.choices[i]
		if x.used&c.used != 0 && !a.free(x, c) {
			continue
		}
		child := state{rank: x.rank + c.rank, distance: x.distance, used: x.used | c.used, end: c.end, taken: int32(len(a.taken))}
		if x.end.hyp != -1 && c.start != x.end.hyp {
			child.rank--
		}
		if !a.next.full(&child) {
			a.next.put(&child)
			a.taken = append(a.taken, link{c.match, x.taken})
		}
		x.distance += c.distance // in the official program, not the child's
	}
	x.leave(cur)
	a.next.put(x)
}

// free says if a state uses no word of hyp that a choice covers, although it uses one
// with the same bit. Words of ref need no look: the state is before them.
func (a *aligner) free(x *state, c *choice) bool {
	if len(a.hyp.words) <= 64 {
		return false
	}
	for k := x.taken; k >= 0; k = a.taken[k].before {
		if m := &a.matches[a.taken[k].match]; c.start < m.hypEnd && m.hyp < c.end.hyp {
			return false
		}
	}
	return true
}

// take moves a state behind a fixed match.
func (x *state) take(c *choice) {
	x.rank += c.rank
	if x.end.hyp != -1 && c.start != x.end.hyp {
		x.rank--
	}
	x.distance += c.distance
	x.end = c.end
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

// best returns the statistics with the reference of the highest score, the first of
// equals. References that cannot score as high as another are not aligned.
func (a *aligner) best(hyp int32, refs []int32) Stats {
	a.setHyp(&a.corpus.sentences[hyp])
	for len(a.all) < len(refs) {
		a.all = append(a.all, found{})
	}
	a.order = a.order[:0]
	for i, ref := range refs {
		a.turn(i, ref)
		a.find()
		a.most = a.atMost()
		a.order = append(a.order, i)
	}
	slices.SortStableFunc(a.order, func(i, j int) int { return cmp.Compare(a.all[j].most, a.all[i].most) })
	var best Stats
	highest, at := -1.0, 0
	for _, i := range a.order {
		if a.all[i].most < highest {
			break
		}
		a.turn(i, refs[i])
		s := a.stats()
		if score := s.Score(); score > highest || score == highest && i < at {
			best, highest, at = s, score, i
		}
	}
	return best
}

// turn turns to one of the references.
func (a *aligner) turn(i int, ref int32) { a.found, a.ref = &a.all[i], &a.corpus.sentences[ref] }

// atMost is what the score cannot exceed: that of one chunk in which all words are
// matched that some match covers, each in the way that counts most.
func (a *aligner) atMost() float64 {
	a.hypWeights, a.refWeights = zeros(a.hypWeights, len(a.hyp.words)), zeros(a.refWeights, len(a.ref.words))
	for i := range a.matches {
		m := &a.matches[i]
		weight := weights[m.module]
		for j := m.hyp; j < m.hypEnd; j++ {
			a.hypWeights[j] = max(a.hypWeights[j], weight)
		}
		for j := m.ref; j < m.refEnd; j++ {
			a.refWeights[j] = max(a.refWeights[j], weight)
		}
	}
	hyp, n := a.corpus.weighted(a.hyp, a.hypWeights)
	ref, m := a.corpus.weighted(a.ref, a.refWeights)
	if n+m == len(a.hyp.words)+len(a.ref.words) {
		return 1 // there may be no penalty
	}
	most := Terms{hyp, a.hyp.counts.weighted(), ref, a.ref.counts.weighted(), 1, float64(n+m) / 2}
	return most.Score() * (1 + 1e-9) // is rounded
}

// weighted sums the weights of a sentence's words, and counts those that have one.
func (c *corpus) weighted(s *sentence, weights []float64) (sum float64, n int) {
	for i, w := range s.words {
		if weights[i] > 0 {
			one := Words{Content: 1}
			if c.words[w].function {
				one = Words{Function: 1}
			}
			sum += weights[i] * one.weighted()
			n++
		}
	}
	return sum, n
}

// stats aligns the hypothesis with the reference and counts.
func (a *aligner) stats() Stats {
	var s Stats
	s.Hyp.Words, s.Ref.Words = a.hyp.counts, a.ref.counts
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
