package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"io/fs"
	"iter"
	"math"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"showtell"
	"showtell/builtin"
	"showtell/imageprep"
)

// searchFlags are the flags of every command that captions.
type searchFlags struct{ showtell.Options }

func (f *searchFlags) add(flags *pflag.FlagSet) {
	flags.IntVar(&f.Beams, "beams", 0, "hypotheses kept at each word; 1 is greedy search (default: the model's)")
	flags.IntVar(&f.MaxWords, "max-words", 0, "longest caption, in words (default: the model's)")
	flags.Float64Var(&f.LengthPower, "length-power", 0, "rank captions by log-probability / words^POWER; below 0: not divided (default: the model's)")
	flags.Float64Var(&f.Temperature, "temperature", 0, "draw words by chance: 1 as probable as the model says, less for safer ones (default: search, do not draw)")
	flags.Float64Var(&f.TopP, "top-p", 0, "draw from the fewest words that are together as probable as this, 0 to 1 (default: search, do not draw)")
	flags.Uint64Var(&f.Seed, "sample-seed", 0, "seed of the draws (default 0)")
	flags.IntVar(&f.NoRepeat, "no-repeat", 0, "never say the same N words twice; below 0: repeat freely (default: the model's)")
}

func (f *searchFlags) check() error {
	if f.Beams < 0 || f.MaxWords < 0 || math.IsNaN(f.LengthPower) || math.IsInf(f.LengthPower, 0) {
		return usageError("--beams and --max-words must be above 0, --length-power a number")
	}
	if !(f.Temperature >= 0 && f.Temperature <= 100) || !(f.TopP >= 0 && f.TopP <= 1) {
		return usageError("--temperature must be above 0, --top-p above 0 and at most 1")
	}
	return nil
}

// openModel opens a model file, several of them joined by + as an ensemble, or the
// model inside the program.
func openModel(path string) (*showtell.Model, error) {
	if path == "" {
		return builtin.Open()
	}
	paths := []string{path}
	if _, err := os.Stat(path); err != nil {
		paths = strings.Split(path, "+")
	}
	var models []*showtell.Model
	for _, path := range paths {
		m, err := showtell.Open(path)
		if err != nil {
			return nil, foreign(path, err)
		}
		models = append(models, m)
	}
	m, err := showtell.Ensemble(models...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return m, nil
}

type captionCommand struct {
	streams
	model      string
	recursive  bool
	json       bool
	attention  bool
	candidates int
	least      float64 // confidence
	maxPixels  float64
	search     searchFlags
	style      styleFlags
}

func newCaption(s streams) *cobra.Command {
	c := &captionCommand{streams: s}
	cmd := &cobra.Command{
		Use: "showtell IMAGE...",
		Example: `  showtell photo.jpg                  a sentence for a photograph
  showtell -r holiday --json          a folder, one JSON object a line
  curl -s URL | showtell -            a picture from standard input
  showtell -n 3 photo.jpg             the three best sentences
  showtell -n 3 --diverse 0.5 photo.jpg    three that differ`,
		Long: "Describe photographs, offline, with the model inside this program or one that you trained.",
		Args: cobra.ArbitraryArgs,
		RunE: c.run,
	}
	flags := cmd.Flags()
	flags.StringVarP(&c.model, "model", "m", "", "model file, or several joined by + as an ensemble (default: the one inside this program)")
	flags.BoolVarP(&c.recursive, "recursive", "r", false, "describe all pictures in folders and the folders within")
	flags.BoolVar(&c.json, "json", false, "print one JSON object a line")
	flags.BoolVar(&c.attention, "attention", false, "with --json: add where each word looked, over the grid of the picture")
	flags.IntVarP(&c.candidates, "candidates", "n", 1, "captions for each picture, the best first")
	flags.Float64Var(&c.search.Diversity, "diverse", 0, "with -n: captions that differ; a word costs this, off its log-probability, where another caption has it in the same place, 0.2 to 1 (default: the best captions, alike or not)")
	flags.Float64Var(&c.least, "min-confidence", 0, "say nothing of a picture rather than a caption less probably good than this, 0 to 1")
	flags.Float64Var(&c.maxPixels, "max-megapixels", 100, "refuse pictures with more pixels than this, in millions")
	c.search.add(flags)
	c.style.add(flags)
	return cmd
}

func (c *captionCommand) run(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return usageError("no picture named. Try: showtell photo.jpg")
	}
	if c.candidates < 1 || !(c.maxPixels > 0 && c.maxPixels < 1e6) {
		return usageError("--candidates and --max-megapixels must be above 0")
	}
	if !(c.least >= 0 && c.least <= 1) {
		return usageError("--min-confidence %v: want 0 to 1", c.least)
	}
	if err := c.checkDiverse(); err != nil {
		return err
	}
	if err := c.search.check(); err != nil {
		return err
	}
	if err := c.checkNames(cmd, args); err != nil {
		return err
	}
	var err error
	if c.search.Style, err = c.style.open(); err != nil {
		return err
	}
	m, err := openModel(c.model)
	if err != nil {
		return err
	}
	if c.least > 0 && m.Confidence == nil {
		return fmt.Errorf("--min-confidence: %s does not know how good its captions are. Try: showtell calibrate DATA -m MODEL -o MODEL", cmp.Or(c.model, "the model inside"))
	}
	if os.Getenv("GOGC") == "" { // most of the memory is the model's, which stays: garbage need not grow as large
		defer debug.SetGCPercent(debug.SetGCPercent(30))
	}
	return c.describe(cmd.Context(), m, args)
}

