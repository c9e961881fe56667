package main

import (
	"context"
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"unicode"

	"github.com/spf13/cobra"

	"showtell/metric"
	"showtell/metric/meteordata"
	"showtell/results"
	"showtell/tensor"
)

type scoreCommand struct {
	streams
	hyps     []string // the arguments, or the first of them if the others are references
	refs     []string
	compare  bool
	metrics  []string
	perImage string
	columns  []string
	df       string
	train    string
	split    string
	joined   bool
	samples  int
	seed     uint64
	json     bool
}

func newScore(s streams) *cobra.Command {
	c := &scoreCommand{streams: s}
	cmd := &cobra.Command{
		Use: "score CAPTIONS REFERENCES...",
		Example: `  showtell score results.json captions_val2014.json                  COCO's formats
  showtell score hyps.jsonl refs.csv --metrics bleu,meteor,ciderD --per-image scores.csv
  showtell score ours.json theirs.json --refs refs.json --compare    which is better, and is it more than chance?`,
		Short: "score any program's captions as the field's reference code does, without Java",
		Long: `Score captions of any program against references, as the field's reference code
(pycocoevalcap) does, with 95 % intervals, and say how varied they are.

Files are recognised by what they hold: COCO results and annotations, Karpathy's
splits, JSON lines with image and caption (or captions), CSV, TSV, plain text
with a caption a line (several files of references if there are several), what
showtell eval --json prints; each packed with gzip or zstd too. - is standard
input. Images that are not on both sides are told. docs/metrics.md says what
the numbers mean.`,
		Args: c.check,
		RunE: c.run,
	}
	flags := cmd.Flags()
	flags.StringArrayVar(&c.refs, "refs", nil, "file of references; may be given again; all arguments are then captions")
	flags.BoolVar(&c.compare, "compare", false, "test whether two files of captions differ by more than chance (needs --refs)")
	flags.StringSliceVar(&c.metrics, "metrics", nil, "some of bleu, meteor, rougeL, ciderD, cider (default: all)")
	flags.StringVar(&c.perImage, "per-image", "", "file to write with the scores of each image: .parquet, or .csv, .tsv, .json or .jsonl and perhaps .gz or .zst")
	flags.StringArrayVar(&c.columns, "columns", nil, "CSV file with image and numbers of others (SPICE, CLIPScore) to list too; once for each file of captions")
	flags.StringVar(&c.df, "df", "", "file of references that say how rare words are, for CIDEr (default: the references scored against)")
	flags.StringVar(&c.train, "train", "", "file of the training captions, to count copies of them")
	flags.StringVar(&c.split, "split", "", "only references of this split, if their file has splits (default: all)")
	flags.BoolVar(&c.joined, "joined", false, "tokenise all captions together, as published numbers were; differs where the next caption decides about a dot")
	flags.IntVar(&c.samples, "samples", 1000, "samples for intervals and tests; 0 for neither")
	flags.Uint64Var(&c.seed, "seed", 0, "seed of the samples (default 0)")
	flags.BoolVar(&c.json, "json", false, "print one JSON object for each file of captions, and one for the comparison")
	return cmd
}

// check looks at the arguments before anything is read.
func (c *scoreCommand) check(_ *cobra.Command, args []string) error {
	names, err := metricNames(c.metrics)
	if err != nil {
		return err
	}
	c.metrics = names
	switch {
	case len(args) == 0:
		return usageError("showtell score wants a file of captions and a file of references")
	case c.compare && (len(args) != 2 || len(c.refs) == 0):
		return usageError("--compare wants two files of captions, and --refs with the references")
	case c.compare && c.samples == 0:
		return usageError("--compare needs samples")
	case c.samples < 0:
		return usageError("--samples %d: not a number of samples", c.samples)
	}
	c.hyps = args
	if len(c.refs) == 0 {
		c.hyps, c.refs = args[:1], args[1:]
	}
	if n := len(c.columns); n > 0 && n != len(c.hyps) {
		return usageError("--columns is given %d times for %d files of captions", n, len(c.hyps))
	}
	stdin := 0
	for _, path := range slices.Concat(c.hyps, c.refs, []string{c.df, c.train}) {
		if path == "-" {
			stdin++
		}
	}
	if stdin > 1 {
		return usageError("standard input can be only one of the files")
	}
	if c.perImage != "" {
		if err := results.CheckName(c.perImage); err != nil {
			return usageError("--per-image %v", err)
		}
	}
	return nil
}

