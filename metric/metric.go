// Package metric scores captions against references exactly as the field's
// reference code, pycocoevalcap, does. Make a [Corpus] with [NewCorpus], then
// call [All] or [Compute].
//
// Scores are as that code prints them: BLEU and ROUGE-L between 0 and 1, CIDEr
// and CIDEr-D between 0 and 10. A metric is a row of a table and a file of its
// own.
package metric

import (
	"fmt"
	"slices"
	"strings"
)

// metrics in the order in which results are listed.
var metrics = []struct {
	name  string
	score func(*Corpus) Result
}{
	{"BLEU-1", func(c *Corpus) Result { return bleu(c, 1) }},
	{"BLEU-2", func(c *Corpus) Result { return bleu(c, 2) }},
	{"BLEU-3", func(c *Corpus) Result { return bleu(c, 3) }},
	{"BLEU-4", func(c *Corpus) Result { return bleu(c, 4) }},
	{"ROUGE-L", rougeL},
	{"CIDEr-D", func(c *Corpus) Result { return c.cider(ciderD) }},
	{"CIDEr", func(c *Corpus) Result { return c.cider(plainCider) }},
}

// A Result is what one metric says of a corpus.
type Result struct {
	Name     string
	Corpus   float64
	PerImage []float64 // in the order of the corpus
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
func All(c *Corpus) []Result {
	results := make([]Result, len(metrics))
	for i, m := range metrics {
		results[i] = m.score(c)
		results[i].Name = m.name
	}
	return results
}

// Compute computes the named metrics, in the order of [Names]. A name that it
// does not know is an error.
func Compute(c *Corpus, names ...string) ([]Result, error) {
	for _, name := range names {
		if !slices.Contains(Names(), name) {
			return nil, fmt.Errorf("metric %q: want one of %s", name, strings.Join(Names(), ", "))
		}
	}
	var results []Result
	for _, m := range metrics {
		if slices.Contains(names, m.name) {
			r := m.score(c)
			r.Name = m.name
			results = append(results, r)
		}
	}
	return results, nil
}

// mean is the result of a metric whose corpus score is the mean over images.
func mean(perImage []float64) Result {
	sum := 0.0
	for _, x := range perImage {
		sum += x
	}
	return Result{Corpus: sum / float64(len(perImage)), PerImage: perImage}
}
