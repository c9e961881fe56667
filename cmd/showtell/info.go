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
)

func newInfo(s streams) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "info [FILE]",
		Example: `  showtell info model.safetensors
  showtell info resnet50.safetensors  the encoder whose weights those are
  showtell info                       the model inside this program`,
		Short: "what a model or an encoder file holds, where it came from, how it scored",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usageError("showtell info wants one file, and got %d", len(args))
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			path := ""
			if len(args) == 1 {
				path = args[0]
			}
			m, err := openModel(path)
			if errors.Is(err, showtell.ErrNoModel) {
				return describeEncoder(s.out, path, asJSON)
			}
			if err != nil {
				return err
			}
			if asJSON {
				return json.NewEncoder(s.out).Encode(m.Manifest)
			}
			return describeModel(s.out, m, path)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

// describeEncoder tells of a file with the weights of an encoder alone.
func describeEncoder(out io.Writer, path string, asJSON bool) error {
	n, err := openEncoder(path)
	if err != nil {
		return err
	}
	weights := 0
	for _, t := range n.Tensors("") {
		weights += t.Len()
	}
	h, wide, c := n.Grid()
	r := n.Recipe()
	if asJSON {
		return json.NewEncoder(out).Encode(map[string]any{
			"encoder": n.Name(), "recipe": r, "grid": []int{h, wide, c}, "blocks": n.Blocks(), "weights": weights, "int8": n.Quantized(), "fingerprint": n.Fingerprint(),
		})
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	row := func(name, format string, args ...any) { fmt.Fprintf(w, "%s\t%s\n", name, fmt.Sprintf(format, args...)) }
	row("encoder", "%s, %d x %d pixels to a grid of %d x %d x %d", n.Name(), r.Width, r.Height, h, wide, c)
	row("pictures", "%s, %s, %s, less %v, divided by %v", r.Fit, r.Filter, r.Channels, r.Mean, r.Std)
	row("weights", "%.2f million", float64(weights)/1e6)
	row("work", "%.2f billion operations a picture", float64(n.Operations())/1e9)
	row("fingerprint", "%.12s", n.Fingerprint())
	if err := w.Flush(); err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "\nBlocks, for --fine-tune:\n\n%s", blocks(n.Blocks()))
	return err
}

// blocks are names in lines of at most 80 letters.
func blocks(names []string) string {
	var b strings.Builder
	line := 0
	for _, name := range names {
		if line+1+len(name) > 80 {
			b.WriteString("\n")
			line = 0
		}
		if line > 0 {
			b.WriteString(" ")
			line++
		}
		b.WriteString(name)
		line += len(name)
	}
	return b.String() + "\n"
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
		line := fmt.Sprintf("%5d  %5.3f  %7.1f  %6.1f  %s", e.Epoch, e.Loss, 100*e.CiderD, 100*e.Bleu4, stage)
		fmt.Fprintln(out, strings.TrimRight(line, " "))
	}
	if o.Recipe != "" {
		fmt.Fprintf(out, "\nRecipe:\n\n%s", o.Recipe)
	}
	return nil
}
