package tokenizer

import (
	"iter"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// An addedToken is found in a text before the model sees it.
type addedToken struct {
	ID         int    `json:"id"`
	Content    string `json:"content"`
	SingleWord bool   `json:"single_word"` // not beside a letter, digit or "_"
	LStrip     bool   `json:"lstrip"`      // takes the white space on its left with it
	RStrip     bool   `json:"rstrip"`
	Normalized bool   `json:"normalized"` // is looked for in the normalized text
	Special    bool   `json:"special"`    // is left out of decoded text
}

// A matcher finds added tokens in a text: the leftmost, and of those the longest.
type matcher struct {
	tokens  map[string]addedToken
	lengths [256][]int // by first byte: the lengths of tokens, longest first
}

func (m *matcher) add(text string, t addedToken) {
	if text == "" {
		return
	}
	if m.tokens == nil {
		m.tokens = map[string]addedToken{}
	}
	m.tokens[text] = t
	l := &m.lengths[text[0]]
	at, found := slices.BinarySearchFunc(*l, len(text), func(have, want int) int { return want - have })
	if !found {
		*l = slices.Insert(*l, at, len(text))
	}
}

// A part of a text is an added token, or text between them, whose id is -1.
type part struct {
	id   int
	text string
}

// split yields the parts of s in order. Parts of text are not empty.
func (m *matcher) split(s string) iter.Seq[part] {
	return func(yield func(part) bool) {
		done := 0 // what lies before has been yielded
		for i := 0; i < len(s) && len(m.tokens) > 0; {
			t, n := m.at(s[i:])
			if n == 0 {
				i++
				continue
			}
			start, end := i, i+n
			i = end
			if t.SingleWord && (wordEnds(s[:start]) || wordStarts(s[end:])) {
				continue
			}
			if t.LStrip {
				start = max(done, len(strings.TrimRightFunc(s[:start], unicode.IsSpace)))
			}
			if t.RStrip {
				end = len(s) - len(strings.TrimLeftFunc(s[end:], unicode.IsSpace))
				i = end
			}
			if start > done && !yield(part{-1, s[done:start]}) || !yield(part{id: t.ID}) {
				return
			}
			done = end
		}
		if done < len(s) {
			yield(part{-1, s[done:]})
		}
	}
}

// at returns the longest added token with which s begins, and its length, 0 if there is none.
func (m *matcher) at(s string) (addedToken, int) {
	for _, n := range m.lengths[s[0]] {
		if n <= len(s) {
			if t, ok := m.tokens[s[:n]]; ok {
				return t, n
			}
		}
	}
	return addedToken{}, 0
}

func wordStarts(s string) bool {
	r, n := utf8.DecodeRuneInString(s)
	return n > 0 && inWord(r)
}

func wordEnds(s string) bool {
	r, n := utf8.DecodeLastRuneInString(s)
	return n > 0 && inWord(r)
}

// inWord is \w of Unicode's regular expressions (UTS 18, annex C).
func inWord(r rune) bool {
	return unicode.In(r, unicode.L, unicode.M, unicode.Nd, unicode.Nl, unicode.Pc,
		unicode.Other_Alphabetic, unicode.Join_Control)
}
