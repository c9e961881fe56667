package train

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"time"

	"showtell"
	"showtell/dataset"
	"showtell/decoder"
	"showtell/encoder"
	"showtell/metric/meteor"
	"showtell/nn"
	"showtell/tensor"
	"showtell/text"
)

// A Job is a training to run.
type Job struct {
	Recipe   Recipe
	Network  *encoder.Network
	Set      *dataset.Set
	Features Features        // of the train and dev pictures
	Start    *showtell.Model // has Network, and a decoder to fine-tune; nil: one is trained first

	// Trunk brings what the part of the encoder that does not learn sees in
	// pictures. It is asked once, if fine-tuning shows pictures as they are or
	// mirrored. Without it they are read and looked at each time.
	Trunk func(ctx context.Context, trunk *encoder.Network, items []dataset.Item, mirror bool) (Features, error)

	Checkpoint string              // file to stop and resume by; "" for none
	Every      time.Duration       // between checkpoints; 0 means five minutes. One is also written after each epoch
	Resume     bool                // go on from Checkpoint
	Log        io.Writer           // gets a line of JSON for each Progress that ends an epoch, and one a minute; nil for none
	Progress   func(p Progress)    // called after each step; nil for none
	Meteor     *meteor.Meteor      // for rewards by METEOR; nil: METEOR without its data
	Vectors    func(text.Coverage) // told how many words the recipe's GloVe file has; nil for none
	Note       func(string)        // told in a line what was found or decided; nil for none
}

// Progress tells how far a training is.
type Progress struct {
	Stage  string  `json:"stage,omitempty"`  // "text", "fine-tune", "reward"; "" while the decoder learns alone
	Epoch  int     `json:"epoch"`            // of all stages, from 1
	Epochs int     `json:"epochs"`           // to the end of this stage
	Step   int     `json:"step"`             // of all epochs, from 1
	Steps  int     `json:"steps"`            // to the end of this stage
	Loss   float64 `json:"loss"`             // mean over this epoch so far
	Reward float64 `json:"reward,omitempty"` // in place of the loss, where the decoder learns by that
	Rate   float64 `json:"rate"`             // of the decoder
	Words  int     `json:"words"`            // captions' words trained on since the start of this run

	Done *showtell.Epoch `json:"done,omitempty"` // at the end of an epoch: its scores
	Best bool            `json:"best,omitempty"` // and whether it is the best so far
}

// state is what a checkpoint holds beside weights.
type state struct {
	Stage   int // that is going on, of trainer.stages
	Begun   int // epochs before it
	Since   int // epoch from which patience counts, or the best if that is later
	Before  int // steps before it
	Step    int // steps done of it
	LossSum float64
	LossN   int
	Best    int // epoch whose weights are kept, from 1; 0: none yet
	History []showtell.Epoch

	Comparing bool  // with rival, which began without text
	Kept      []int // epochs whose weights are kept for their mean
	Ended     bool  // the stage is over, its mean included
}

type trainer struct {
	Job
	state
	vocab    *text.Vocab
	examples []example
	config   decoder.Config
	dec      decoder.Decoder
	text     []example // captions without pictures; nil: none
	textHash string
	first    [][]float32     // what learns, before it has learned; only with text
	rival    *rival          // nil unless Comparing
	tuning   *encoder.Tuning // nil if the encoder does not learn
	stage    *stage          // that is going on
	opt      *optimizer      // of its params
	best     [][]float32     // of opt.params, after epoch Best
	kept     [][][]float32   // of opt.params, after the epochs Kept
	saved    time.Time
	logged   time.Time
	words    int
}

// Run trains and returns the model with the best dev score. When ctx ends it
// writes a checkpoint and returns the error of ctx.
func Run(ctx context.Context, job Job) (*showtell.Model, error) {
	t, err := newTrainer(job)
	if err != nil {
		return nil, err
	}
	if job.Resume {
		err = t.restore(ctx)
	} else {
		err = t.enter(ctx, 0)
	}
	if err != nil {
		return nil, err
	}
	var m *showtell.Model
	if err = t.loop(ctx); err == nil {
		m, err = t.finish(ctx)
	}
	if err != nil {
		if ctx.Err() != nil {
			err = errors.Join(fmt.Errorf("training stopped after step %d of %d: %w", t.Before+t.Step, t.Before+t.stageSteps(), ctx.Err()), t.checkpoint())
		}
		return nil, err
	}
	return m, nil
}