// checkDiverse makes a group of beams for each caption, where they are to differ.
func (c *captionCommand) checkDiverse() error {
	switch d := c.search.Diversity; {
	case d == 0:
		return nil
	case !(d > 0 && d <= 100):
		return usageError("--diverse %v: want above 0 to 100", d)
	case c.candidates < 2 || c.candidates > 100:
		return usageError("--diverse is for 2 to 100 captions. Try: -n 3")
	case c.search.Temperature != 0 || c.search.TopP != 0:
		return usageError("--diverse is for a search; --temperature and --top-p draw")
	}
	c.search.Groups = c.candidates
	return nil
}

// checkNames catches a mistyped command.
func (c *captionCommand) checkNames(cmd *cobra.Command, args []string) error {
	if len(args) != 1 || strings.ContainsAny(args[0], "./\\") || args[0] == "-" {
		return nil
	}
	if _, err := os.Stat(args[0]); err == nil {
		return nil
	}
	hint := ""
	if like := cmd.SuggestionsFor(args[0]); len(like) > 0 {
		hint = " Did you mean: showtell " + strings.Join(like, ", ") + "?"
	}
	return usageError("%s is neither a picture nor a command.%s", args[0], hint)
}

// A picture is something to describe: a file, or the reason why not.
type picture struct {
	name string
	err  error
}

// describe goes through the pictures and prints. What fails is told on the
// error stream and does not end the run.
func (c *captionCommand) describe(ctx context.Context, m *showtell.Model, args []string) error {
	pictures := c.find(args)
	bar := bar{}
	if len(pictures) > 1 && !isTerminal(c.out) { // where captions show, they are the progress
		bar = c.bar("captioning", len(pictures))
	}
	defer bar.finish()
	failed, next := 0, 0
	for captions, err := range c.captions(ctx, m, pictures) {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		name := pictures[next].name
		next++
		if err != nil {
			bar.clear()
			failed++
			fmt.Fprintf(c.err, "showtell: %s\n", named(name, err))
		}
		if err := c.print(name, captions, err, len(pictures) > 1); err != nil {
			return err
		}
		bar.set(next)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if failed > 0 {
		if len(pictures) > 1 {
			fmt.Fprintf(c.err, "showtell: %d of %d pictures failed\n", failed, len(pictures))
		}
		return errSome
	}
	return nil
}

// named puts the name before an error that does not say it.
func named(name string, err error) string {
	if strings.Contains(err.Error(), name) {
		return err.Error()
	}
	return name + ": " + err.Error()
}

// find lists the pictures that the arguments name.
func (c *captionCommand) find(args []string) []picture {
	var all []picture
	for _, arg := range args {
		info, err := os.Stat(arg)
		switch {
		case arg == "-":
			all = append(all, picture{name: "-"})
		case err != nil:
			all = append(all, picture{arg, cause(err)})
		case !info.IsDir():
			all = append(all, picture{name: arg})
		case !c.recursive:
			all = append(all, picture{arg, errors.New("a folder: add -r to describe the pictures in it")})
		default:
			all = append(all, walk(arg)...)
		}
	}
	return all
}

// cause strips the operation and the path that package os puts before an error.
func cause(err error) error {
	if p := new(fs.PathError); errors.As(err, &p) {
		return p.Err
	}
	return err
}

// walk lists the pictures below a folder by name, hidden ones left out.
func walk(folder string) []picture {
	var all []picture
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			all = append(all, picture{path, err})
			if d != nil && d.IsDir() {
				return fs.SkipDir
			}
		case path != folder && strings.HasPrefix(d.Name(), "."):
			if d.IsDir() {
				return fs.SkipDir
			}
		case !d.IsDir() && imageprep.Accepts(d.Name()):
			all = append(all, picture{name: path})
		}
		return nil
	})
	if err != nil {
		all = append(all, picture{folder, err})
	}
	if len(all) == 0 {
		all = append(all, picture{folder, errors.New("no picture in this folder")})
	}
	return all
}

