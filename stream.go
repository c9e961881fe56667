package showtell

import (
	"context"
	"fmt"
	"image"
	"iter"
	"slices"

	"showtell/imageprep"
	"showtell/tensor"
)

// together is how many pictures one search captions: enough for fast matrix
// products, few enough that the cores share the work evenly.
const together = 16

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

// Sources describes pictures that are brought on demand, on all cores: while a
// batch is searched the next one is read and encoded. Otherwise it is All.
func (m *Model) Sources(ctx context.Context, sources iter.Seq[Source], o *Options) iter.Seq2[Caption, error] {
	return func(yield func(Caption, error) bool) {
		now, next := &batch{model: m}, &batch{model: m}
		turn := func() bool {
			now.search(ctx, next, o)
			going := now.yield(ctx, yield)
			now, next = next, now
			next.sources = next.sources[:0]
			return going
		}
		most := max(together, 4*tensor.Workers())
		size := min(tensor.Workers(), most) // the first captions come soon
		for s := range sources {
			next.sources = append(next.sources, s)
			if len(next.sources) < size {
				continue
			}
			if !turn() {
				return
			}
			size = min(2*size, most)
		}
		if turn() {
			turn()
		}
	}
}

// A batch is pictures on their way from sources to captions.
type batch struct {
	model    *Model
	sources  []Source
	grids    []float32
	errs     []error
	captions []Caption
}

// search captions the pictures of b while those of next are read and encoded.
func (b *batch) search(ctx context.Context, next *batch, o *Options) {
	searches := (len(b.sources) + together - 1) / together
	b.captions = append(b.captions[:0], make([]Caption, len(b.sources))...)
	size, n := b.model.features(), len(next.sources)
	next.grids = slices.Grow(next.grids[:0], n*size)[:n*size]
	next.errs = append(next.errs[:0], make([]error, n)...)
	tensor.Parallel(searches+n, func(i int) {
		if i < searches {
			b.describe(ctx, i*together, min((i+1)*together, len(b.sources)), o)
		} else {
			next.load(ctx, i-searches)
		}
	})
}

// load brings the grid of picture i.
func (b *batch) load(ctx context.Context, i int) {
	size := b.model.features()
	if b.errs[i] = ctx.Err(); b.errs[i] == nil {
		b.errs[i] = b.model.load(b.grids[i*size:(i+1)*size], b.sources[i])
	}
}

// describe captions pictures lo to hi, but for those that could not be read.
func (b *batch) describe(ctx context.Context, lo, hi int, o *Options) {
	size := b.model.features()
	var good []int
	grids := b.grids[lo*size : lo*size]
	for i := lo; i < hi; i++ {
		if b.errs[i] == nil {
			good = append(good, i)
			grids = append(grids, b.grids[i*size:(i+1)*size]...)
		}
	}
	if len(good) == 0 {
		return
	}
	captions, err := b.model.DescribeGrids(ctx, grids, o, 1)
	for k, i := range good {
		b.errs[i] = err
		if err == nil {
			b.captions[i] = captions[k][0]
		}
	}
}

// yield hands out the captions and tells whether to go on. A context that is
// done is told once, as the last error.
func (b *batch) yield(ctx context.Context, yield func(Caption, error) bool) bool {
	for i, c := range b.captions {
		if ctx.Err() != nil {
			break
		}
		if !yield(c, b.errs[i]) {
			return false
		}
	}
	if err := ctx.Err(); err != nil {
		yield(Caption{}, err)
		return false
	}
	return true
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