// metricNames finds the metrics of names that people write: bleu for all four,
// rougeL, ciderD; cider is CIDEr-D, which papers call so, and CIDEr.
func metricNames(wanted []string) ([]string, error) {
	if len(wanted) == 0 {
		return metric.Names(), nil
	}
	letters := func(name string) string {
		return strings.Map(func(r rune) rune {
			if unicode.IsLetter(r) || unicode.IsDigit(r) {
				return unicode.ToLower(r)
			}
			return -1
		}, name)
	}
	var names []string
	for _, want := range wanted {
		found := false
		for _, name := range metric.Names() {
			family, _, _ := strings.Cut(name, "-")
			if letters(want) == letters(name) || letters(want) == letters(family) {
				names, found = append(names, name), true
			}
		}
		if !found {
			return nil, usageError("--metrics: no metric %q (there are %s)", want, strings.Join(metric.Names(), ", "))
		}
	}
	return names, nil
}

// A system is a file of captions and how it did.
type system struct {
	file      *results.File
	captions  []string // by image
	scores    []metric.Result
	columns   []metric.Result   // that others computed
	intervals []metric.Interval // of scores, then of columns; nil: not wanted
	diversity metric.Diversity
	warnings  []string
}

func (c *scoreCommand) run(cmd *cobra.Command, _ []string) error {
	ctx := cmd.Context()
	if c.perImage != "" {
		if err := writable(c.perImage); err != nil {
			return err
		}
	}
	if os.Getenv("GOGC") == "" {
		percent := 200 // most of the memory is text that stays
		if c.small() {
			percent = 800
		}
		defer debug.SetGCPercent(debug.SetGCPercent(percent))
	}
	if slices.Contains(c.metrics, "METEOR") {
		go meteordata.Open() // while files are read
	}
	go metric.Tokenize("#") // makes the rules ready
	systems, pairs, err := c.pair()
	if err != nil {
		return err
	}
	frequencies, training, err := c.others()
	if err != nil {
		return err
	}
	for k, s := range systems {
		s.captions = firsts(pairs.Captions[k])
		corpus, err := c.score(ctx, s, pairs, frequencies)
		if err != nil {
			return err
		}
		s.diversity = corpus.Diverse(pairs.Captions[k], training)
		if len(c.columns) > 0 {
			if err := s.readColumns(c.columns[k], pairs.Images); err != nil {
				return err
			}
		}
		if c.samples > 0 {
			if s.intervals, err = metric.Bootstrap(ctx, s.all(), c.resampling()); err != nil {
				return err
			}
		}
	}
	var comparisons []metric.Comparison
	if c.compare {
		if comparisons, err = metric.Compare(ctx, systems[0].all(), systems[1].all(), c.resampling()); err != nil {
			return err
		}
	}
	if err := c.report(systems, pairs, comparisons); err != nil {
		return err
	}
	return c.tell(systems, pairs)
}

// small says if all that is scored is in files that take 4 MB, so that memory may be
// spent for speed.
func (c *scoreCommand) small() bool {
	size := int64(0)
	for _, path := range slices.Concat(c.hyps, c.refs) {
		info, err := os.Stat(path)
		if err != nil || !info.Mode().IsRegular() {
			return false
		}
		size += info.Size()
	}
	return size < 4<<20
}

func (c *scoreCommand) resampling() *metric.Resampling {
	return &metric.Resampling{Samples: c.samples, Seed: c.seed}
}

func (s *system) all() []metric.Result { return slices.Concat(s.scores, s.columns) }

// read reads a file, - from standard input.
func (c *scoreCommand) read(path string, role results.Role) (*results.File, error) {
	if path == "-" {
		return results.Read("standard input", c.in, role)
	}
	return results.ReadFile(path, role)
}