// captions describes the pictures in their order.
func (c *captionCommand) captions(ctx context.Context, m *showtell.Model, pictures []picture) iter.Seq2[[]showtell.Caption, error] {
	read := func(p picture) (image.Image, error) {
		o := &imageprep.Options{MaxPixels: int(c.maxPixels * 1e6), Least: m.Network().Recipe().Least()}
		switch {
		case p.err != nil:
			return nil, p.err
		case p.name == "-":
			return imageprep.Read(c.in, o)
		}
		return imageprep.ReadFile(p.name, o)
	}
	if c.candidates == 1 {
		sources := func(yield func(showtell.Source) bool) {
			for _, p := range pictures {
				if !yield(func() (image.Image, error) { return read(p) }) {
					return
				}
			}
		}
		return func(yield func([]showtell.Caption, error) bool) {
			for caption, err := range m.Sources(ctx, sources, &c.search.Options) {
				if !yield([]showtell.Caption{caption}, err) {
					return
				}
			}
		}
	}
	o := c.search.Options
	if o.Groups == 0 {
		o.Beams = max(c.candidates, o.Beams, m.Search.Beams)
	}
	return func(yield func([]showtell.Caption, error) bool) {
		for _, p := range pictures {
			img, err := read(p)
			var list []showtell.Caption
			if err == nil {
				list, err = m.Candidates(ctx, img, &o)
			}
			if !yield(list[:min(len(list), c.candidates)], err) {
				return
			}
		}
	}
}

// line is the JSON of one picture.
type line struct {
	Image      string        `json:"image"`
	Caption    string        `json:"caption,omitempty"`
	Confidence float64       `json:"confidence,omitempty"`
	Abstained  bool          `json:"abstained,omitempty"`
	Wording    []string      `json:"wording,omitempty"`
	LogProb    float64       `json:"log_prob,omitempty"`
	Words      []wordLine    `json:"words,omitempty"`
	Candidates []captionLine `json:"candidates,omitempty"`
	Error      string        `json:"error,omitempty"`
}

type captionLine struct {
	Caption string  `json:"caption"`
	LogProb float64 `json:"log_prob"`
	Score   float64 `json:"score"`
}

type wordLine struct {
	Word      string    `json:"word"`
	Prob      float64   `json:"prob"`
	Attention []float32 `json:"attention,omitempty"`
}

func (c *captionCommand) print(name string, captions []showtell.Caption, failed error, several bool) error {
	if c.json {
		return json.NewEncoder(c.out).Encode(c.line(name, captions, failed))
	}
	if failed != nil {
		return nil
	}
	if best := captions[0]; best.Confidence < c.least {
		fmt.Fprintf(c.err, "showtell: %s: no caption, since the best is good with a probability of only %.0f %%\n", name, 100*best.Confidence)
		return nil
	}
	for _, caption := range captions {
		prefix := ""
		if several {
			prefix = name + "\t"
		}
		if c.candidates > 1 {
			prefix += fmt.Sprintf("%.2f\t", caption.Score)
		}
		if _, err := fmt.Fprintf(c.out, "%s%s\n", prefix, caption.Text); err != nil {
			return err
		}
	}
	return nil
}

func (c *captionCommand) line(name string, captions []showtell.Caption, failed error) line {
	l := line{Image: name}
	if failed != nil {
		l.Error = failed.Error()
		return l
	}
	best := captions[0]
	l.Confidence = math.Round(1e4*best.Confidence) / 1e4
	if l.Abstained = best.Confidence < c.least; l.Abstained {
		return l
	}
	l.Caption, l.LogProb, l.Wording = best.Text, best.LogProb, c.search.Style.Names()
	for _, w := range best.Words {
		word := wordLine{Word: w.Text, Prob: math.Exp(w.LogProb)}
		if c.attention {
			word.Attention = w.Attention
		}
		l.Words = append(l.Words, word)
	}
	if c.candidates > 1 {
		for _, x := range captions {
			l.Candidates = append(l.Candidates, captionLine{x.Text, x.LogProb, x.Score})
		}
	}
	return l
}
