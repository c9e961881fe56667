package metric

import (
	"fmt"
	"strings"

	"showtell/metric/meteor"
)

// withoutData is METEOR for a corpus that was given none.
var withoutData, _ = meteor.New(nil) // reads nothing, so there is no error

// meteorScore is METEOR 1.5 (Denkowski and Lavie 2014), see package meteor. The
// corpus score is that of all counts together, not the mean. Data that turns out
// to be damaged is warned of and left out.
func meteorScore(c *Corpus) Result {
	m := c.Meteor
	if m == nil {
		m = withoutData
	}
	hyps, refs, ofImages := meteorTexts(c)
	var warnings []Warning
	images, err := m.Score(hyps, refs)
	if err != nil {
		warnings = append(warnings, Warning{-1, err.Error()})
		m = withoutData
		images, _ = m.Score(hyps, refs) // reads nothing, so there is no error
	}
	if missing := m.Missing(); len(missing) > 0 {
		warnings = append(warnings, Warning{-1, "METEOR is computed without " + strings.Join(missing, ", ") + ", so it cannot be compared with scores of METEOR 1.5"})
	}
	perImage := make([]float64, len(hyps))
	var total meteor.Stats
	for i := range images {
		perImage[i] = images[i].Score()
		total.Add(&images[i])
	}
	return Result{
		Name: m.Name(), Corpus: total.Score(), PerImage: perImage, Warnings: append(warnings, ofImages...),
		statistics: &sums[meteor.Stats]{images, (*meteor.Stats).Add, (*meteor.Stats).Score},
	}
}

// meteorTexts returns the texts of a corpus and warnings of what METEOR does to them.
func meteorTexts(c *Corpus) (hyps []string, refs [][]string, warnings []Warning) {
	hyps, refs = make([]string, len(c.hyps)), make([][]string, len(c.refs))
	for i, hyp := range c.hyps {
		hyps[i] = string(hyp)
		if strings.Contains(hyps[i], meteor.Separator) {
			warnings = append(warnings, Warning{i, "METEOR leaves ||| out of the hypothesis, as the official code does"})
		}
		refs[i] = make([]string, len(c.refs[i]))
		for r, ref := range c.refs[i] {
			refs[i][r] = string(ref)
			if strings.Contains(refs[i][r], meteor.Separator) {
				warnings = append(warnings, Warning{i, fmt.Sprintf("METEOR makes two references of reference %d at |||, as the official code does", r)})
			}
		}
	}
	return hyps, refs, warnings
}
