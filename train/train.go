package train

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"time"

	"showtell"
	"showtell/dataset"
	"showtell/decoder"
	"showtell/encoder"
	"showtell/nn"
	"showtell/text"
)

// A Job is a training to run.
type Job struct {
	Recipe   Recipe
	Network  *encoder.Network
	Set      *dataset.Set
	Features Features // of the train and dev pictures

	Checkpoint string              // file to stop and resume by; "" for none
	Every      time.Duration       // between checkpoints; 0 means five minutes. One is also written after each epoch
	Resume     bool                // go on from Checkpoint
	Log        io.Writer           // gets a line of JSON for each Progress that ends an epoch, and one a minute; nil for none
	Progress   func(p Progress)    // called after each step; nil for none
	Vectors    func(text.Coverage) // told how many words the recipe's GloVe file has; nil for none
}

// Progress tells how far a training is.
type Progress struct {
	Epoch  int     `json:"epoch"` // from 1
	Epochs int     `json:"epochs"`
	Step   int     `json:"step"` // of all epochs, from 1
	Steps  int     `json:"steps"`
	Loss   float64 `json:"loss"` // mean over this epoch so far
	Rate   float64 `json:"rate"`
	Words  int     `json:"words"` // captions' words trained on since the start of this run

	Done *showtell.Epoch `json:"done,omitempty"` // at the end of an epoch: its scores
	Best bool            `json:"best,omitempty"` // and whether it is the best so far
}

// state is what a checkpoint holds beside weights.
type state struct {
	Step    int // steps done
	LossSum float64
	LossN   int
	Best    int // epoch whose weights are kept, from 1; 0: none yet
	History []showtell.Epoch
}

type trainer struct {
	Job
	state
	vocab *text.Vocab
	batcher
	config decoder.Config
	dec    decoder.Decoder
	opt    *optimizer
	best   [][]float32 // of opt.params, after epoch Best
	dev    *judge
	saved  time.Time
	logged time.Time
	words  int
}

// Run trains and returns the model with the best dev score. When ctx ends it
// writes a checkpoint and returns the error of ctx.
func Run(ctx context.Context, job Job) (*showtell.Model, error) {
	t, err := newTrainer(job)
	if err != nil {
		return nil, err
	}
	if job.Resume {
		if err := t.restore(); err != nil {
			return nil, err
		}
	}
	if err := t.loop(ctx); err != nil {
		if ctx.Err() != nil {
			err = errors.Join(fmt.Errorf("training stopped after step %d of %d: %w", t.Step, t.Recipe.Epochs*t.steps(), ctx.Err()), t.checkpoint())
		}
		return nil, err
	}
	return t.model(t.best)
}

