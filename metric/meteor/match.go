package meteor

import (
	"cmp"
	"slices"
)

// A match is a run of words of the reference that stands for a run of words of
// the hypothesis: one word each, except for paraphrases.
type match struct {
	ref, refEnd int32
	hyp, hypEnd int32
	module      module
}

func (m *match) distance() int32 { return max(m.ref-m.hyp, m.hyp-m.ref) }

// Found is the matches of the hypothesis and a reference.
type found struct {
	matches            []match // by start in ref
	starts             []int32 // by word of ref: its first match; one more for the end
	hypCover, refCover []int32 // matches that cover each word
	most               float64 // no score is higher
}

// An index finds the places of a number in a list.
type index struct {
	first []int32 // by number: 1 + its first place, 0 if it has none
	next  []int32 // by place: 1 + the next one of the same number
}

func (x *index) fill(list []int32) {
	x.next = slices.Grow(x.next[:0], len(list))[:len(list)]
	for i := len(list) - 1; i >= 0; i-- {
		x.next[i] = x.first[list[i]]
		x.first[list[i]] = int32(i + 1)
	}
}

func (x *index) clear(list []int32) {
	for _, n := range list {
		x.first[n] = 0
	}
}

// setHyp makes a sentence the hypothesis for the next calls of find.
func (a *aligner) setHyp(hyp *sentence) {
	if a.hyp != nil {
		a.hypWords.clear(a.hyp.words)
		a.hypPhrases.clear(a.hyp.nodes)
	}
	a.hyp = hyp
	a.hypWords.fill(hyp.words)
	a.hypPhrases.fill(hyp.nodes)
}

// find lists the matches of a.hyp and a.ref by the start in the reference, those
// of each module after those of the one before, and counts how many cover each
// word.
func (a *aligner) find() {
	a.matches, a.starts, a.swapped = a.matches[:0], a.starts[:0], a.swapped[:0]
	a.hypCover, a.refCover = zeros(a.hypCover, len(a.hyp.words)), zeros(a.refCover, len(a.ref.words))
	equal := slices.Equal(a.hyp.words, a.ref.words)
	if !equal {
		a.findSwapped()
	}
	phrase, swapped := 0, 0
	for j, w := range a.ref.words {
		a.starts = append(a.starts, int32(len(a.matches)))
		a.findWords(j, w, exact)
		if equal {
			continue
		}
		for k, alike := range a.corpus.words[w].alike {
			before := len(a.matches)
			for _, other := range alike {
				a.findWords(j, other, stem+module(k))
			}
			if len(a.matches) > before+1 {
				slices.SortFunc(a.matches[before:], func(x, y match) int { return cmp.Compare(x.hyp, y.hyp) })
			}
		}
		for ; phrase < len(a.ref.spans) && a.ref.spans[phrase].from == int32(j); phrase++ {
			a.findPhrase(phrase)
		}
		for ; swapped < len(a.swapped) && a.swapped[swapped].ref == int32(j); swapped++ {
			a.add(a.swapped[swapped])
		}
	}
	a.starts = append(a.starts, int32(len(a.matches)))
}

// zeros returns n zeros in the memory of old if it fits.
func zeros[T int32 | float64](old []T, n int) []T {
	old = slices.Grow(old[:0], n)[:n]
	clear(old)
	return old
}

func (a *aligner) add(m match) {
	a.matches = append(a.matches, m)
	for j := m.ref; j < m.refEnd; j++ {
		a.refCover[j]++
	}
	for i := m.hyp; i < m.hypEnd; i++ {
		a.hypCover[i]++
	}
}

// findWords adds a match of word j of the reference with each place of word w in
// the hypothesis.
func (a *aligner) findWords(j int, w int32, k module) {
	for i := a.hypWords.first[w]; i > 0; i = a.hypWords.next[i-1] {
		a.add(match{int32(j), int32(j) + 1, i - 1, i, k})
	}
}

// findPhrase adds the paraphrases in the hypothesis of a phrase of the reference.
func (a *aligner) findPhrase(phrase int) {
	from := a.ref.spans[phrase]
	for _, other := range a.corpus.phrases.others[a.ref.nodes[phrase]] {
		for i := a.hypPhrases.first[other]; i > 0; i = a.hypPhrases.next[i-1] {
			to := a.hyp.spans[i-1]
			a.add(match{from.from, from.end, to.from, to.end, paraphrase})
		}
	}
}

// findSwapped lists the paraphrases in the reference of phrases of the hypothesis,
// by the start in the reference. A pair that the table lists both ways gives two
// equal matches, and both count in the search.
func (a *aligner) findSwapped() {
	a.refPhrases.fill(a.ref.nodes)
	for k, node := range a.hyp.nodes {
		for _, other := range a.corpus.phrases.others[node] {
			for i := a.refPhrases.first[other]; i > 0; i = a.refPhrases.next[i-1] {
				from, to := a.ref.spans[i-1], a.hyp.spans[k]
				a.swapped = append(a.swapped, match{from.from, from.end, to.from, to.end, paraphrase})
			}
		}
	}
	a.refPhrases.clear(a.ref.nodes)
	slices.SortStableFunc(a.swapped, func(x, y match) int { return cmp.Compare(x.ref, y.ref) })
}
