package train

import (
	"context"
	"errors"
	"strings"

	"showtell"
	"showtell/dataset"
	"showtell/metric"
	"showtell/tensor"
	"showtell/text"
)

// devItems are the pictures to score by.
func (t *trainer) devItems() (items []dataset.Item) {
	for _, item := range t.Set.Split("dev") {
		if len(item.Captions) > 0 {
			items = append(items, item)
		}
	}
	return items
}

// score captions the dev split with the given weights, as they will be used, and fills
// in the scores of an epoch; without a dev split they stay 0.
func (t *trainer) score(ctx context.Context, weights [][]float32, e *showtell.Epoch) error {
	items := t.devItems()
	if len(items) == 0 {
		return nil
	}
	m, err := t.model(weights)
	if err != nil {
		return err
	}
	captions, err := t.stage.caption(ctx, m, items, nil)
	if err != nil {
		return err
	}
	return scoreCaptions(captions[0], items, e)
}

// scoreCaptions fills in the scores of an epoch by captions of the items.
func scoreCaptions(hyps []string, items []dataset.Item, e *showtell.Epoch) error {
	e.Words, e.Length, e.BadEndings = read(hyps)
	refs := make([][]string, len(items))
	for i, item := range items {
		refs[i] = item.Captions
	}
	c, err := metric.NewCorpus(hyps, refs)
	if err != nil {
		return err
	}
	results, err := metric.Compute(c, "BLEU-4", "CIDEr-D")
	if err != nil {
		return err
	}
	for _, r := range results {
		switch r.Name {
		case "BLEU-4":
			e.Bleu4 = r.Corpus
		case "CIDEr-D":
			e.CiderD = r.Corpus
		}
	}
	return nil
}

// read counts the different words of captions, the words of one on average, and the
// share of those that end badly.
func read(captions []string) (different int, length, badEndings float64) {
	seen := map[string]bool{}
	for _, c := range captions {
		words := strings.Fields(c)
		for _, w := range words {
			seen[w] = true
		}
		length += float64(len(words))
		if n := len(words); n == 0 || text.Dangling(words[n-1]) {
			badEndings++
		}
	}
	n := float64(len(captions))
	return len(seen), length / n, badEndings / n
}

// caption is the best caption of each picture, found with each of the options.
func (s *stage) caption(ctx context.Context, m *showtell.Model, items []dataset.Item, options ...*showtell.Options) ([][]string, error) {
	grids := func(seen []float32) []float32 { return seen }
	if s.grids != nil {
		var err error
		if grids, err = s.grids(m); err != nil {
			return nil, err
		}
	}
	captions := make([][]string, len(options))
	const chunk = 32
	for lo := 0; lo < len(items); lo += chunk {
		some := items[lo:min(len(items), lo+chunk)]
		seen := make([]float32, len(some)*s.size)
		errs := make([]error, len(some))
		tensor.Parallel(len(some), func(i int) {
			errs[i] = s.look(seen[i*s.size:(i+1)*s.size], some[i].Name, false, nil)
		})
		if err := errors.Join(errs...); err != nil {
			return nil, err
		}
		encoded := grids(seen)
		for i, o := range options {
			all, err := m.DescribeGrids(ctx, encoded, o, 1)
			if err != nil {
				return nil, err
			}
			for _, list := range all {
				captions[i] = append(captions[i], list[0].Raw())
			}
		}
	}
	return captions, nil
}
