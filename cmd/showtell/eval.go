package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"showtell"
	"showtell/dataset"
	"showtell/eval"
	"showtell/metric/meteordata"
)

type evalCommand struct {
	streams
	data    dataFlags
	search  searchFlags
	models  []string
	split   string
	report  string
	metrics []string
	json    bool
	limit   int
	samples int
	seed    uint64
}

func newEval(s streams) *cobra.Command {
	c := &evalCommand{streams: s}
	cmd := &cobra.Command{
		Use: "eval DATA",
		Example: `  showtell eval flickr8k                                   the model inside this program, on the test split
  showtell eval flickr8k -m model.safetensors --report report.html
  showtell eval flickr8k -m model.safetensors --split dev --beams 5 --json
  showtell eval flickr8k -m a.safetensors -m b.safetensors --report compare.html   is b better, and is it more than chance?
  showtell eval flickr8k -m a.safetensors+b.safetensors    both together`,
		Short: "caption a split, score it, write a report with pictures",
		Long: `Caption the pictures of a split, score the captions against the references as
the field's reference code does, and print a table. With --report, write one
HTML file with the scores, in all, by length and by word, the training's curves,
and every picture with its caption, references and scores.`,
		Args: oneArg("data set"),
		RunE: c.run,
	}
	flags := cmd.Flags()
	flags.StringArrayVarP(&c.models, "model", "m", nil, "model file, or several joined by + as an ensemble; once for each model to compare (default: the one inside this program)")
	flags.StringVar(&c.split, "split", "test", "train, dev or test")
	flags.StringVar(&c.report, "report", "", "HTML file to write")
	flags.StringSliceVar(&c.metrics, "metrics", nil, "some of bleu, meteor, rougeL, ciderD, cider (default: all)")
	flags.BoolVar(&c.json, "json", false, "print one JSON object, with all captions")
	flags.IntVar(&c.limit, "limit", 0, "only the first so many pictures (default: all)")
	flags.IntVar(&c.samples, "samples", 1000, "samples of the pictures for intervals and tests; 0 for neither")
	flags.Uint64Var(&c.seed, "seed", 0, "seed of the samples (default 0)")
	c.search.add(flags)
	c.data.add(flags)
	return cmd
}

func (c *evalCommand) run(cmd *cobra.Command, args []string) error {
	ctx := cmd.Context()
	names, err := c.check()
	if err != nil {
		return err
	}
	if len(c.models) == 0 {
		c.models = []string{""}
	}
	var models []*showtell.Model
	for _, path := range c.models {
		m, err := openModel(path)
		if err != nil {
			return err
		}
		models = append(models, m)
	}
	set, err := c.openData(ctx, args[0], c.data)
	if err != nil {
		return err
	}
	items, err := splitOf(set, c.split)
	if err != nil {
		return err
	}
	if c.limit > 0 {
		items = items[:min(c.limit, len(items))]
	}
	var runs []eval.Named
	for i, m := range models {
		run := eval.Named{Name: modelName(c.models[i]), Model: m.Manifest}
		if run.Result, err = c.evaluate(ctx, m, items, names); err != nil {
			return err
		}
		runs = append(runs, run)
	}
	if len(runs) > 1 && c.samples > 0 {
		if err := eval.Compare(ctx, runs, c.samples, c.seed); err != nil {
			return err
		}
	}
	if err := c.print(runs); err != nil {
		return err
	}
	if c.report != "" {
		var list []string
		for _, run := range runs {
			list = append(list, run.Name)
		}
		title := fmt.Sprintf("%s on %s (%s)", strings.Join(list, ", "), filepath.Base(filepath.Clean(args[0])), c.split)
		step, finish := c.lazyBar("writing the report")
		err := eval.WriteReportFile(ctx, c.report, title, runs, &eval.ReportOptions{Progress: step})
		finish()
		if err != nil {
			return err
		}
		fmt.Fprintf(c.err, "Report: %s\n", c.report)
	}
	for _, run := range runs {
		if len(run.Result.Problems) > 0 {
			return errSome
		}
	}
	return nil
}

// check looks at the flags before anything is read, and finds the metrics.
func (c *evalCommand) check() ([]string, error) {
	if err := c.search.check(); err != nil {
		return nil, err
	}
	switch {
	case c.limit < 0:
		return nil, usageError("--limit %d: not a number of pictures", c.limit)
	case c.samples < 0:
		return nil, usageError("--samples %d: not a number of samples", c.samples)
	}
	names, err := metricNames(c.metrics)
	if err == nil && c.report != "" {
		err = writable(c.report)
	}
	return names, err
}

// evaluate captions the pictures with a model and tells of those that it could not.
func (c *evalCommand) evaluate(ctx context.Context, m *showtell.Model, items []dataset.Item, metrics []string) (*eval.Result, error) {
	opts := eval.Options{Search: &c.search.Options, Metrics: metrics, Samples: c.samples, Seed: c.seed}
	if slices.Contains(metrics, "METEOR") {
		var err error
		if opts.Meteor, err = meteordata.Open(); err != nil {
			return nil, err
		}
	}
	step, finish := c.lazyBar("captioning")
	opts.Progress = step
	result, err := eval.Run(ctx, m, items, &opts)
	finish()
	if err == nil {
		tellProblems(c.err, result.Problems, 5)
	}
	return result, err
}

// print writes the results, one after the other, and what tells them apart.
func (c *evalCommand) print(runs []eval.Named) error {
	lines := json.NewEncoder(c.out)
	for i, run := range runs {
		if c.json {
			if err := lines.Encode(run.Result); err != nil {
				return err
			}
			continue
		}
		if len(runs) > 1 {
			fmt.Fprintf(c.out, "%s%s\n", strings.Repeat("\n", min(i, 1)), run.Name)
		}
		if err := run.Result.WriteTable(c.out); err != nil {
			return err
		}
	}
	for _, run := range runs {
		if run.Versus == nil {
			continue
		}
		if c.json {
			if err := lines.Encode(jsonComparison{[]string{run.Name, runs[0].Name}, run.Versus}); err != nil {
				return err
			}
			continue
		}
		var text strings.Builder
		writeComparisons(&text, run.Name, runs[0].Name, len(run.Versus), run.Versus)
		if _, err := io.WriteString(c.out, text.String()); err != nil {
			return err
		}
	}
	return nil
}

// modelName is what people call a model.
func modelName(path string) string {
	if path == "" {
		return "built-in model"
	}
	parts := strings.Split(path, "+")
	for i := range parts {
		parts[i] = filepath.Base(parts[i])
	}
	return strings.Join(parts, "+")
}
