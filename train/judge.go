package train

import (
	"context"
	"fmt"

	"showtell"
	"showtell/dataset"
	"showtell/metric"
	"showtell/tensor"
)

// judge scores a model on the dev split by decoding, as it will be used.
type judge struct {
	items    []dataset.Item
	features Features
	size     int // of a grid
}

func newJudge(items []dataset.Item, f Features, size int) *judge {
	j := &judge{features: f, size: size}
	for _, item := range items {
		if len(item.Captions) > 0 {
			j.items = append(j.items, item)
		}
	}
	return j
}

// score fills in the dev scores of an epoch; without a dev split they stay 0.
func (j *judge) score(ctx context.Context, m *showtell.Model, e *showtell.Epoch) error {
	if len(j.items) == 0 {
		return nil
	}
	var hyps []string
	var refs [][]string
	const chunk = 32
	for lo := 0; lo < len(j.items); lo += chunk {
		items := j.items[lo:min(len(j.items), lo+chunk)]
		captions, err := j.caption(ctx, m, items)
		if err != nil {
			return err
		}
		for i, item := range items {
			hyps = append(hyps, captions[i])
			refs = append(refs, item.Captions)
		}
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

func (j *judge) caption(ctx context.Context, m *showtell.Model, items []dataset.Item) ([]string, error) {
	grids := make([]float32, len(items)*j.size)
	missing := make([]bool, len(items))
	tensor.Parallel(len(items), func(i int) {
		missing[i] = !j.features.Grid(grids[i*j.size:(i+1)*j.size], items[i].Name, false)
	})
	for i, m := range missing {
		if m {
			return nil, fmt.Errorf("no features of %s", items[i].Name)
		}
	}
	all, err := m.DescribeGrids(ctx, grids, nil, 1)
	if err != nil {
		return nil, err
	}
	out := make([]string, len(all))
	for i, list := range all {
		out[i] = list[0].Raw()
	}
	return out, nil
}
