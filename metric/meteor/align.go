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
	at       int32 // end of the last match in ref, or the word after one that stayed alone
	last     int32 // end of the last match in hyp, -1 if the word before stayed alone
	taken    int32 // the last match taken, in aligner.taken; -1: none
	used     int32 // where the state's words are in states.used
}

const manyChunks = 1 << 32

// A link is a match that a state has taken and the one before.
type link struct{ match, before int32 }

// states are the best of those that were put in, at most beam, the best first and
// of equals the first. The words of hyp that a state has taken are in one array, a
// fixed number of bits each.
type states struct {
	list []state
	used []uint64
	size int // numbers in used for each state
}

func (s *states) reset(bits int) {
	s.size = (bits + 63) / 64
	s.list = s.list[:0]
	if n := beam * s.size; len(s.used) < n {
		s.used = make([]uint64, n)
	}
}

// put adds a state whose words are in use as in from, and returns it; nil if it is
// not among the best.
func (s *states) put(x *state, from *states) *state {
	n := len(s.list)
	place := int32(n * s.size)
	if n == beam {
		if !better(x, &s.list[beam-1]) {
			return nil
		}
		place = s.list[beam-1].used
		n--
	} else {
		s.list = append(s.list, state{})
	}
	at := n
	for at > 0 && better(x, &s.list[at-1]) {
		s.list[at] = s.list[at-1]
		at--
	}
	for k := range int32(s.size) {
		s.used[place+k] = from.used[x.used+k]
	}
	kept := &s.list[at]
	*kept = *x
	kept.used = place
	return kept
}

// sort brings states that have changed in order again.
func (s *states) sort() {
	for i := 1; i < len(s.list); i++ {
		x := s.list[i]
		at := i
		for at > 0 && better(&x, &s.list[at-1]) {
			s.list[at] = s.list[at-1]
			at--
		}
		s.list[at] = x
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
		a.next.reset(len(a.hyp.words))
		for i := range a.now.list {
			if x := &a.now.list[i]; cur < x.at {
				a.next.put(x, &a.now)
			} else {
				a.branch(x, cur)
			}
		}
		a.now, a.next = a.next, a.now
	}
	for i := range a.now.list {
		a.now.list[i].leave()
	}
	a.now.sort()
	return a.collect(&a.now.list[0])
}

// start makes the first state, and fixes matches without rival.
func (a *aligner) start() {
	a.now.reset(len(a.hyp.words))
	clear(a.now.used[:a.now.size])
	a.now.list = append(a.now.list, state{last: -1, taken: -1})
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

// pass moves all states over a word of ref that leaves no choice.
func (a *aligner) pass(cur int32) {
	for i := range a.now.list {
		x := &a.now.list[i]
		switch {
		case cur < x.at:
		case a.fixed[cur] >= 0:
			m := &a.matches[a.fixed[cur]]
			x.take(m)
			x.distance += int64(m.distance())
		default:
			x.leave()
		}
	}
	a.now.sort()
}

// branch takes each match at cur that is still possible, or none.
func (a *aligner) branch(x *state, cur int32) {
	for k := a.starts[cur]; k < a.starts[cur+1]; k++ {
		m := &a.matches[k]
		if !a.now.free(x, m) {
			continue
		}
		child := *x
		child.take(m)
		if kept := a.next.put(&child, &a.now); kept != nil {
			a.next.use(kept, m)
			a.taken = append(a.taken, link{k, x.taken})
			kept.taken = int32(len(a.taken) - 1)
		}
		x.distance += int64(m.distance()) // in the official program, not the child's
	}
	x.leave()
	a.next.put(x, &a.now)
}

// free says if a state uses no word of hyp that m covers. Words of ref need no
// look: the state is before them.
func (s *states) free(x *state, m *match) bool {
	for i := m.hyp; i < m.hypEnd; i++ {
		if s.used[x.used+i/64]>>(i%64)&1 != 0 {
			return false
		}
	}
	return true
}

func (s *states) use(x *state, m *match) {
	for i := m.hyp; i < m.hypEnd; i++ {
		s.used[x.used+i/64] |= 1 << (i % 64)
	}
}

// take moves a state behind a match. Words that are not equal count one half, and
// the official program cuts the sum of each side off to an integer.
func (x *state) take(m *match) {
	ref, hyp := m.refEnd-m.ref, m.hypEnd-m.hyp
	if m.module != exact {
		ref, hyp = ref/2, hyp/2
	}
	x.rank += int64(ref+hyp) * manyChunks
	if x.last != -1 && m.hyp != x.last {
		x.rank--
	}
	x.at, x.last = m.refEnd, m.hypEnd
}

// leave moves a state behind a word of ref that stays alone, or behind the last.
func (x *state) leave() {
	if x.last != -1 {
		x.rank--
		x.last = -1
	}
	x.at++
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
