package train

import (
	"fmt"
	"math/rand/v2"

	"showtell/dataset"
	"showtell/decoder"
	"showtell/nn"
	"showtell/tensor"
	"showtell/text"
)

// Features brings the feature grid of a picture of the data set, as it is or
// mirrored, and tells whether there is one. A *features.Store is one.
type Features interface {
	Grid(dst []float32, name string, mirror bool) bool
}

// example is a picture with its captions as word numbers.
type example struct {
	name     string
	captions [][]int // from text.Start; ends with text.End unless cut
}

// examples numbers the words of the items that have captions.
func examples(items []dataset.Item, v *text.Vocab, maxWords int) []example {
	var all []example
	for _, item := range items {
		e := example{name: item.Name}
		for _, c := range item.Captions {
			if ids := encode(v, c, maxWords); len(ids) > 2 {
				e.captions = append(e.captions, ids)
			}
		}
		if len(e.captions) > 0 {
			all = append(all, e)
		}
	}
	return all
}

// encode numbers a caption. One that is too long is cut and has no end: its
// last word is not where a sentence ends.
func encode(v *text.Vocab, caption string, maxWords int) []int {
	ids := v.Encode(caption)
	out := append([]int{text.Start}, ids[:min(len(ids), maxWords)]...)
	if len(ids) <= maxWords {
		out = append(out, text.End)
	}
	return out
}

// batcher brings the pictures of a training step.
type batcher struct {
	examples []example
	features Features
	pictures int // a batch
	mirror   float64
	seed     uint64
	cells    int
	channels int

	epoch int // whose order this is
	order []int
	grids []float32
}

func (b *batcher) steps() int { return (len(b.examples) + b.pictures - 1) / b.pictures }

// batch brings batch i of an epoch. It depends on nothing but the seed, the
// epoch and i. Its arrays are valid until the next call.
func (b *batcher) batch(epoch, i int) (*decoder.Batch, error) {
	if b.order == nil || b.epoch != epoch {
		b.epoch, b.order = epoch, stream(b.seed, "order", epoch).Perm(len(b.examples))
	}
	picks := b.order[i*b.pictures : min(len(b.order), (i+1)*b.pictures)]
	size := b.cells * b.channels
	if b.grids == nil {
		b.grids = make([]float32, b.pictures*size)
	}
	rng := stream(b.seed, "mirror", epoch*b.steps()+i)
	mirrored := make([]bool, len(picks))
	for k := range mirrored {
		mirrored[k] = rng.Float64() < b.mirror
	}
	missing := make([]bool, len(picks))
	tensor.Parallel(len(picks), func(k int) {
		missing[k] = !b.features.Grid(b.grids[k*size:(k+1)*size], b.examples[picks[k]].name, mirrored[k])
	})
	batch := &decoder.Batch{Grid: nn.Const(b.grids[:len(picks)*size], len(picks)*b.cells, b.channels)}
	for k, p := range picks {
		e := b.examples[p]
		if missing[k] {
			return nil, fmt.Errorf("no features of %s", e.name)
		}
		for _, c := range e.captions {
			batch.Captions = append(batch.Captions, c)
			batch.Picture = append(batch.Picture, k)
		}
	}
	return batch, nil
}

// stream is the source of chance for one purpose at one point of the
// training. It can be had again at any time, so a checkpoint need not hold it.
func stream(seed uint64, purpose string, n int) *rand.Rand {
	h := uint64(14695981039346656037) // FNV-1a
	for _, c := range []byte(purpose) {
		h = (h ^ uint64(c)) * 1099511628211
	}
	return rand.New(rand.NewPCG(seed, h^uint64(n)*0x9e3779b97f4a7c15))
}
