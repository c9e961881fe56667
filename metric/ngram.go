package metric

import (
	"cmp"
	"math"
	"slices"
	"sync"
)

// orders is the longest n-gram that is counted.
const orders = 4

// A gram is an n-gram of a sentence and how often it stands there. Id 0 is an
// n-gram that no reference has.
type gram struct {
	id, count int32
}

// A bag holds the n-grams of a sentence.
type bag struct {
	words int
	grams [orders][]gram // of n+1 words, by ascending id
}

// An index numbers the n-grams of references, so that counting needs no strings:
// an n-gram is the one before its last word, and that word.
type index struct {
	words  map[string]int32
	longer map[uint64]int32 // by id of the shorter n-gram and word; ids count from 1
	total  int              // images that were counted
	images []int32          // by id: how many of them have the n-gram in their references
	seen   []int32          // by id: the last image that was counted, plus 1
}

func newIndex() *index {
	return &index{words: map[string]int32{}, longer: map[uint64]int32{}, images: make([]int32, 1), seen: make([]int32, 1)}
}

func key(shorter, word int32) uint64 { return uint64(shorter)<<32 | uint64(uint32(word)) }

// count counts the references of all images.
func (x *index) count(refs [][]sentence) {
	x.total = len(refs)
	for i, list := range refs {
		x.add(list, i)
	}
}

// nowhere is the image of references whose n-grams are numbered but not counted.
const nowhere = -1

// add counts the references of an image; images must come in ascending order.
func (x *index) add(refs []sentence, image int) {
	for _, ref := range refs {
		x.addOne(ref.words(), image)
	}
}

func (x *index) addOne(words []string, image int) {
	numbers := make([]int32, len(words))
	for i, w := range words {
		id, ok := x.words[w]
		if !ok {
			id = int32(len(x.words))
			x.words[w] = id
		}
		numbers[i] = id
	}
	for i := range numbers {
		var id int32
		for _, w := range numbers[i:min(i+orders, len(numbers))] {
			k := key(id, w)
			next, ok := x.longer[k]
			if !ok {
				next = int32(len(x.images))
				x.longer[k] = next
				x.images, x.seen = append(x.images, 0), append(x.seen, 0)
			}
			id = next
			if image != nowhere && x.seen[id] != int32(image)+1 {
				x.seen[id] = int32(image) + 1
				x.images[id]++
			}
		}
	}
}

// bag counts the n-grams of a sentence. Those that are in no reference stand
// first, each under id 0.
func (x *index) bag(words []string) bag {
	var few [64]int32 // keeps short sentences off the heap
	ids := append(few[:0], make([]int32, len(words))...)
	b := bag{words: len(words)}
	if len(words) == 0 {
		return b
	}
	all := make([]gram, 0, orders*len(words))
	places := make([]place, 0, len(words))
	for n := range min(orders, len(words)) {
		places = places[:0]
		for i := range len(words) - n {
			if n == 0 || ids[i] != 0 {
				ids[i] = x.extend(ids[i], words[i+n])
			}
			places = append(places, place{ids[i], int32(i)})
		}
		slices.SortFunc(places, func(a, b place) int {
			if a.id != b.id || a.id != 0 {
				return cmp.Compare(a.id, b.id)
			}
			return slices.Compare(words[a.at:int(a.at)+n+1], words[b.at:int(b.at)+n+1])
		})
		from := len(all)
		for i, p := range places {
			if i > 0 && p.id == places[i-1].id && (p.id != 0 || slices.Equal(words[p.at:int(p.at)+n+1], words[places[i-1].at:int(places[i-1].at)+n+1])) {
				all[len(all)-1].count++
			} else {
				all = append(all, gram{p.id, 1})
			}
		}
		b.grams[n] = all[from:len(all):len(all)]
	}
	return b
}

// A place is where an n-gram stands in a sentence.
type place struct{ id, at int32 }

// extend returns the id of an n-gram with one more word, 0 if no reference has it.
func (x *index) extend(id int32, word string) int32 {
	w, ok := x.words[word]
	if !ok {
		return 0
	}
	return x.longer[key(id, w)]
}

// counts are the n-grams of a corpus.
type counts struct {
	index  *index
	rarity []float64 // by id
	hyps   []bag
	refs   [][]bag
	bleu   func() []bleuCount // by image, made when first wanted
}

func newCounts(c *Corpus) *counts {
	n := &counts{index: newIndex(), hyps: make([]bag, len(c.hyps)), refs: make([][]bag, len(c.refs))}
	if c.Frequencies == nil {
		n.index.count(c.refs)
	} else {
		n.index.count(c.Frequencies.refs)
		for _, list := range c.refs {
			n.index.add(list, nowhere)
		}
	}
	parallel(len(c.refs), func(i int) {
		n.hyps[i] = n.index.bag(c.hyps[i].words())
		n.refs[i] = make([]bag, len(c.refs[i]))
		for r, ref := range c.refs[i] {
			n.refs[i][r] = n.index.bag(ref.words())
		}
	})
	n.rarity = n.index.rarity()
	n.bleu = sync.OnceValue(func() []bleuCount {
		images := make([]bleuCount, len(n.hyps))
		parallel(len(images), func(i int) { images[i] = countBleu(n.hyps[i], n.refs[i]) })
		return images
	})
	return n
}

// rarity is ln N - ln max(1, df) of every n-gram, by id: N images, df of them
// with the n-gram in a reference.
func (x *index) rarity() []float64 {
	r := make([]float64, len(x.images))
	for id, df := range x.images {
		r[id] = math.Log(float64(x.total)) - math.Log(math.Max(1, float64(df)))
	}
	return r
}
