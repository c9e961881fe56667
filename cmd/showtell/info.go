package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"showtell"
	"showtell/features"
	"showtell/modelfile"
	"showtell/text"
	"showtell/train"
	"showtell/weightfile"
)

func newInfo(s streams) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "info [FILE]",
		Example: `  showtell info model.safetensors
  showtell info vgg16.h5              which network a file of weights is of, layer by layer
  showtell info                       the model inside this program`,
		Short: "what a file of weights holds, where it came from, how it scored",
		Long: `Tell what a file is and holds: a model, where it came from and how it scored;
weights of Keras, PyTorch, NumPy or safetensors, which network they are of, layer by
layer; features; the checkpoint of a training; word vectors. Of files that are no
models only names and shapes are read.`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usageError("showtell info wants one file, and got %d", len(args))
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 1 {
				return describe(s.out, args[0], asJSON)
			}
			return describeModelFile(s.out, "", asJSON)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

// describe tells what any file of weights is.
func describe(out io.Writer, path string, asJSON bool) error {
	f, err := weightfile.Open(path)
	if err != nil {
		if v, failed := text.LookAtVectors(path); failed == nil {
			return describeVectors(out, path, v, asJSON)
		}
		return err
	}
	defer f.Close()
	if f.Format != weightfile.Safetensors {
		return describeWeights(out, f, asJSON)
	}
	if err := describeModelFile(out, path, asJSON); !errors.Is(err, showtell.ErrNoModel) {
		return err
	}
	m, err := modelfile.Open(path)
	if err != nil {
		return err
	}
	defer m.Close()
	if s, ok, err := features.Describe(m); ok || err != nil {
		return describeFeatures(out, path, s, err, asJSON)
	}
	if s, ok, err := train.DescribeCheckpoint(m); ok || err != nil {
		return describeCheckpoint(out, path, s, err, asJSON)
	}
	return describeWeights(out, f, asJSON)
}

func describeModelFile(out io.Writer, path string, asJSON bool) error {
	m, err := openModel(path)
	if err != nil {
		return err
	}
	if asJSON {
		return json.NewEncoder(out).Encode(m.Manifest)
	}
	return describeModel(out, m, path)
}

// blockLines are the names of an encoder's blocks, in lines that fit a screen.
func blockLines(names []string) []string {
	lines := []string{""}
	for _, name := range names {
		if last := lines[len(lines)-1]; last != "" && len(last)+1+len(name) > 66 {
			lines = append(lines, "")
		}
		lines[len(lines)-1] = strings.TrimSpace(lines[len(lines)-1] + " " + name)
	}
	return lines
}

func beforeAfter(q *showtell.Int8) string {
	if q.Before == 0 && q.After == 0 {
		return "not measured"
	}
	return fmt.Sprintf("%.1f, before %.1f", 100*q.After, 100*q.Before)
}

func describeModel(out io.Writer, m *showtell.Model, path string) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	row := func(name, format string, args ...any) { fmt.Fprintf(w, "%s\t%s\n", name, fmt.Sprintf(format, args...)) }
	if path == "" {
		row("model", "the one inside this program")
	} else if info, err := os.Stat(path); err == nil {
		row("model", "%s, %.1f MB", path, float64(info.Size())/1e6)
	}
	weights := 0
	for _, p := range m.Params() {
		weights += len(p.Data)
	}
	h, wide, c := m.Network().Grid()
	d := m.Decoder
	row("encoder", "%s, %d x %d pixels to a grid of %d x %d x %d", m.Encoder, m.Recipe.Width, m.Recipe.Height, h, wide, c)
	switch {
	case m.Int8 != nil:
		row("int8", "calibrated with %d pictures, dev CIDEr-D %s", m.Int8.Pictures, beforeAfter(m.Int8))
	case m.Network().Quantized():
		row("int8", "the encoder")
	}
	for i, line := range blockLines(m.Network().Blocks()) {
		row([]string{"blocks", ""}[min(i, 1)], "%s", line)
	}
	row("decoder", "%s, word vectors of %d, hidden %d, %.2f million weights", d.Kind, d.Embed, d.Hidden, float64(weights)/1e6)
	row("vocabulary", "%d words", d.Vocab-4)
	row("search", "%d beams, at most %d words, length power %.2g", m.Search.Beams, m.Search.MaxWords, m.Search.LengthPower)
	if c := m.Confidence; c != nil {
		row("confidence", "that CIDEr-D is at least %.0f, off by %.1f %%, from %d pictures", 100*c.Bar, 100*c.Error, c.Pictures)
	}
	o := m.Origin
	row("made by", "%s, seed %d", o.Tool, o.Seed)
	row("data", "%s (%.12s)", o.Dataset, o.Data)
	row("trained", "%d epochs, epoch %d kept", len(o.History), o.Epoch)
	if f := o.FineTuned; f != nil {
		row("fine-tuned", "%s, from %s on, of encoder %.12s", f.What, f.From, f.Encoder)
	}
	names := make([]string, 0, len(o.Dev))
	for name := range o.Dev {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		row("dev "+name, "%.1f", 100*o.Dev[name])
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if len(o.History) > 0 {
		fmt.Fprintf(out, "\nepoch   loss  CIDEr-D  BLEU-4\n")
	}
	for _, e := range o.History {
		stage := e.Stage
		if e.Reward != 0 {
			stage = fmt.Sprintf("%s %.3f", stage, e.Reward)
		}
		if e.Averaged != 0 {
			stage = strings.TrimLeft(fmt.Sprintf("%s mean of %d epochs", stage, e.Averaged), " ")
		}
		line := fmt.Sprintf("%5d  %5.3f  %7.1f  %6.1f  %s", e.Epoch, e.Loss, 100*e.CiderD, 100*e.Bleu4, stage)
		fmt.Fprintln(out, strings.TrimRight(line, " "))
	}
	if o.Recipe != "" {
		fmt.Fprintf(out, "\nRecipe:\n\n%s", o.Recipe)
	}
	return nil
}
