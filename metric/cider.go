package metric

import (
	"fmt"
	"math"
)

// A kind is CIDEr or CIDEr-D.
type kind int

const (
	plainCider kind = iota
	ciderD
)

// sigma is the width of CIDEr-D's length penalty, in words.
const sigma = 6

// A vector is a sentence with a weight for each n-gram.
type vector struct {
	bigrams int
	grams   [orders][]weighted // by ascending id
	norms   [orders]float64
}

type weighted struct {
	id     int32
	weight float64
}

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
func (c *Corpus) cider(k kind) Result {
	counts := c.counts()
	perImage := make([]float64, len(c.hyps))
	parallel(len(perImage), func(i int) {
		refs := make([]vector, len(counts.refs[i]))
		for r, ref := range counts.refs[i] {
			refs[r] = weigh(ref, counts.rarity)
		}
		perImage[i] = k.score(weigh(counts.hyps[i], counts.rarity), refs)
	})
	return mean(perImage)
}

// Frequencies say in the references of how many images each n-gram stands, for
// corpora that are too small to tell, or for numbers that others computed so.
type Frequencies struct{ refs [][]sentence }

// NewFrequencies tokenises and keeps references, refs[i] those of image i. No image
// is an error.
func NewFrequencies(refs [][]string) (*Frequencies, error) {
	c, err := NewCorpus(make([]string, len(refs)), refs)
	if err != nil {
		return nil, fmt.Errorf("document frequencies: %w", err)
	}
	return &Frequencies{c.refs}, nil
}

func weigh(b bag, rarity []float64) vector {
	v := vector{bigrams: max(0, b.words-1)}
	n := 0
	for _, grams := range b.grams {
		n += len(grams)
	}
	all := make([]weighted, 0, n)
	for n, grams := range b.grams {
		from, sum := len(all), 0.0
		for _, g := range grams {
			w := float64(g.count) * rarity[g.id]
			sum += w * w
			all = append(all, weighted{g.id, w})
		}
		v.grams[n] = all[from:len(all):len(all)]
		v.norms[n] = math.Sqrt(sum)
	}
	return v
}

func (k kind) score(hyp vector, refs []vector) float64 {
	sum := 0.0
	for i := range refs {
		ref := &refs[i]
		similarity := 0.0
		for n := range orders {
			s := k.dot(hyp.grams[n], ref.grams[n])
			if norm := hyp.norms[n] * ref.norms[n]; norm != 0 {
				s /= norm
			}
			similarity += s
		}
		if k == ciderD {
			d := float64(hyp.bigrams - ref.bigrams)
			similarity *= math.Exp(-d * d / (2 * sigma * sigma))
		}
		sum += similarity / orders
	}
	return 10 * sum / float64(len(refs))
}

func (k kind) dot(hyp, ref []weighted) float64 {
	sum := 0.0
	for len(hyp) > 0 && len(ref) > 0 {
		h, r := hyp[0], ref[0]
		switch {
		case h.id < r.id:
			hyp = hyp[1:]
		case h.id > r.id:
			ref = ref[1:]
		default:
			if k == ciderD {
				h.weight = min(h.weight, r.weight)
			}
			sum += h.weight * r.weight
			hyp, ref = hyp[1:], ref[1:]
		}
	}
	return sum
}

// CiderD scores single hypotheses with CIDEr-D, as a reward of training does.
// It is safe for concurrent use.
type CiderD struct {
	index  *index
	rarity []float64  // by id
	refs   [][]vector // by image
}

// NewCiderD counts tokenised references, refs[i] those of image i: words with
// white space between them. No image, and an image without reference, are
// errors.
func NewCiderD(refs [][]string) (*CiderD, error) {
	c, err := FromTokens(make([]string, len(refs)), refs)
	if err != nil {
		return nil, fmt.Errorf("CIDEr-D: %w", err)
	}
	counts := c.counts()
	d := &CiderD{index: counts.index, rarity: counts.rarity, refs: make([][]vector, len(refs))}
	d.index.seen = nil
	for i, bags := range counts.refs {
		for _, b := range bags {
			d.refs[i] = append(d.refs[i], weigh(b, d.rarity))
		}
	}
	return d, nil
}

// Score is the CIDEr-D, 0 to 10, of the words of a hypothesis for an image.
func (d *CiderD) Score(words []string, image int) float64 {
	return ciderD.score(weigh(d.index.bag(words), d.rarity), d.refs[image])
}
