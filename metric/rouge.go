package metric

import (
	"math/bits"
	"strings"
	"sync"
)

// rougeL is ROUGE-L (Lin 2004) as coco-caption computes it: with the longest
// common subsequence LCS of hypothesis and reference,
//
//	P = max over references of LCS/words(hyp)
//	R = max over references of LCS/words(ref)
//	score = (1+b²)PR/(R+b²P), b = 1.2
//
// and 0 where P or R is 0. The corpus score is the mean.
func rougeL(c *Corpus) Result {
	const b2 = 1.2 * 1.2
	n := c.numbers()
	single := make([]bool, len(n.sentences))
	parallel(len(n.sentences), func(from, end int) {
		for i := from; i < end; i++ {
			single[i] = singleBlanks(c.texts[i], len(n.sentences[i]))
		}
	})
	perImage := make([]float64, len(c.hyps))
	finders := sync.Pool{New: func() any { return &common{numbers: n, single: single, places: make([]uint64, n.words+1)} }}
	parallel(len(perImage), func(from, end int) {
		f := finders.Get().(*common)
		defer finders.Put(f)
		for i := from; i < end; i++ {
			var p, r float64
			f.setHyp(c.hyps[i])
			for _, ref := range c.refs[i] {
				lcs, words, others := f.with(ref)
				p = max(p, lcs/words)
				r = max(r, lcs/others)
			}
			if p != 0 && r != 0 {
				perImage[i] = (1 + b2) * p * r / (r + b2*p)
			}
		}
	})
	return mean(perImage)
}

// A common finds longest common subsequences of a hypothesis with others.
type common struct {
	*numbers
	single []bool   // by text: its words have single blanks between them
	places []uint64 // by word: a bit for each place in hyp, if that has at most 64 words
	hyp    int32    // text
	row    []int32
}

func (f *common) setHyp(hyp int32) {
	for _, w := range f.sentences[f.hyp] {
		f.places[w] = 0
	}
	f.hyp = hyp
	for i, w := range f.sentences[hyp] {
		f.places[w] |= 1 << (i % 64)
	}
}

// with is the LCS with another text, and how many words both have, at least one.
func (f *common) with(ref int32) (lcs, words, others float64) {
	a, b := f.sentences[f.hyp], f.sentences[ref]
	switch {
	case !f.single[f.hyp] || !f.single[ref]:
		v := vocabulary{}
		a, b = v.blanks(f.texts[f.hyp]), v.blanks(f.texts[ref])
	case len(a) <= 64:
		return float64(f.inPlaces(b, len(a))), float64(len(a)), float64(len(b))
	}
	return float64(longestCommon(a, b, &f.row)), float64(len(a)), float64(len(b))
}

// blanks numbers what stands between single blanks.
func (v vocabulary) blanks(text string) (numbers []int32) {
	for w := range strings.SplitSeq(text, " ") {
		numbers = append(numbers, v.add(w))
	}
	return numbers
}

// inPlaces is the length of the longest common subsequence of the hypothesis, which
// has some words, and another text. Where the length for the first i words is one
// more than for i-1, bit i of row is 0 (Hyyrö 2004).
func (f *common) inPlaces(other []int32, words int) int {
	row := ^uint64(0)
	for _, w := range other {
		match := row & f.places[w]
		row = (row + match) | (row - match)
	}
	return bits.OnesCount64(^row << (64 - words))
}

// singleBlanks tells if splitting a text at each blank gives its words.
func singleBlanks(text string, words int) bool {
	return words > 0 && plain(text) && strings.Count(text, " ") == words-1
}

// longestCommon is the length of the longest common subsequence; row is scratch.
func longestCommon(a, b []int32, scratch *[]int32) int32 {
	row := append((*scratch)[:0], make([]int32, len(b)+1)...) // of the words of a so far and the first j of b
	*scratch = row
	for _, word := range a {
		before := int32(0) // row[j-1] without this word
		for j, other := range b {
			old := row[j+1]
			if word == other {
				row[j+1] = before + 1
			} else {
				row[j+1] = max(old, row[j])
			}
			before = old
		}
	}
	return row[len(b)]
}
