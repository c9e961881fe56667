package train

import (
	"context"
	"math/rand/v2"
	"slices"
	"strings"

	"showtell/decoder"
	"showtell/metric"
	"showtell/metric/meteor"
	"showtell/nn"
	"showtell/search"
	"showtell/tensor"
	"showtell/text"
)

// Reward says how the decoder learns from the scores of its own captions
// (self-critical training, Rennie et al. 2017), after all else: of each picture it
// draws several, and those that score higher than the others become more probable.
type Reward struct {
	Epochs      int     `toml:"epochs"`       // 0: none of it
	Rate        float64 `toml:"rate"`         // highest learning rate
	EncoderRate float64 `toml:"encoder_rate"` // of what is fine-tuned; 0: it stays
	WarmUp      int     `toml:"warm_up"`      // steps until the rates are at their highest
	Pictures    int     `toml:"pictures"`     // in a batch
	Samples     int     `toml:"samples"`      // captions drawn for each; the mean score of the others is what one is measured by
	Average     float64 `toml:"average"`      // decay of the average of weights that is kept
	Bleu        float64 `toml:"bleu"`         // how much a caption's BLEU-4 (of 1) counts beside its CIDEr-D (of 10)
	Meteor      float64 `toml:"meteor"`       // and its METEOR (of 1)
	Ending      float64 `toml:"ending"`       // taken from the CIDEr-D (of 10) of a caption that ends in "a", "of", "with" and the like
	Repeat      float64 `toml:"repeat"`       // and for each word that it says again, but for "a", "in" and the like
	Likelihood  float64 `toml:"likelihood"`   // share of the loss that is still the cross-entropy of people's captions
	Temperature float64 `toml:"temperature"`  // what the decoder's scores are divided by beforehand, for good
}

// defaultReward is where recipes don't say otherwise.
var defaultReward = Reward{Rate: 7e-5, WarmUp: 50, Pictures: 15, Samples: 5, Average: 0.995, Ending: 0.2, Repeat: 0.02, Temperature: 1}

func (r Reward) validate() error {
	return validate([]bound{
		{"reward.epochs", float64(r.Epochs), 0, 1e5}, {"reward.rate", r.Rate, 1e-12, 10}, {"reward.encoder_rate", r.EncoderRate, 0, 10},
		{"reward.warm_up", float64(r.WarmUp), 0, 1e9}, {"reward.pictures", float64(r.Pictures), 1, 1e4}, {"reward.samples", float64(r.Samples), 2, 1000},
		{"reward.average", r.Average, 0, 0.999999}, {"reward.bleu", r.Bleu, 0, 100}, {"reward.meteor", r.Meteor, 0, 100}, {"reward.ending", r.Ending, 0, 10}, {"reward.repeat", r.Repeat, 0, 10}, {"reward.likelihood", r.Likelihood, 0, 0.99},
		{"reward.temperature", r.Temperature, 0.05, 20},
	})
}

// rewarding is the name of the stage.
const rewarding = "reward"

// rewardStage teaches the decoder by the scores of what it says, and the end of the
// encoder if that has a rate.
func (t *trainer) rewardStage(ctx context.Context) (*stage, error) {
	base := t.decoderStage
	if t.tuning != nil {
		base = t.fineTuneStage
	}
	s, err := base(ctx)
	if err != nil {
		return nil, err
	}
	w := t.Recipe.Reward
	s.name, s.chance, s.pictures = rewarding, rewarding+" ", w.Pictures
	s.recipe.Epochs, s.recipe.Rate, s.recipe.WarmUp, s.recipe.Pictures = w.Epochs, w.Rate, w.WarmUp, w.Pictures
	s.recipe.Average, s.recipe.Decay, s.recipe.Smoothing = w.Average, 0, 0
	s.atOnce = min(s.atOnce, w.Pictures)
	decoders := len(t.decoderLearns())
	if w.EncoderRate == 0 && t.tuning != nil { // no gradients for what stays
		s.learns, s.rates = s.learns[:decoders], nil
		encode, scratch := s.encode, nn.NewScratch()
		s.encode = func(_ *nn.Tape, b *decoder.Batch) *nn.Var {
			scratch.Reset()
			y := encode(scratch, b)
			return nn.Const(y.Data, y.Rows(), y.Cols())
		}
	}
	for i := decoders; i < len(s.learns); i++ {
		s.rates[i] = w.EncoderRate / w.Rate
	}
	score, err := t.scorer()
	if err != nil {
		return nil, err
	}
	s.start = func() { t.dec.Sharpen(float32(1 / w.Temperature)) }
	s.learn = func(tape *nn.Tape, b *decoder.Batch) (float64, int, error) { return t.learnRewarded(tape, b, score) }
	return s, nil
}

// A scorer scores captions of training pictures, given by their places in the training set.
type scorer struct {
	Reward
	vocab *text.Vocab
	cider *metric.CiderD
	refs  [][]string     // people's captions as tokens, by picture
	data  *meteor.Meteor // of METEOR
}

// endWord stands for the end of a sentence, which counts as a word of CIDEr-D in
// what is drawn and in people's captions: else the best caption is one without an end.
const endWord = "<end>"

