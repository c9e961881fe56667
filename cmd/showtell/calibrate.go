package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"showtell"
	"showtell/dataset"
	"showtell/eval"
)

// goodCaption is the CIDEr-D, of 10, from which captions count as good: of those in
// Flickr8k's human judgements that reach it, two of three are right or nearly.
const goodCaption = 0.5

type calibrateCommand struct {
	streams
	data   dataFlags
	model  string
	output string
	split  string
	bar    float64
}

func newCalibrate(s streams) *cobra.Command {
	c := &calibrateCommand{streams: s}
	cmd := &cobra.Command{
		Use:     "calibrate DATA -m MODEL -o FILE",
		Example: `  showtell calibrate flickr8k -m model.safetensors -o model.safetensors`,
		Short:   "teach a model to tell how good its captions are",
		Long: `Caption the dev split, and store with the model how the probabilities of its words
tell good captions from bad ones. Then "showtell --json" has a confidence beside each
caption, and --min-confidence leaves out what is probably bad. Training does this by
itself.`,
		Args: oneArg("data set"),
		RunE: c.run,
	}
	flags := cmd.Flags()
	flags.StringVarP(&c.model, "model", "m", "", "model file (default: the one inside this program)")
	flags.StringVarP(&c.output, "output", "o", "", "model file to write")
	flags.StringVar(&c.split, "split", "dev", "split that the model did not learn from")
	flags.Float64Var(&c.bar, "bar", 100*goodCaption, "CIDEr-D, times 100, from which a caption is good")
	c.data.add(flags)
	return cmd
}

func (c *calibrateCommand) run(cmd *cobra.Command, args []string) error {
	ctx := cmd.Context()
	if c.output == "" {
		return usageError("no output named. Try: showtell calibrate %s -o model.safetensors", args[0])
	}
	if !(c.bar > 0 && c.bar < 1000) {
		return usageError("--bar %v: want a CIDEr-D, times 100", c.bar)
	}
	if err := writable(c.output); err != nil {
		return err
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
	if err := c.calibrate(ctx, m, items, nil, c.bar/100); err != nil {
		return err
	}
	return m.Save(c.output)
}

// calibrate captions pictures and gives the model what it finds.
func (s streams) calibrate(ctx context.Context, m *showtell.Model, items []dataset.Item, grids eval.Features, bar float64) error {
	step, finish := s.lazyBar("calibrating")
	r, err := eval.Run(ctx, m, items, &eval.Options{Features: grids, Metrics: []string{"CIDEr-D"}, Progress: step})
	finish()
	if err != nil {
		return err
	}
	if m.Confidence, err = eval.Calibrate(r, bar); err != nil {
		return err
	}
	fmt.Fprintf(s.err, "confidence: %.0f %% of %d captions reach %.0f; off by %.1f %% (expected calibration error, cross-validated)\n",
		100*m.Confidence.Good, m.Confidence.Pictures, 100*bar, 100*m.Confidence.Error)
	return nil
}
