package main

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"showtell/eval"
	"showtell/metric/meteordata"
)

type evalCommand struct {
	streams
	data    dataFlags
	search  searchFlags
	model   string
	split   string
	report  string
	metrics []string
	json    bool
	limit   int
}

func newEval(s streams) *cobra.Command {
	c := &evalCommand{streams: s}
	cmd := &cobra.Command{
		Use: "eval DATA",
		Example: `  showtell eval flickr8k                                   the model inside this program, on the test split
  showtell eval flickr8k -m model.safetensors --report report.html
  showtell eval flickr8k -m model.safetensors --split dev --beams 5 --json`,
		Short: "caption a split, score it, write a report with pictures",
		Long: `Caption the pictures of a split, score the captions against the references as
the field's reference code does, and print a table. With --report, write one
HTML file with the scores, the training's curves, and every picture with its
caption, references and scores.`,
		Args: oneArg("data set"),
		RunE: c.run,
	}
	flags := cmd.Flags()
	flags.StringVarP(&c.model, "model", "m", "", "model file (default: the one inside this program)")
	flags.StringVar(&c.split, "split", "test", "train, dev or test")
	flags.StringVar(&c.report, "report", "", "HTML file to write")
	flags.StringSliceVar(&c.metrics, "metrics", nil, "some of bleu, meteor, rougeL, ciderD, cider (default: all)")
	flags.BoolVar(&c.json, "json", false, "print one JSON object, with all captions")
	flags.IntVar(&c.limit, "limit", 0, "only the first so many pictures (default: all)")
	c.search.add(flags)
	c.data.add(flags)
	return cmd
}

func (c *evalCommand) run(cmd *cobra.Command, args []string) error {
	ctx := cmd.Context()
	if err := c.search.check(); err != nil {
		return err
	}
	if c.limit < 0 {
		return usageError("--limit %d: not a number of pictures", c.limit)
	}
	metrics, err := metricNames(c.metrics)
	if err != nil {
		return err
	}
	if c.report != "" {
		if err := writable(c.report); err != nil {
			return err
		}
	}
	m, err := openModel(c.model)
	if err != nil {
		return err
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
	opts := eval.Options{Search: &c.search.Options, Metrics: metrics}
	if slices.Contains(metrics, "METEOR") {
		if opts.Meteor, err = meteordata.Open(); err != nil {
			return err
		}
	}
	step, finish := c.lazyBar("captioning")
	opts.Progress = step
	result, err := eval.Run(ctx, m, items, &opts)
	finish()
	if err != nil {
		return err
	}
	tellProblems(c.err, result.Problems, 5)
	if c.json {
		err = json.NewEncoder(c.out).Encode(result)
	} else {
		err = result.WriteTable(c.out)
	}
	if err != nil {
		return err
	}
	if c.report != "" {
		name := "built-in model"
		if c.model != "" {
			name = filepath.Base(c.model)
		}
		title := fmt.Sprintf("%s on %s (%s)", name, filepath.Base(filepath.Clean(args[0])), c.split)
		runs := []eval.Named{{Name: name, Model: m.Manifest, Result: result}}
		step, finish := c.lazyBar("writing the report")
		err := eval.WriteReportFile(ctx, c.report, title, runs, &eval.ReportOptions{Progress: step})
		finish()
		if err != nil {
			return err
		}
		fmt.Fprintf(c.err, "Report: %s\n", c.report)
	}
	if len(result.Problems) > 0 {
		return errSome
	}
	return nil
}
