package metric

import (
	"fmt"
	"slices"
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
	var warnings []Warning
	images, err := c.meteorStats(m)
	if err != nil {
		warnings = append(warnings, Warning{-1, err.Error()})
		m = withoutData
		images, _ = c.meteorStats(m) // reads nothing, so there is no error
	}
	if missing := m.Missing(); len(missing) > 0 {
		warnings = append(warnings, Warning{-1, "METEOR is computed without " + strings.Join(missing, ", ") + ", so it cannot be compared with scores of METEOR 1.5"})
	}
	perImage, columns := make([]float64, len(images)), table(len(meteor.Terms{}), len(images))
	var total meteor.Stats
	for i := range images {
		perImage[i] = images[i].Score()
		for k, x := range images[i].Terms() {
			columns[k][i] = x
		}
		total.Add(&images[i])
	}
	return Result{
		Name: m.Name(), Corpus: total.Score(), PerImage: perImage, Warnings: append(warnings, c.meteorWarnings()...),
		statistics: &statistics{columns, func(total []float64) float64 { return meteor.Terms(total).Score() }},
	}
}

// meteorBlock is how many images METEOR scores at once.
const meteorBlock = 1 << 16

// meteorStats scores blocks of images, so that what is known of words and
// sentences does not pile up.
func (c *Corpus) meteorStats(m *meteor.Meteor) ([]meteor.Stats, error) {
	stats := make([]meteor.Stats, 0, len(c.hyps))
	for from := 0; from < len(c.hyps); from += meteorBlock {
		end := min(len(c.hyps), from+meteorBlock)
		hyps, refs := make([]string, end-from), make([][]string, end-from)
		for i := range hyps {
			hyps[i], refs[i] = c.texts[c.hyps[from+i]], c.references(from+i)
		}
		images, err := m.Score(hyps, refs)
		if err != nil {
			return nil, err
		}
		stats = append(stats, images...)
	}
	return stats, nil
}

// meteorWarnings tells what METEOR does to some texts.
func (c *Corpus) meteorWarnings() (warnings []Warning) {
	if !slices.ContainsFunc(c.texts, func(text string) bool { return strings.Contains(text, meteor.Separator) }) {
		return nil
	}
	for i, hyp := range c.hyps {
		if strings.Contains(c.texts[hyp], meteor.Separator) {
			warnings = append(warnings, Warning{i, "METEOR leaves ||| out of the hypothesis, as the official code does"})
		}
		for r, ref := range c.refs[i] {
			if strings.Contains(c.texts[ref], meteor.Separator) {
				warnings = append(warnings, Warning{i, fmt.Sprintf("METEOR makes two references of reference %d at |||, as the official code does", r)})
			}
		}
	}
	return warnings
}
