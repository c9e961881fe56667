package eval

import (
	"fmt"
	"strings"
)

// judgements draws how good the models' confidence is: the share of good captions
// against what was promised, and the score of the surest captions.
func judgements(runs []Named) []chart {
	reliability := newChart("Good captions (%) by confidence (%)", "confidence")
	percents := axis{0, 100, 20, left, right}
	reliability.XTicks, reliability.YTicks = percents.ticks(), axis{0, 100, 20, bottom, top}.ticks()
	reliability.Lines = []line{{Class: "diagonal", Path: fmt.Sprintf("M%s %sL%s %s", px(left), px(bottom), px(right), px(top))}}
	coverage := newChart("CIDEr-D of the surest pictures", "surest share, %")
	coverage.XTicks = percents.ticks()
	highest := 0.0
	for _, run := range runs {
		if c := run.Result.Confidence; c != nil {
			for _, score := range c.Coverage {
				highest = max(highest, 100*score)
			}
		}
	}
	scores := newAxis(0, highest, 5, bottom, top)
	coverage.YTicks = scores.ticks()
	for i, run := range runs {
		c := run.Result.Confidence
		if c == nil {
			continue
		}
		var promised, kept, shares, means []float64
		var labels, told []string
		for _, b := range c.Bins {
			if b.Count > 0 {
				promised, kept = append(promised, 100*b.Confidence), append(kept, 100*b.Good)
				labels = append(labels, fmt.Sprintf("%s: %s of %.0f %%, %.0f %% good", run.Name, count(b.Count, "caption"), 100*b.Confidence, 100*b.Good))
			}
		}
		reliability.Lines = append(reliability.Lines, dotted(class(i), promised, kept, labels, percents, axis{0, 100, 20, bottom, top}))
		reliability.Summary += fmt.Sprintf("%s: expected calibration error %.1f %%. ", run.Name, 100*c.Error)
		for k, score := range c.Coverage {
			shares, means = append(shares, float64(10*(k+1))), append(means, 100*score)
			told = append(told, fmt.Sprintf("%s: the surest %d %% score %.1f", run.Name, 10*(k+1), 100*score))
		}
		coverage.Lines = append(coverage.Lines, dotted(class(i), shares, means, told, percents, scores))
		coverage.Summary += fmt.Sprintf("%s; all %.1f. ", told[0], means[9])
	}
	if len(coverage.Lines) == 0 {
		return nil
	}
	return []chart{reliability, coverage}
}

// dotted is a line through points, each with a label.
func dotted(class string, xs, ys []float64, labels []string, x, y axis) line {
	l := line{Class: class}
	var path strings.Builder
	for i := range xs {
		d := dot{X: px(x.at(xs[i])), Y: px(y.at(ys[i])), Label: labels[i]}
		l.Dots = append(l.Dots, d)
		path.WriteString("ML"[min(i, 1):][:1] + d.X + " " + d.Y)
	}
	l.Path = path.String()
	return l
}
