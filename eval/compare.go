package eval

import (
	"context"
	"fmt"

	"showtell/metric"
)

// chance is the share of tests of equal models that may find a difference.
const chance = .05

// Significant tells whether two models differ by more than chance: by both tests.
func Significant(c metric.Comparison) bool {
	return c.Randomisation < chance && c.Bootstrap < chance
}

// Compare tests each run against the first, metric by metric, on the same pictures,
// and fills Versus. Samples is how often the pictures are drawn anew.
func Compare(ctx context.Context, runs []Named, samples int, seed uint64) error {
	for i := range runs[min(1, len(runs)):] {
		run := &runs[i+1]
		if !samePictures(runs[0].Result, run.Result) {
			return fmt.Errorf("%s and %s captioned different pictures: they cannot be compared", runs[0].Name, run.Name)
		}
		var err error
		if run.Versus, err = metric.Compare(ctx, run.Result.metrics, runs[0].Result.metrics, &metric.Resampling{Samples: samples, Seed: seed}); err != nil {
			return err
		}
	}
	return nil
}

func samePictures(a, b *Result) bool {
	if len(a.Items) != len(b.Items) {
		return false
	}
	for i := range a.Items {
		if a.Items[i].Name != b.Items[i].Name {
			return false
		}
	}
	return true
}
