package tokenizer

import (
	"encoding/json"
	"fmt"
	"iter"
	"strings"
	"unicode"
	"unicode/utf8"
)

// byteBPE is GPT-2's model (Radford et al. 2019): each word is its bytes at first; then the pair
// that was merged earliest in learning is merged, again and again.
type byteBPE struct {
	bytes       [256]int // the id of each byte, -1 if it has none
	merges      map[pair]merge
	words       map[string]int // tokens as bytes, if whole words go before merges; else nil
	unknown     int            // for bytes without an id; -1 to leave them out
	fuseUnknown bool           // several in a row are one
	prefixSpace bool           // a blank is put before a text that has none
	oneWord     bool           // the text is not split into words
}

type pair struct{ left, right int32 }

type merge struct{ rank, id int32 }

func newByteBPE(d *definition) (*byteBPE, error) {
	if err := refuseBPE(d); err != nil {
		return nil, err
	}
	m := &byteBPE{unknown: -1, fuseUnknown: d.Model.FuseUnknown}
	pre := struct {
		PrefixSpace bool `json:"add_prefix_space"`
		Regex       bool `json:"use_regex"`
	}{true, true}
	if err := readStep("pre_tokenizer", d.PreTokenizer, "ByteLevel", &pre); err != nil {
		return nil, err
	}
	m.prefixSpace, m.oneWord = pre.PrefixSpace, !pre.Regex
	if err := readStep("decoder", d.Decoder, "ByteLevel", &step{}); err != nil {
		return nil, err
	}
	if name := d.Model.Unknown; name != nil {
		if id, ok := d.Model.Vocab[*name]; ok {
			m.unknown = id
		}
	}
	for b, letter := range byteLetters {
		m.bytes[b] = -1
		if id, ok := d.Model.Vocab[string(letter)]; ok {
			m.bytes[b] = id
		}
	}
	if d.Model.IgnoreMerges {
		m.words = make(map[string]int, len(d.Model.Vocab))
		for token, id := range d.Model.Vocab {
			if raw, ok := letterBytes(nil, token); ok {
				m.words[string(raw)] = id
			}
		}
	}
	var err error
	m.merges, err = d.Model.mergeTable()
	return m, err
}

// refuseBPE names what GPT-2 does not have.
func refuseBPE(d *definition) error {
	m := &d.Model
	switch {
	case !absent(d.Normalizer):
		var s step
		_ = json.Unmarshal(d.Normalizer, &s) // for its name only
		return fmt.Errorf("normalizer type %.40q is not supported with BPE", s.Type)
	case m.Dropout != nil && *m.Dropout != 0:
		return fmt.Errorf("model.dropout %v is not supported", *m.Dropout)
	case m.Prefix != nil && *m.Prefix != "":
		return fmt.Errorf("model.continuing_subword_prefix %.40q is not supported with BPE", *m.Prefix)
	case m.Suffix != nil && *m.Suffix != "":
		return fmt.Errorf("model.end_of_word_suffix %.40q is not supported", *m.Suffix)
	case m.ByteFallback:
		return fmt.Errorf("model.byte_fallback is not supported")
	}
	return nil
}

// mergeTable looks up the ids of the merges.
func (d *modelDefinition) mergeTable() (map[pair]merge, error) {
	table := make(map[pair]merge, len(d.Merges))
	for rank, m := range d.Merges {
		left, ok1 := d.Vocab[m[0]]
		right, ok2 := d.Vocab[m[1]]
		both, ok3 := d.Vocab[m[0]+m[1]]
		if !ok1 || !ok2 || !ok3 {
			return nil, fmt.Errorf("merge %d, %.40q and %.40q: one of them or what they make is not in the vocabulary", rank+1, m[0], m[1])
		}
		table[pair{int32(left), int32(right)}] = merge{int32(rank), int32(both)}
	}
	return table, nil
}

func (m *byteBPE) normalize(s string) string { return s }

func (m *byteBPE) encode(ids []int, s string) []int {
	if m.prefixSpace && s != "" && s[0] != ' ' {
		s = " " + s
	}
	var w word
	if m.oneWord {
		return w.encode(m, ids, s)
	}
	for part := range gptWords(s) {
		ids = w.encode(m, ids, part)
	}
	return ids
}

// contractions stay one word in GPT-2's splitting.
var contractions = []string{"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"}

// gptWords yields what GPT-2's regular expression finds, one behind the other:
//
//	's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
func gptWords(s string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for s != "" {
			n := gptWord(s)
			if !yield(s[:n]) {
				return
			}
			s = s[n:]
		}
	}
}

// gptWord is the length of the first word of s, which is not empty.
func gptWord(s string) int {
	if s[0] == '\'' {
		for _, c := range contractions {
			if strings.HasPrefix(s, c) {
				return len(c)
			}
		}
	}
	body := strings.TrimPrefix(s, " ")
	r, _ := utf8.DecodeRuneInString(body)
	if kind := gptKind(r); body != "" && kind != blank {
		return len(s) - len(body) + run(body, kind)
	}
	n := run(s, blank)
	if n < len(s) { // the last blank belongs to the next word
		_, last := utf8.DecodeLastRuneInString(s[:n])
		if n > last {
			n -= last
		}
	}
	return n
}

// The kinds of characters that GPT-2's words are made of.
const (
	blank = iota
	letter
	number
	other
)

func gptKind(r rune) int {
	switch {
	case r < utf8.RuneSelf && (r|0x20 >= 'a' && r|0x20 <= 'z'):
		return letter
	case unicode.IsSpace(r):
		return blank
	case unicode.Is(gptLetters, r):
		return letter
	case unicode.Is(gptNumbers, r):
		return number
	}
	return other
}

// run is the length of the characters of one kind with which s begins.
func run(s string, kind int) int {
	for i, r := range s {
		if gptKind(r) != kind {
			return i
		}
	}
	return len(s)
}

// decode puts the bytes of all tokens together. A token with letters that stand for no byte, as
// added ones may have, stands for itself.
func (m *byteBPE) decode(tokens []string) string {
	var b []byte
	for _, token := range tokens {
		if raw, ok := letterBytes(b, token); ok {
			b = raw
		} else {
			b = append(b, token...)
		}
	}
	return valid(string(b))
}

// byteLetters are the letters that stand for bytes in a vocabulary: printable ones of Latin-1
// for themselves, and those from U+0100 on for the rest.
var byteLetters = func() (letters [256]rune) {
	next := rune(0x100)
	for b := range letters {
		if r := rune(b); r > ' ' && r < 0x7f || r > 0xa0 && r != 0xad {
			letters[b] = r
		} else {
			letters[b] = next
			next++
		}
	}
	return letters
}()

// letterByte is the inverse of byteLetters, -1 for letters that stand for no byte.
var letterByte = func() (bytes [0x144]int16) {
	for r := range bytes {
		bytes[r] = -1
	}
	for b, r := range byteLetters {
		bytes[r] = int16(b)
	}
	return bytes
}()

// letterBytes appends the bytes for which the letters of a token stand, if all do for one.
func letterBytes(b []byte, token string) ([]byte, bool) {
	for _, r := range token {
		if int(r) >= len(letterByte) || letterByte[r] < 0 {
			return nil, false
		}
		b = append(b, byte(letterByte[r]))
	}
	return b, true
}
