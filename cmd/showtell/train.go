package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"showtell"
	"showtell/confidence"
	"showtell/dataset"
	"showtell/encoder"
	"showtell/eval"
	"showtell/features"
	"showtell/metric/meteor"
	"showtell/metric/meteordata"
	"showtell/text"
	"showtell/train"
)

type trainCommand struct {
	streams
	data     dataFlags
	out      string
	recipe   string
	set      []string
	weights  string
	features string
	glove    string
	text     string
	fineTune string
	from     string
	epochs   int
	seed     uint64
	resume   bool
	restart  bool
}

func newTrain(s streams) *cobra.Command {
	c := &trainCommand{streams: s}
	cmd := &cobra.Command{
		Use: "train DATA -o MODEL",
		Example: `  showtell train flickr8k -o model.safetensors
  showtell train flickr8k --recipe seed -o seed.safetensors      the student project's network
  showtell train photos.csv -o m.safetensors --set epochs=3 --set decoder.layers=3
  showtell train flickr8k --fine-tune last:5 -o model.safetensors    the encoder's last blocks learn, too
  showtell train flickr8k -o model.safetensors --resume          go on after Ctrl-C`,
		Short: "learn to caption from images and captions",
		Long: `Learn to caption from images and captions. The encoder runs once over all
pictures; what it sees is kept for the next training. A checkpoint is written
every five minutes and after every epoch. The model keeps the weights of the
epoch with the best CIDEr-D on the dev split, and the length power of the search
that is best there.

With --text-pretrain the decoder first learns how captions read, from captions
without pictures: a file of one a line, or of any format of captions. It goes on from
there only if that is better on dev after an epoch with pictures.

With --fine-tune the end of the encoder then learns together with the decoder:
last:N are its last N blocks, from:LAYER a block or layer and all behind it, as
"showtell info ENCODER" lists them.

Recipes: ` + strings.Join(train.Recipes(), ", ") + `, or a TOML file. Every field can be changed with --set field=value.`,
		Args: oneArg("data set"),
		RunE: c.run,
	}
	flags := cmd.Flags()
	c.data.add(flags)
	flags.StringVarP(&c.out, "output", "o", "", "model file to write")
	flags.StringVar(&c.recipe, "recipe", "default", "name or TOML file of the recipe")
	flags.StringArrayVar(&c.set, "set", nil, "change a field of the recipe, field=value; may be repeated")
	flags.IntVar(&c.epochs, "epochs", 0, "passes over the data (default: the recipe's)")
	flags.Uint64Var(&c.seed, "seed", 0, "seed of all chance (default: the recipe's)")
	flags.StringVar(&c.glove, "glove", "", "file to start the word vectors from, of GloVe or word2vec, text or binary")
	flags.StringVar(&c.text, "text-pretrain", "", "file of captions without pictures to learn words from first, gzipped or not (default: the recipe's, none)")
	flags.StringVar(&c.fineTune, "fine-tune", "", "what of the encoder learns: none, last:N blocks, from:LAYER or all (default: the recipe's, none)")
	flags.StringVar(&c.from, "from", "", "model whose encoder and decoder to fine-tune, in place of a decoder trained first")
	flags.StringVar(&c.weights, "encoder", "", "weights of the encoder, or a model (default: that of the model inside this program)")
	flags.StringVar(&c.features, "features", "", "file of features, made if missing (default: in the user's cache folder)")
	flags.BoolVar(&c.resume, "resume", false, "go on from the checkpoint of a stopped training")
	flags.BoolVar(&c.restart, "restart", false, "throw the checkpoint of a stopped training away")
	return cmd
}

