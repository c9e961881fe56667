package metric

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"showtell/tensor"
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

// each calls f for every sample, on all cores, until ctx ends.
func (o *Resampling) each(ctx context.Context, f func(sample int)) error {
	tensor.Parallel(o.samples(), func(sample int) {
		if ctx.Err() == nil {
			f(sample)
		}
	})
	return ctx.Err()
}

// Bootstrap returns, for each result, the interval of 95 % of the corpus scores of
// resamples of its images (the percentile bootstrap, Efron 1979): as many images,
// drawn with replacement, the same for all results. A corpus score is made anew
// from what was counted of the images drawn. What CIDEr knows of how rare words
// are stays as it was. The results must be of the same number of images.
func Bootstrap(ctx context.Context, results []Result, o *Resampling) ([]Interval, error) {
	images, err := sameImages(results)
	if err != nil || len(results) == 0 {
		return nil, err
	}
	scores := table(len(results), o.samples())
	err = o.each(ctx, func(sample int) {
		times := draw(o.rng(resample, sample), images)
		for k := range results {
			scores[k][sample] = results[k].counted().corpus(times)
		}
	})
	if err != nil {
		return nil, err
	}
	intervals := make([]Interval, len(results))
	for k := range intervals {
		intervals[k] = interval(scores[k])
	}
	return intervals, nil
}

func sameImages(results []Result) (int, error) {
	for _, r := range results {
		if n := len(results[0].PerImage); len(r.PerImage) != n {
			return 0, fmt.Errorf("metric: %s of %d images, but %s of %d", results[0].Name, n, r.Name, len(r.PerImage))
		}
	}
	if len(results) == 0 {
		return 0, nil
	}
	return len(results[0].PerImage), nil
}

func table(rows, columns int) [][]float64 {
	t := make([][]float64, rows)
	for i := range t {
		t[i] = make([]float64, columns)
	}
	return t
}

// draw draws n images with replacement and says how often each came.
func draw(rng *rand.Rand, n int) []int32 {
	times := make([]int32, n)
	for range n {
		times[rng.IntN(n)]++
	}
	return times
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
