package metric

import (
	"cmp"
	"math"
	"slices"
	"sync"
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

// beginning is the n-gram of the first n words, of which there must be as many.
func (g gram) beginning(n int) gram {
	switch n {
	case 1:
		return gram{first: g.first &^ math.MaxUint32}
	case 2:
		return gram{first: g.first}
	case 3:
		return gram{g.first, g.last &^ math.MaxUint32}
	}
	return g
}

// words is how many words the n-gram has.
func (g gram) words() int {
	switch {
	case g.last&math.MaxUint32 != 0:
		return 4
	case g.last != 0:
		return 3
	case g.first&math.MaxUint32 != 0:
		return 2
	}
	return 1
}

func (g gram) hash() uint64 {
	h := (g.first ^ g.last*0x9e3779b97f4a7c15) * 0xd6e8feb86659fd93
	h ^= h >> 32
	h *= 0xd6e8feb86659fd93
	return h ^ h>>32
}

// gramAt is the n-gram of the four words from place i on, or of what is left.
func gramAt(text []int32, i int) gram {
	at := func(i int) uint64 {
		if i < len(text) {
			return uint64(text[i])
		}
		return 0
	}
	return gram{at(i)<<32 | at(i+1), at(i+2)<<32 | at(i+3)}
}

// sortGrams sorts; texts are short.
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

// A bag holds the n-grams of a text. It may be filled again.
type bag struct {
	words int
	grams [orders][]entry // of n+1 words, ascending
	norms [orders]float64 // of the weights
	next  []gram          // scratch
}

// An entry is an n-gram of a text, how often it stands there, and its weight.
type entry struct {
	gram
	count  int32
	weight float64
}

// fill counts the n-grams of a text: sorted by the next four words, places
// with the same n-gram stand together for every n.
func (b *bag) fill(text []int32) {
	b.words = len(text)
	b.next = b.next[:0]
	for i := range text {
		b.next = append(b.next, gramAt(text, i))
	}
	sortGrams(b.next)
	for n := range orders {
		list := b.grams[n][:0]
		for _, g := range b.next {
			short := g.beginning(n + 1)
			switch {
			case g.words() <= n:
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
func (b *bag) weigh(text []int32, rare *rarities) {
	b.fill(text)
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

// bags are those of the texts of a tile of images, each filled once.
type bags struct {
	texts  [][]int32
	rare   *rarities // nil: n-grams are counted only
	filled map[int32]*bag
	all    []*bag // the first of them are filled
	some   []*bag // scratch
}

var spareBags = sync.Pool{New: func() any { return &bags{filled: map[int32]*bag{}} }}

func newBags(texts [][]int32, rare *rarities) *bags {
	b := spareBags.Get().(*bags)
	b.texts, b.rare = texts, rare
	return b
}

// release gives the memory to the next tile.
func (b *bags) release() {
	clear(b.filled)
	b.texts, b.rare = nil, nil
	spareBags.Put(b)
}

// of is the bag of a text.
func (b *bags) of(text int32) *bag {
	if x, ok := b.filled[text]; ok {
		return x
	}
	n := len(b.filled)
	if n == len(b.all) {
		b.all = append(b.all, new(bag))
	}
	x := b.all[n]
	b.filled[text] = x
	if b.rare == nil {
		x.fill(b.texts[text])
	} else {
		x.weigh(b.texts[text], b.rare)
	}
	return x
}

// list is the bags of some texts, until it is called again.
func (b *bags) list(texts []int32) []*bag {
	b.some = b.some[:0]
	for _, text := range texts {
		b.some = append(b.some, b.of(text))
	}
	return b.some
}
