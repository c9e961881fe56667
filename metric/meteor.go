package metric

import (
	"fmt"
	"strings"

	"showtell/metric/meteor"
)

// withoutData is METEOR for a corpus that was given none.
var withoutData, _ = meteor.New(nil) // reads nothing, so there is no error

// meteorScore is METEOR 1.5 (Denkowski and Lavie 2014), see package meteor. The
// corpus score is that of all counts together, not the mean.
func meteorScore(c *Corpus) Result {
	m := c.Meteor
	if m == nil {
		m = withoutData
	}
	hyps, refs := make([]string, len(c.hyps)), make([][]string, len(c.refs))
	var warnings []Warning
	if missing := m.Missing(); len(missing) > 0 {
		warnings = append(warnings, Warning{-1, "METEOR is computed without " + strings.Join(missing, ", ") + ", so it cannot be compared with scores of METEOR 1.5"})
	}
	for i, hyp := range c.hyps {
		hyps[i] = string(hyp)
		if strings.Contains(hyps[i], meteor.Separator) {
			warnings = append(warnings, Warning{i, "METEOR leaves ||| out of the hypothesis, as the official code does"})
		}
		for r, ref := range c.refs[i] {
			refs[i] = append(refs[i], string(ref))
			if strings.Contains(string(ref), meteor.Separator) {
				warnings = append(warnings, Warning{i, fmt.Sprintf("METEOR makes two references of reference %d at |||, as the official code does", r)})
			}
		}
	}
	perImage := make([]float64, len(hyps))
	var total meteor.Stats
	images := m.Score(hyps, refs)
	for i := range images {
		perImage[i] = images[i].Score()
		total.Add(&images[i])
	}
	return Result{
		Name: m.Name(), Corpus: total.Score(), PerImage: perImage, Warnings: warnings,
		statistics: &sums[meteor.Stats]{images, (*meteor.Stats).Add, (*meteor.Stats).Score},
	}
}
