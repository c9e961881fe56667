// Package wording changes how a finished caption is put, by tables of phrases that
// people can edit, and tidies captions to learn from.
//
// A Style makes the sentence that people see from the words that a model said;
// Table.Apply changes phrases.
package wording

import (
	"slices"
	"strings"
	"unicode/utf8"

	"showtell/text"
)

// A Style is how captions are put. The zero Style starts them with a capital and
// ends them with a full stop.
type Style struct {
	Raw        bool   // as the model said it: lower case, no full stop
	Neutral    *Table // phrases to put for others, or nil
	NoLead     bool   // without "an image of" at the start
	MaxLetters int    // longest sentence, full stop included; 0: any
}

// Names says what the style changes, for a record beside the caption.
func (s Style) Names() []string {
	var names []string
	for _, option := range []struct {
		name string
		on   bool
	}{{"raw", s.Raw}, {"neutral", s.Neutral != nil}, {"no-lead", s.NoLead}, {"max-letters", s.MaxLetters > 0}} {
		if option.on {
			names = append(names, option.name)
		}
	}
	return names
}

// Sentence puts the words of a caption, as text.Clean has them, in this style.
func (s Style) Sentence(caption string) string {
	words := strings.Fields(caption)
	if s.NoLead {
		words = words[lead(words):]
	}
	if s.Neutral != nil {
		words, _ = s.Neutral.Apply(words)
	}
	put := func(words []string) string {
		if s.Raw {
			return strings.Join(words, " ")
		}
		return text.Sentence(strings.Join(words, " "))
	}
	sentence := put(words)
	for s.MaxLetters > 0 && utf8.RuneCountInString(sentence) > s.MaxLetters {
		if words = shorten(words); len(words) == 0 {
			return string([]rune(sentence)[:s.MaxLetters]) // one word, longer than that
		}
		sentence = put(words)
	}
	return sentence
}

// heads are words for a picture, leading those that may stand around them before
// "of": "a black and white photo of", "this is an image of".
var (
	heads   = strings.Fields("image picture photo photograph shot view snapshot close closeup close-up")
	leading = strings.Fields("this there here is 's a an the black and white color colour colored blurry up")
)

// lead is how many words at the start say no more than that there is a picture.
func lead(words []string) int {
	head := false
	for i, w := range words {
		switch {
		case slices.Contains(heads, w):
			head = true
		case head && w == "of" && i+1 < len(words):
			return i + 1
		case !slices.Contains(leading, w):
			return 0
		}
	}
	return 0
}

// shorten takes the last word away, and those before it that make no end.
func shorten(words []string) []string {
	words = words[:len(words)-1]
	for len(words) > 0 && text.Dangling(words[len(words)-1]) {
		words = words[:len(words)-1]
	}
	return words
}
