package metric

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"unicode"

	"showtell/metric/meteor"
	"showtell/tensor"
)

// A Corpus is one hypothesis and some references for each image, tokenised. It
// does not change and is safe for concurrent use.
type Corpus struct {
	// Meteor is METEOR with its data, from meteordata.Open; nil: without any data.
	// Set it before a score is computed.
	Meteor *meteor.Meteor

	// Frequencies say how rare n-grams are for CIDEr and CIDEr-D; nil: as rare as in
	// the references of this corpus. Set them before a score is computed.
	Frequencies *Frequencies

	hyps   []sentence
	refs   [][]sentence
	counts func() *counts // made when first wanted
}

// A sentence is tokenised text. BLEU and CIDEr split it at any white space,
// ROUGE-L at each single blank; they differ where a token holds a no-break space
// and in empty text.
type sentence string

// NewCorpus tokenises hypotheses and references with [Tokenize], on all cores.
// Image i has hyps[i] and refs[i]. No image, another number of hypotheses than
// of reference lists, and an image without reference are errors.
func NewCorpus(hyps []string, refs [][]string) (*Corpus, error) {
	var all []string
	all = append(all, hyps...)
	for _, list := range refs {
		all = append(all, list...)
	}
	all = tokenizeEach(all)
	hyps, all = all[:len(hyps)], all[len(hyps):]
	tokenised := make([][]string, len(refs))
	for i, list := range refs {
		tokenised[i], all = all[:len(list)], all[len(list):]
	}
	return FromTokens(hyps, tokenised)
}

// FromTokens makes a corpus of text that is tokenised already: words with single
// blanks between them. Its errors are those of [NewCorpus].
func FromTokens(hyps []string, refs [][]string) (*Corpus, error) {
	if len(hyps) != len(refs) {
		return nil, fmt.Errorf("metric: %d hypotheses, but references for %d images", len(hyps), len(refs))
	}
	if len(hyps) == 0 {
		return nil, errors.New("metric: no image to score")
	}
	c := &Corpus{hyps: make([]sentence, len(hyps)), refs: make([][]sentence, len(refs))}
	for i, list := range refs {
		if len(list) == 0 {
			return nil, fmt.Errorf("metric: image %d has no reference", i)
		}
		c.hyps[i] = sentence(hyps[i])
		for _, ref := range list {
			c.refs[i] = append(c.refs[i], sentence(ref))
		}
	}
	c.counts = sync.OnceValue(func() *counts { return newCounts(c) })
	return c, nil
}

// Images is the number of images.
func (c *Corpus) Images() int { return len(c.hyps) }

// A Warning says what to know before trusting a score.
type Warning struct {
	Image int // -1: the corpus
	Text  string
}

func (w Warning) String() string {
	if w.Image < 0 {
		return w.Text
	}
	return fmt.Sprintf("image %d: %s", w.Image, w.Text)
}

// Warnings about the corpus, those of single images after those of all.
func (c *Corpus) Warnings() []Warning {
	longest, empty := 0, true
	var all, images []Warning
	for i := range c.hyps {
		if n := len(c.hyps[i].words()); n == 0 {
			images = append(images, Warning{i, "the hypothesis is empty"})
		} else {
			longest = max(longest, n)
		}
		for r, ref := range c.refs[i] {
			if len(ref.words()) == 0 {
				images = append(images, Warning{i, fmt.Sprintf("reference %d is empty; ROUGE-L counts it as one empty word", r)})
			} else {
				empty = false
			}
		}
	}
	if len(c.hyps) == 1 && c.Frequencies == nil {
		all = append(all, Warning{-1, "CIDEr and CIDEr-D of one image are 0 and mean nothing, because no word is rarer than another"})
	}
	if empty {
		all = append(all, Warning{-1, "every reference is empty"})
	}
	if longest < orders {
		all = append(all, Warning{-1, fmt.Sprintf("no hypothesis has %d words, so BLEU-%d is not 0 but up to 0.0316, as the official code prints it", orders, orders)})
	}
	return append(all, images...)
}

// words splits as Python's str.split does.
func (s sentence) words() []string {
	return strings.FieldsFunc(string(s), func(r rune) bool {
		return unicode.IsSpace(r) || 0x1c <= r && r <= 0x1f
	})
}

// tokenizeEach tokenises captions one by one, on all cores, into a new slice.
func tokenizeEach(captions []string) []string {
	tokens := make([]string, len(captions))
	parallel(len(captions), func(i int) { tokens[i] = Tokenize(captions[i]) })
	return tokens
}

// chunk is how many images or captions a worker takes at once.
const chunk = 64

// parallel calls f(0) to f(n-1) on all cores.
func parallel(n int, f func(i int)) {
	tensor.Parallel((n+chunk-1)/chunk, func(tile int) {
		for i := tile * chunk; i < min(n, (tile+1)*chunk); i++ {
			f(i)
		}
	})
}
