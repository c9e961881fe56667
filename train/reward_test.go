package train

import (
	"bytes"
	"context"
	"errors"
	"math"
	"path/filepath"
	"slices"
	"testing"

	"showtell/decoder"
	"showtell/nn"
	"showtell/search"
	"showtell/tensor"
	"showtell/text"
)

// rewarded is a training with a stage of rewards behind a short one.
func rewarded(t *testing.T, settings ...string) Job {
	return toyJob(t, append([]string{
		"epochs=3", "patience=0", "reward.epochs=6", "reward.rate=0.003", "reward.pictures=3", "reward.samples=4", "reward.warm_up=2", "reward.average=0.5", "decoder.dropout=0", "decoder.grid_dropout=0",
	}, settings...)...)
}

// Captions become better by what they score.
func TestRewardRises(t *testing.T) {
	job := rewarded(t, "reward.epochs=20", "reward.samples=10", "reward.rate=0.002")
	var rewards []float64
	job.Progress = func(p Progress) {
		if p.Done != nil && p.Stage == rewarding {
			rewards = append(rewards, p.Reward)
			if p.Loss != 0 || p.Done.Reward != p.Reward || p.Done.Loss != 0 {
				t.Errorf("%+v", p)
			}
		}
	}
	m, err := Run(t.Context(), job)
	if err != nil {
		t.Fatal(err)
	}
	if len(rewards) != 20 || rewards[18]+rewards[19] < rewards[0]+rewards[1]+.4 {
		t.Errorf("rewards by epoch: %.2f", rewards)
	}
	if h := m.Origin.History; len(h) != 23 || h[22].Stage != rewarding || h[22].Reward == 0 {
		t.Errorf("history %+v", h)
	}
}

// Interrupted in the stage of rewards and resumed, the same bytes come out.
func TestRewardResumes(t *testing.T) {
	through := rewarded(t, "reward.epochs=2", "mirror=0.5", "reward.likelihood=0.1")
	m, err := Run(t.Context(), through)
	if err != nil {
		t.Fatal(err)
	}
	want := save(t, m)
	for _, stop := range []int{9, 10, 13} { // 9 steps before it, 6 in it
		job := through
		job.Checkpoint = filepath.Join(t.TempDir(), "checkpoint")
		ctx, cancel := context.WithCancel(t.Context())
		job.Progress = func(p Progress) {
			if p.Step == stop {
				cancel()
			}
		}
		if _, err := Run(ctx, job); !errors.Is(err, context.Canceled) {
			t.Fatalf("stopped after step %d: %v", stop, err)
		}
		job.Progress, job.Resume = nil, true
		if m, err = Run(t.Context(), job); err != nil {
			t.Fatalf("resumed after step %d: %v", stop, err)
		}
		if !bytes.Equal(save(t, m), want) {
			t.Errorf("stopped after step %d and resumed, another model came out", stop)
		}
	}
}

// The end of the encoder learns by reward where it has a rate, and stays else; both
// go on after a stop.
func TestRewardReachesTheEncoder(t *testing.T) {
	for rate, learns := range map[string]bool{"0": false, "0.01": true} {
		job := tuneJob(t, "finetune.epochs=1", "patience=0", "reward.epochs=1", "reward.rate=0.01", "reward.warm_up=0", "reward.pictures=4", "reward.average=0", "average=0", "reward.encoder_rate="+rate)
		job.Checkpoint = filepath.Join(t.TempDir(), "checkpoint")
		tr, err := newTrainer(job)
		if err == nil {
			err = tr.enter(t.Context(), 2)
		}
		if err != nil {
			t.Fatal(err)
		}
		before := slices.Clone(tr.tuning.Params[0].Data)
		if err := tr.step(nn.NewTape(nil)); err != nil {
			t.Fatal(err)
		}
		if changed := !slices.Equal(before, tr.tuning.Params[0].Data); changed != learns {
			t.Errorf("rate %s: the encoder changed: %v", rate, changed)
		}
		if err := tr.checkpoint(); err != nil {
			t.Fatal(err)
		}
		job.Resume = true
		if _, err := Run(t.Context(), job); err != nil {
			t.Errorf("rate %s: %v", rate, err)
		}
	}
	if _, err := LoadRecipe("default", "reward.epochs=1", "reward.encoder_rate=0.1"); err == nil {
		t.Error("no error for a rate of what does not learn")
	}
}