func (c *trainCommand) run(cmd *cobra.Command, args []string) error {
	ctx := cmd.Context()
	if c.out == "" {
		return usageError("no output named. Try: showtell train %s -o model.safetensors", args[0])
	}
	recipe, err := c.loadRecipe(cmd)
	if err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	checkpoint := c.out + ".checkpoint"
	if err := c.checkOutput(checkpoint); err != nil {
		return err
	}
	if err := readable(recipe.GloVe, recipe.Text.File); err != nil {
		return err
	}
	network, start, err := c.open(recipe)
	if err != nil {
		return err
	}
	set, err := c.openData(ctx, args[0], c.data)
	if err != nil {
		return err
	}
	tellProblems(c.err, set.Problems, 5)
	stores := &stores{trainCommand: c}
	defer stores.close()
	store, err := stores.open(ctx, network, set, recipe.Mirror > 0)
	if err != nil {
		return err
	}
	keepReadable(set, store)
	log, err := os.OpenFile(c.out+".log.jsonl", os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	var scorer *meteor.Meteor
	if recipe.Reward.Meteor > 0 {
		if scorer, err = meteordata.Open(); err != nil {
			return err
		}
	}
	progress, finish := c.progress()
	m, err := train.Run(ctx, train.Job{
		Recipe: recipe, Meteor: scorer, Network: network, Set: set, Features: store, Start: start, Trunk: stores.trunk,
		Checkpoint: checkpoint, Resume: c.resume, Log: log, Progress: progress,
		Vectors: func(v text.Coverage) { fmt.Fprintf(c.err, "%s: %v\n", recipe.GloVe, v) },
		Note:    func(note string) { fmt.Fprintln(c.err, note) },
	})
	finish()
	if err != nil {
		if _, left := os.Stat(checkpoint); ctx.Err() != nil && left == nil {
			fmt.Fprintf(c.err, "Go on with the same command and --resume.\n")
		}
		return err
	}
	if err := m.Save(c.out); err != nil {
		return err
	}
	os.Remove(checkpoint)
	if err := c.judge(ctx, m, set, store); err != nil {
		return err
	}
	fmt.Fprintf(c.err, "%s: epoch %d, dev CIDEr-D %.1f, BLEU-4 %.1f\nNext: showtell eval %s -m %s --report report.html\n",
		c.out, m.Origin.Epoch, 100*m.Origin.Dev["CIDEr-D"], 100*m.Origin.Dev["BLEU-4"], args[0], c.out)
	return nil
}

// judge calibrates the model's confidence with the dev pictures, if they are enough.
func (c *trainCommand) judge(ctx context.Context, m *showtell.Model, set *dataset.Set, store *features.Store) error {
	dev := set.Split("dev")
	if len(dev) < confidence.Least {
		return nil
	}
	var grids eval.Features
	if m.Origin.FineTuned == nil { // what is kept is what its encoder sees
		grids = store
	}
	if err := c.calibrate(ctx, m, dev, grids, goodCaption); ctx.Err() != nil {
		return ctx.Err()
	} else if err != nil {
		fmt.Fprintf(c.err, "confidence: not calibrated: %v\n", err)
		return nil
	}
	return m.Save(c.out)
}

func (c *trainCommand) loadRecipe(cmd *cobra.Command) (train.Recipe, error) {
	settings := c.set
	if cmd.Flags().Changed("epochs") {
		settings = append(settings, fmt.Sprintf("epochs=%d", c.epochs))
	}
	if cmd.Flags().Changed("seed") {
		settings = append(settings, fmt.Sprintf("seed=%d", c.seed))
	}
	if cmd.Flags().Changed("fine-tune") {
		settings = append(settings, fmt.Sprintf("finetune.what=%q", c.fineTune))
	}
	if c.glove != "" {
		settings = append(settings, fmt.Sprintf("glove=%q", c.glove))
	}
	if c.text != "" {
		settings = append(settings, fmt.Sprintf("text.file=%q", c.text))
	}
	return train.LoadRecipe(c.recipe, settings...)
}

// checkOutput makes sure that the result can be written and that no other
// training's work is lost.
func (c *trainCommand) checkOutput(checkpoint string) error {
	if err := writable(c.out); err != nil {
		return err
	}
	_, err := os.Stat(checkpoint)
	switch {
	case c.resume && c.restart:
		return usageError("--resume and --restart at once")
	case c.resume && errors.Is(err, fs.ErrNotExist):
		return usageError("nothing to resume: no file %s. Train without --resume", checkpoint)
	case err == nil && c.restart:
		return os.Remove(checkpoint)
	case err == nil && !c.resume:
		return usageError("%s is left of a stopped training: add --resume to go on, or --restart to begin again", checkpoint)
	}
	return nil
}

// writable tells, before hours of work, whether a file can be written.
func writable(path string) error {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return fmt.Errorf("%s cannot be written: it is a folder", path)
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".showtell-*")
	if err != nil {
		return fmt.Errorf("%s cannot be written: %w", path, err)
	}
	f.Close()
	return os.Remove(f.Name())
}

