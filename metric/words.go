package metric

import (
	"strings"
	"unicode"

	"showtell/tensor"
)

// words splits tokenised text as Python's str.split does.
func words(text string) []string {
	if plain(text) {
		return strings.Fields(text)
	}
	return strings.FieldsFunc(text, func(r rune) bool {
		return unicode.IsSpace(r) || 0x1c <= r && r <= 0x1f
	})
}

// plain tells if white space in a text can only be blanks.
func plain(text string) bool {
	for i := range len(text) {
		if text[i] < ' ' || text[i] > '~' {
			return false
		}
	}
	return true
}

// A vocabulary numbers words from 1.
type vocabulary map[string]int32

// number splits texts and replaces their words by numbers; new words get the next
// ones in the order in which they stand. It works on all cores.
func (v vocabulary) number(texts []string) [][]int32 {
	numbers := make([][]int32, len(texts))
	const tile = 4096
	locals := make([]local, (len(texts)+tile-1)/tile)
	tensor.Parallel(len(locals), func(k int) {
		from, end := k*tile, min(len(texts), (k+1)*tile)
		locals[k].number(texts[from:end], numbers[from:end])
	})
	for k := range locals {
		locals[k].all = make([]int32, len(locals[k].words)+1)
		for i, w := range locals[k].words {
			locals[k].all[i+1] = v.add(w)
		}
	}
	tensor.Parallel(len(locals), func(k int) {
		for _, list := range numbers[k*tile : min(len(texts), (k+1)*tile)] {
			for i, n := range list {
				list[i] = locals[k].all[n]
			}
		}
	})
	return numbers
}

func (v vocabulary) add(word string) int32 {
	n, ok := v[word]
	if !ok {
		n = int32(len(v)) + 1
		v[word] = n
	}
	return n
}

// A local vocabulary is that of a tile of texts.
type local struct {
	words []string
	all   []int32 // numbers of its words in the vocabulary of all
}

func (l *local) number(texts []string, numbers [][]int32) {
	ids := vocabulary{}
	var block []int32 // of many texts
	for i, text := range texts {
		if n := len(text)/2 + 1; cap(block)-len(block) < n {
			block = make([]int32, 0, max(n, 1<<14))
		}
		from := len(block)
		add := func(w string) {
			n := ids.add(w)
			if int(n) > len(l.words) {
				l.words = append(l.words, w)
			}
			block = append(block, n)
		}
		if plain(text) {
			for text != "" {
				end := strings.IndexByte(text, ' ')
				if end < 0 {
					end = len(text)
				}
				if end > 0 {
					add(text[:end])
				}
				text = text[min(len(text), end+1):]
			}
		} else {
			for _, w := range words(text) {
				add(w)
			}
		}
		numbers[i] = block[from:len(block):len(block)]
	}
}

// tokenizeEach tokenises captions one by one, on all cores, into a new slice.
func tokenizeEach(captions []string) []string {
	tokens := make([]string, len(captions))
	parallel(len(captions), func(from, end int) {
		for i := from; i < end; i++ {
			tokens[i] = Tokenize(captions[i])
		}
	})
	return tokens
}

// distinct returns the different ones of some texts, in the order in which they
// first stand, and for each text which of those it is.
func distinct(texts []string) (different []string, which []int32) {
	numbers := make(map[string]int32, len(texts)/4)
	which = make([]int32, len(texts))
	for i, text := range texts {
		n, ok := numbers[text]
		if !ok {
			n = int32(len(different))
			numbers[text] = n
			different = append(different, text)
		}
		which[i] = n
	}
	return different, which
}

// parallel calls f for tiles of 0 to n, on all cores.
func parallel(n int, f func(from, end int)) {
	const tile = 64
	tensor.Parallel((n+tile-1)/tile, func(k int) { f(k*tile, min(n, (k+1)*tile)) })
}

// flat puts lists into one.
func flat(lists [][]string) []string {
	n := 0
	for _, list := range lists {
		n += len(list)
	}
	all := make([]string, 0, n)
	for _, list := range lists {
		all = append(all, list...)
	}
	return all
}

// shaped cuts a list into pieces as long as those of like.
func shaped[T, L any](all []T, like [][]L) [][]T {
	lists := make([][]T, len(like))
	for i, l := range like {
		lists[i], all = all[:len(l):len(l)], all[len(l):]
	}
	return lists
}