func (t *trainer) loop(ctx context.Context) error {
	tape := nn.NewTape(nil)
	steps := t.steps()
	for {
		if t.Step == (len(t.History)+1)*steps {
			if err := t.endEpoch(ctx); err != nil {
				return err
			}
		}
		if t.Step == t.Recipe.Epochs*steps || t.outOfPatience() {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := t.step(tape); err != nil {
			return err
		}
		if time.Since(t.saved) > t.Every {
			if err := t.checkpoint(); err != nil {
				return err
			}
		}
	}
}

func newTrainer(job Job) (*trainer, error) {
	if job.Every == 0 {
		job.Every = 5 * time.Minute
	}
	t := &trainer{Job: job, saved: time.Now()}
	r := &t.Recipe
	items := job.Set.Split("train")
	t.vocab = text.BuildVocab(func(yield func(string) bool) {
		for _, item := range items {
			for _, c := range item.Captions {
				if !yield(c) {
					return
				}
			}
		}
	}, r.MinCount)
	if t.vocab.Len() <= 4 {
		return nil, fmt.Errorf("no word stands %d times in the captions of the %d training pictures: lower min_count or add captions", r.MinCount, len(items))
	}
	h, w, c := job.Network.Grid()
	t.config = r.Decoder
	t.config.Vocab, t.config.Cells, t.config.Channels = t.vocab.Len(), h*w, c
	t.batcher = batcher{
		examples: examples(items, t.vocab, r.Decoder.MaxWords), features: job.Features,
		pictures: r.Pictures, mirror: r.Mirror, seed: r.Seed, cells: h * w, channels: c,
	}
	var vectors [][]float32
	var err error
	if r.GloVe != "" {
		if vectors, err = t.glove(); err != nil {
			return nil, err
		}
	}
	if t.dec, err = decoder.New(t.config, stream(r.Seed, "weights", 0)); err != nil {
		return nil, err
	}
	if err := t.prepare(vectors); err != nil {
		return nil, err
	}
	learned := slices.DeleteFunc(slices.Clone(t.dec.Params()), func(p *nn.Param) bool { return p.Fixed })
	t.opt = newOptimizer(r, learned)
	t.dev = newJudge(job.Set.Split("dev"), job.Features, h*w*c)
	return t, nil
}

// glove reads word vectors, whose width becomes that of the embedding.
func (t *trainer) glove() ([][]float32, error) {
	vectors, coverage, err := text.ReadVectors(t.Recipe.GloVe, t.vocab)
	if err != nil {
		return nil, err
	}
	if t.Vectors != nil {
		t.Vectors(coverage)
	}
	for _, v := range vectors {
		if v != nil {
			t.config.Embed = len(v)
			return vectors, nil
		}
	}
	return nil, fmt.Errorf("%s: a vector for none of the %d words", t.Recipe.GloVe, t.vocab.Len())
}

// prepare gives the decoder what it wants to know of the data beforehand.
func (t *trainer) prepare(vectors [][]float32) error {
	if w, ok := t.dec.(decoder.Worded); ok && vectors != nil {
		startWords(w.Words(), vectors)
		w.Words().Fixed = t.Recipe.GloVeFixed
	}
	fitter, ok := t.dec.(decoder.Fitter)
	if !ok {
		return nil
	}
	var m decoder.Moments
	grid := make([]float32, t.cells*t.channels)
	for _, e := range t.examples {
		if !t.features.Grid(grid, e.name, false) {
			return fmt.Errorf("no features of %s", e.name)
		}
		m.Add(grid, t.channels)
	}
	fitter.Fit(m.Moments())
	return nil
}

// startWords sets the vectors of words. Where the decoder wants others than the
// file has, longer ones are projected, shorter ones fill the first columns, and
// both are brought to the size of the decoder's own.
func startWords(words *nn.Param, vectors [][]float32) {
	scale := float32(1)
	if !slices.ContainsFunc(vectors, func(v []float32) bool { return len(v) == words.Cols() }) {
		vectors = text.Project(vectors, words.Cols())
		if size := meanSize(slices.Concat(vectors...)); size > 0 {
			scale = meanSize(words.Data) / size
		}
	}
	for id, v := range vectors {
		for i, x := range v {
			words.Row(id)[i] = scale * x
		}
	}
}

// meanSize is the root of the mean square.
func meanSize(x []float32) float32 {
	sum := 0.0
	for _, v := range x {
		sum += float64(v) * float64(v)
	}
	return float32(math.Sqrt(sum / float64(max(1, len(x)))))
}

// step trains on one batch.
func (t *trainer) step(tape *nn.Tape) error {
	steps := t.steps()
	epoch, i := t.Step/steps, t.Step%steps
	b, err := t.batch(epoch, i)
	if err != nil {
		return err
	}
	tape.Reset()
	tape.Rand = stream(t.Recipe.Seed, "dropout", t.Step)
	targets := b.Targets()
	loss := nn.CrossEntropy(tape, t.dec.Forward(tape, b), targets, float32(t.Recipe.Smoothing), nil)
	l := float64(loss.Data[0])
	if math.IsNaN(l) || math.IsInf(l, 0) {
		return fmt.Errorf("the loss of step %d is %v: lower the rate (now %v)", t.Step+1, l, t.Recipe.Rate)
	}
	tape.Backward(loss)
	t.Step++
	rate := t.Recipe.rate(t.Step, steps)
	t.opt.update(t.Step, rate)
	t.LossSum += l * float64(len(targets))
	t.LossN += len(targets)
	t.words += len(targets)
	return t.report(Progress{Rate: rate})
}

// report completes p, hands it on, and logs it where it ends an epoch or a
// minute has passed.
func (t *trainer) report(p Progress) error {
	steps := t.steps()
	p.Epoch, p.Epochs = (t.Step-1)/steps+1, t.Recipe.Epochs
	p.Step, p.Steps = t.Step, t.Recipe.Epochs*steps
	p.Words = t.words
	if t.LossN > 0 {
		p.Loss = t.LossSum / float64(t.LossN)
	}
	if t.Progress != nil {
		t.Progress(p)
	}
	if t.Log == nil || p.Done == nil && time.Since(t.logged) < time.Minute {
		return nil
	}
	t.logged = time.Now()
	line, err := json.Marshal(struct {
		Time time.Time `json:"time"`
		Progress
	}{t.logged, p})
	if err != nil {
		return err
	}
	_, err = t.Log.Write(append(line, '\n'))
	return err
}

// endEpoch scores the weights on dev and keeps them if they are the best.
func (t *trainer) endEpoch(ctx context.Context) error {
	epoch := showtell.Epoch{Epoch: t.Step / t.steps(), Loss: t.LossSum / float64(t.LossN)}
	m, err := t.model(t.keptWeights())
	if err != nil {
		return err
	}
	if err := t.dev.score(ctx, m, &epoch); err != nil {
		return err
	}
	better := t.Best == 0 || epoch.CiderD >= t.History[t.Best-1].CiderD
	t.History = append(t.History, epoch)
	if better {
		t.Best = epoch.Epoch
		t.best = t.keptWeights()
	}
	if err := t.report(Progress{Rate: t.Recipe.rate(t.Step, t.steps()), Done: &epoch, Best: better}); err != nil {
		return err
	}
	t.LossSum, t.LossN = 0, 0
	return t.checkpoint()
}

func (t *trainer) outOfPatience() bool {
	return t.Recipe.Patience > 0 && len(t.History)-t.Best >= t.Recipe.Patience && t.Best > 0
}

// keptWeights copies the weights that are measured and saved.
func (t *trainer) keptWeights() [][]float32 {
	var w [][]float32
	for i := range t.opt.params {
		w = append(w, slices.Clone(t.opt.kept(i)))
	}
	return w
}

// model is a captioning model with the given weights.
func (t *trainer) model(weights [][]float32) (*showtell.Model, error) {
	d, err := decoder.New(t.config, nil)
	if err != nil {
		return nil, err
	}
	next := 0
	for i, p := range d.Params() {
		if t.dec.Params()[i].Fixed {
			copy(p.Data, t.dec.Params()[i].Data)
			continue
		}
		copy(p.Data, weights[next])
		next++
	}
	return showtell.New(t.manifest(), t.Network, d)
}

func (t *trainer) manifest() showtell.Manifest {
	man := showtell.Manifest{
		Decoder: t.config,
		Words:   t.vocab.Words(),
		Search:  t.Recipe.Search,
		Origin: showtell.Origin{
			Tool:    "showtell " + showtell.Version,
			Dataset: fmt.Sprintf("%s, %d training pictures", t.Set.Format, len(t.examples)),
			Data:    t.Set.Fingerprint(),
			Recipe:  t.Recipe.String(),
			Seed:    t.Recipe.Seed,
			Epoch:   t.Best,
			History: slices.Clone(t.History),
		},
	}
	if t.Best > 0 {
		e := t.History[t.Best-1]
		man.Origin.Dev = map[string]float64{"CIDEr-D": e.CiderD, "BLEU-4": e.Bleu4}
	}
	return man
}
