// Package text turns captions into words and words into numbers, and back.
//
// Clean is the one place where the letters of a caption change; training,
// evaluation and serving all go through it. Start with BuildVocab, then use
// Vocab.Encode and Vocab.Decode; Sentence makes a caption fit to be shown.
package text

import (
	"html"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

var (
	entity = regexp.MustCompile(`&#?[0-9A-Za-z]{1,31};`)
	tag    = regexp.MustCompile(`<[^<>\s]{1,64}\s*/?>`) // <unk>, </s>, <br />
)

// strays are words that tutorials put into captions to mark their ends.
var strays = map[string]bool{"startseq": true, "endseq": true}

// clitics are the endings that the scores' tokens keep apart, as do the
// captions of Flickr8k: "dog 's", "does n't".
var clitics = []string{"'s", "'re", "'ve", "'ll", "'d", "'m", "n't"}

// zwnj and zwj shape the letters beside them in Persian, Hindi and others.
const zwnj, zwj = '\u200c', '\u200d'

// Clean returns the words of a caption with one blank between them: lower
// case, composed (NFC), without punctuation, symbols, HTML and marks such as
// "<unk>". Letters of every script stay with their combining marks, numbers
// stay ("3.5", "12:30"), and so do hyphens and apostrophes inside a word
// ("t-shirt", "o'neil"). The endings 's 're 've 'll 'd 'm n't become words of
// their own, as in the tokens that the metrics count; Join puts them back.
// Cleaning twice changes nothing more, and the result is valid UTF-8.
func Clean(caption string) string {
	var words []string
	for w := range strings.FieldsSeq(strip(unify(caption))) {
		words = split(words, w)
	}
	words = slices.DeleteFunc(words, func(w string) bool { return strays[w] })
	for len(words) > 0 && words[0][0] == '\'' { // the ending of no word
		words = words[1:]
	}
	return strings.Join(words, " ")
}

// Words returns the words of Clean(caption).
func Words(caption string) []string { return strings.Fields(Clean(caption)) }

// unify lowers the case, resolves HTML, and gives each letter and sign one spelling.
func unify(s string) string {
	for range 4 { // "&amp;quot;" has been escaped twice; more is malice
		t := entity.ReplaceAllStringFunc(s, unescape)
		if t == s {
			break
		}
		s = t
	}
	s = tag.ReplaceAllString(s, " ")
	s = norm.NFC.String(strings.ToValidUTF8(s, " "))
	return norm.NFC.String(strings.Map(unifyRune, s))
}

// unescape resolves one entity, but not the &cent in "left&center;".
func unescape(entity string) string {
	if s := html.UnescapeString(entity); utf8.RuneCountInString(s) <= 2 {
		return s
	}
	return entity
}

func unifyRune(r rune) rune {
	switch r {
	case '\u2019', '\u02bc', '\uff07', '\u0092', '\u00b4': // apostrophes, also as keyboards and Windows-1252 have them
		return '\''
	case '\u2010', '\u2011', '\u2043', '\ufe63', '\uff0d':
		return '-'
	case zwnj, zwj:
		return r
	case '\u200b': // parts words where no blank is written
		return ' '
	}
	if unicode.In(r, unicode.Cf, unicode.Variation_Selector) {
		return -1
	}
	return unicode.ToLower(r)
}

// strip replaces by a blank whatever is not part of a word.
func strip(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	prev := ' ' // the rune written last
	for i, r := range s {
		rest := s[i+utf8.RuneLen(r):]
		if !keep(prev, r, rest) {
			r = ' '
		}
		b.WriteRune(r)
		prev = r
	}
	return b.String()
}

// keep reports whether r is part of a word when it stands between prev and rest.
func keep(prev, r rune, rest string) bool {
	next, _ := utf8.DecodeRuneInString(rest)
	switch {
	case inWord(r):
		return true
	case unicode.IsMark(r):
		return inWord(prev) || unicode.IsMark(prev)
	case r == '\'' && prev == ' ':
		return startsClitic(rest)
	case r == '\'', r == '-', r == zwnj, r == zwj:
		return (inWord(prev) || unicode.IsMark(prev)) && inWord(next)
	case r == '.', r == ',', r == ':':
		return unicode.IsNumber(prev) && unicode.IsNumber(next)
	}
	return false
}

func inWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) }

// startsClitic reports whether the text after an apostrophe is the ending of
// the word before: the s of "dog 's", not of "'s-hertogenbosch" or "'s'".
func startsClitic(rest string) bool {
	for _, c := range clitics {
		if after, ok := strings.CutPrefix(rest, c[1:]); ok && c[0] == '\'' {
			r, size := utf8.DecodeRuneInString(after)
			if size == 0 || r != '\'' && r != '-' && r != zwnj && r != zwj && !inWord(r) && !unicode.IsMark(r) {
				return true
			}
		}
	}
	return false
}

// split appends w to out, its clitics as words of their own.
func split(out []string, w string) []string {
	for _, c := range clitics {
		stem := strings.TrimRight(strings.TrimSuffix(w, c), "'-\u200c\u200d")
		if strings.HasSuffix(w, c) && stem != "" {
			return append(split(out, stem), c)
		}
	}
	return append(out, w)
}

// Join puts words into one line, clitics on the word before: "the dog's tail".
// Words(Join(w)) is w again for the words that Clean makes.
func Join(words []string) string {
	var b strings.Builder
	for i, w := range words {
		if i > 0 && !slices.Contains(clitics, w) {
			b.WriteByte(' ')
		}
		b.WriteString(w)
	}
	return b.String()
}

// dangling are words that no English caption ends in.
var dangling = strings.Fields(`a an the and or but while as with without in on at of to from into onto over under by for
	near behind through across along around next front his her their its is are that which who 's wearing holding`)

// Dangling tells whether a caption that ends in the word is cut short: "a man with".
func Dangling(word string) bool { return slices.Contains(dangling, word) }

// Sentence returns a caption as it is shown to a person: "a dog runs" becomes
// "A dog runs." Nothing stays nothing.
func Sentence(caption string) string {
	s := Join(strings.Fields(caption))
	first, size := utf8.DecodeRuneInString(s)
	if size == 0 || first == utf8.RuneError {
		return s
	}
	s = string(unicode.ToTitle(first)) + s[size:]
	if last, _ := utf8.DecodeLastRuneInString(s); strings.ContainsRune(".!?…。！？।", last) {
		return s
	}
	return s + "."
}
