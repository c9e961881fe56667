package metric

import (
	"math"

	"showtell/tensor"
)

// rarities say how rare n-grams are: ln N - ln max(1, df), where df of N images
// have the n-gram in a reference. Those of one image are as rare as those of none,
// so only n-grams of several images are kept.
type rarities struct {
	shards [shardCount]shard
	byDF   []float64
}

// shardCount is how many parts count at the same time. An n-gram belongs to the
// part that the first bits of its hash name.
const (
	shardBits  = 4
	shardCount = 1 << shardBits
)

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
// n-grams may stand in several images, and then these exactly.
func newRarities(refs [][][]int32) *rarities {
	r := &rarities{}
	words := 0
	for _, list := range refs {
		for _, ref := range list {
			words += len(ref)
		}
	}
	bits := uint64(64)
	for bits < uint64(words)*orders*4/shardCount {
		bits *= 2
	}
	for k := range r.shards {
		r.shards[k] = shard{once: make(bitset, bits/64), more: make(bitset, bits/64), slots: make([]slot, 64)}
	}
	deal(refs, func(s int, p piece) { r.shards[s].notice(p) })
	deal(refs, func(s int, p piece) { r.shards[s].count(p) })
	most := int32(1)
	for k := range r.shards {
		s := &r.shards[k]
		s.once = nil
		for _, slot := range s.slots {
			most = max(most, slot.images)
		}
	}
	r.byDF = make([]float64, most+1)
	for df := range r.byDF {
		r.byDF[df] = math.Log(float64(len(refs))) - math.Log(math.Max(1, float64(df)))
	}
	return r
}

// A piece is n-grams of some images for one shard.
type piece struct {
	grams  []gram
	hashes []uint64
	images []int32
}

// deal hands all n-grams to their shards, those of each in the order of images.
// Of each round of images, tiles sort n-grams into pieces, and shards take these.
func deal(refs [][][]int32, take func(shard int, p piece)) {
	const tile, tiles = 128, 16
	var pieces [tiles][shardCount]piece
	for from := 0; from < len(refs); from += tile * tiles {
		round := refs[from:min(len(refs), from+tile*tiles)]
		tensor.Parallel((len(round)+tile-1)/tile, func(k int) {
			for s := range pieces[k] {
				p := &pieces[k][s]
				p.grams, p.hashes, p.images = p.grams[:0], p.hashes[:0], p.images[:0]
			}
			var places []gram
			for i := k * tile; i < min(len(round), (k+1)*tile); i++ {
				for _, ref := range round[i] {
					places = gramsAt(places[:0], ref)
					sortInto(&pieces[k], places, int32(from+i))
				}
			}
		})
		tensor.Parallel(shardCount, func(s int) {
			for k := range (len(round) + tile - 1) / tile {
				take(s, pieces[k][s])
			}
		})
	}
}

func sortInto(pieces *[shardCount]piece, places []gram, image int32) {
	for _, g := range places {
		for n := range orders {
			short, ok := g.beginning(n + 1)
			if !ok {
				break
			}
			h := short.hash()
			p := &pieces[h>>(64-shardBits)]
			p.grams = append(p.grams, short)
			p.hashes = append(p.hashes, h)
			p.images = append(p.images, image)
		}
	}
}

// notice marks what comes twice; an n-gram may come twice for one image.
func (s *shard) notice(p piece) {
	mask := uint64(len(s.once))*64 - 1
	for _, h := range p.hashes {
		if i := h & mask; s.once.has(i) {
			s.more.set(i)
		} else {
			s.once.set(i)
		}
	}
}

// count counts the images of what was marked.
func (s *shard) count(p piece) {
	mask := uint64(len(s.more))*64 - 1
	for k, h := range p.hashes {
		if !s.more.has(h & mask) {
			continue
		}
		if 2*s.used >= len(s.slots) {
			s.grow()
		}
		e := s.find(p.grams[k], h)
		if e.gram == (gram{}) {
			e.gram = p.grams[k]
			s.used++
		}
		if image := p.images[k] + 1; e.last != image {
			e.last = image
			e.images++
		}
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
	s := &r.shards[h>>(64-shardBits)]
	if !s.more.has(h & (uint64(len(s.more))*64 - 1)) {
		return r.byDF[1]
	}
	return r.byDF[s.find(g, h).images]
}
