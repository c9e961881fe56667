package metric

import "strings"

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
	perImage := make([]float64, len(c.hyps))
	parallel(len(perImage), func(from, end int) {
		var row []int32
		for i := from; i < end; i++ {
			var p, r float64
			for k := range c.refs[i] {
				common, words, others := c.common(i, k, &row)
				p = max(p, common/words)
				r = max(r, common/others)
			}
			if p != 0 && r != 0 {
				perImage[i] = (1 + b2) * p * r / (r + b2*p)
			}
		}
	})
	return mean(perImage)
}

// common is the LCS of the hypothesis and reference k of an image, and how many
// words these have, at least one.
func (c *Corpus) common(image, k int, row *[]int32) (lcs, words, others float64) {
	hyp, ref := c.numbers().hyps[image], c.numbers().refs[image][k]
	if !singleBlanks(c.hyps[image], len(hyp)) || !singleBlanks(c.refs[image][k], len(ref)) {
		v := vocabulary{}
		number := func(text string) []int32 {
			var list []int32
			for w := range strings.SplitSeq(text, " ") {
				list = append(list, v.add(w))
			}
			return list
		}
		hyp, ref = number(c.hyps[image]), number(c.refs[image][k])
	}
	return float64(longestCommon(hyp, ref, row)), float64(len(hyp)), float64(len(ref))
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
