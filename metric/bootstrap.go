package metric

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

// Resampling says how chance is judged. Nil and zero fields mean the defaults.
type Resampling struct {
	Samples int    // how many; 1,000
	Seed    uint64 // of all draws; the same seed gives the same numbers on any number of cores
}

// An Interval is where a score lies with a confidence of 95 %.
type Interval struct {
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

// purposes keep the draws of one test from those of another.
const (
	resample = iota + 1
	exchange
)

func (o *Resampling) samples() int {
	if o == nil || o.Samples <= 0 {
		return 1000
	}
	return o.Samples
}

// rng makes the draws of one sample.
func (o *Resampling) rng(purpose, sample int) *rand.Rand {
	var seed uint64
	if o != nil {
		seed = o.Seed
	}
	return rand.New(rand.NewPCG(seed, uint64(purpose)<<32|uint64(sample)))
}

// Bootstrap returns, for each result, the interval of 95 % of the corpus scores of
// resamples of its images (the percentile bootstrap, Efron 1979): as many images,
// drawn with replacement, the same for all results. A corpus score is made anew
// from what was counted of the images drawn. What CIDEr knows of how rare words
// are stays as it was. The results must be of the same number of images.
func Bootstrap(ctx context.Context, results []Result, o *Resampling) ([]Interval, error) {
	if err := sameImages(results); err != nil || len(results) == 0 {
		return nil, err
	}
	all := stackOf(results)
	scores := table(len(results), o.samples())
	weighted(all.columns, o.samples(), o.draw(ctx), func(sample int, total []float64) {
		for k, score := range all.scores {
			scores[k][sample] = score(total)
		}
	})
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	intervals := make([]Interval, len(results))
	for k := range intervals {
		intervals[k] = interval(scores[k])
	}
	return intervals, nil
}

func sameImages(results []Result) error {
	for _, r := range results {
		if n := len(results[0].PerImage); len(r.PerImage) != n {
			return fmt.Errorf("metric: %s of %d images, but %s of %d", results[0].Name, n, r.Name, len(r.PerImage))
		}
	}
	return nil
}

func table(rows, columns int) [][]float64 {
	t := make([][]float64, rows)
	for i := range t {
		t[i] = make([]float64, columns)
	}
	return t
}

// draw draws as many images as there are with replacement, for each sample others,
// and says how often each came.
func (o *Resampling) draw(ctx context.Context) func(sample int, times []float64) {
	return func(sample int, times []float64) {
		if ctx.Err() != nil {
			return
		}
		rng := o.rng(resample, sample)
		for range times {
			times[rng.IntN(len(times))]++
		}
	}
}

// exchange draws, for each sample others, which images are exchanged: 1, otherwise 0.
func (o *Resampling) exchange(ctx context.Context) func(sample int, swap []float64) {
	return func(sample int, swap []float64) {
		if ctx.Err() != nil {
			return
		}
		rng := o.rng(exchange, sample)
		var bits uint64
		for i := range swap {
			if i%64 == 0 {
				bits = rng.Uint64()
			}
			swap[i] = float64(bits >> (i % 64) & 1)
		}
	}
}

// interval sorts the values and returns where the middle 95 % of them begin and end.
func interval(values []float64) Interval {
	slices.Sort(values)
	return Interval{quantile(values, .025), quantile(values, .975)}
}

// quantile is the value below which the share q of sorted values lies, between two
// of them in proportion.
func quantile(sorted []float64, q float64) float64 {
	at := q * float64(len(sorted)-1)
	low := int(math.Floor(at))
	if low+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	part := at - float64(low)
	return sorted[low]*(1-part) + sorted[low+1]*part
}
