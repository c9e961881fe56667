package metric

import (
	"errors"
	"fmt"
	"sync"

	"showtell/metric/meteor"
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

	// Tokenised text. BLEU and CIDEr split it at any white space, ROUGE-L at each
	// single blank; they differ where a token holds a no-break space and in empty text.
	// Captions that are equal are one text.
	texts []string
	hyps  []int32   // text of the hypothesis, by image
	refs  [][]int32 // texts of the references

	numbers func() *numbers // made when first wanted
}

// NewCorpus tokenises hypotheses and references with [Tokenize], on all cores.
// Image i has hyps[i] and refs[i]. No image, another number of hypotheses than
// of reference lists, and an image without reference are errors.
func NewCorpus(hyps []string, refs [][]string) (*Corpus, error) {
	return newCorpus(hyps, refs, tokenizeEach)
}

// NewCorpusJoined is NewCorpus with [TokenizeAll], for all hypotheses and for all
// references, as the official code tokenises.
func NewCorpusJoined(hyps []string, refs [][]string) (*Corpus, error) {
	return FromTokens(TokenizeAll(hyps), shaped(TokenizeAll(flat(refs)), refs))
}

// FromTokens makes a corpus of text that is tokenised already: words with single
// blanks between them. Its errors are those of [NewCorpus].
func FromTokens(hyps []string, refs [][]string) (*Corpus, error) {
	return newCorpus(hyps, refs, func(texts []string) []string { return texts })
}

// newCorpus makes a corpus of captions and what tokenises the different ones.
func newCorpus(hyps []string, refs [][]string, tokenize func([]string) []string) (*Corpus, error) {
	if len(hyps) != len(refs) {
		return nil, fmt.Errorf("metric: %d hypotheses, but references for %d images", len(hyps), len(refs))
	}
	if len(hyps) == 0 {
		return nil, errors.New("metric: no image to score")
	}
	for i, list := range refs {
		if len(list) == 0 {
			return nil, fmt.Errorf("metric: image %d has no reference", i)
		}
	}
	captions, places := distinct(append(flat(refs), hyps...))
	n := len(places) - len(hyps)
	c := &Corpus{texts: tokenize(captions), hyps: places[n:], refs: shaped(places[:n], refs)}
	c.numbers = sync.OnceValue(func() *numbers { return newNumbers(c) })
	return c, nil
}

// Images is the number of images.
func (c *Corpus) Images() int { return len(c.hyps) }

// references are the texts of an image's references.
func (c *Corpus) references(image int) []string {
	texts := make([]string, len(c.refs[image]))
	for r, ref := range c.refs[image] {
		texts[r] = c.texts[ref]
	}
	return texts
}

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
	n := c.numbers()
	longest, empty := 0, true
	var all, images []Warning
	for i, hyp := range c.hyps {
		longest = max(longest, len(n.sentences[hyp]))
		if len(n.sentences[hyp]) == 0 {
			images = append(images, Warning{i, "the hypothesis is empty"})
		}
		for r, ref := range c.refs[i] {
			words := len(n.sentences[ref])
			empty = empty && words == 0
			if words == 0 {
				images = append(images, Warning{i, fmt.Sprintf("reference %d is empty; ROUGE-L counts it as one empty word", r)})
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

// numbers are the texts of a corpus with numbers for words, and what was counted.
type numbers struct {
	*Corpus
	vocabulary vocabulary
	sentences  [][]int32 // the texts
	words      int       // different ones
	rare       *rarities

	bleu  func() *statistics  // of all orders
	cider func() [2][]float64 // by kind and image
}

func newNumbers(c *Corpus) *numbers {
	n := &numbers{Corpus: c, vocabulary: vocabulary{}}
	n.sentences = n.vocabulary.number(c.texts)
	n.words = len(n.vocabulary)
	n.bleu = sync.OnceValue(n.countBleu)
	n.cider = sync.OnceValue(func() [2][]float64 {
		if f := c.Frequencies; f != nil {
			n.rare = newRarities(n.vocabulary.number(f.texts), f.refs)
		} else {
			n.rare = newRarities(n.sentences, c.refs)
		}
		return n.countCider()
	})
	return n
}
