package metric

import (
	"fmt"
	"math"
	"slices"
)

// A kind is CIDEr or CIDEr-D.
type kind int

const (
	plainCider kind = iota
	ciderD
)

// sigma is the width of CIDEr-D's length penalty, in words.
const sigma = 6

// cider computes CIDEr or CIDEr-D (Vedantam et al. 2015), which weigh n-grams
// by how rare they are among the references of all images. With the vectors of
// weights count * (ln N - ln max(1, df)) of hypothesis h and reference r, N
// images, df of them with the n-gram in a reference,
//
//	CIDEr   = 10 * mean over n=1..4 and references of h·r / |h||r|
//	CIDEr-D = the same with min(h, r) for h, * exp(-(l_h-l_r)²/2σ²)
//
// where l counts bigrams, as the official code does, and σ = 6. The corpus score
// is the mean. If the corpus has Frequencies, N and df are those.
func (c *Corpus) cider(k kind) Result { return mean(c.numbers().cider()[k]) }

// countCider scores all images, by kind.
func (n *numbers) countCider() (scores [2][]float64) {
	for k := range scores {
		scores[k] = make([]float64, len(n.hyps))
	}
	parallel(len(n.hyps), func(from, end int) {
		b := newBags(n.sentences, n.rare)
		defer b.release()
		for i := from; i < end; i++ {
			scores[plainCider][i], scores[ciderD][i] = ciders(b.of(n.hyps[i]), b.list(n.refs[i]))
		}
	})
	return scores
}

// Frequencies say in the references of how many images each n-gram stands, for
// corpora that are too small to tell, or for numbers that others computed so.
type Frequencies struct {
	texts []string
	refs  [][]int32 // texts, by image
}

// NewFrequencies tokenises and keeps references, refs[i] those of image i. No image
// is an error.
func NewFrequencies(refs [][]string) (*Frequencies, error) {
	c, err := NewCorpus(make([]string, len(refs)), refs)
	if err != nil {
		return nil, fmt.Errorf("document frequencies: %w", err)
	}
	return &Frequencies{c.texts, c.refs}, nil
}

// ciders are CIDEr and CIDEr-D of a hypothesis.
func ciders(hyp *bag, refs []*bag) (plain, d float64) {
	for _, ref := range refs {
		var similarity [2]float64
		for n := range orders {
			products := dots(hyp.grams[n], ref.grams[n])
			norm := hyp.norms[n] * ref.norms[n]
			for k, p := range products {
				if norm != 0 {
					p /= norm
				}
				similarity[k] += p
			}
		}
		far := float64(max(0, hyp.words-1) - max(0, ref.words-1))
		plain += similarity[plainCider] / orders
		d += similarity[ciderD] * math.Exp(-far*far/(2*sigma*sigma)) / orders
	}
	count := float64(len(refs))
	return 10 * plain / count, 10 * d / count
}

// dots are the products of two vectors, by kind.
func dots(hyp, ref []entry) (sums [2]float64) {
	for i, j := 0, 0; i < len(hyp) && j < len(ref); {
		h, r := &hyp[i], &ref[j]
		switch h.compare(r.gram) {
		case -1:
			i++
		case 1:
			j++
		default:
			sums[plainCider] += h.weight * r.weight
			sums[ciderD] += min(h.weight, r.weight) * r.weight
			i++
			j++
		}
	}
	return sums
}

// CiderD scores single hypotheses with CIDEr-D, as a reward of training does.
// It is safe for concurrent use.
type CiderD struct {
	vocabulary vocabulary
	rare       *rarities
	refs       [][]*bag // by image
}

// NewCiderD counts tokenised references, refs[i] those of image i: words with
// white space between them. No image, and an image without reference, are
// errors.
func NewCiderD(refs [][]string) (*CiderD, error) {
	c, err := FromTokens(make([]string, len(refs)), refs)
	if err != nil {
		return nil, fmt.Errorf("CIDEr-D: %w", err)
	}
	n := c.numbers()
	d := &CiderD{vocabulary: n.vocabulary, rare: newRarities(n.sentences, c.refs), refs: make([][]*bag, len(refs))}
	parallel(len(refs), func(from, end int) {
		for i := from; i < end; i++ {
			for _, ref := range c.refs[i] {
				b := new(bag)
				b.weigh(n.sentences[ref], d.rare)
				b.next = nil
				d.refs[i] = append(d.refs[i], b)
			}
		}
	})
	return d, nil
}

// Score is the CIDEr-D, 0 to 10, of the words of a hypothesis for an image.
func (d *CiderD) Score(words []string, image int) float64 {
	numbers := make([]int32, len(words))
	var unknown []string // words that no reference has get the numbers behind
	for i, w := range words {
		n, ok := d.vocabulary[w]
		if !ok {
			at := slices.Index(unknown, w)
			if at < 0 {
				at, unknown = len(unknown), append(unknown, w)
			}
			n = int32(len(d.vocabulary) + 1 + at)
		}
		numbers[i] = n
	}
	var hyp bag
	hyp.weigh(numbers, d.rare)
	_, score := ciders(&hyp, d.refs[image])
	return score
}
