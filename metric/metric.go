// Package metric scores captions against references exactly as the field's
// reference code, pycocoevalcap, does. Make a [Corpus] with [NewCorpus], then
// call [All] or [Compute].
//
// Scores are as that code prints them: BLEU, METEOR and ROUGE-L between 0 and 1,
// CIDEr and CIDEr-D between 0 and 10. METEOR needs data, which [Corpus] is given.
// A metric is a row of a table and a file of its own.
package metric

import (
	"fmt"
	"slices"
	"strings"

	"showtell/tensor"
)

// A row is a metric.
type row struct {
	name  string
	score func(*Corpus) Result
}

// metrics in the order in which results are listed.
var metrics = []row{
	{"BLEU-1", func(c *Corpus) Result { return bleu(c, 1) }},
	{"BLEU-2", func(c *Corpus) Result { return bleu(c, 2) }},
	{"BLEU-3", func(c *Corpus) Result { return bleu(c, 3) }},
	{"BLEU-4", func(c *Corpus) Result { return bleu(c, 4) }},
	{"METEOR", meteorScore},
	{"ROUGE-L", rougeL},
	{"CIDEr-D", func(c *Corpus) Result { return c.cider(ciderD) }},
	{"CIDEr", func(c *Corpus) Result { return c.cider(plainCider) }},
}

// A Result is what one metric says of a corpus.
type Result struct {
	Name     string // of Names, except that METEOR without all of its data says so
	Corpus   float64
	PerImage []float64 // in the order of the corpus
	Warnings []Warning // what to know before trusting it, besides those of the corpus

	statistics *statistics // nil: Corpus is the mean of PerImage
}

// Names lists the metrics in the order of [All].
func Names() []string {
	names := make([]string, len(metrics))
	for i, m := range metrics {
		names[i] = m.name
	}
	return names
}

// All computes every metric.
func All(c *Corpus) []Result { return computeRows(c, metrics) }

// Compute computes the named metrics, in the order of [Names]. A name that it
// does not know is an error.
func Compute(c *Corpus, names ...string) ([]Result, error) {
	for _, name := range names {
		if !slices.Contains(Names(), name) {
			return nil, fmt.Errorf("metric %q: want one of %s", name, strings.Join(Names(), ", "))
		}
	}
	wanted := slices.DeleteFunc(slices.Clone(metrics), func(m row) bool { return !slices.Contains(names, m.name) })
	return computeRows(c, wanted), nil
}

// computeRows computes METEOR beside the others, since each has parts for one core
// only, or before them if there is so much that both together would take much memory.
func computeRows(c *Corpus, wanted []row) []Result {
	results := make([]Result, len(wanted))
	some := func(part int) {
		for i, m := range wanted {
			if meteor := m.name == "METEOR"; meteor == (part == 0) {
				results[i] = m.of(c)
			}
		}
	}
	if len(c.hyps) <= meteorBlock {
		tensor.Parallel(2, some)
	} else {
		some(0)
		some(1)
	}
	return results
}

func (m row) of(c *Corpus) Result {
	r := m.score(c)
	if r.Name == "" {
		r.Name = m.name
	}
	return r
}

// mean is the result of a metric whose corpus score is the mean over images.
func mean(perImage []float64) Result {
	sum := 0.0
	for _, x := range perImage {
		sum += x
	}
	return Result{Corpus: sum / float64(len(perImage)), PerImage: perImage}
}
