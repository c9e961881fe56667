package metric

import "math"

// These keep the official code's fractions from 0/0.
const tiny, small = 1e-15, 1e-9

// Columns of the statistics of BLEU: words of the hypothesis and of the reference
// nearest in length, and n-grams of each order that are right and that there are.
const (
	bleuWords = iota
	bleuRefWords
	bleuCorrect
	bleuGuess   = bleuCorrect + orders
	bleuColumns = bleuGuess + orders
)

// bleu is BLEU-n (Papineni et al. 2002) as coco-caption computes it: with c_k of
// the g_k k-grams of the hypotheses in the references, counted at most as often
// as in the reference that has them most often,
//
//	score = (prod_{k<=n} (c_k+1e-15)/(g_k+1e-9))^(1/n) * min(1, exp(1 - 1/ratio))
//	ratio = (words+1e-15)/(reference words+1e-9)
//
// where the reference nearest in length counts, the shorter of two. The corpus
// score is the formula on the sums.
func bleu(c *Corpus, n int) Result {
	counted := c.numbers().bleu()
	s := &statistics{counted.columns, func(total []float64) float64 { return bleuScore(total, n) }}
	perImage := make([]float64, len(c.hyps))
	image := make([]float64, bleuColumns)
	for i := range perImage {
		for k, column := range s.columns {
			image[k] = column[i]
		}
		perImage[i] = s.score(image)
	}
	return Result{Corpus: s.score(total(s.columns)), PerImage: perImage, statistics: s}
}

// countBleu fills the columns of all images.
func (n *numbers) countBleu() *statistics {
	s := &statistics{columns: table(bleuColumns, len(n.hyps))}
	parallel(len(n.hyps), func(from, end int) {
		b := newBags(n.sentences, nil)
		defer b.release()
		for i := from; i < end; i++ {
			hyp, refs := b.of(n.hyps[i]), b.list(n.refs[i])
			s.columns[bleuWords][i] = float64(hyp.words)
			s.columns[bleuRefWords][i] = float64(nearest(hyp.words, refs))
			for k := range orders {
				s.columns[bleuCorrect+k][i] = float64(correct(hyp.grams[k], refs, k))
				s.columns[bleuGuess+k][i] = float64(max(0, hyp.words-k))
			}
		}
	})
	return s
}

// nearest is the number of words of a reference that is nearest.
func nearest(words int, refs []*bag) int {
	best := refs[0].words
	for _, ref := range refs {
		n := ref.words
		if far, old := abs(n-words), abs(best-words); far < old || far == old && n < best {
			best = n
		}
	}
	return best
}

// correct counts n-grams of a hypothesis, k+1 words long, that references have.
func correct(hyp []entry, refs []*bag, k int) int {
	var most [64]int32
	counts := append(most[:0], make([]int32, len(hyp))...)
	for _, ref := range refs {
		list := ref.grams[k]
		j := 0
		for i := range hyp {
			for j < len(list) && list[j].compare(hyp[i].gram) < 0 {
				j++
			}
			if j == len(list) {
				break
			}
			if list[j].gram == hyp[i].gram {
				counts[i] = max(counts[i], list[j].count)
			}
		}
	}
	sum := 0
	for i := range hyp {
		sum += int(min(hyp[i].count, counts[i]))
	}
	return sum
}

func bleuScore(total []float64, n int) float64 {
	product := 1.0
	for k := range n {
		product *= (total[bleuCorrect+k] + tiny) / (total[bleuGuess+k] + small)
	}
	score := math.Pow(product, 1/float64(n))
	if ratio := (total[bleuWords] + tiny) / (total[bleuRefWords] + small); ratio < 1 {
		score *= math.Exp(1 - 1/ratio)
	}
	return score
}

func abs(n int) int { return max(n, -n) }