// loop goes through the stages.
func (t *trainer) loop(ctx context.Context) error {
	tape := nn.NewTape(nil)
	for {
		if err := t.runStage(ctx, tape); err != nil {
			return err
		}
		if err := t.endStage(ctx); err != nil {
			return err
		}
		if t.Stage+1 == len(t.stages()) {
			return nil
		}
		if err := t.advance(ctx); err != nil {
			return err
		}
	}
}

// runStage trains until the stage's last epoch, or until it has no patience.
func (t *trainer) runStage(ctx context.Context, tape *nn.Tape) error {
	steps := t.stage.steps()
	for {
		if t.Step == (len(t.History)-t.Begun+1)*steps {
			if err := t.endEpoch(ctx); err != nil {
				return err
			}
		}
		if t.Step == t.stageSteps() || t.outOfPatience() || t.Ended {
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

// stageSteps is how many steps the stage has.
func (t *trainer) stageSteps() int { return t.stage.epochs() * t.stage.steps() }

func newTrainer(job Job) (*trainer, error) {
	if job.Every == 0 {
		job.Every = 5 * time.Minute
	}
	t := &trainer{Job: job, saved: time.Now()}
	var vectors [][]float32
	err := t.chooseWords()
	if err == nil && t.Recipe.GloVe != "" {
		vectors, err = t.glove()
	}
	if err != nil {
		return nil, err
	}
	t.examples = examples(t.Set.Split("train"), t.vocab, t.config.MaxWords)
	if len(t.examples) == 0 {
		return nil, errors.New("no training picture has captions")
	}
	if t.dec, err = decoder.New(t.config, stream(t.Recipe.Seed, "weights", 0)); err != nil {
		return nil, err
	}
	if what := t.Recipe.FineTune.What; what != "" {
		if t.tuning, err = t.Network.Tune(what); err != nil {
			return nil, err
		}
		for _, p := range t.tuning.Params {
			p.Name = "encoder." + p.Name
		}
	}
	if t.Start == nil {
		if err = t.prepare(vectors); err == nil && t.Recipe.Text.File != "" {
			err = t.readText()
		}
		return t, err
	}
	for i, p := range t.Start.Params() {
		copy(t.dec.Params()[i].Data, p.Data)
	}
	return t, nil
}

// chooseWords takes vocabulary and shape of the decoder from the model to start
// from, or from captions and recipe.
func (t *trainer) chooseWords() (err error) {
	r := &t.Recipe
	if t.Start != nil {
		if r.FineTune.What == "" && r.Reward.Epochs == 0 {
			return errors.New("a model to start from, but nothing to fine-tune and no epochs of reward")
		}
		if r.GloVe != "" {
			return fmt.Errorf("word vectors of %s, but the model to start from has its own", r.GloVe)
		}
		if r.Text.File != "" {
			return fmt.Errorf("captions of %s to learn words from, but the model to start from has learned its own", r.Text.File)
		}
		t.config = t.Start.Decoder
		r.Decoder = t.config
		t.vocab, err = text.NewVocab(t.Start.Words)
		return err
	}
	items := t.Set.Split("train")
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
		return fmt.Errorf("no word stands %d times in the captions of the %d training pictures: lower min_count or add captions", r.MinCount, len(items))
	}
	h, w, c := t.Network.Grid()
	t.config = r.Decoder
	t.config.Vocab, t.config.Cells, t.config.Channels = t.vocab.Len(), h*w, c
	return nil
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
	grid := make([]float32, t.config.Cells*t.config.Channels)
	for _, e := range t.examples {
		if !t.Features.Grid(grid, e.name, false) {
			return fmt.Errorf("no features of %s", e.name)
		}
		m.Add(grid, t.config.Channels)
	}
	mean, deviation := m.Moments()
	if t.tuning != nil {
		raise(deviation)
	}
	fitter.Fit(mean, deviation)
	return nil
}

// raise lifts deviations that are nearly zero, by which features are divided: an
// encoder that learns may wake a channel that was silent.
func raise(deviation []float32) {
	least := 0.01 * tensor.Sum(deviation) / float32(len(deviation))
	for i, d := range deviation {
		deviation[i] = max(d, least)
	}
}

// step trains on one batch.
func (t *trainer) step(tape *nn.Tape) error {
	s := t.stage
	steps := s.steps()
	b, err := s.batch(t.Step/steps, t.Step%steps)
	if err != nil {
		return err
	}
	tape.Rand = stream(t.Recipe.Seed, s.name+"dropout", t.Step)
	learn := t.learn
	if s.learn != nil {
		learn = s.learn
	}
	l, words, err := learn(tape, b)
	if err != nil {
		return err
	}
	if math.IsNaN(l) || math.IsInf(l, 0) {
		return fmt.Errorf("the loss of step %d is %v: lower the rate (now %v)", t.Before+t.Step+1, l, s.recipe.Rate)
	}
	t.Step++
	rate := s.recipe.rate(t.Step, steps)
	t.opt.update(t.Step, rate)
	t.LossSum += l * float64(words)
	t.LossN += words
	t.words += words
	return t.report(Progress{Rate: rate})
}

// learn leaves the gradients of the mean loss of the batch's words, which it
// returns with their number. It takes as many pictures at once as the stage
// has memory for.
func (t *trainer) learn(tape *nn.Tape, b *decoder.Batch) (loss float64, words int, err error) {
	words = len(b.Targets())
	pictures := len(b.Grid.Data) / t.stage.size
	for lo := 0; lo < pictures; lo += t.stage.atOnce {
		part := b
		if t.stage.atOnce < pictures {
			part = t.stage.part(b, lo, min(pictures, lo+t.stage.atOnce))
		}
		tape.Reset()
		targets := part.Targets()
		part.Grid = t.stage.encode(tape, part)
		l := nn.CrossEntropy(tape, t.dec.Forward(tape, part), targets, float32(t.Recipe.Smoothing), nil)
		share := float64(len(targets)) / float64(words)
		loss += share * float64(l.Data[0])
		if share < 1 {
			l = nn.Scale(tape, l, float32(share))
		}
		tape.Backward(l)
	}
	return loss, words, nil
}

// report completes p, hands it on, and logs it where it ends an epoch or a
// minute has passed.
func (t *trainer) report(p Progress) error {
	p.Stage = t.stage.name
	p.Epoch, p.Epochs = t.Begun+(t.Step-1)/t.stage.steps()+1, t.Begun+t.stage.epochs()
	p.Step, p.Steps = t.Before+t.Step, t.Before+t.stageSteps()
	p.Words = t.words
	if t.LossN > 0 {
		p.Loss = t.LossSum / float64(t.LossN)
		if t.stage.name == rewarding {
			p.Loss, p.Reward = 0, -p.Loss
		}
	}
	if t.Progress != nil {
		t.Progress(p)
	}
	if t.Log == nil || p.Done == nil && time.Since(t.logged) < time.Minute {
		return nil
	}
	t.logged = time.Now()
	return t.log(struct {
		Time time.Time `json:"time"`
		Progress
	}{t.logged, p})
}

// log writes a line.
func (t *trainer) log(v any) error {
	line, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = t.Log.Write(append(line, '\n'))
	return err
}

// note tells, and logs, what was found or decided.
func (t *trainer) note(format string, args ...any) error {
	text := fmt.Sprintf(format, args...)
	if t.Note != nil {
		t.Note(text)
	}
	if t.Log == nil {
		return nil
	}
	return t.log(struct {
		Time time.Time `json:"time"`
		Note string    `json:"note"`
	}{time.Now(), text})
}

// endEpoch scores the weights on dev and keeps them if they are the best.
func (t *trainer) endEpoch(ctx context.Context) error {
	epoch := showtell.Epoch{Epoch: len(t.History) + 1, Stage: t.stage.name, Loss: t.LossSum / float64(t.LossN)}
	if t.stage.name == rewarding {
		epoch.Loss, epoch.Reward = 0, -epoch.Loss
	}
	var weights [][]float32
	if t.stage.name != texting { // a decoder that has seen no pictures can't say what is on them
		weights = t.keptWeights()
		if err := t.score(ctx, weights, &epoch); err != nil {
			return err
		}
	}
	t.History = append(t.History, epoch)
	better := weights != nil && (t.Best == 0 || epoch.CiderD >= t.History[t.Best-1].CiderD)
	if better {
		t.Best, t.best = epoch.Epoch, weights
	}
	if weights != nil {
		t.remember(epoch.Epoch, weights)
	}
	if err := t.report(Progress{Rate: t.stage.recipe.rate(t.Step, t.stage.steps()), Done: &epoch, Best: better}); err != nil {
		return err
	}
	if t.Comparing && t.stage.name != texting {
		if err := t.decide(); err != nil {
			return err
		}
	}
	t.LossSum, t.LossN = 0, 0
	return t.checkpoint()
}

func (t *trainer) outOfPatience() bool {
	return t.Recipe.Patience > 0 && len(t.History)-max(t.Best, t.Since) >= t.Recipe.Patience && t.Best > 0 && t.stage.name != texting
}