// readable tells, before hours of work, whether files can be read; "" is none.
func readable(paths ...string) error {
	for _, path := range paths {
		if path == "" {
			continue
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		f.Close()
	}
	return nil
}

// open reads the encoder, and the model to start from if there is one.
func (c *trainCommand) open(recipe train.Recipe) (*encoder.Network, *showtell.Model, error) {
	what := recipe.FineTune.What
	var network *encoder.Network
	var start *showtell.Model
	var err error
	switch {
	case c.from == "":
		network, err = openEncoder(c.weights)
	case what == "" && recipe.Reward.Epochs == 0:
		return nil, nil, usageError("--from %s, but nothing to learn. Add --fine-tune last:5, or --set reward.epochs=6", c.from)
	case recipe.Text.File != "":
		return nil, nil, usageError("--from %s has learned its words: leave --text-pretrain out", c.from)
	case c.weights != "":
		return nil, nil, usageError("--from %s has an encoder: leave --encoder out", c.from)
	default:
		if start, err = openModel(c.from); err == nil {
			network = start.Network()
		}
	}
	if err == nil && what != "" { // before hours of work
		_, err = network.Tune(what)
	}
	return network, start, err
}

// stores are the files of features that a training reads.
type stores struct {
	*trainCommand
	files []*features.Store
}

func (s *stores) close() {
	for _, f := range s.files {
		f.Close()
	}
}

func (s *stores) open(ctx context.Context, n *encoder.Network, set *dataset.Set, mirror bool) (*features.Store, error) {
	path := s.features
	if len(s.files) > 0 && path != "" {
		path += ".trunk"
	}
	if path == "" {
		var err error
		if path, err = cacheFile(n, set); err != nil {
			return nil, err
		}
	}
	store, err := s.extract(ctx, path, n, set, mirror)
	if err == nil {
		s.files = append(s.files, store)
	}
	return store, err
}

// trunk keeps what the part of an encoder that doesn't learn sees.
func (s *stores) trunk(ctx context.Context, trunk *encoder.Network, items []dataset.Item, mirror bool) (train.Features, error) {
	fmt.Fprintf(s.err, "fine-tuning behind %s\n", trunk.Name())
	return s.open(ctx, trunk, &dataset.Set{Format: "fine-tuning", Items: items}, mirror)
}

// keepReadable leaves out the pictures that could not be encoded; each has
// been named.
func keepReadable(set *dataset.Set, store *features.Store) {
	kept := set.Items[:0]
	for _, item := range set.Items {
		if store.Has(item.Name) {
			kept = append(kept, item)
		}
	}
	set.Items = kept
}

// goal is what a training makes smaller or, where it learns by reward, larger.
func goal(p train.Progress) string {
	if p.Reward != 0 {
		return fmt.Sprintf("reward %.3f", p.Reward)
	}
	return fmt.Sprintf("loss %.3f", p.Loss)
}

// stagePrefix names the stage before an epoch.
func stagePrefix(p train.Progress) string {
	if p.Stage == "" {
		return ""
	}
	return p.Stage + "  "
}

// devScores are those of an epoch, if it had any.
func devScores(p train.Progress) string {
	if p.Stage == "text" {
		return ""
	}
	return fmt.Sprintf("  dev CIDEr-D %.1f  BLEU-4 %.1f  %d words, %.1f a caption", 100*p.Done.CiderD, 100*p.Done.Bleu4, p.Done.Words, p.Done.Length)
}

// progress shows a bar an epoch, and a line with its scores at the end.
func (c *trainCommand) progress() (step func(train.Progress), finish func()) {
	var b bar
	began := time.Now()
	return func(p train.Progress) {
			if p.Done != nil {
				b.finish()
				b = bar{}
				best := ""
				if p.Best {
					best = "  best so far"
				}
				fmt.Fprintf(c.err, "%sepoch %d/%d  %s%s%s\n", stagePrefix(p), p.Epoch, p.Epochs, goal(p), devScores(p), best)
				return
			}
			if b.b == nil {
				b = c.bar("", p.Steps)
			}
			b.describe(fmt.Sprintf("%sepoch %d/%d  %s  %.0f words/s", stagePrefix(p), p.Epoch, p.Epochs, goal(p), float64(p.Words)/time.Since(began).Seconds()))
			b.set(p.Step)
		}, func() {
			b.finish()
		}
}