func (t *trainer) scorer() (*scorer, error) {
	s := &scorer{Reward: t.Recipe.Reward, vocab: t.vocab, data: t.Job.Meteor}
	captions := map[string][]string{}
	for _, item := range t.Set.Split("train") {
		captions[item.Name] = item.Captions
	}
	ended := make([][]string, len(t.examples))
	for i, e := range t.examples {
		var list []string
		for _, c := range captions[e.name] {
			c = metric.Tokenize(c)
			list, ended[i] = append(list, c), append(ended[i], c+" "+endWord)
		}
		s.refs = append(s.refs, list)
	}
	var err error
	s.cider, err = metric.NewCiderD(ended)
	return s, err
}

// score is the reward of each caption, whose picture is at the same place of pictures.
func (s *scorer) score(captions [][]int, pictures []int) ([]float64, error) {
	scores, said := make([]float64, len(captions)), make([]string, len(captions))
	tensor.Parallel(len(captions), func(i int) {
		words := make([]string, len(captions[i]))
		for k, id := range captions[i] {
			words[k] = endWord
			if id != text.End {
				words[k] = s.vocab.Word(id)
			}
		}
		scores[i] = s.cider.Score(words, pictures[i]) - s.faults(words)
		if n := len(words); n > 0 && words[n-1] == endWord {
			words = words[:n-1]
		}
		said[i] = strings.Join(words, " ")
	})
	if s.Bleu == 0 && s.Meteor == 0 {
		return scores, nil
	}
	refs := make([][]string, len(said))
	for i, p := range pictures {
		refs[i] = s.refs[p]
	}
	c, err := metric.FromTokens(said, refs)
	if err != nil {
		return nil, err
	}
	c.Meteor = s.data
	for name, share := range map[string]float64{"BLEU-4": s.Bleu, "METEOR": s.Meteor} {
		if share == 0 {
			continue
		}
		results, err := metric.Compute(c, name)
		if err != nil {
			return nil, err
		}
		for i, v := range results[0].PerImage {
			scores[i] += share * v
		}
	}
	return scores, nil
}

// faults is what is taken off for a bad ending and for repetition.
func (s *scorer) faults(words []string) (sum float64) {
	for i, w := range words {
		if slices.Contains(words[:i], w) && !text.Dangling(w) {
			sum += s.Repeat
		}
	}
	if n := len(words); n == 0 || words[n-1] != endWord || n > 1 && text.Dangling(words[n-2]) {
		sum += s.Ending
	}
	return sum
}

// learnRewarded leaves the gradients of a step, and returns the mean reward, below
// 0 so that less is better, with the number of words.
func (t *trainer) learnRewarded(tape *nn.Tape, b *decoder.Batch, score *scorer) (loss float64, words int, err error) {
	s, captions := t.stage, 0
	pictures := len(b.Grid.Data) / s.size
	rng := stream(t.Recipe.Seed, s.chance+"draws", t.Step)
	for lo := 0; lo < pictures; lo += s.atOnce {
		hi := min(pictures, lo+s.atOnce)
		part := s.part(b, lo, hi)
		tape.Reset()
		said := &decoder.Batch{Grid: s.encode(tape, part)}
		weights, sum, err := t.draw(said, hi-lo, s.picks[lo:hi], rng, score)
		if err != nil {
			return 0, 0, err
		}
		l := nn.CrossEntropy(tape, t.dec.Forward(tape, said), said.Targets(), 0, weights)
		if share := t.Recipe.Reward.Likelihood; share > 0 {
			part.Grid = said.Grid
			people := nn.CrossEntropy(tape, t.dec.Forward(tape, part), part.Targets(), float32(t.Recipe.Smoothing), nil)
			l = nn.Add(tape, nn.Scale(tape, l, float32(1-share)), nn.Scale(tape, people, float32(share)))
		}
		if hi-lo < pictures {
			l = nn.Scale(tape, l, float32(hi-lo)/float32(pictures))
		}
		tape.Backward(l)
		loss, captions, words = loss-sum, captions+len(said.Captions), words+len(weights)
	}
	return loss / float64(captions), words, nil
}

// draw adds captions drawn for the pictures of a batch, whose places in the training
// set are picks, and returns for each of their words how much it was better than the
// others of its picture, and the sum of all scores.
func (t *trainer) draw(b *decoder.Batch, pictures int, picks []int, rng *rand.Rand, score *scorer) (weights []float32, sum float64, err error) {
	n := t.Recipe.Reward.Samples
	seeds := make([]uint64, pictures)
	for i := range seeds {
		seeds[i] = rng.Uint64()
	}
	grid := nn.Const(b.Grid.Data, b.Grid.Rows(), b.Grid.Cols())
	drawn, err := search.Sample(context.Background(), t.dec.Start(grid), pictures,
		&search.Options{NBest: n, MaxWords: t.config.MaxWords, MinWords: 1, NoRepeat: -1}, search.Sampling{Seeds: seeds})
	if err != nil {
		return nil, 0, err
	}
	var captions [][]int
	var places []int
	for k, list := range drawn {
		for _, r := range list {
			caption := r.Words
			if r.Ended {
				caption = append(caption, text.End)
			}
			captions, places = append(captions, caption), append(places, picks[k])
			b.Captions, b.Picture = append(b.Captions, append([]int{text.Start}, caption...)), append(b.Picture, k)
		}
	}
	scores, err := score.score(captions, places)
	if err != nil {
		return nil, 0, err
	}
	for k := range drawn {
		mine, total := scores[k*n:(k+1)*n], 0.0
		for _, v := range mine {
			total += v
		}
		sum += total
		for i, v := range mine {
			better := float32(v - (total-v)/float64(n-1))
			for range captions[k*n+i] {
				weights = append(weights, better)
			}
		}
	}
	return weights, sum, nil
}
