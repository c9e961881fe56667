package main

import (
	"fmt"
	"io"
	"path/filepath"

	"github.com/spf13/cobra"

	"showtell/eval"
	"showtell/imageprep"
	"showtell/internal/atomicfile"
)

type explainCommand struct {
	streams
	model  string
	file   string
	search searchFlags
	style  styleFlags
}

func newExplain(s streams) *cobra.Command {
	c := &explainCommand{streams: s}
	cmd := &cobra.Command{
		Use:     "explain IMAGE...",
		Example: `  showtell explain photo.jpg -o why.html      word by word: where it looked, what else it nearly said`,
		Short:   "show word by word where a model looked, and what it nearly said",
		Long: `Write one HTML page that shows for each word of a caption its probability, the
five most probable words at its place, and where on the picture it looked.`,
		Args: cobra.ArbitraryArgs,
		RunE: c.run,
	}
	flags := cmd.Flags()
	flags.StringVarP(&c.model, "model", "m", "", "model file, or several joined by + as an ensemble (default: the one inside this program)")
	flags.StringVarP(&c.file, "output", "o", "explain.html", "HTML file to write")
	c.search.add(flags)
	c.style.add(flags)
	return cmd
}

// choices is how many words the page lists for each place.
const choices = 5

func (c *explainCommand) run(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return usageError("no picture named. Try: showtell explain photo.jpg -o why.html")
	}
	if err := c.search.check(); err != nil {
		return err
	}
	var err error
	if c.search.Style, err = c.style.open(); err != nil {
		return err
	}
	if err := writable(c.file); err != nil {
		return err
	}
	m, err := openModel(c.model)
	if err != nil {
		return err
	}
	bar := c.bar("explaining", len(args))
	var list []eval.Explained
	for i, path := range args {
		e := eval.Explained{Name: filepath.Base(path)}
		if e.Picture, err = imageprep.ReadFile(path, nil); err == nil {
			e.Caption, e.Steps, err = m.Explain(cmd.Context(), e.Picture, &c.search.Options, choices)
		}
		if cmd.Context().Err() != nil {
			bar.finish()
			return cmd.Context().Err()
		}
		bar.set(i + 1)
		if err != nil {
			bar.clear()
			fmt.Fprintf(c.err, "showtell: %s\n", named(path, err))
			continue
		}
		list = append(list, e)
	}
	bar.finish()
	if len(list) > 0 {
		title := "Why this caption?"
		if len(list) > 1 {
			title = "Why these captions?"
		}
		if err := atomicfile.Write(c.file, func(w io.Writer) error { return eval.WriteExplanation(w, title, m, list) }); err != nil {
			return err
		}
		fmt.Fprintf(c.err, "Explanation: %s\n", c.file)
	}
	if len(list) < len(args) {
		return errSome
	}
	return nil
}
