package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"showtell/dataset"
	"showtell/wording"
)

// dataFlags say where the parts of a data set are, where its files do not.
type dataFlags struct{ dataset.Options }

func (f *dataFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&f.Images, "images", "", "folder of the pictures (default: found in DATA)")
	flags.StringVar(&f.Captions, "captions", "", "file of the captions (default: found in DATA)")
	flags.StringVar(&f.Format, "format", "", "format of the captions (default: recognised by the files)")
	flags.Uint64Var(&f.Seed, "split-seed", 0, "seed of the splits, where the data set has none (default 0)")
}

// open reads a data set and tells of its problems.
func (s streams) openData(ctx context.Context, dir string, f dataFlags) (*dataset.Set, error) {
	step, finish := s.lazyBar("looking at pictures")
	f.Progress = step
	set, err := dataset.Open(ctx, dir, &f.Options)
	finish()
	return set, err
}

// tellProblems lists problems by kind, the first few of each.
func tellProblems(w io.Writer, problems []dataset.Problem, few int) {
	for _, kind := range dataset.Kinds {
		var list []dataset.Problem
		for _, p := range problems {
			if p.Kind == kind {
				list = append(list, p)
			}
		}
		if len(list) == 0 {
			continue
		}
		fmt.Fprintf(w, "%d %s:\n", len(list), kind)
		show := list[:min(few, len(list))]
		for _, p := range show {
			fmt.Fprintf(w, "  %s\n", p)
		}
		if n := len(list) - len(show); n > 0 {
			fmt.Fprintf(w, "  and %d more\n", n)
		}
	}
}

func newData(s streams) *cobra.Command {
	var flags dataFlags
	var asJSON, quick bool
	var shown int
	var captions tidyFlags
	cmd := &cobra.Command{
		Use: "data DATA",
		Example: `  showtell data flickr8k              counts, splits, words, and what is wrong
  showtell data captions.csv --images photos
  showtell data flickr8k --tidy -o tidy.csv     captions without slurs and remarks on looks`,
		Short: "look at a data set: counts, splits, broken and duplicate pictures, words",
		Args:  oneArg("data set"),
		RunE: func(cmd *cobra.Command, args []string) error {
			table, err := openTable(captions.table, wording.Looks)
			if err != nil {
				return err
			}
			flags.CheckImages = !quick
			set, err := s.openData(cmd.Context(), args[0], flags)
			if err != nil {
				return err
			}
			changed := tidy(set, table)
			if captions.out != "" {
				if err := writeCaptions(captions.out, set); err != nil {
					return err
				}
			}
			stats := set.Stats()
			if asJSON {
				return json.NewEncoder(s.out).Encode(struct {
					dataset.Stats
					Tidied *tidied `json:"tidied,omitempty"`
				}{stats, changed})
			}
			if _, err := fmt.Fprint(s.out, stats.Table()); err != nil {
				return err
			}
			tellProblems(s.out, set.Problems, shown)
			if changed != nil {
				changed.tell(s.out, shown)
			}
			return nil
		},
	}
	flags.add(cmd.Flags())
	captions.add(cmd.Flags())
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	cmd.Flags().IntVar(&shown, "show", 5, "problems of each kind, and changes, to name")
	cmd.Flags().BoolVar(&quick, "quick", false, "do not read the pictures: broken and identical ones are not found")
	return cmd
}

// splitOf is the items of a split, or an error that names the others.
func splitOf(set *dataset.Set, name string) ([]dataset.Item, error) {
	if items := set.Split(name); len(items) > 0 {
		return items, nil
	}
	counts := map[string]int{}
	for _, item := range set.Items {
		counts[cmp.Or(item.Split, "none")]++
	}
	return nil, usageError("no picture of split %q in this data set (pictures by split: %v)", name, counts)
}