// pair reads captions and references, at the same time, and puts them together.
func (c *scoreCommand) pair() ([]*system, *results.Pairs, error) {
	paths := slices.Concat(c.hyps, c.refs)
	files, errs := make([]*results.File, len(paths)), make([]error, len(paths))
	tensor.Parallel(len(paths), func(i int) {
		role := results.Candidates
		if i >= len(c.hyps) {
			role = results.References
		}
		files[i], errs[i] = c.read(paths[i], role)
	})
	for _, err := range errs {
		if err != nil {
			return nil, nil, err
		}
	}
	files, refs := files[:len(c.hyps)], files[len(c.hyps):]
	var systems []*system
	for _, f := range files {
		systems = append(systems, &system{file: f})
	}
	var all *results.File
	if len(refs) > 0 {
		var err error
		if all, err = results.Merge(refs...); err != nil {
			return nil, nil, err
		}
		if all, err = c.only(all); err != nil {
			return nil, nil, err
		}
	}
	pairs, err := results.Pair(all, files...)
	return systems, pairs, err
}

// only keeps the references of the split that is wanted.
func (c *scoreCommand) only(refs *results.File) (*results.File, error) {
	if c.split == "" {
		return refs, nil
	}
	if splits := refs.Splits(); !slices.Contains(splits, c.split) {
		return nil, usageError("--split %s: %s has the splits %v", c.split, refs.Name, splits)
	}
	part := refs.Of(c.split)
	part.Name = fmt.Sprintf("%s (%s)", refs.Name, c.split)
	return part, nil
}

// others reads what else scores depend on.
func (c *scoreCommand) others() (*metric.Frequencies, []string, error) {
	var frequencies *metric.Frequencies
	if c.df != "" {
		f, err := c.read(c.df, results.References)
		if err != nil {
			return nil, nil, err
		}
		refs := make([][]string, len(f.Entries))
		for i, e := range f.Entries {
			refs[i] = e.References
		}
		if frequencies, err = metric.NewFrequencies(refs); err != nil {
			return nil, nil, fmt.Errorf("%s: %w", f.Name, err)
		}
	}
	var training []string
	if c.train != "" {
		f, err := c.read(c.train, results.References)
		if err != nil {
			return nil, nil, err
		}
		if splits := f.Splits(); slices.Contains(splits, "train") {
			f = f.Of("train", "restval") // Karpathy's files have those of other splits too
		}
		for _, e := range f.Entries {
			training = append(training, e.References...)
		}
	}
	return frequencies, training, nil
}

// firsts are the captions that are scored.
func firsts(lists [][]string) []string {
	captions := make([]string, len(lists))
	for i, list := range lists {
		captions[i] = list[0]
	}
	return captions
}

func (c *scoreCommand) score(ctx context.Context, s *system, pairs *results.Pairs, frequencies *metric.Frequencies) (*metric.Corpus, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	newCorpus := metric.NewCorpus
	if c.joined {
		newCorpus = metric.NewCorpusJoined
	}
	corpus, err := newCorpus(s.captions, pairs.References)
	if err != nil {
		return nil, err
	}
	corpus.Frequencies = frequencies
	if slices.Contains(c.metrics, "METEOR") {
		if corpus.Meteor, err = meteordata.Open(); err != nil {
			return nil, err
		}
	}
	if s.scores, err = metric.Compute(corpus, c.metrics...); err != nil {
		return nil, err
	}
	warnings := corpus.Warnings()
	for _, r := range s.scores {
		warnings = append(warnings, r.Warnings...)
	}
	for _, w := range warnings {
		if w.Image >= 0 {
			s.warnings = append(s.warnings, pairs.Images[w.Image]+": "+w.Text)
		} else {
			s.warnings = append(s.warnings, w.Text)
		}
	}
	return corpus, nil
}

// readColumns adds numbers of others, whose corpus score is the mean.
func (s *system) readColumns(path string, images []string) error {
	columns, err := results.ReadColumns(path, images)
	if err != nil {
		return err
	}
	for _, column := range columns {
		sum := 0.0
		for _, x := range column.Values {
			sum += x
		}
		s.columns = append(s.columns, metric.Result{Name: column.Name, Corpus: sum / float64(len(images)), PerImage: column.Values})
	}
	return nil
}