// atReward is a trainer whose next step is one by rewards.
func atReward(t *testing.T, settings ...string) *trainer {
	t.Helper()
	tr, err := newTrainer(rewarded(t, settings...))
	if err == nil {
		err = tr.enter(t.Context(), 1)
	}
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

// What is drawn for a picture is measured by the others: the better ones weigh above
// 0, the worse below, and together nothing.
func TestRewardWeights(t *testing.T) {
	tr := atReward(t)
	score, err := tr.scorer()
	if err != nil {
		t.Fatal(err)
	}
	b, err := tr.stage.batch(0, 0)
	if err != nil {
		t.Fatal(err)
	}
	said := &decoder.Batch{Grid: b.Grid}
	weights, sum, err := tr.draw(said, 3, tr.stage.picks, stream(1, "x", 0), score)
	if err != nil {
		t.Fatal(err)
	}
	if len(said.Captions) != 12 || len(weights) != len(said.Targets()) {
		t.Fatalf("%d captions, %d weights for %d words", len(said.Captions), len(weights), len(said.Targets()))
	}
	at, total := 0, 0.0
	for k := range 3 {
		balance := 0.0
		for i := range 4 {
			c := said.Captions[4*k+i]
			s, err := score.score([][]int{c[1:]}, tr.stage.picks[k:k+1])
			if err != nil {
				t.Fatal(err)
			}
			total += s[0]
			w := weights[at]
			if slices.ContainsFunc(weights[at:at+len(c)-1], func(v float32) bool { return v != w }) {
				t.Errorf("words of a caption weigh %v", weights[at:at+len(c)-1])
			}
			balance += float64(w)
			at += len(c) - 1
		}
		if math.Abs(balance) > 1e-5 {
			t.Errorf("picture %d: weights sum to %v", k, balance)
		}
	}
	if math.Abs(sum-total) > 1e-9 {
		t.Errorf("sum of scores %v, want %v", sum, total)
	}
}

// TestScorer scores by hand what people said, and takes off for endings and
// repetition.
func TestScorer(t *testing.T) {
	tr := atReward(t, "reward.ending=1", "reward.repeat=0.5")
	score, err := tr.scorer()
	if err != nil {
		t.Fatal(err)
	}
	say := func(words ...string) float64 {
		var ids []int
		for _, w := range words {
			if w == "." {
				ids = append(ids, text.End)
			} else {
				ids = append(ids, tr.vocab.ID(w))
			}
		}
		scores, err := score.score([][]int{ids}, []int{0})
		if err != nil {
			t.Fatal(err)
		}
		return scores[0] // a toy number one; the one toy is here; toy
	}
	whole := say("a", "toy", "number", "one", ".")
	if other := say("a", "toy", "number", "two", "."); whole < 2 || other >= whole {
		t.Errorf("scores %v and %v", whole, other)
	}
	if cut := say("a", "toy", "number", "one"); cut > whole-1 {
		t.Errorf("%v without an end, %v with", cut, whole)
	}
	if got, want := say("number", "the", ".")-say("number", "is", "."), 0.0; math.Abs(got-want) > .5 {
		t.Errorf("two bad endings differ by %v", got)
	}
	if got := say("toy", "toy", "toy", "."); got > say("toy", ".")-1+.5 {
		t.Errorf("%v with repetition, %v without", got, say("toy", "."))
	}
}

// A mix of BLEU and METEOR is added as it is asked for.
func TestScorerMixes(t *testing.T) {
	score := func(settings ...string) float64 {
		tr := atReward(t, settings...)
		s, err := tr.scorer()
		if err != nil {
			t.Fatal(err)
		}
		said := []int{tr.vocab.ID("a"), tr.vocab.ID("toy"), tr.vocab.ID("number"), tr.vocab.ID("one"), text.End}
		scores, err := s.score([][]int{said, said}, []int{0, 1})
		if err != nil {
			t.Fatal(err)
		}
		return scores[0]
	}
	plain, bleu, both := score(), score("reward.bleu=0.5"), score("reward.bleu=0.5", "reward.meteor=2")
	if math.Abs(bleu-plain-0.5) > 1e-6 { // a person said just that
		t.Errorf("CIDEr-D %v, with half of BLEU-4 %v", plain, bleu)
	}
	if math.Abs(both-bleu-2) > 0.05 {
		t.Errorf("with twice METEOR %v, without %v", both, bleu)
	}
}

// The loss changes along its gradient as it should: the captions drawn stay the
// same, since they depend on the weights by chance alone.
func TestRewardGradient(t *testing.T) {
	tr := atReward(t, "reward.likelihood=0.3")
	score, err := tr.scorer()
	if err != nil {
		t.Fatal(err)
	}
	b, err := tr.stage.batch(0, 0)
	if err != nil {
		t.Fatal(err)
	}
	said := &decoder.Batch{Grid: b.Grid}
	weights, _, err := tr.draw(said, 3, tr.stage.picks, stream(1, "x", 0), score)
	if err != nil {
		t.Fatal(err)
	}
	tape := nn.NewTape(nil)
	loss := func(back bool) float64 {
		tape.Reset()
		l := nn.CrossEntropy(tape, tr.dec.Forward(tape, said), said.Targets(), 0, weights)
		if back {
			tape.Backward(l)
		}
		return float64(l.Data[0])
	}
	loss(true)
	for _, p := range tr.dec.Params() {
		g := slices.Clone(p.Grad())
		norm := 0.0
		for _, v := range g {
			norm += float64(v) * float64(v)
		}
		if norm = math.Sqrt(norm); norm < 1e-4 {
			continue
		}
		before := slices.Clone(p.Data)
		at := func(step float64) float64 {
			for i := range p.Data {
				p.Data[i] = before[i] + float32(step*float64(g[i])/norm)
			}
			return loss(false)
		}
		const h = 2e-3
		if slope := (at(h) - at(-h)) / (2 * h); math.Abs(slope-norm) > .03*norm+2e-3 {
			t.Errorf("%s: slope %v, gradient %v", p.Name, slope, norm)
		}
		copy(p.Data, before)
	}
}

// What is drawn has the probabilities that training gives it.
func TestDrawnAsTrained(t *testing.T) {
	for _, kind := range decoder.Kinds() {
		tr := atReward(t, "decoder.kind="+kind)
		tape := nn.NewTape(nil)
		for range 5 {
			if err := tr.step(tape); err != nil {
				t.Fatal(err)
			}
		}
		b, err := tr.stage.batch(0, 0)
		if err != nil {
			t.Fatal(err)
		}
		said := &decoder.Batch{Grid: b.Grid}
		list, err := search.Sample(t.Context(), tr.dec.Start(nn.Const(b.Grid.Data, b.Grid.Rows(), b.Grid.Cols())), 3,
			&search.Options{NBest: 4, MaxWords: tr.config.MaxWords, MinWords: 1, NoRepeat: -1}, search.Sampling{Seeds: []uint64{1, 2, 3}})
		if err != nil {
			t.Fatal(err)
		}
		var want []float64
		for k, drawn := range list {
			for _, r := range drawn {
				c := append([]int{text.Start}, r.Words...)
				if r.Ended {
					c = append(c, text.End)
				}
				said.Captions, said.Picture = append(said.Captions, c), append(said.Picture, k)
				want = append(want, r.LogProbs...)
			}
		}
		logits := tr.dec.Forward(nn.NewTape(nil), said)
		for i, target := range said.Targets() {
			row := logits.Row(i)
			tensor.LogSoftmax(row, row)
			if math.Abs(float64(row[target])-want[i]) > 1e-3 {
				t.Fatalf("%s: word %d was drawn with log-probability %v, and has %v", kind, i, want[i], row[target])
			}
		}
	}
}
