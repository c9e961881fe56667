package metric

import (
	"cmp"
	"math"
	"slices"
)

// orders is the longest n-gram that is counted.
const orders = 4

// A gram is an n-gram as the numbers of its words, two in each half; those that a
// shorter one lacks are 0.
type gram struct{ first, last uint64 }

func (g gram) compare(o gram) int {
	if g.first != o.first {
		return cmp.Compare(g.first, o.first)
	}
	return cmp.Compare(g.last, o.last)
}

// beginning is the n-gram of the first n words, false if there are fewer.
func (g gram) beginning(n int) (gram, bool) {
	switch n {
	case 1:
		return gram{first: g.first &^ math.MaxUint32}, true
	case 2:
		return gram{first: g.first}, g.first&math.MaxUint32 != 0
	case 3:
		return gram{g.first, g.last &^ math.MaxUint32}, g.last != 0
	}
	return g, g.last&math.MaxUint32 != 0
}

func (g gram) hash() uint64 {
	h := (g.first ^ g.last*0x9e3779b97f4a7c15) * 0xd6e8feb86659fd93
	h ^= h >> 32
	h *= 0xd6e8feb86659fd93
	return h ^ h>>32
}

// gramsAt appends, for each place of a sentence, the n-gram of the next four words
// or of what is left.
func gramsAt(list []gram, sentence []int32) []gram {
	at := func(i int) uint64 {
		if i < len(sentence) {
			return uint64(sentence[i])
		}
		return 0
	}
	for i := range sentence {
		list = append(list, gram{at(i)<<32 | at(i+1), at(i+2)<<32 | at(i+3)})
	}
	return list
}

// sortGrams sorts; sentences are short.
func sortGrams(list []gram) {
	if len(list) > 40 {
		slices.SortFunc(list, gram.compare)
		return
	}
	for i := 1; i < len(list); i++ {
		g := list[i]
		j := i
		for ; j > 0 && list[j-1].compare(g) > 0; j-- {
			list[j] = list[j-1]
		}
		list[j] = g
	}
}

// A bag holds the n-grams of a sentence. It may be filled again.
type bag struct {
	words int
	grams [orders][]entry // of n+1 words, ascending
	norms [orders]float64 // of the weights
	next  []gram          // scratch
}

// An entry is an n-gram of a sentence, how often it stands there, and its weight.
type entry struct {
	gram
	count  int32
	weight float64
}

// fill counts the n-grams of a sentence: sorted by the next four words, places
// with the same n-gram stand together for every n.
func (b *bag) fill(sentence []int32) {
	b.words = len(sentence)
	b.next = gramsAt(b.next[:0], sentence)
	sortGrams(b.next)
	for n := range orders {
		list := b.grams[n][:0]
		for _, g := range b.next {
			short, ok := g.beginning(n + 1)
			switch {
			case !ok:
			case len(list) > 0 && list[len(list)-1].gram == short:
				list[len(list)-1].count++
			default:
				list = append(list, entry{gram: short, count: 1})
			}
		}
		b.grams[n] = list
	}
}

// weigh fills the bag and gives each n-gram its weight for CIDEr.
func (b *bag) weigh(sentence []int32, rare *rarities) {
	b.fill(sentence)
	for n, list := range b.grams {
		sum := 0.0
		for i := range list {
			e := &list[i]
			e.weight = float64(e.count) * rare.of(e.gram)
			sum += e.weight * e.weight
		}
		b.norms[n] = math.Sqrt(sum)
	}
}

// bags are scratch for a sentence and its references.
type bags struct {
	hyp  bag
	refs []bag
}

// of returns n bags to fill.
func (b *bags) of(n int) []bag {
	for len(b.refs) < n {
		b.refs = append(b.refs, bag{})
	}
	return b.refs[:n]
}
