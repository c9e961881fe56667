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
	shards []shard // as many as a power of two; an n-gram belongs to that of its first word
	byDF   []float64
}

// A shard is a hash table with open addressing.
type shard struct {
	number     int32  // the last bits of the first words' numbers
	last       int32  // of the shards
	once, more bitset // by hash: seen in one text, in several
	slots      []slot // as many as a power of two
	used       int

	grams  []hashed // scratch
	recent [256]recent
}

// A hashed is an n-gram and its hash.
type hashed struct {
	gram
	hash uint64
}

// A recent is a text that was counted lately, since captions of one image often come
// again with the next candidate.
type recent struct {
	text  int32   // plus 1
	slots []int32 // of its n-grams
}

type slot struct {
	gram         // the zero gram: empty
	images int32 // that have it
	last   int32 // of them, plus 1
}

type bitset []uint64

func (b bitset) has(i uint64) bool { return b[i>>6]>>(i&63)&1 != 0 }
func (b bitset) set(i uint64)      { b[i>>6] |= 1 << (i & 63) }

func (b bitset) count() (n int) {
	for _, x := range b {
		n += bits.OnesCount64(x)
	}
	return n
}

// newRarities counts references of images, refs[i] those of image i among some
// texts, on all cores: first, roughly, which n-grams may stand in several images,
// and then these exactly. Each core goes over all and takes the n-grams of its own
// shard.
func newRarities(texts, refs [][]int32) *rarities {
	shards := 1
	for shards < min(tensor.Workers(), 64) {
		shards *= 2
	}
	words, times := 0, make([]int32, len(texts))
	for _, list := range refs {
		for _, ref := range list {
			if times[ref]++; times[ref] == 1 {
				words += len(texts[ref])
			}
		}
	}
	size := uint64(64)
	for size < uint64(words)*orders*4/uint64(shards) {
		size *= 2
	}
	r := &rarities{shards: make([]shard, shards)}
	tensor.Parallel(shards, func(k int) {
		s := &r.shards[k]
		*s = shard{number: int32(k), last: int32(shards - 1), once: make(bitset, size/64), more: make(bitset, size/64)}
		for i, text := range texts {
			for range min(2, times[i]) {
				s.notice(text)
			}
		}
		s.once = nil
		s.count(texts, refs)
		s.recent, s.grams = [256]recent{}, nil
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

// of lists the n-grams of a text that belong to the shard.
func (s *shard) of(text []int32) []hashed {
	s.grams = s.grams[:0]
	for i, word := range text {
		if word&s.last != s.number {
			continue
		}
		g := gramAt(text, i)
		for n := range min(orders, len(text)-i) {
			short := g.beginning(n + 1)
			s.grams = append(s.grams, hashed{short, short.hash()})
		}
	}
	return s.grams
}

// notice marks what comes twice; an n-gram may come twice for one image.
func (s *shard) notice(text []int32) {
	for _, g := range s.of(text) {
		if i := g.hash & (uint64(len(s.once))*64 - 1); s.once.has(i) {
			s.more.set(i)
		} else {
			s.once.set(i)
		}
	}
}

// count counts the images of what was marked.
func (s *shard) count(texts, refs [][]int32) {
	s.slots = make([]slot, 2<<bits.Len(uint(s.more.count())))
	for i, list := range refs {
		for _, ref := range list {
			x := &s.recent[ref%int32(len(s.recent))]
			if x.text != ref+1 {
				s.look(texts[ref], x)
				x.text = ref + 1
			}
			for _, k := range x.slots {
				if e := &s.slots[k]; e.last != int32(i)+1 {
					e.last = int32(i) + 1
					e.images++
				}
			}
		}
	}
}

// look finds the slots of what was marked in a text.
func (s *shard) look(text []int32, x *recent) {
	for 2*(s.used+orders*len(text)) > len(s.slots) {
		s.grow()
	}
	x.slots = x.slots[:0]
	for _, g := range s.of(text) {
		if !s.more.has(g.hash & (uint64(len(s.more))*64 - 1)) {
			continue
		}
		k := s.find(g.gram, g.hash)
		if e := &s.slots[k]; e.gram == (gram{}) {
			e.gram = g.gram
			s.used++
		}
		x.slots = append(x.slots, int32(k))
	}
}

// find returns the place of an n-gram, or the empty one where it belongs.
func (s *shard) find(g gram, hash uint64) uint64 {
	mask := uint64(len(s.slots) - 1)
	for i := hash & mask; ; i = (i + 1) & mask {
		if e := &s.slots[i]; e.gram == g || e.gram == (gram{}) {
			return i
		}
	}
}

func (s *shard) grow() {
	old := s.slots
	s.slots = make([]slot, 2*len(old))
	for _, e := range old {
		if e.gram != (gram{}) {
			s.slots[s.find(e.gram, e.gram.hash())] = e
		}
	}
	for i := range s.recent {
		s.recent[i].text = 0
	}
}

// of returns the rarity of an n-gram.
func (r *rarities) of(g gram) float64 {
	h := g.hash()
	s := &r.shards[int(g.first>>32)&(len(r.shards)-1)]
	if !s.more.has(h & (uint64(len(s.more))*64 - 1)) {
		return r.byDF[1]
	}
	return r.byDF[s.slots[s.find(g, h)].images]
}
