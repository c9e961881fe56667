// Package meteor computes METEOR 1.5 for English (Denkowski and Lavie 2014), with
// the very numbers of the official program under -l en -norm. Make a [Meteor]
// with [New] from the data of package meteordata or without, then call Score.
//
// Words match if they are equal, or have a stem or a sense of WordNet in common,
// and phrases if a table lists them as paraphrases; a beam search chooses the
// matches that cover most in the fewest runs.
package meteor

import (
	"strings"
	"sync"

	"showtell/tensor"
)

// A Meteor holds the data of the metric. It does not change and is safe for
// concurrent use.
type Meteor struct {
	function    map[string]bool
	prefixes    map[string]prefix
	thesaurus   *thesaurus
	paraphrases *table
	missing     []string
}

// Missing lists what the metric is computed without, where data was not there.
func (m *Meteor) Missing() []string { return m.missing }

// Name is METEOR, and what is missing: "METEOR (no paraphrases)".
func (m *Meteor) Name() string {
	if len(m.missing) == 0 {
		return "METEOR"
	}
	return "METEOR (no " + strings.Join(m.missing, ", ") + ")"
}

// Score returns what counts for each image i: the statistics of hyps[i] with that
// of refs[i], of which there must be as many, that gives the highest score, the
// first of equals. It works on all cores. As in the official code, a [Separator]
// is taken out of a hypothesis, and makes two references of one. The error is one
// of data that cannot be read or is damaged.
func (m *Meteor) Score(hyps []string, refs [][]string) ([]Stats, error) {
	c, err := m.read(hyps, refs)
	if err != nil {
		return nil, err
	}
	best := make([]Stats, len(hyps))
	aligners := sync.Pool{New: func() any { return newAligner(c) }}
	parallel(len(hyps), 16, func(from, end int) {
		a := aligners.Get().(*aligner)
		defer aligners.Put(a)
		for i := from; i < end; i++ {
			best[i] = a.best(c.hyps[i], c.refs[i])
		}
	})
	return best, nil
}

// parallel calls f for tiles of 0 to n, at the same time as workers are free.
func parallel(n, tile int, f func(from, end int)) {
	tensor.Parallel((n+tile-1)/tile, func(i int) { f(i*tile, min(n, (i+1)*tile)) })
}

// A corpus is the different sentences of all captions, and what is known of their
// words and phrases.
type corpus struct {
	hyps      []int32 // sentences
	refs      [][]int32
	sentences []sentence
	words     []word
	phrases   *phrases
}

// A sentence is words and, where the table has paraphrases for them, phrases.
type sentence struct {
	words  []int32
	counts Words
	nodes  []int32 // of its phrases, from left to right and from short to long
	spans  []span  // where those stand
}

// Separator stands between texts in the official program's input, so that it
// cannot stand inside one.
const Separator = "|||"

func (m *Meteor) read(hyps []string, refs [][]string) (*corpus, error) {
	c := &corpus{hyps: make([]int32, len(hyps)), refs: make([][]int32, len(refs))}
	var texts []string
	known := make(map[string]int32, len(hyps))
	sentenceOf := func(text string) int32 {
		id, ok := known[text]
		if !ok {
			id = int32(len(texts))
			known[text] = id
			texts = append(texts, text)
		}
		return id
	}
	for i, hyp := range hyps {
		c.hyps[i] = sentenceOf(strings.ReplaceAll(hyp, Separator, ""))
	}
	for i, list := range refs {
		c.refs[i] = make([]int32, 0, len(list))
		for _, ref := range list {
			for part := range strings.SplitSeq(ref, Separator) {
				c.refs[i] = append(c.refs[i], sentenceOf(part))
			}
		}
	}
	return c, m.readSentences(c, texts)
}

// readSentences looks the sentences of a corpus up.
func (m *Meteor) readSentences(c *corpus, texts []string) error {
	ids, vocabulary := c.number(m.splitAll(texts))
	c.words = m.look(vocabulary)
	if m.paraphrases != nil {
		found, err := m.paraphrases.find(ids, c.sentences)
		if err != nil {
			return err
		}
		c.phrases = newPhrases(len(vocabulary), found)
	}
	parallel(len(texts), 64, func(from, end int) {
		for i := from; i < end; i++ {
			s := &c.sentences[i]
			for _, w := range s.words {
				s.counts.add(c.words[w].function)
			}
			if c.phrases != nil {
				s.nodes, s.spans = c.phrases.in(s.words)
			}
		}
	})
	return nil
}

// splitAll splits texts into words.
func (m *Meteor) splitAll(texts []string) [][]string {
	split := make([][]string, len(texts))
	parallel(len(texts), 64, func(from, end int) {
		for i := from; i < end; i++ {
			split[i] = m.split(texts[i])
		}
	})
	return split
}

// number makes sentences of numbers of words.
func (c *corpus) number(split [][]string) (ids map[string]int32, vocabulary []string) {
	ids = map[string]int32{}
	c.sentences = make([]sentence, len(split))
	for i, words := range split {
		numbers := make([]int32, len(words))
		for k, w := range words {
			id, ok := ids[w]
			if !ok {
				id = int32(len(vocabulary))
				ids[w] = id
				vocabulary = append(vocabulary, w)
			}
			numbers[k] = id
		}
		c.sentences[i].words = numbers
	}
	return ids, vocabulary
}
