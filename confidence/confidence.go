// Package confidence gives the probability that a caption is good, from how sure
// the model was of its words.
//
// Fit a Calibration to captions whose scores are known; then Probability judges
// those whose scores are not. Bins, Error and Coverage say how good it is at that.
package confidence

import (
	"fmt"
	"math"
)

// Evidence is what a model's own numbers say about a caption.
type Evidence [3]float64

// Of is the evidence of a caption: the mean log-probability of its words and its
// end, the least log-probability of a word, and the number of words.
func Of(logProb float64, words []float64) Evidence {
	least := 0.0
	for _, w := range words {
		least = min(least, w)
	}
	return Evidence{logProb / float64(len(words)+1), least, float64(len(words))}
}

// A Calibration turns evidence into a probability, by logistic regression. It is
// stored in model files.
type Calibration struct {
	Bar      float64    `json:"bar"`      // a caption of at least this CIDEr-D (of 10) counts as good
	Weights  [4]float64 `json:"weights"`  // of 1, and of the evidence
	Pictures int        `json:"pictures"` // that it was fitted to
	Good     float64    `json:"good"`     // share of good captions among them
	Error    float64    `json:"error"`    // expected calibration error, by cross-validation
}

// Probability that a caption of this evidence is good, 0 to 1.
func (c *Calibration) Probability(e Evidence) float64 {
	z := c.Weights[0]
	for i, x := range e {
		z += c.Weights[i+1] * x
	}
	return 1 / (1 + math.Exp(-z))
}

// Least is the fewest pictures to fit to.
const Least = 50

// folds of the cross-validation.
const folds = 5

// Fit makes a calibration of captions with their CIDEr-D (0 to 10). Too few of
// them, or none on one side of the bar, are an error.
func Fit(evidence []Evidence, scores []float64, bar float64) (*Calibration, error) {
	good := Good(scores, bar)
	n := 0
	for _, g := range good {
		if g {
			n++
		}
	}
	if len(scores) < Least || n < folds || len(scores)-n < folds {
		return nil, fmt.Errorf("%d of %d captions reach a CIDEr-D of %.0f: too few to tell good from bad by", n, len(scores), 100*bar)
	}
	c := &Calibration{Bar: bar, Weights: fit(evidence, good), Pictures: len(scores), Good: float64(n) / float64(len(scores))}
	held := make([]float64, len(scores))
	for fold := range folds {
		var e []Evidence
		var g []bool
		for i := range evidence {
			if i%folds != fold {
				e, g = append(e, evidence[i]), append(g, good[i])
			}
		}
		part := Calibration{Weights: fit(e, g)}
		for i := fold; i < len(held); i += folds {
			held[i] = part.Probability(evidence[i])
		}
	}
	c.Error = Error(Bins(held, good))
	return c, nil
}

// Good tells which scores reach the bar.
func Good(scores []float64, bar float64) []bool {
	good := make([]bool, len(scores))
	for i, s := range scores {
		good[i] = s >= bar
	}
	return good
}

// fit finds the weights of the largest likelihood, less half their squares (of
// evidence scaled to deviation 1), by Newton's method.
func fit(evidence []Evidence, good []bool) [4]float64 {
	mean, deviation := moments(evidence)
	var w [4]float64
	for range 30 {
		var gradient [4]float64
		var hessian [4][4]float64
		for i := 1; i < 4; i++ {
			gradient[i], hessian[i][i] = w[i], 1
		}
		hessian[0][0] = 1e-9
		for n, e := range evidence {
			x := [4]float64{1}
			z := w[0]
			for i := range e {
				x[i+1] = (e[i] - mean[i]) / deviation[i]
				z += w[i+1] * x[i+1]
			}
			p := 1 / (1 + math.Exp(-z))
			miss := p
			if good[n] {
				miss--
			}
			for i := range x {
				gradient[i] += miss * x[i]
				for k := range x {
					hessian[i][k] += p * (1 - p) * x[i] * x[k]
				}
			}
		}
		step := solve(hessian, gradient)
		for i := range w {
			w[i] -= step[i]
		}
	}
	for i := range mean { // for evidence as it comes
		w[i+1] /= deviation[i]
		w[0] -= w[i+1] * mean[i]
	}
	return w
}

// moments are the mean and the deviation of each number, deviations not 0.
func moments(evidence []Evidence) (mean, deviation Evidence) {
	n := float64(len(evidence))
	for _, e := range evidence {
		for i, x := range e {
			mean[i] += x / n
		}
	}
	for _, e := range evidence {
		for i, x := range e {
			deviation[i] += (x - mean[i]) * (x - mean[i]) / n
		}
	}
	for i, v := range deviation {
		deviation[i] = math.Sqrt(v) + 1e-9
	}
	return mean, deviation
}

// solve returns the x of a x = b, by elimination; a is symmetric and positive.
func solve(a [4][4]float64, b [4]float64) [4]float64 {
	for i := range a {
		for k := i + 1; k < 4; k++ {
			f := a[k][i] / a[i][i]
			for j := i; j < 4; j++ {
				a[k][j] -= f * a[i][j]
			}
			b[k] -= f * b[i]
		}
	}
	for i := 3; i >= 0; i-- {
		for k := i + 1; k < 4; k++ {
			b[i] -= a[i][k] * b[k]
		}
		b[i] /= a[i][i]
	}
	return b
}
