package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"showtell/eval"
	"showtell/metric"
	"showtell/results"
)

// report writes all that is wanted.
func (c *scoreCommand) report(systems []*system, pairs *results.Pairs, comparisons []metric.Comparison) error {
	if c.perImage != "" {
		if err := perImageTable(systems, pairs).WriteFile(c.perImage); err != nil {
			return err
		}
	}
	if c.json {
		return c.reportJSON(systems, pairs, comparisons)
	}
	var text strings.Builder
	for k, s := range systems {
		if k > 0 {
			text.WriteString("\n")
		}
		if len(systems) > 1 {
			fmt.Fprintf(&text, "%s\n", s.file.Name)
		}
		s.writeScores(&text)
		s.writeCounts(&text, pairs)
	}
	if comparisons != nil {
		writeComparisons(&text, systems[0].file.Name, systems[1].file.Name, len(systems[0].scores), comparisons)
	}
	_, err := io.WriteString(c.out, text.String())
	return err
}

func (c *scoreCommand) reportJSON(systems []*system, pairs *results.Pairs, comparisons []metric.Comparison) error {
	encoder := json.NewEncoder(c.out)
	for _, s := range systems {
		if err := encoder.Encode(c.jsonOf(s, pairs)); err != nil {
			return err
		}
	}
	if comparisons == nil {
		return nil
	}
	return encoder.Encode(jsonComparison{[]string{systems[0].file.Name, systems[1].file.Name}, comparisons})
}

// tell names what was left out, and makes an error of captions that were.
func (c *scoreCommand) tell(systems []*system, pairs *results.Pairs) error {
	var failed error
	for _, s := range systems {
		tellFew(c.err, "%d without a caption:\n", s.file.Skipped)
		if len(s.file.Skipped) > 0 {
			failed = errSome
		}
	}
	for _, u := range pairs.Unmatched {
		fmt.Fprintln(c.err, u)
		if u.What == "captions" {
			failed = errSome
		}
	}
	if pairs.BaseNames {
		fmt.Fprintln(c.err, "Names of images were compared without their folders.")
	}
	return failed
}

// tellFew writes the first five lines under a title with their number.
func tellFew(w io.Writer, title string, lines []string) {
	if len(lines) == 0 {
		return
	}
	fmt.Fprintf(w, title, len(lines))
	for _, line := range lines[:min(5, len(lines))] {
		fmt.Fprintf(w, "  %s\n", line)
	}
	if more := len(lines) - 5; more > 0 {
		fmt.Fprintf(w, "  and %d more\n", more)
	}
}

// perImageTable has the scores of each image and system.
func perImageTable(systems []*system, pairs *results.Pairs) *results.Table {
	t := &results.Table{}
	for _, r := range systems[0].all() {
		t.Columns = append(t.Columns, results.Column{Name: r.Name})
	}
	for _, s := range systems {
		for i, image := range pairs.Images {
			if len(systems) > 1 {
				t.System = append(t.System, s.file.Name)
			}
			t.Images, t.Caption = append(t.Images, image), append(t.Caption, s.captions[i])
		}
		for k, r := range s.all() {
			t.Columns[k].Values = append(t.Columns[k].Values, r.PerImage...)
		}
	}
	return t
}

// writeScores prints the scores of a system, times 100 as papers do.
func (s *system) writeScores(text *strings.Builder) {
	w := tabwriter.NewWriter(text, 0, 0, 2, ' ', 0)
	title := "metric\tx100"
	if s.intervals != nil {
		title += "\t95 % interval"
	}
	fmt.Fprintln(w, title)
	for k, r := range s.scores {
		fmt.Fprintf(w, "%s\t%.1f", r.Name, 100*r.Corpus)
		if s.intervals != nil {
			i := s.intervals[k]
			fmt.Fprintf(w, "\t%.1f to %.1f", 100*i.Low, 100*i.High)
		}
		fmt.Fprintln(w)
	}
	if len(s.columns) > 0 {
		fmt.Fprintln(w, "\ncolumn\tmean")
	}
	for k, r := range s.columns {
		fmt.Fprintf(w, "%s\t%.4g", r.Name, r.Corpus)
		if s.intervals != nil {
			i := s.intervals[len(s.scores)+k]
			fmt.Fprintf(w, "\t%.4g to %.4g", i.Low, i.High)
		}
		fmt.Fprintln(w)
	}
	w.Flush()
}

