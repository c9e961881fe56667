package metric

import (
	"math"
	"math/bits"

	"showtell/tensor"
)

// rarities say how rare n-grams are: ln N - ln max(1, df), where df of N images
// have the n-gram in a reference. Those of one image are as rare as those of none,
// so only n-grams of several images are kept.
type rarities struct {
	shards []shard // an n-gram belongs to the one that the first bits of its hash name
	shift  int     // of a hash to these bits
	byDF   []float64
}

// A shard is a hash table with open addressing.
type shard struct {
	once, more bitset // by hash: seen in one image, in several
	slots      []slot // as many as a power of two
	used       int
}

type slot struct {
	gram         // the zero gram: empty
	images int32 // that have it
	last   int32 // of them, plus 1
}

type bitset []uint64

func (b bitset) has(i uint64) bool { return b[i>>6]>>(i&63)&1 != 0 }
func (b bitset) set(i uint64)      { b[i>>6] |= 1 << (i & 63) }

// newRarities counts references of images, on all cores: first, roughly, which
// n-grams may stand in several images, and then these exactly. Each core goes over
// all references and takes the n-grams of its own shard.
func newRarities(refs [][][]int32) *rarities {
	shards := 1
	for shards < min(tensor.Workers(), 64) {
		shards *= 2
	}
	words := 0
	for _, list := range refs {
		for _, ref := range list {
			words += len(ref)
		}
	}
	size := uint64(64)
	for size < uint64(words)*orders*4/uint64(shards) {
		size *= 2
	}
	r := &rarities{shards: make([]shard, shards), shift: 65 - bits.Len(uint(shards))}
	tensor.Parallel(shards, func(k int) {
		s := &r.shards[k]
		*s = shard{once: make(bitset, size/64), more: make(bitset, size/64), slots: make([]slot, 64)}
		s.sweep(refs, uint64(k), r.shift, false)
		s.once = nil
		s.sweep(refs, uint64(k), r.shift, true)
	})
	most := int32(1)
	for k := range r.shards {
		for _, slot := range r.shards[k].slots {
			most = max(most, slot.images)
		}
	}
	r.byDF = make([]float64, most+1)
	for df := range r.byDF {
		r.byDF[df] = math.Log(float64(len(refs))) - math.Log(math.Max(1, float64(df)))
	}
	return r
}

// sweep notices or, the second time, counts the n-grams of shard k.
func (s *shard) sweep(refs [][][]int32, k uint64, shift int, second bool) {
	var places []gram
	for i, list := range refs {
		for _, ref := range list {
			places = gramsAt(places[:0], ref)
			for _, g := range places {
				for n := range orders {
					short, ok := g.beginning(n + 1)
					if !ok {
						break
					}
					hash := short.hash()
					switch {
					case hash>>shift != k:
					case second:
						s.count(short, hash, int32(i))
					default:
						s.notice(hash)
					}
				}
			}
		}
	}
}

// notice marks what comes twice; an n-gram may come twice for one image.
func (s *shard) notice(hash uint64) {
	if i := hash & (uint64(len(s.once))*64 - 1); s.once.has(i) {
		s.more.set(i)
	} else {
		s.once.set(i)
	}
}

// count counts the images of what was marked.
func (s *shard) count(g gram, hash uint64, image int32) {
	if !s.more.has(hash & (uint64(len(s.more))*64 - 1)) {
		return
	}
	if 2*s.used >= len(s.slots) {
		s.grow()
	}
	e := s.find(g, hash)
	if e.gram == (gram{}) {
		e.gram = g
		s.used++
	}
	if e.last != image+1 {
		e.last = image + 1
		e.images++
	}
}

// find returns the slot of an n-gram, or the empty one where it belongs.
func (s *shard) find(g gram, hash uint64) *slot {
	mask := uint64(len(s.slots) - 1)
	for i := hash & mask; ; i = (i + 1) & mask {
		if e := &s.slots[i]; e.gram == g || e.gram == (gram{}) {
			return e
		}
	}
}

func (s *shard) grow() {
	old := s.slots
	s.slots = make([]slot, 2*len(old))
	for _, e := range old {
		if e.gram != (gram{}) {
			*s.find(e.gram, e.gram.hash()) = e
		}
	}
}

// of returns the rarity of an n-gram.
func (r *rarities) of(g gram) float64 {
	h := g.hash()
	s := &r.shards[h>>r.shift]
	if !s.more.has(h & (uint64(len(s.more))*64 - 1)) {
		return r.byDF[1]
	}
	return r.byDF[s.find(g, h).images]
}
