package tokenizer

import (
	"strings"
	"unicode/utf8"
)

// valid returns s with U+FFFD for what is not UTF-8, one for each maximal part of a character
// as Unicode recommends (chapter 3.9, table 3-8), and so do Python and Rust.
// strings.ToValidUTF8 gives one for a whole run.
func valid(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		if r == utf8.RuneError && n == 1 {
			n = partial(s)
		}
		b.WriteRune(r)
		s = s[n:]
	}
	return b.String()
}

// partial is the length of the bytes with which s, not UTF-8, begins and which could have been
// the begin of a character; at least 1.
func partial(s string) int {
	need, low, high := 0, byte(0x80), byte(0xbf) // bytes to follow, and the range of the next
	switch c := s[0]; {
	case c >= 0xc2 && c <= 0xdf:
		need = 1
	case c == 0xe0:
		need, low = 2, 0xa0
	case c == 0xed:
		need, high = 2, 0x9f
	case c >= 0xe1 && c <= 0xef:
		need = 2
	case c == 0xf0:
		need, low = 3, 0x90
	case c == 0xf4:
		need, high = 3, 0x8f
	case c >= 0xf1 && c <= 0xf3:
		need = 3
	}
	n := 1
	for n <= need && n < len(s) && s[n] >= low && s[n] <= high {
		low, high = 0x80, 0xbf
		n++
	}
	return n
}
