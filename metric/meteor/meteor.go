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

	"showtell/tensor"
)

// A Meteor holds the data of the metric. It does not change and is safe for
// concurrent use.
type Meteor struct {
	function    map[string]bool
	prefixes    map[string]prefix
	senses      map[string][]int32  // WordNet's synsets of a word
	bases       map[string][]string // of irregular forms
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
// is taken out of a hypothesis, and makes two references of one.
func (m *Meteor) Score(hyps []string, refs [][]string) []Stats {
	c := m.read(hyps, refs)
	best := make([]Stats, len(hyps))
	parallel(len(hyps), 16, func(from, end int) {
		a := newAligner(c)
		for i := from; i < end; i++ {
			best[i] = a.best(c.hyps[i], c.refs[i])
		}
	})
	return best
}

// parallel calls f for tiles of 0 to n, at the same time as workers are free.
func parallel(n, tile int, f func(from, end int)) {
	tensor.Parallel((n+tile-1)/tile, func(i int) { f(i*tile, min(n, (i+1)*tile)) })
}

// best returns the statistics with the reference of the highest score.
func (a *aligner) best(hyp []int32, refs [][]int32) Stats {
	var best Stats
	highest := -1.0
	for _, ref := range refs {
		s := a.stats(hyp, ref)
		if score := s.Score(); score > highest {
			best, highest = s, score
		}
	}
	return best
}

// A corpus is the words of all captions, numbered, and what is known of them.
type corpus struct {
	hyps    [][]int32
	refs    [][][]int32
	words   []word
	phrases *phrases
}

// A word of the corpus, and all that decides what it matches.
type word struct {
	stem     int32
	senses   []int32 // ascending
	function bool
}

// Separator stands between texts in the official program's input, so that it
// cannot stand inside one.
const Separator = "|||"

func (m *Meteor) read(hyps []string, refs [][]string) *corpus {
	var texts []string
	for _, hyp := range hyps {
		texts = append(texts, strings.ReplaceAll(hyp, Separator, ""))
	}
	counts := make([]int, len(refs))
	for i, list := range refs {
		for _, ref := range list {
			parts := strings.Split(ref, Separator)
			texts = append(texts, parts...)
			counts[i] += len(parts)
		}
	}
	numbers, vocabulary := m.number(texts)
	c := &corpus{hyps: numbers[:len(hyps)], refs: make([][][]int32, len(refs)), words: m.look(vocabulary)}
	numbers = numbers[len(hyps):]
	for i, n := range counts {
		c.refs[i], numbers = numbers[:n], numbers[n:]
	}
	if m.paraphrases != nil {
		c.phrases = m.paraphrases.phrases(vocabulary)
	}
	return c
}

// number splits texts into words and numbers these.
func (m *Meteor) number(texts []string) (numbers [][]int32, vocabulary []string) {
	split := make([][]string, len(texts))
	parallel(len(texts), 64, func(from, end int) {
		for i := from; i < end; i++ {
			split[i] = m.split(texts[i])
		}
	})
	ids := map[string]int32{}
	numbers = make([][]int32, len(texts))
	for i, words := range split {
		numbers[i] = make([]int32, len(words))
		for k, w := range words {
			id, ok := ids[w]
			if !ok {
				id = int32(len(vocabulary))
				ids[w] = id
				vocabulary = append(vocabulary, w)
			}
			numbers[i][k] = id
		}
	}
	return numbers, vocabulary
}
