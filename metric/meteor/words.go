package meteor

import (
	"bytes"
	"errors"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/kljensen/snowball/english"
)

// A word of the corpus, and all that decides what it matches.
type word struct {
	alike    [2][]int32 // the words of the same stem, and those that share a sense
	function bool
}

// A thesaurus is sorted lines.
type thesaurus struct {
	senses []byte // of a word and its synsets in WordNet
	bases  []byte // of an irregular form and its base
}

// readThesaurus unpacks senses and, behind an empty line, bases.
func readThesaurus(packed []byte) (*thesaurus, error) {
	text, err := decoder().DecodeAll(packed, nil)
	if err != nil {
		return nil, err
	}
	end := bytes.LastIndex(text, []byte("\n\n")) // from the back, where the bases are: they are few
	if end < 0 {
		return nil, errors.New("no empty line")
	}
	return &thesaurus{text[:end], text[end+2:]}, nil
}

// find returns the sorted lines from the first that is not less than word.
func find(lines []byte, word string) []byte {
	low, high := 0, len(lines) // starts of lines
	for low < high {
		middle := int(uint(low+high) / 2)
		start := low + bytes.LastIndexByte(lines[low:middle], '\n') + 1
		if string(lines[start:min(len(lines), start+len(word))]) >= word {
			high = start
		} else if n := bytes.IndexByte(lines[start:], '\n'); n >= 0 {
			low = start + n + 1
		} else {
			low = len(lines)
		}
	}
	return lines[low:]
}

// entries returns what stands behind a word in each of its lines.
func entries(lines []byte, word string) (all [][]byte) {
	word += " "
	for rest := find(lines, word); len(rest) >= len(word) && string(rest[:len(word)]) == word; {
		var line []byte
		line, rest, _ = bytes.Cut(rest, []byte{'\n'})
		all = append(all, line[len(word):])
	}
	return all
}

// add adds the synsets of a word to a list. What is no number is left out.
func (t *thesaurus) add(to []int32, word string) []int32 {
	for _, entry := range entries(t.senses, word) {
		for field := range bytes.FieldsSeq(entry) {
			if id, err := strconv.ParseInt(string(field), 10, 32); err == nil {
				to = append(to, int32(id))
			}
		}
	}
	return to
}

// endings of words, and what stands there in the base, as WordNet has them.
var endings = [][2]string{
	{"s", ""}, {"ses", "s"}, {"xes", "x"}, {"zes", "z"}, {"ches", "ch"}, {"shes", "sh"}, {"men", "man"}, {"ies", "y"},
	{"es", "e"}, {"es", ""}, {"ed", "e"}, {"ed", ""}, {"ing", "e"}, {"ing", ""}, {"er", ""}, {"est", ""}, {"er", "e"}, {"est", "e"},
}

// sensesOf returns the synsets of a word and of its base, ascending.
func (t *thesaurus) sensesOf(w string) []int32 {
	senses := t.add(nil, w)
	if bases := entries(t.bases, w); bases != nil {
		for _, base := range bases {
			senses = t.add(senses, string(base))
		}
	} else if !strings.HasSuffix(w, "ss") && utf8.RuneCountInString(w) > 2 {
		for _, ending := range endings {
			if root, ok := strings.CutSuffix(w, ending[0]); ok {
				before := len(senses)
				if senses = t.add(senses, root+ending[1]); len(senses) > before {
					break
				}
			}
		}
	}
	slices.Sort(senses)
	return slices.Compact(senses)
}

// look finds out what decides about matches of words.
func (m *Meteor) look(vocabulary []string) []word {
	words := make([]word, len(vocabulary))
	stems, senses := make([]string, len(words)), make([][]int32, len(words))
	parallel(len(words), 64, func(from, end int) {
		for i := from; i < end; i++ {
			w := vocabulary[i]
			words[i].function = m.function[w]
			stems[i] = english.Stem(w, true)
			if m.thesaurus != nil {
				senses[i] = m.thesaurus.sensesOf(w)
			}
		}
	})
	numbers := map[string]int32{}
	var byStem, bySense []int64
	for i, root := range stems {
		n, ok := numbers[root]
		if !ok {
			n = int32(len(numbers))
			numbers[root] = n
		}
		byStem = append(byStem, owner(n, i))
		for _, sense := range senses[i] {
			bySense = append(bySense, owner(sense, i))
		}
	}
	owners := [...][]int64{byStem, bySense}
	parallel(len(owners), 1, func(k, _ int) { alike(words, k, owners[k]) })
	return words
}

// owner is a stem or sense and a word that has it.
func owner(trait int32, word int) int64 { return int64(trait)<<32 | int64(word) }

// alike lists for each word the others that have a trait of it.
func alike(words []word, k int, owners []int64) {
	slices.Sort(owners)
	for len(owners) > 0 {
		n := 1
		for n < len(owners) && owners[n]>>32 == owners[0]>>32 {
			n++
		}
		for _, x := range owners[:n] {
			for _, y := range owners[:n] {
				if x != y {
					w := &words[int32(x)]
					w.alike[k] = append(w.alike[k], int32(y))
				}
			}
		}
		owners = owners[n:]
	}
	for i := range words {
		slices.Sort(words[i].alike[k])
		words[i].alike[k] = slices.Compact(words[i].alike[k])
	}
}
