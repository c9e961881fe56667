package confidence

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

// drawn are captions whose chance of being good is known.
func drawn(n int, seed uint64) (evidence []Evidence, scores, chances []float64) {
	rng := rand.New(rand.NewPCG(seed, 1))
	truth := Calibration{Weights: [4]float64{2, 1.5, .2, -.05}}
	for range n {
		e := Evidence{-3 * rng.Float64(), -1 - 5*rng.Float64(), float64(5 + rng.IntN(12))}
		p := truth.Probability(e)
		score := 0.1
		if rng.Float64() < p {
			score = 0.9
		}
		evidence, scores, chances = append(evidence, e), append(scores, score), append(chances, p)
	}
	return evidence, scores, chances
}

// TestFit finds the weights again that drew the captions.
func TestFit(t *testing.T) {
	evidence, scores, _ := drawn(40_000, 1)
	c, err := Fit(evidence, scores, .5)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []float64{2, 1.5, .2, -.05} {
		if math.Abs(c.Weights[i]-want) > .15 {
			t.Errorf("weight %d is %.3f, want %.3f", i, c.Weights[i], want)
		}
	}
	if c.Error > .01 {
		t.Errorf("calibration error %.3f", c.Error)
	}
	few, scores, chances := drawn(1000, 2)
	var p []float64
	for i, e := range few {
		p = append(p, c.Probability(e))
		if math.Abs(p[i]-chances[i]) > .02 {
			t.Errorf("probability %.3f, want %.3f", p[i], chances[i])
		}
	}
	if e := Error(Bins(p, Good(scores, .5))); e > .05 {
		t.Errorf("calibration error of 1,000 captions %.3f", e)
	}
}

func TestFitRefuses(t *testing.T) {
	evidence, scores, _ := drawn(1000, 3)
	for name, bar := range map[string]float64{"all bad": 2, "all good": 0} {
		if _, err := Fit(evidence, scores, bar); err == nil || !strings.Contains(err.Error(), "too few") {
			t.Errorf("%s: error %v", name, err)
		}
	}
	if _, err := Fit(evidence[:20], scores[:20], .5); err == nil {
		t.Error("no error for 20 captions")
	}
	same := make([]Evidence, 1000) // tells nothing: the share is all there is to know
	c, err := Fit(same, scores, .5)
	if err != nil {
		t.Fatal(err)
	}
	if p := c.Probability(same[0]); math.Abs(p-c.Good) > 1e-6 {
		t.Errorf("probability %v, share %v", p, c.Good)
	}
}

func TestOf(t *testing.T) {
	if got := Of(-6, []float64{-1, -3, -.5}); got != (Evidence{-1.5, -3, 3}) {
		t.Errorf("evidence %v", got)
	}
	if got := Of(-1, nil); got != (Evidence{-1, 0, 0}) {
		t.Errorf("evidence %v of no words", got)
	}
}

// TestJudge is by hand: two bins, off by 0.2 and by 0.1.
func TestJudge(t *testing.T) {
	p := []float64{.2, .2, .9, .9, .9, 1}
	good := []bool{false, false, true, true, true, true}
	bins := Bins(p, good)
	if bins[2] != (Bin{2, .2, 0}) || bins[9].Count != 4 || bins[9].Good != 1 {
		t.Errorf("bins %v", bins)
	}
	if got, want := Error(bins), (2*.2+4*.075)/6; math.Abs(got-want) > 1e-12 {
		t.Errorf("error %v, want %v", got, want)
	}
	if got := Coverage([]float64{.1, .9, .5, .7}, []float64{1, 4, 2, 3}); got[0] != 4 || got[4] != 3.5 || got[9] != 2.5 {
		t.Errorf("coverage %v", got)
	}
	if Error(Bins(nil, nil)) != 0 || Coverage(nil, nil) != nil {
		t.Error("not nothing of nothing")
	}
}
