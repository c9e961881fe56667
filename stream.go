package showtell

import (
	"context"
	"fmt"
	"image"
	"iter"

	"showtell/imageprep"
	"showtell/nn"
	"showtell/tensor"
)

// batch is how many pictures are captioned together: enough to fill the
// machine, few enough that the first caption comes soon.
const batch = 16

// A Source brings one picture. It is called on the worker that will encode it.
type Source func() (image.Image, error)

// All describes a stream of pictures. Captions come in the order of the
// pictures; one bad picture is one error, not the end. It ends early when ctx
// is done, with its error as the last.
func (m *Model) All(ctx context.Context, images iter.Seq2[image.Image, error], o *Options) iter.Seq2[Caption, error] {
	return m.Sources(ctx, func(yield func(Source) bool) {
		for img, err := range images {
			if !yield(func() (image.Image, error) { return img, err }) {
				return
			}
		}
	}, o)
}

// Files describes pictures by the names of their files. Otherwise it is All,
// and faster: files are read on all cores, and large JPEGs at the smallest of
// 1/2, 1/4 and 1/8 that leaves twice what the network sees, each way.
func (m *Model) Files(ctx context.Context, names iter.Seq[string], o *Options) iter.Seq2[Caption, error] {
	read := &imageprep.Options{Least: m.network.Recipe().Least()}
	return m.Sources(ctx, func(yield func(Source) bool) {
		for name := range names {
			if !yield(func() (image.Image, error) { return imageprep.ReadFile(name, read) }) {
				return
			}
		}
	}, o)
}

// Sources describes pictures that are brought on demand, on all cores.
// Otherwise it is All.
func (m *Model) Sources(ctx context.Context, sources iter.Seq[Source], o *Options) iter.Seq2[Caption, error] {
	return func(yield func(Caption, error) bool) {
		var waiting []Source
		stopped := false
		flush := func() bool {
			for c, err := range m.batch(ctx, waiting, o) {
				if !yield(c, err) {
					return false
				}
			}
			waiting = waiting[:0]
			if err := ctx.Err(); err != nil {
				yield(Caption{}, err)
				return false
			}
			return true
		}
		for s := range sources {
			waiting = append(waiting, s)
			if len(waiting) == batch && !flush() {
				stopped = true
				break
			}
		}
		if !stopped && len(waiting) > 0 {
			flush()
		}
	}
}

// batch reads, encodes and captions pictures together.
func (m *Model) batch(ctx context.Context, sources []Source, o *Options) iter.Seq2[Caption, error] {
	return func(yield func(Caption, error) bool) {
		size := m.gridSize()
		grids := make([]float32, len(sources)*size)
		errs := make([]error, len(sources))
		tensor.Parallel(len(sources), func(i int) {
			if errs[i] = ctx.Err(); errs[i] == nil {
				errs[i] = m.load(grids[i*size:(i+1)*size], sources[i])
			}
		})
		if ctx.Err() != nil {
			return // the caller reports it, once
		}
		good := grids[:0]
		for i, err := range errs {
			if err == nil {
				good = append(good, grids[i*size:(i+1)*size]...)
			}
		}
		var captions [][]Caption
		var failed error
		if len(good) > 0 {
			captions, failed = m.DescribeGrids(ctx, good, o, 1)
		}
		next := 0
		for _, err := range errs {
			var c Caption
			switch {
			case err != nil:
			case failed != nil:
				err = failed
			default:
				c = captions[next][0]
				next++
			}
			if ctx.Err() != nil || !yield(c, err) {
				return
			}
		}
	}
}

// load brings one picture's grid. A decoder's panic is that picture's error.
func (m *Model) load(grid []float32, s Source) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("reading the picture: %v", r)
		}
	}()
	img, err := s()
	if err != nil {
		return err
	}
	return m.see(grid, img)
}

func (m *Model) gridVar(grids []float32) *nn.Var {
	h, w, c := m.network.Grid()
	return nn.Const(grids, len(grids)/(h*w*c)*h*w, c)
}
