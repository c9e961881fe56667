package train

import (
	"context"
	"fmt"
	"slices"

	"showtell"
	"showtell/decoder"
	"showtell/nn"
)

// A stage is a part of a training, with epochs, rates, pictures and an
// optimiser of its own. It begins with the best weights so far.
type stage struct {
	name   string // in the history and the log; the decoder's has none
	recipe Recipe // with this stage's epochs, rates and pictures
	learns []*nn.Param
	rates  []float64 // of each of them, as a share of recipe.Rate; nil: all of it
	atOnce int       // pictures that go through the network together
	trial  bool      // of one epoch, to compare another start with
	batcher

	// from is the weights of learns to begin with, while the best so far stay those to
	// surpass; nil: the best so far.
	from func() [][]float32

	// encode is the decoder's grid of the pictures of a batch, whose own grid is what
	// they look like to the stage.
	encode func(t *nn.Tape, b *decoder.Batch) *nn.Var

	// start changes the weights before the first step; nil: they begin as they are.
	start func()

	// learn leaves the gradients of a step and returns its loss with the number of
	// what that is a mean over; nil: trainer.learn.
	learn func(t *nn.Tape, b *decoder.Batch) (loss float64, n int, err error)

	// grids makes the features that m wants of what pictures look like, one
	// behind the other; nil: they are the same.
	grids func(m *showtell.Model) (func(seen []float32) []float32, error)
}

// stages are what a training goes through. Each function makes its stage ready.
func (t *trainer) stages() (list []func(ctx context.Context) (*stage, error)) {
	if t.Start == nil {
		if t.Recipe.Text.File != "" {
			if len(t.devItems()) > 0 {
				list = append(list, t.trialStage)
			}
			list = append(list, t.textStage, t.textedStage)
		} else {
			list = append(list, t.decoderStage)
		}
	}
	if t.tuning != nil {
		list = append(list, t.fineTuneStage)
	}
	if t.Recipe.Reward.Epochs > 0 {
		list = append(list, t.rewardStage)
	}
	return list
}

// enter begins a stage with the weights as they are.
func (t *trainer) enter(ctx context.Context, number int) error {
	s, err := t.stages()[number](ctx)
	if err != nil {
		return err
	}
	if s.start != nil {
		s.start()
	}
	t.begin(number, s)
	return nil
}

func (t *trainer) begin(number int, s *stage) {
	t.Stage, t.stage = number, s
	t.opt = newOptimizer(&s.recipe, s.learns, s.rates)
}

// advance goes on to the next stage. If that can't be made ready, the one that
// has ended stays, for a checkpoint.
func (t *trainer) advance(ctx context.Context) error {
	s, err := t.stages()[t.Stage+1](ctx)
	if err != nil {
		return err
	}
	if t.stage.trial {
		t.rival, t.Comparing = t.newRival(), true
	}
	from := t.best
	if s.from != nil {
		from = s.from()
	}
	for i, p := range t.opt.params {
		copy(p.Data, from[i])
	}
	t.Begun, t.Since, t.Before, t.Step = len(t.History), len(t.History), t.Before+t.Step, 0
	t.Kept, t.kept, t.Ended = nil, nil, false
	t.begin(t.Stage+1, s)
	if s.from == nil {
		t.best = t.keptWeights()
	}
	if s.start != nil {
		s.start()
		t.begin(t.Stage, s)
	}
	return t.checkpoint()
}

// decoderStage teaches the decoder with features that are kept.
func (t *trainer) decoderStage(context.Context) (*stage, error) {
	r := t.Recipe
	return &stage{
		recipe: r, learns: t.decoderLearns(), atOnce: r.Pictures,
		batcher: t.newBatcher("", r, stored(t.Features), t.config.Cells, t.config.Channels),
		encode:  gridItself,
	}, nil
}

// gridItself is the encoding of what is kept encoded.
func gridItself(_ *nn.Tape, b *decoder.Batch) *nn.Var { return b.Grid }

// epochs is how many the stage has at most.
func (s *stage) epochs() int {
	if s.trial {
		return 1
	}
	return s.recipe.Epochs
}

func (t *trainer) decoderLearns() []*nn.Param {
	return slices.DeleteFunc(slices.Clone(t.dec.Params()), func(p *nn.Param) bool { return p.Fixed })
}

// weights are all that may learn in some stage.
func (t *trainer) weights() []*nn.Param {
	all := slices.Clone(t.dec.Params())
	if t.tuning == nil {
		return all
	}
	for _, p := range t.tuning.Params {
		if !p.Fixed {
			all = append(all, p)
		}
	}
	return all
}

// keptWeights copies the weights that are measured and saved.
func (t *trainer) keptWeights() [][]float32 {
	var w [][]float32
	for i := range t.opt.params {
		w = append(w, slices.Clone(t.opt.kept(i)))
	}
	return w
}

// model is a captioning model with the given weights of what learns.
func (t *trainer) model(weights [][]float32) (*showtell.Model, error) {
	values := map[*nn.Param][]float32{}
	for i, p := range t.opt.params {
		values[p] = weights[i]
	}
	value := func(p *nn.Param) []float32 {
		if v, ok := values[p]; ok {
			return v
		}
		return p.Data
	}
	d, err := decoder.New(t.config, nil)
	if err != nil {
		return nil, err
	}
	for i, p := range d.Params() {
		copy(p.Data, value(t.dec.Params()[i]))
	}
	network := t.Network
	if t.tuning != nil {
		var params [][]float32
		for _, p := range t.tuning.Params {
			params = append(params, slices.Clone(value(p)))
		}
		network = t.tuning.Network(params)
	}
	return showtell.New(t.manifest(), network, d)
}

// devScores are those of an epoch, as a model has them.
func devScores(e showtell.Epoch) map[string]float64 {
	return map[string]float64{"CIDEr-D": e.CiderD, "BLEU-4": e.Bleu4}
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
	if t.Best == 0 {
		return man
	}
	e := t.History[t.Best-1]
	man.Origin.Dev = devScores(e)
	if t.tuning != nil && e.Stage != "" {
		man.Origin.FineTuned = &showtell.FineTuned{What: t.Recipe.FineTune.What, From: t.tuning.First, Encoder: t.Network.Fingerprint()}
	}
	return man
}
