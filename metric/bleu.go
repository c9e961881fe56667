package metric

import "math"

// These keep the official code's fractions from 0/0.
const tiny, small = 1e-15, 1e-9

// A bleuCount holds what BLEU adds up over images.
type bleuCount struct {
	words, refWords int
	correct, guess  [orders]int // by n-gram length - 1
}

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
	images := c.counts().bleu()
	var total bleuCount
	perImage := make([]float64, len(images))
	for i := range images {
		perImage[i] = images[i].score(n)
		total.add(&images[i])
	}
	score := func(total *bleuCount) float64 { return total.score(n) }
	return Result{Corpus: total.score(n), PerImage: perImage, statistics: &sums[bleuCount]{images, (*bleuCount).add, score}}
}

func countBleu(hyp bag, refs []bag) bleuCount {
	c := bleuCount{words: hyp.words, refWords: refs[0].words}
	for _, ref := range refs {
		far, old := abs(ref.words-hyp.words), abs(c.refWords-hyp.words)
		if far < old || far == old && ref.words < c.refWords {
			c.refWords = ref.words
		}
	}
	for k, grams := range hyp.grams {
		c.guess[k] = max(0, hyp.words-k)
		next := make([]int, len(refs)) // place in each reference
		for _, g := range grams {
			if g.id == 0 {
				continue
			}
			most := int32(0)
			for r, ref := range refs {
				list := ref.grams[k]
				for next[r] < len(list) && list[next[r]].id < g.id {
					next[r]++
				}
				if next[r] < len(list) && list[next[r]].id == g.id {
					most = max(most, list[next[r]].count)
				}
			}
			c.correct[k] += int(min(g.count, most))
		}
	}
	return c
}

func (c *bleuCount) add(o *bleuCount) {
	c.words += o.words
	c.refWords += o.refWords
	for k := range orders {
		c.correct[k] += o.correct[k]
		c.guess[k] += o.guess[k]
	}
}

func (c *bleuCount) score(n int) float64 {
	product := 1.0
	for k := range n {
		product *= (float64(c.correct[k]) + tiny) / (float64(c.guess[k]) + small)
	}
	score := math.Pow(product, 1/float64(n))
	if ratio := (float64(c.words) + tiny) / (float64(c.refWords) + small); ratio < 1 {
		score *= math.Exp(1 - 1/ratio)
	}
	return score
}

func abs(n int) int { return max(n, -n) }
