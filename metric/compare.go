package metric

import (
	"context"
	"fmt"
	"math"
	"slices"
)

// A Comparison is how two systems differ by a metric, on the same images.
type Comparison struct {
	Name       string   `json:"metric"`
	A          float64  `json:"a"` // corpus scores
	B          float64  `json:"b"`
	Difference Interval `json:"difference"` // of A - B, by resampling the images of both together

	// How likely a difference so far from 0, either way, would be between systems
	// that are equally good: by the bootstrap, and by exchanging their captions.
	Bootstrap     float64 `json:"p_bootstrap"`
	Randomisation float64 `json:"p_randomisation"`
}

// Compare tests, metric by metric, whether a and b, results for the same images in
// the same order, differ by more than chance: with the paired bootstrap (Koehn
// 2004), of whose resamples p is twice the smaller of the shares on both sides of
// 0; and with approximate randomisation (Noreen 1989; Riezler and Maxwell 2005),
// whose p is the share of corpora with exchanged captions that differ as much as
// the true ones. Each share counts one more than was seen, so p is never 0. Other
// metrics or images on the two sides are an error.
func Compare(ctx context.Context, a, b []Result, o *Resampling) ([]Comparison, error) {
	if len(a) != len(b) || len(a) == 0 {
		return nil, fmt.Errorf("metric: %d results to compare with %d", len(a), len(b))
	}
	if err := sameImages(slices.Concat(a, b)); err != nil {
		return nil, err
	}
	for k := range a {
		if a[k].Name != b[k].Name || len(a[k].counted().columns) != len(b[k].counted().columns) {
			return nil, fmt.Errorf("metric: %s cannot be compared with %s", a[k].Name, b[k].Name)
		}
	}
	samples := o.samples()
	resampled, exchanged := table(len(a), samples), table(len(a), samples)
	x, y := stackOf(a), stackOf(b)
	weighted(slices.Concat(x.columns, y.columns), samples, o.draw(ctx), func(sample int, total []float64) {
		for k := range a {
			resampled[k][sample] = x.scores[k](total) - y.scores[k](total[len(x.columns):])
		}
	})
	// Exchanging an image adds what y counted of it more than x, and takes it from y.
	more := table(len(x.columns), len(a[0].PerImage))
	for k := range more {
		for i := range more[k] {
			more[k][i] = y.columns[k][i] - x.columns[k][i]
		}
	}
	xTotal, yTotal := total(x.columns), total(y.columns)
	weighted(more, samples, o.exchange(ctx), func(sample int, moved []float64) {
		mixed, other := make([]float64, len(moved)), make([]float64, len(moved))
		for k, n := range moved {
			mixed[k], other[k] = xTotal[k]+n, yTotal[k]-n
		}
		for k := range a {
			exchanged[k][sample] = x.scores[k](mixed) - y.scores[k](other)
		}
	})
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	comparisons := make([]Comparison, len(a))
	for k := range a {
		comparisons[k] = Comparison{
			Name: a[k].Name, A: a[k].Corpus, B: b[k].Corpus,
			Bootstrap:     twoSided(resampled[k]),
			Randomisation: asFar(exchanged[k], a[k].Corpus-b[k].Corpus),
			Difference:    interval(resampled[k]),
		}
	}
	return comparisons, nil
}

// rounding is how far two sums of the same numbers in another order may differ.
const rounding = 1e-12

// twoSided is twice the smaller of the shares of differences on both sides of 0.
func twoSided(differences []float64) float64 {
	below, above := 1, 1
	for _, d := range differences {
		if d <= rounding {
			below++
		}
		if d >= -rounding {
			above++
		}
	}
	return min(1, 2*float64(min(below, above))/float64(len(differences)+1))
}

// asFar is the share of differences that are as far from 0 as the true one.
func asFar(differences []float64, truth float64) float64 {
	far := 1
	for _, d := range differences {
		if math.Abs(d) >= math.Abs(truth)-rounding {
			far++
		}
	}
	return float64(far) / float64(len(differences)+1)
}
