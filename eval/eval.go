// Package eval captions a split, scores the captions and shows them. Call Run,
// then Result.WriteTable, encoding/json on the Result, or WriteReport for a page
// with pictures.
package eval

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"showtell"
	"showtell/confidence"
	"showtell/dataset"
	"showtell/metric"
	"showtell/metric/meteor"
	"showtell/tensor"
)

// Features holds the feature grids of pictures. A *features.Store is one.
type Features interface {
	// Grid writes the grid of a picture, or of its mirror image, into dst. It
	// returns false where it has none.
	Grid(dst []float32, name string, mirror bool) bool
}

// Options of Run. Nil and zero fields mean the defaults.
type Options struct {
	Search   *showtell.Options     // how to caption; nil: as the model says
	Features Features              // where the pictures' grids are; nil: read the pictures from their files
	Metrics  []string              // names of metric.Names; nil: all
	Meteor   *meteor.Meteor        // METEOR with its data, of meteordata.Open; nil: METEOR without data, which says so
	Samples  int                   // of the pictures, for intervals; 0: none
	Seed     uint64                // of the samples
	Progress func(done, total int) // told after each picture; nil for none
}

// Run captions the items that have captions and scores the results against
// them. A picture that can't be read is one of Result.Problems, not the end;
// there is an error only if no picture is left, a metric is unknown, or ctx ends.
func Run(ctx context.Context, m *showtell.Model, items []dataset.Item, opts *Options) (*Result, error) {
	var o Options
	if opts != nil {
		o = *opts
	}
	items = slices.Clone(items)
	items = slices.DeleteFunc(items, func(i dataset.Item) bool { return len(i.Captions) == 0 })
	var captions iter.Seq2[showtell.Caption, error]
	if o.Features != nil {
		h, w, c := m.Network().Grid()
		captions = fromGrids(ctx, m, h*w*c, items, &o)
	} else {
		captions = m.Files(ctx, paths(items), o.Search)
	}
	r, err := run(ctx, captions, items, &o)
	if err != nil {
		return nil, err
	}
	r.Rows, r.Columns = m.Grid()
	r.Search = searchOf(m.Search, o.Search)
	r.judge(m.Confidence)
	if o.Samples > 0 {
		r.Intervals, err = metric.Bootstrap(ctx, r.metrics, &metric.Resampling{Samples: o.Samples, Seed: o.Seed})
		if err != nil {
			return nil, err
		}
	}
	return r, nil
}

// searchOf is what a model's defaults become by the options.
func searchOf(s showtell.SearchDefaults, o *showtell.Options) showtell.SearchDefaults {
	if o != nil {
		s.Beams = cmp.Or(o.Beams, s.Beams)
		s.MaxWords = cmp.Or(o.MaxWords, s.MaxWords)
		s.LengthPower = cmp.Or(o.LengthPower, s.LengthPower)
		s.NoRepeat = cmp.Or(o.NoRepeat, s.NoRepeat)
	}
	return s
}

// Calibrate makes the Calibration of a model from its captions of pictures that it
// did not learn from. Bar is the CIDEr-D, of 10, from which a caption is good.
func Calibrate(r *Result, bar float64) (*confidence.Calibration, error) {
	var evidence []confidence.Evidence
	var scores []float64
	for _, item := range r.Items {
		score, ok := item.Scores.Of("CIDEr-D")
		if !ok {
			return nil, errors.New("calibration needs CIDEr-D")
		}
		evidence, scores = append(evidence, item.Caption.Evidence()), append(scores, score)
	}
	return confidence.Fit(evidence, scores, bar)
}

// run collects the captions of the items, in their order, and scores them.
func run(ctx context.Context, captions iter.Seq2[showtell.Caption, error], items []dataset.Item, o *Options) (*Result, error) {
	if len(items) == 0 {
		return nil, errors.New("no picture with captions to evaluate")
	}
	if len(o.Metrics) == 0 {
		o.Metrics = metric.Names()
	}
	for _, name := range o.Metrics { // before the captioning, which takes long
		if !slices.Contains(metric.Names(), name) {
			return nil, fmt.Errorf("no metric %q (there are %v)", name, metric.Names())
		}
	}
	start, next := time.Now(), 0
	r := &Result{}
	for c, err := range captions {
		if ctx.Err() != nil || next == len(items) {
			break
		}
		item := items[next]
		next++
		if err != nil {
			r.Problems = append(r.Problems, dataset.Problem{Kind: dataset.Unreadable, Name: item.Name, Err: err})
		} else {
			r.Items = append(r.Items, Item{Name: item.Name, Path: item.Path, Caption: c, References: item.Captions})
		}
		if o.Progress != nil {
			o.Progress(next, len(items))
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if len(r.Items) == 0 {
		return nil, fmt.Errorf("none of %d pictures could be captioned; the first is %s", len(items), r.Problems[0])
	}
	r.Seconds = time.Since(start).Seconds()
	r.count()
	if err := r.score(o); err != nil {
		return nil, err
	}
	r.breakDown()
	return r, nil
}

func paths(items []dataset.Item) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, item := range items {
			if !yield(item.Path) {
				return
			}
		}
	}
}

// A describer captions grids. A *showtell.Model is one.
type describer interface {
	DescribeGrids(ctx context.Context, grids []float32, o *showtell.Options, n int) ([][]showtell.Caption, error)
}

// fromGrids captions the items from stored grids of size values each.
func fromGrids(ctx context.Context, m describer, size int, items []dataset.Item, o *Options) iter.Seq2[showtell.Caption, error] {
	const batch = 32
	return func(yield func(showtell.Caption, error) bool) {
		for part := range slices.Chunk(items, batch) {
			grids := make([]float32, len(part)*size)
			missing := make([]bool, len(part))
			tensor.Parallel(len(part), func(i int) {
				missing[i] = !o.Features.Grid(grids[i*size:(i+1)*size], part[i].Name, false)
			})
			n := 0
			for i, gone := range missing {
				if !gone {
					copy(grids[n*size:(n+1)*size], grids[i*size:])
					n++
				}
			}
			var all [][]showtell.Caption
			var failed error
			if n > 0 {
				all, failed = m.DescribeGrids(ctx, grids[:n*size], o.Search, 1)
			}
			for _, gone := range missing {
				var c showtell.Caption
				err := failed
				switch {
				case gone:
					err = errors.New("no stored features")
				case err == nil:
					c, all = all[0][0], all[1:]
				}
				if !yield(c, err) {
					return
				}
			}
		}
	}
}
