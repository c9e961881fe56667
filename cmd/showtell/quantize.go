package main

import (
	"cmp"
	"context"
	"fmt"
	"image"
	"iter"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"showtell"
	"showtell/dataset"
	"showtell/eval"
	"showtell/imageprep"
)

type quantizeCommand struct {
	streams
	data      dataFlags
	output    string
	calibrate string
	eval      string
	pictures  int
	force     bool
}

// mayLose is how much CIDEr-D an int8 model may lose on dev; --force lifts it.
const mayLose = 0.01

func newQuantize(s streams) *cobra.Command {
	c := &quantizeCommand{streams: s}
	cmd := &cobra.Command{
		Use: "quantize [MODEL] -o FILE --calibrate DIR",
		Example: `  showtell quantize model.safetensors -o model8.safetensors --calibrate flickr8k
  showtell quantize -o model8.safetensors --calibrate photos      the model inside this program, unscored
  showtell quantize -o model8.safetensors --calibrate photos --eval flickr8k`,
		Short: "make an int8 model: smaller and faster",
		Long: `Make an int8 model, of a quarter of the size that float32 takes. A few hundred
pictures, of a data set's train split or of any folder, show what range the
encoder's numbers have. Where there is a dev split, both models caption it; one
that lost more than 1 point of CIDEr-D is not written.`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usageError("showtell quantize wants one model, and got %d", len(args))
			}
			return nil
		},
		RunE: c.run,
	}
	flags := cmd.Flags()
	flags.StringVarP(&c.output, "output", "o", "", "model file to write")
	flags.StringVar(&c.calibrate, "calibrate", "", "data set, or folder of pictures like those to come")
	flags.StringVar(&c.eval, "eval", "", "data set whose dev split both models caption (default: that of --calibrate)")
	flags.IntVar(&c.pictures, "pictures", 256, "pictures to calibrate with, at most")
	flags.BoolVar(&c.force, "force", false, "write the model whatever it lost")
	c.data.add(flags)
	return cmd
}

func (c *quantizeCommand) run(cmd *cobra.Command, args []string) error {
	ctx := cmd.Context()
	switch {
	case c.output == "":
		return usageError("no output named. Try: showtell quantize -o model8.safetensors --calibrate DIR")
	case c.calibrate == "":
		return usageError("no pictures to calibrate with. Try: showtell quantize -o %s --calibrate DIR", c.output)
	case c.pictures < 1:
		return usageError("--pictures %d: not a number of pictures", c.pictures)
	}
	if err := writable(c.output); err != nil {
		return err
	}
	path := ""
	if len(args) == 1 {
		path = args[0]
	}
	m, err := openModel(path)
	if err != nil {
		return err
	}
	pictures, dev, err := c.open(ctx)
	if err != nil {
		return err
	}
	small, err := c.quantize(ctx, m, pictures)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return fmt.Errorf("%s: %w", cmp.Or(path, "the model inside"), err)
	}
	return c.finish(ctx, m, small, dev)
}

// open finds the pictures to calibrate with and those to score with, none if
// there is no data set.
func (c *quantizeCommand) open(ctx context.Context) (pictures []string, dev []dataset.Item, err error) {
	set, err := c.openData(ctx, c.calibrate, c.data)
	if err == nil {
		dev = set.Split("dev")
		items := set.Split("train")
		if len(items) == 0 {
			items = set.Items
		}
		for _, item := range items {
			pictures = append(pictures, item.Path)
		}
	} else if info, failed := os.Stat(c.calibrate); failed != nil || !info.IsDir() {
		return nil, nil, err
	} else {
		first, _, _ := strings.Cut(err.Error(), "\n")
		fmt.Fprintf(c.err, "%s\nIt is taken for a folder of pictures.\n", first)
		for _, p := range walk(c.calibrate) {
			if p.err != nil {
				return nil, nil, fmt.Errorf("%s: %w", p.name, p.err)
			}
			pictures = append(pictures, p.name)
		}
	}
	if c.eval != "" {
		if set, err = c.openData(ctx, c.eval, c.data); err != nil {
			return nil, nil, err
		}
		if dev, err = splitOf(set, "dev"); err != nil {
			return nil, nil, err
		}
	}
	rand.New(rand.NewPCG(1, 1)).Shuffle(len(pictures), func(i, j int) { pictures[i], pictures[j] = pictures[j], pictures[i] })
	return pictures[:min(c.pictures, len(pictures))], dev, nil
}

