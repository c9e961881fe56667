package train

import (
	"context"

	"showtell"
)

// lengthPowers are tried on dev beside the recipe's own.
var lengthPowers = []float64{0.5, 0.7, 0.9, 1.1}

// finish is the model that has been trained: the best weights, and the search that
// suits them. Nothing is searched where greed finds the words, or without dev.
func (t *trainer) finish(ctx context.Context) (*showtell.Model, error) {
	m, err := t.model(t.best)
	items := t.devItems()
	if err != nil || t.Recipe.SearchFixed || m.Search.Beams == 1 || len(items) == 0 {
		return m, err
	}
	own := m.Search.LengthPower
	powers, options := []float64{own}, []*showtell.Options{nil}
	for _, p := range lengthPowers {
		if p != own {
			powers, options = append(powers, p), append(options, &showtell.Options{LengthPower: p})
		}
	}
	captions, err := t.stage.caption(ctx, m, items, options...)
	if err != nil {
		return nil, err
	}
	scores := make([]showtell.Epoch, len(powers))
	best := 0
	for i := range scores {
		if err := scoreCaptions(captions[i], items, &scores[i]); err != nil {
			return nil, err
		}
		if scores[i].CiderD > scores[best].CiderD {
			best = i
		}
	}
	if best == 0 {
		return m, t.note("search: length_power %g stays: of %g none is better on dev", own, powers[1:])
	}
	m.Search.LengthPower = powers[best]
	m.Origin.Dev = devScores(scores[best])
	return m, t.note("search: length_power %g in place of %g: dev CIDEr-D %.1f, not %.1f", powers[best], own, 100*scores[best].CiderD, 100*scores[0].CiderD)
}
