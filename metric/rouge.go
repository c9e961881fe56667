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
	parallel(len(perImage), func(i int) {
		words := strings.Split(string(c.hyps[i]), " ")
		var p, r float64
		for _, ref := range c.refs[i] {
			others := strings.Split(string(ref), " ")
			common := float64(lcs(words, others))
			p = max(p, common/float64(len(words)))
			r = max(r, common/float64(len(others)))
		}
		if p != 0 && r != 0 {
			perImage[i] = (1 + b2) * p * r / (r + b2*p)
		}
	})
	return mean(perImage)
}

// lcs is the length of the longest common subsequence.
func lcs(a, b []string) int {
	row := make([]int, len(b)+1) // of the words of a so far and the first j of b
	for _, word := range a {
		before := 0 // row[j-1] without this word
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