func (s *system) writeCounts(out *strings.Builder, pairs *results.Pairs) {
	d := s.diversity
	fmt.Fprintf(out, "\n%d images, %d references\n", len(pairs.Images), references(pairs))
	fmt.Fprintf(out, "%d captions, %d different; %d different words; %.1f words each (%d to %d)\n",
		d.Captions, d.Different, d.Words, d.MeanWords, d.Shortest, d.Longest)
	fmt.Fprintf(out, "distinct-1 %.1f %%, distinct-2 %.1f %%\n", 100*d.Distinct1, 100*d.Distinct2)
	if d.Images > 0 {
		fmt.Fprintf(out, "mBLEU-4 %.1f, of %d images with several captions, of which the first was scored\n", 100*d.MBLEU, d.Images)
	}
	if d.Training > 0 {
		fmt.Fprintf(out, "%.1f %% of the captions stand among %d training captions\n", 100*d.Copied, d.Training)
	}
	if len(s.warnings) > 0 {
		fmt.Fprintln(out)
		tellFew(out, "%d notes:\n", s.warnings)
	}
}

func references(pairs *results.Pairs) int {
	n := 0
	for _, list := range pairs.References {
		n += len(list)
	}
	return n
}

// writeComparisons prints how a differs from b. Only so many of the metrics are shown
// times 100; columns of others stand as they are.
func writeComparisons(out *strings.Builder, a, b string, scores int, comparisons []metric.Comparison) {
	fmt.Fprintln(out)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "x100\t%s\t%s\tdifference\t95 %% interval\tp bootstrap\tp exchange\tverdict\n", a, b)
	for k, c := range comparisons {
		scale := 100.
		if k >= scores {
			scale = 1
		}
		verdict := "no more than chance"
		if eval.Significant(c) {
			verdict = "better: " + a
			if c.A < c.B {
				verdict = "better: " + b
			}
		}
		fmt.Fprintf(w, "%s\t%.1f\t%.1f\t%+.1f\t%+.1f to %+.1f\t%.3f\t%.3f\t%s\n", c.Name,
			scale*c.A, scale*c.B, scale*(c.A-c.B), scale*c.Difference.Low, scale*c.Difference.High, c.Bootstrap, c.Randomisation, verdict)
	}
	w.Flush()
}

// jsonScore is the JSON of a file of captions.
type jsonScore struct {
	File       string              `json:"file"`
	Format     string              `json:"format"`
	Images     int                 `json:"images"`
	References int                 `json:"references"`
	Scores     eval.Scores         `json:"scores"`
	Columns    eval.Scores         `json:"columns,omitempty"` // that others computed
	Low        eval.Scores         `json:"low,omitempty"`     // ends of the intervals
	High       eval.Scores         `json:"high,omitempty"`
	Diversity  metric.Diversity    `json:"diversity"`
	Samples    int                 `json:"samples"`
	Seed       uint64              `json:"seed"`
	Unmatched  []results.Unmatched `json:"unmatched"`
	Skipped    []string            `json:"skipped"`
	Warnings   []string            `json:"warnings"`
}

func (c *scoreCommand) jsonOf(s *system, pairs *results.Pairs) jsonScore {
	j := jsonScore{
		File: s.file.Name, Format: s.file.Format, Images: len(pairs.Images), References: references(pairs),
		Scores: scoresOf(s.scores), Columns: scoresOf(s.columns), Diversity: s.diversity, Samples: c.samples, Seed: c.seed,
		Unmatched: append([]results.Unmatched{}, pairs.Unmatched...),
		Skipped:   append([]string{}, s.file.Skipped...), Warnings: append([]string{}, s.warnings...),
	}
	for k, i := range s.intervals {
		name := s.all()[k].Name
		j.Low = append(j.Low, eval.Score{Name: name, Value: i.Low})
		j.High = append(j.High, eval.Score{Name: name, Value: i.High})
	}
	return j
}

func scoresOf(results []metric.Result) eval.Scores {
	var scores eval.Scores
	for _, r := range results {
		scores = append(scores, eval.Score{Name: r.Name, Value: r.Corpus})
	}
	return scores
}

// jsonComparison is the JSON of a comparison.
type jsonComparison struct {
	Compare []string            `json:"compare"` // a and b
	Metrics []metric.Comparison `json:"metrics"`
}
