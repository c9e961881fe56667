package train

import (
	"errors"
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
	sides    bool    // a caption says left or right
	captions [][]int // from text.Start; ends with text.End unless cut
}

// examples numbers the words of the items that have captions.
func examples(items []dataset.Item, v *text.Vocab, maxWords int) []example {
	var all []example
	for _, item := range items {
		e := example{name: item.Name, sides: saysSides(item)}
		for _, c := range item.Captions {
			if ids := framed(v.Encode(c), maxWords); len(ids) > 2 {
				e.captions = append(e.captions, ids)
			}
		}
		if len(e.captions) > 0 {
			all = append(all, e)
		}
	}
	return all
}

// framed is a caption from its start to its end. One that is too long is cut and has no
// end: its last word is not where a sentence ends.
func framed(ids []int, maxWords int) []int {
	out := append([]int{text.Start}, ids[:min(len(ids), maxWords)]...)
	if len(ids) <= maxWords {
		out = append(out, text.End)
	}
	return out
}

// batcher brings the pictures of a training step.
type batcher struct {
	examples []example
	look     look
	chance   string // before the purposes of its streams
	pictures int    // a batch
	mirror   float64
	seed     uint64
	cells    int
	channels int
	size     int // of what a picture looks like: cells·channels

	keepSides bool // no picture is mirrored that captions say left or right of
	vary      bool // pictures change by chance

	shared []float32 // grid of all captions in place of the pictures'; nil: each has its own

	epoch int // whose order this is
	order []int
	picks []int // of the last batch, of examples
	grids []float32
}

// newBatcher is for pictures as r wants them. What it draws by chance is drawn
// for the purpose of the given name.
func (t *trainer) newBatcher(chance string, r Recipe, l look, cells, channels int) batcher {
	return batcher{
		examples: t.examples, look: l, chance: chance, pictures: r.Pictures, mirror: r.Mirror, seed: r.Seed,
		cells: cells, channels: channels, size: cells * channels,
	}
}

func (b *batcher) steps() int { return (len(b.examples) + b.pictures - 1) / b.pictures }

// batch brings batch i of an epoch. It depends on nothing but the seed, the
// epoch and i. Its arrays are valid until the next call.
func (b *batcher) batch(epoch, i int) (*decoder.Batch, error) {
	if b.order == nil || b.epoch != epoch {
		b.epoch, b.order = epoch, stream(b.seed, b.chance+"order", epoch).Perm(len(b.examples))
	}
	b.picks = b.order[i*b.pictures : min(len(b.order), (i+1)*b.pictures)]
	if b.shared != nil {
		return b.share(), nil
	}
	if err := b.see(b.picks, epoch*b.steps()+i); err != nil {
		return nil, err
	}
	batch := &decoder.Batch{Grid: nn.Const(b.grids[:len(b.picks)*b.size], len(b.picks)*b.cells, b.channels)}
	for k, p := range b.picks {
		for _, c := range b.examples[p].captions {
			batch.Captions = append(batch.Captions, c)
			batch.Picture = append(batch.Picture, k)
		}
	}
	return batch, nil
}

// share is a batch whose captions are all of one picture.
func (b *batcher) share() *decoder.Batch {
	batch := &decoder.Batch{Grid: nn.Const(b.shared, b.cells, b.channels)}
	for _, p := range b.picks {
		batch.Captions = append(batch.Captions, b.examples[p].captions...)
	}
	batch.Picture = make([]int, len(batch.Captions))
	return batch
}

// see looks at the pictures of a step.
func (b *batcher) see(picks []int, step int) error {
	if b.grids == nil {
		b.grids = make([]float32, b.pictures*b.size)
	}
	rng := stream(b.seed, b.chance+"mirror", step)
	mirrored := make([]bool, len(picks))
	for k, p := range picks {
		mirrored[k] = rng.Float64() < b.mirror && !(b.keepSides && b.examples[p].sides)
	}
	errs := make([]error, len(picks))
	tensor.Parallel(len(picks), func(k int) {
		name := b.examples[picks[k]].name
		var rng *rand.Rand
		if b.vary {
			rng = stream(b.seed, b.chance+"vary "+name, step)
		}
		errs[k] = b.look(b.grids[k*b.size:(k+1)*b.size], name, mirrored[k], rng)
	})
	return errors.Join(errs...)
}

// part is pictures lo to hi (exclusive) of a batch.
func (b *batcher) part(whole *decoder.Batch, lo, hi int) *decoder.Batch {
	part := &decoder.Batch{Grid: nn.Const(whole.Grid.Data[lo*b.size:hi*b.size], (hi-lo)*b.cells, b.channels)}
	for i, k := range whole.Picture {
		if k >= lo && k < hi {
			part.Captions, part.Picture = append(part.Captions, whole.Captions[i]), append(part.Picture, k-lo)
		}
	}
	return part
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
