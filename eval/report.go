package eval

import (
	"cmp"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"html/template"
	"io"
	"math/rand/v2"
	"slices"

	"showtell"
	"showtell/internal/atomicfile"
	"showtell/metric"
)

// A Named is a result and the model that it is of.
type Named struct {
	Name   string // short, for people: "attend, 3 beams"
	Model  showtell.Manifest
	Result *Result
	Versus []metric.Comparison // this (A) against the first of several (B), as Compare fills it; nil: not tested
}

// ReportOptions say what goes into a report. Nil and zero fields mean the defaults.
type ReportOptions struct {
	Pictures int                   // the most pictures to show; 0 means 1000, below 0 none. Of more, a sample is drawn
	Width    int                   // of the pictures, pixels; 0 means 256
	Seed     uint64                // of that sample and of the order of the pictures; 0 means 1
	Progress func(done, total int) // told after each picture that was prepared; nil for none. Calls don't overlap
}

const (
	defaultPictures = 1000
	defaultWidth    = 256
)

var (
	//go:embed report.html.tmpl
	pageTemplate string
	//go:embed report.css
	style string
	//go:embed report.js
	script string
)

var page = template.Must(template.New("report").Funcs(template.FuncMap{"grouped": grouped, "count": count, "times100": percent}).Parse(pageTemplate))

// WriteReportFile writes a report to a file, whole or not at all.
func WriteReportFile(ctx context.Context, path, title string, runs []Named, opts *ReportOptions) error {
	return atomicfile.Write(path, func(w io.Writer) error { return WriteReport(ctx, w, title, runs, opts) })
}

// WriteReport writes one HTML page about one or several models on the same
// pictures: scores, in all, by length and by word, how each model was made, curves of
// the training, and the pictures with their captions, scores and attention. The page holds
// everything it needs and asks the network for nothing. A picture that can't be
// read any more is left blank.
func WriteReport(ctx context.Context, w io.Writer, title string, runs []Named, opts *ReportOptions) error {
	var o ReportOptions
	if opts != nil {
		o = *opts
	}
	o.Pictures = cmp.Or(o.Pictures, defaultPictures)
	o.Width = cmp.Or(o.Width, defaultWidth)
	o.Seed = cmp.Or(o.Seed, 1)
	if len(runs) == 0 {
		return errors.New("report: no result to show")
	}
	for _, run := range runs {
		if run.Result == nil || len(run.Result.Items) == 0 {
			return fmt.Errorf("report: %s has no captions", run.Name)
		}
	}
	r := report{Title: title, CSS: template.CSS(style), JS: template.JS(script), runs: runs, options: o}
	r.Metrics = shown(runs)
	for i, run := range runs {
		o := run.Model.Origin
		var versus []cell
		for _, c := range run.Versus {
			versus = append(versus, cell{c.Name, fmt.Sprintf("%+.1f", 100*(c.A-c.B)), Significant(c),
				fmt.Sprintf("%+.1f to %+.1f\np %.3f", 100*c.Difference.Low, 100*c.Difference.High, max(c.Bootstrap, c.Randomisation))})
			r.Compared = true
		}
		r.Models = append(r.Models, model{Class: class(i), Name: run.Name, Result: run.Result, Epochs: o.History, Kept: o.Epoch, Recipe: o.Recipe, Versus: versus})
	}
	r.compareScores()
	r.Counts, r.Facts = counts(runs), facts(runs)
	r.Histograms, r.Curves, r.Judgements = histograms(runs, r.Metrics[0]), curves(runs), judgements(runs)
	r.Lengths = lengthTables(runs, r.Metrics[0])
	r.ModelWords, r.Words = wordsOf(runs), allWords(runs)
	if err := r.addPictures(ctx); err != nil {
		return err
	}
	return page.Execute(w, r)
}

// A report is what the template shows.
type report struct {
	Title              string
	CSS                template.CSS
	JS                 template.JS
	Models             []model
	Header             []string // of the table of scores
	Compared           bool     // some model has Versus
	Metrics            []string // shown with each picture, the one to sort by first
	Counts             []fact
	Facts              []fact
	Histograms, Curves []chart
	Judgements         []chart // of the models' confidence
	Lengths            []lengthTable
	ModelWords         []modelWords
	Words              []wordRow
	Pictures           []picture
	Total              int // pictures, shown or not
	Data               data

	runs    []Named
	options ReportOptions
}

// A model is a run as the page shows it.
type model struct {
	Class  string // of its colour
	Name   string
	Result *Result
	Scores []cell
	Epochs []showtell.Epoch
	Kept   int // epoch
	Recipe string
	Versus []cell // differences from the first model, Best where they are more than chance
}

// A cell is a number of a table, as text.
type cell struct {
	Name, Text string
	Best       bool
	Range      string // of 95 % of resamples; "" if there are none
}

// shown chooses the metrics that stand with each picture.
func shown(runs []Named) []string {
	var names []string
	for _, name := range []string{"CIDEr-D", "BLEU-4", "ROUGE-L", "METEOR", "SPICE"} {
		if _, ok := runs[0].Result.Scores.Of(name); ok {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		for _, s := range runs[0].Result.Scores {
			names = append(names, s.Name)
		}
	}
	if len(names) == 0 {
		names = []string{"CIDEr-D"} // of no picture
	}
	return names
}

// class names the colour of model i in the style sheet.
func class(i int) string { return fmt.Sprintf("m%d", i%6) }

// percent is a score times 100, as the field prints it.
func percent(score float64) string { return fmt.Sprintf("%.1f", 100*score) }

// compareScores fills the table of scores and marks the best of each metric.
func (r *report) compareScores() {
	for _, s := range r.runs[0].Result.Scores {
		r.Header = append(r.Header, s.Name)
	}
	for _, name := range r.Header {
		best := 0.0
		for _, run := range r.runs {
			v, _ := run.Result.Scores.Of(name)
			best = max(best, v)
		}
		for i, run := range r.runs {
			v, ok := run.Result.Scores.Of(name)
			c := cell{Name: name, Text: "–"}
			if ok {
				c = cell{Name: name, Text: percent(v), Best: v == best && len(r.runs) > 1, Range: run.Result.interval(name)}
			}
			r.Models[i].Scores = append(r.Models[i].Scores, c)
		}
	}
}

// sample chooses n of total numbers by chance, in ascending order.
func sample(total, n int, seed uint64) []int {
	all := rand.New(rand.NewPCG(seed, 0)).Perm(total)
	if n < total {
		all = all[:max(n, 0)]
	}
	slices.Sort(all)
	return all
}
