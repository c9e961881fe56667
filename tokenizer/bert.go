package tokenizer

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// wordPiece is BERT's model (Wu et al. 2016; Devlin et al. 2019): a word is cut from the left
// into the longest pieces that the vocabulary has; pieces within a word begin with a prefix.
type wordPiece struct {
	first     map[string]int // pieces that begin a word
	inner     map[string]int // pieces within a word, without their prefix
	longest   int            // piece in either, in bytes
	unknown   int
	maxLength int    // a longer word, in characters, is unknown
	prefix    string // "##"
	tidy      bool   // whether decoding joins punctuation to the word before
	bertNormalizer
}

// maxWord bounds the length of words, in characters, since time grows with its square; BERT's is 100.
const maxWord = 1000

func newWordPiece(d *definition) (*wordPiece, error) {
	m := &wordPiece{first: d.Model.Vocab, inner: map[string]int{}, maxLength: 100, prefix: "##"}
	if !absent(d.Normalizer) {
		if err := readStep("normalizer", d.Normalizer, "BertNormalizer", &m.bertNormalizer); err != nil {
			return nil, err
		}
	}
	if err := readStep("pre_tokenizer", d.PreTokenizer, "BertPreTokenizer", &step{}); err != nil {
		return nil, err
	}
	decoder := struct {
		Prefix  string `json:"prefix"`
		CleanUp bool   `json:"cleanup"`
	}{"##", true}
	if err := readStep("decoder", d.Decoder, "WordPiece", &decoder); err != nil {
		return nil, err
	}
	m.tidy = decoder.CleanUp
	if d.Model.Prefix != nil {
		m.prefix = *d.Model.Prefix
	}
	if m.prefix == "" || m.prefix != decoder.Prefix {
		return nil, fmt.Errorf("model.continuing_subword_prefix is %.40q and decoder.prefix is %.40q: they must be the same and not empty", m.prefix, decoder.Prefix)
	}
	if n := d.Model.MaxLength; n != nil {
		if *n < 0 || *n > maxWord {
			return nil, fmt.Errorf("model.max_input_chars_per_word %d is not from 0 to %d", *n, maxWord)
		}
		m.maxLength = *n
	}
	for token, id := range d.Model.Vocab {
		if piece, inner := strings.CutPrefix(token, m.prefix); inner {
			m.inner[piece] = id
		}
		m.longest = max(m.longest, len(token))
	}
	unknown := "[UNK]"
	if d.Model.Unknown != nil {
		unknown = *d.Model.Unknown
	}
	id, ok := d.Model.Vocab[unknown]
	if !ok {
		return nil, fmt.Errorf("model.vocab lacks the unknown token %.40q", unknown)
	}
	m.unknown = id
	return m, nil
}

// bertNormalizer is the normalizer of a tokenizer.json; the zero value changes nothing.
type bertNormalizer struct {
	CleanText    bool  `json:"clean_text"`
	Chinese      bool  `json:"handle_chinese_chars"`
	StripAccents *bool `json:"strip_accents"` // nil: as Lowercase
	Lowercase    bool  `json:"lowercase"`
}

func (n *bertNormalizer) normalize(s string) string {
	if n.CleanText || n.Chinese {
		s = n.clean(s)
	}
	if n.StripAccents == nil && n.Lowercase || n.StripAccents != nil && *n.StripAccents {
		s = stripAccents(s)
	}
	if n.Lowercase {
		s = lower(s)
	}
	return s
}

// clean drops control characters, makes all white space blanks, and puts blanks around Chinese
// characters.
func (n *bertNormalizer) clean(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	for _, r := range s {
		switch {
		case r > ' ' && r < 0x7f:
			b.WriteByte(byte(r))
		case n.CleanText && unicode.Is(bertDropped, r):
		case n.CleanText && unicode.IsSpace(r):
			b.WriteByte(' ')
		case n.Chinese && unicode.Is(bertChinese, r):
			b.WriteByte(' ')
			b.WriteRune(r)
			b.WriteByte(' ')
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// newerNFD is a letter whose decomposition is newer than the tables of the reference.
const newerNFD = '\U00011938'

func stripAccents(s string) string {
	if isASCII(s) {
		return s
	}
	for i, part := range strings.Split(s, string(newerNFD)) {
		part = strings.Map(func(r rune) rune {
			if unicode.Is(bertMarks, r) {
				return -1
			}
			return r
		}, norm.NFD.String(part))
		if i == 0 {
			s = part
		} else {
			s += string(newerNFD) + part
		}
	}
	return s
}

// lower puts letters in lower case one by one, so the Greek final sigma is not special.
func lower(s string) string {
	s = strings.ReplaceAll(s, "İ", "i\u0307")
	return strings.Map(func(r rune) rune {
		if l, ok := newerCase[r]; ok {
			return l
		}
		return unicode.ToLower(r)
	}, s)
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// encode splits at white space and around each punctuation mark, and appends the pieces of each
// word.
func (m *wordPiece) encode(ids []int, s string) []int {
	start := 0
	for i, r := range s {
		space := unicode.IsSpace(r)
		if !space && !unicode.Is(bertPunctuation, r) {
			continue
		}
		ids = m.word(ids, s[start:i])
		start = i + utf8.RuneLen(r)
		if !space {
			ids = m.word(ids, s[i:start])
		}
	}
	return m.word(ids, s[start:])
}

// word appends the pieces of w, or the unknown token if w cannot be cut into pieces.
func (m *wordPiece) word(ids []int, w string) []int {
	if w == "" {
		return ids
	}
	if len(w) > m.maxLength && utf8.RuneCountInString(w) > m.maxLength {
		return append(ids, m.unknown)
	}
	known, pieces := len(ids), m.first
	for w != "" {
		id, n := m.piece(pieces, w)
		if n == 0 {
			return append(ids[:known], m.unknown)
		}
		ids = append(ids, id)
		w, pieces = w[n:], m.inner
	}
	return ids
}

// piece returns the longest of pieces with which w begins, and its length, 0 if there is none.
func (m *wordPiece) piece(pieces map[string]int, w string) (id, n int) {
	for n = min(len(w), m.longest); n > 0; n-- {
		if n < len(w) && !utf8.RuneStart(w[n]) {
			continue
		}
		if id, ok := pieces[w[:n]]; ok {
			return id, n
		}
	}
	return 0, 0
}

// decode joins tokens by blanks, and pieces within words without. It tidies token by token, so
// that " ' " stays, which cleanUp would take.
func (m *wordPiece) decode(tokens []string) string {
	var b strings.Builder
	for i, token := range tokens {
		if i > 0 {
			if piece, inner := strings.CutPrefix(token, m.prefix); inner {
				token = piece
			} else {
				token = " " + token
			}
		}
		if m.tidy {
			token = cleanUp(token)
		}
		b.WriteString(token)
	}
	return b.String()
}
