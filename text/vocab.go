package text

import (
	"cmp"
	"fmt"
	"iter"
	"slices"
	"strings"
	"unicode/utf8"
)

// The ids of the words that are no words.
const Pad, Start, End, Unknown = 0, 1, 2, 3

// specials are the first words of every vocabulary; Clean never makes one of them.
var specials = []string{Pad: "<pad>", Start: "<start>", End: "<end>", Unknown: "<unk>"}

// A Vocab numbers words. It doesn't change, so it is safe to share.
type Vocab struct {
	words []string // by id
	ids   map[string]int
}

// BuildVocab numbers the words that occur at least minCount times in captions
// (less than 1 means 1), the most frequent first, ties in the order of their bytes.
func BuildVocab(captions iter.Seq[string], minCount int) *Vocab {
	counts := map[string]int{}
	for c := range captions {
		for _, w := range Words(c) {
			counts[w]++
		}
	}
	var words []string
	for w, n := range counts {
		if n >= minCount {
			words = append(words, w)
		}
	}
	slices.SortFunc(words, func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), strings.Compare(a, b))
	})
	return number(append(slices.Clone(specials), words...))
}

// NewVocab makes a vocabulary of what Words returned before: the four specials
// <pad> <start> <end> <unk>, then the words in the order of their ids.
func NewVocab(words []string) (*Vocab, error) {
	if len(words) < len(specials) || !slices.Equal(words[:len(specials)], specials) {
		return nil, fmt.Errorf("vocabulary begins with %q, want %q", words[:min(len(words), len(specials))], specials)
	}
	seen := map[string]int{}
	for id, w := range words {
		if !utf8.ValidString(w) || len(strings.Fields(w)) != 1 || strings.TrimSpace(w) != w {
			return nil, fmt.Errorf("vocabulary: word %d is %q, which is blank, holds a blank or is not UTF-8", id, w)
		}
		if first, ok := seen[w]; ok {
			return nil, fmt.Errorf("vocabulary: %q is word %d and word %d", w, first, id)
		}
		seen[w] = id
	}
	return &Vocab{words: slices.Clone(words), ids: seen}, nil
}

func number(words []string) *Vocab {
	v := &Vocab{words: words, ids: make(map[string]int, len(words))}
	for id, w := range words {
		v.ids[w] = id
	}
	return v
}

// ID returns the number of a word as Clean leaves it, or Unknown.
func (v *Vocab) ID(word string) int {
	if id, ok := v.ids[word]; ok {
		return id
	}
	return Unknown
}

// Word returns the word with this id, "<unk>" where there is none.
func (v *Vocab) Word(id int) string {
	if id < 0 || id >= len(v.words) {
		id = Unknown
	}
	return v.words[id]
}

// Len counts the words and the four specials.
func (v *Vocab) Len() int { return len(v.words) }

// Words returns a copy of all words by id, the four specials first.
func (v *Vocab) Words() []string { return slices.Clone(v.words) }

// Encode returns the ids of a caption's words, without start and end.
func (v *Vocab) Encode(caption string) []int {
	words := Words(caption)
	ids := make([]int, len(words))
	for i, w := range words {
		ids[i] = v.ID(w)
	}
	return ids
}

// Decode joins the words of ids to a caption (see Join), leaving out padding,
// start and end. Encode gives the ids back.
func (v *Vocab) Decode(ids []int) string {
	words := make([]string, 0, len(ids))
	for _, id := range ids {
		if id != Pad && id != Start && id != End {
			words = append(words, v.Word(id))
		}
	}
	return Join(words)
}
