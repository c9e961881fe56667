package search

import (
	"fmt"
	"math"
	"slices"

	"showtell/tensor"
)

// slack is how far above 0 a log-probability may lie by rounding.
const slack = 1e-4

// A choice is a word that may come next.
type choice struct {
	word    int
	logProb float64
}

// top appends to best, which is empty, the k most probable words of a row, most
// probable first, the lower id first where two are equal. Banned words and those
// at -Inf are left out.
func top(best []choice, row []float32, k int, banned []bool) ([]choice, error) {
	floor := float32(math.Inf(-1))
	for word := tensor.Above(row, floor); word < len(row); word += 1 + tensor.Above(row[word+1:], floor) {
		v := row[word]
		if !(v <= slack) {
			return nil, fmt.Errorf("log-probability of word %d is %v", word, v)
		}
		if banned[word] {
			continue
		}
		c := choice{word, math.Min(float64(v), 0)}
		i := len(best)
		for i > 0 && best[i-1].logProb < c.logProb {
			i--
		}
		best = slices.Insert(best, i, c)
		if len(best) >= k {
			best = best[:k]
			floor = float32(best[k-1].logProb)
		}
	}
	return best, nil
}

// bans tells which words may not follow a hypothesis.
type bans struct {
	noRepeat int
	minWords int
	end      int
	banned   []bool // by word
	marked   []int  // banned until unmark
	words    []int  // of the hypothesis
}

func newBans(o *Options, width int) *bans {
	b := &bans{noRepeat: o.NoRepeat, minWords: o.MinWords, end: o.End, banned: make([]bool, width)}
	room := min(o.MaxWords, 256) + 1
	b.marked, b.words = make([]int, 0, room), make([]int, 0, room)
	for _, word := range o.Forbid {
		if 0 <= word && word < width {
			b.banned[word] = true
		}
	}
	return b
}

// mark adds the words that would repeat something in h, and the end while h is
// too short; unmark takes them away.
func (b *bans) mark(h *hypothesis) {
	if h.length < b.minWords && b.end < len(b.banned) {
		b.ban(b.end)
	}
	if h.parent == nil || b.noRepeat < 0 {
		return
	}
	b.ban(h.word)
	if b.noRepeat == 0 {
		return
	}
	b.words = h.appendWords(b.words[:0])
	before := b.noRepeat - 1 // words of an n-gram before its last
	for i := 0; i+before < len(b.words); i++ {
		if slices.Equal(b.words[i:i+before], b.words[len(b.words)-before:]) {
			b.ban(b.words[i+before])
		}
	}
}

func (b *bans) ban(word int) {
	if !b.banned[word] {
		b.banned[word] = true
		b.marked = append(b.marked, word)
	}
}

func (b *bans) unmark() {
	for _, word := range b.marked {
		b.banned[word] = false
	}
	b.marked = b.marked[:0]
}
