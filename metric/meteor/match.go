package meteor

import "slices"

// A match is a run of words of the reference that stands for a run of words of
// the hypothesis: one word each, except for paraphrases.
type match struct {
	ref, refEnd int
	hyp, hypEnd int
	module      module
}

func (m *match) distance() int { return max(m.ref-m.hyp, m.hyp-m.ref) }

// find lists the matches of a.hyp and a.ref by the start in the reference, those
// of each module after those of the one before, and counts how many cover each
// word.
func (a *aligner) find() {
	for len(a.matches) < len(a.ref) {
		a.matches = append(a.matches, nil)
	}
	for j := range a.ref {
		a.matches[j] = a.matches[j][:0]
	}
	a.hypCover = append(a.hypCover[:0], make([]int, len(a.hyp))...)
	a.refCover = append(a.refCover[:0], make([]int, len(a.ref))...)
	a.findWords(exact, func(ref, hyp int32) bool { return ref == hyp })
	if slices.Equal(a.hyp, a.ref) {
		return
	}
	words := a.corpus.words
	a.findWords(stem, func(ref, hyp int32) bool { return ref != hyp && words[ref].stem == words[hyp].stem })
	a.findWords(synonym, func(ref, hyp int32) bool { return ref != hyp && meet(words[ref].senses, words[hyp].senses) })
	if a.corpus.phrases != nil {
		a.findParaphrases()
	}
}

func (a *aligner) add(m match) {
	a.matches[m.ref] = append(a.matches[m.ref], m)
	for j := m.ref; j < m.refEnd; j++ {
		a.refCover[j]++
	}
	for i := m.hyp; i < m.hypEnd; i++ {
		a.hypCover[i]++
	}
}

func (a *aligner) findWords(k module, alike func(ref, hyp int32) bool) {
	for j, ref := range a.ref {
		for i, hyp := range a.hyp {
			if alike(ref, hyp) {
				a.add(match{ref: j, refEnd: j + 1, hyp: i, hypEnd: i + 1, module: k})
			}
		}
	}
}

// meet says if two ascending lists have an element in common.
func meet(a, b []int32) bool {
	for len(a) > 0 && len(b) > 0 {
		switch {
		case a[0] == b[0]:
			return true
		case a[0] < b[0]:
			a = a[1:]
		default:
			b = b[1:]
		}
	}
	return false
}

// findParaphrases looks phrases of the reference up and then those of the
// hypothesis. A pair that the table lists both ways gives two equal matches, and
// both count in the search.
func (a *aligner) findParaphrases() {
	p := a.corpus.phrases
	a.places(a.hyp, a.hypPlaces)
	p.each(a.ref, func(from, end int, node int32) {
		for _, other := range p.others[node] {
			for _, at := range a.hypPlaces[other] {
				a.add(match{from, end, at.from, at.end, paraphrase})
			}
		}
	})
	a.places(a.ref, a.refPlaces)
	p.each(a.hyp, func(from, end int, node int32) {
		for _, other := range p.others[node] {
			for _, at := range a.refPlaces[other] {
				a.add(match{at.from, at.end, from, end, paraphrase})
			}
		}
	})
}

type place struct{ from, end int }

// places notes where phrases stand in a sentence, from left to right.
func (a *aligner) places(sentence []int32, to map[int32][]place) {
	clear(to)
	a.corpus.phrases.each(sentence, func(from, end int, node int32) {
		to[node] = append(to[node], place{from, end})
	})
}