// quantize makes the int8 model. Pictures that can't be read are told of.
func (c *quantizeCommand) quantize(ctx context.Context, m *showtell.Model, pictures []string) (*showtell.Model, error) {
	b := c.bar("calibrating", len(pictures))
	defer b.finish()
	return m.Quantize(ctx, files(pictures), func(done int, err error) {
		b.set(done)
		if err != nil {
			b.clear()
			fmt.Fprintf(c.err, "%s: %v\n", filepath.Base(pictures[done-1]), cause(err))
		}
	})
}

func files(names []string) iter.Seq[showtell.Source] {
	return func(yield func(showtell.Source) bool) {
		for _, name := range names {
			if !yield(func() (image.Image, error) { return imageprep.ReadFile(name, nil) }) {
				return
			}
		}
	}
}

// finish compares the models, and writes the small one if it is good enough.
func (c *quantizeCommand) finish(ctx context.Context, m, small *showtell.Model, dev []dataset.Item) error {
	scored := len(dev) > 0
	if scored {
		var err error
		if small.Int8.Before, err = c.score(ctx, "captioning before", m, dev); err != nil {
			return err
		}
		if small.Int8.After, err = c.score(ctx, "captioning after", small, dev); err != nil {
			return err
		}
	}
	times, err := encodingTimes(m, small)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(c.out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "\tbefore\tafter\t\n")
	fmt.Fprintf(w, "size, MB\t%.1f\t%.1f\t\n", megabytes(m), megabytes(small))
	fmt.Fprintf(w, "encoder, ms a picture\t%.1f\t%.1f\t\n", times[0], times[1])
	if scored {
		fmt.Fprintf(w, "dev CIDEr-D\t%.1f\t%.1f\t\n", 100*small.Int8.Before, 100*small.Int8.After)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if err := c.judge(small.Int8); err != nil {
		return err
	}
	if !scored {
		fmt.Fprintf(c.err, "Nothing was scored: no dev split. Name a data set with --eval.\n")
	}
	return small.Save(c.output)
}

// judge refuses a model that lost too much.
func (c *quantizeCommand) judge(q *showtell.Int8) error {
	if lost := q.Before - q.After; lost > mayLose && !c.force {
		return fmt.Errorf("%s is not written: it lost %.1f points of CIDEr-D on dev. Calibrate with other pictures, or add --force", c.output, 100*lost)
	}
	return nil
}

// score is the CIDEr-D of a model.
func (c *quantizeCommand) score(ctx context.Context, what string, m *showtell.Model, dev []dataset.Item) (float64, error) {
	step, finish := c.lazyBar(what)
	defer finish()
	r, err := eval.Run(ctx, m, dev, &eval.Options{Metrics: []string{"CIDEr-D"}, Progress: step})
	if err != nil {
		return 0, err
	}
	v, _ := r.Scores.Of("CIDEr-D")
	return v, nil
}

// encodingTimes are the medians of a few encodings of a picture by each model,
// by turns, in milliseconds.
func encodingTimes(models ...*showtell.Model) ([]float64, error) {
	times := make([][]float64, len(models))
	runs := make([]func(), len(models))
	for i, m := range models {
		plan, err := m.Network().Compile()
		if err != nil {
			return nil, err
		}
		h, w, channels := m.Network().Grid()
		grid, pixels := make([]float32, h*w*channels), make([]float32, 3*m.Recipe.Width*m.Recipe.Height)
		runs[i] = func() { plan.Run(grid, pixels) }
		runs[i]() // the first makes buffers
	}
	for range 15 {
		for i, run := range runs {
			began := time.Now()
			run()
			times[i] = append(times[i], float64(time.Since(began).Microseconds())/1000)
		}
	}
	medians := make([]float64, len(models))
	for i, t := range times {
		slices.Sort(t)
		medians[i] = t[len(t)/2]
	}
	return medians, nil
}

func megabytes(m *showtell.Model) float64 {
	size, err := m.Size()
	if err != nil {
		return 0 // a model that can't be written says so when it is
	}
	return float64(size) / 1e6
}
