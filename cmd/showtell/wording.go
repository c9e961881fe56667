package main

import (
	"cmp"
	"encoding/csv"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"showtell/dataset"
	"showtell/internal/atomicfile"
	"showtell/wording"
)

// builtinTable stands for the program's own table where a flag wants a file.
const builtinTable = "built-in"

// styleFlags say how sentences are put.
type styleFlags struct {
	wording.Style
	neutral string
}

func (f *styleFlags) add(flags *pflag.FlagSet) {
	flags.BoolVar(&f.Raw, "raw", false, "sentences as metrics want them: lower case, no full stop")
	flags.StringVar(&f.neutral, "neutral", "", "people without their sex (person, child), by a table of yours or the built-in one")
	flags.Lookup("neutral").NoOptDefVal = builtinTable
	flags.BoolVar(&f.NoLead, "no-lead", false, `without "an image of" at the start`)
	flags.IntVar(&f.MaxLetters, "max-letters", 0, "shorten sentences to this many letters, at the end of a phrase (default: any)")
}

// open reads the table that the flags name.
func (f *styleFlags) open() (wording.Style, error) {
	if f.MaxLetters < 0 {
		return f.Style, usageError("--max-letters must be above 0")
	}
	var err error
	f.Neutral, err = openTable(f.neutral, wording.Neutral)
	return f.Style, err
}

// openTable reads a table of phrases; without a name there is none.
func openTable(name string, builtin func() *wording.Table) (*wording.Table, error) {
	switch name {
	case "":
		return nil, nil
	case builtinTable:
		return builtin(), nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return wording.ReadTable(name, f)
}

func newWording(s streams) *cobra.Command {
	names := strings.Join(slices.Sorted(maps.Keys(wording.Tables())), " or ")
	return &cobra.Command{
		Use: "wording TABLE",
		Example: `  showtell wording neutral > mine.txt         the table behind --neutral, to be edited
  showtell --neutral=mine.txt photo.jpg       and used`,
		Short: "print a built-in table of phrases: " + names,
		Args:  oneArg("table: " + names),
		RunE: func(_ *cobra.Command, args []string) error {
			table, ok := wording.Tables()[args[0]]
			if !ok {
				return usageError("no table %q: want %s", args[0], names)
			}
			_, err := io.WriteString(s.out, table)
			return err
		},
	}
}

// tidyFlags say how captions to learn from are tidied, and where they go.
type tidyFlags struct{ table, out string }

func (f *tidyFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&f.table, "tidy", "", "tidy the captions of slurs and remarks on looks, by a table of yours or the built-in one")
	flags.Lookup("tidy").NoOptDefVal = builtinTable
	flags.StringVarP(&f.out, "output", "o", "", "write the captions to this .csv: image, caption, split")
}

// tidied is what a table changed.
type tidied struct {
	Captions int      `json:"captions"`
	Changes  []change `json:"changes"` // the most frequent first
}

type change struct {
	From  string `json:"from"`
	To    string `json:"to"`
	Count int    `json:"count"`
}

// tidy changes the captions of a data set; without a table it does nothing.
func tidy(set *dataset.Set, table *wording.Table) *tidied {
	if table == nil {
		return nil
	}
	t := &tidied{}
	counts := map[change]int{}
	for i := range set.Items {
		captions := slices.Clone(set.Items[i].Captions)
		for k := range captions {
			var changes []wording.Change
			if captions[k], changes = table.Tidy(captions[k]); len(changes) > 0 {
				t.Captions++
			}
			for _, c := range changes {
				counts[change{From: c.From, To: c.To}]++
			}
		}
		set.Items[i].Captions = captions
	}
	for c, n := range counts {
		c.Count = n
		t.Changes = append(t.Changes, c)
	}
	slices.SortFunc(t.Changes, func(a, b change) int {
		return cmp.Or(b.Count-a.Count, strings.Compare(a.From, b.From), strings.Compare(a.To, b.To))
	})
	return t
}

// tell prints the changes that were made most.
func (t *tidied) tell(w io.Writer, few int) {
	fmt.Fprintf(w, "%d captions tidied:\n", t.Captions)
	shown := t.Changes[:min(few, len(t.Changes))]
	for _, c := range shown {
		fmt.Fprintf(w, "  %5d  %s: %s\n", c.Count, c.From, cmp.Or(c.To, "(left out)"))
	}
	if n := len(t.Changes) - len(shown); n > 0 {
		fmt.Fprintf(w, "  and %d phrases more\n", n)
	}
}

// writeCaptions writes a data set as a table that Open reads again.
func writeCaptions(path string, set *dataset.Set) error {
	if !strings.HasSuffix(path, ".csv") {
		return usageError("%s: want a name that ends in .csv", path)
	}
	return atomicfile.Write(path, func(w io.Writer) error {
		rows := csv.NewWriter(w)
		rows.Write([]string{"image", "caption", "split"}) // Error below has what went wrong
		for _, item := range set.Items {
			for _, caption := range item.Captions {
				rows.Write([]string{item.Name, caption, item.Split})
			}
		}
		rows.Flush()
		return rows.Error()
	})
}
