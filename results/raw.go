package results

import (
	"bytes"
	"iter"
	"unicode/utf16"
	"unicode/utf8"
)

// What is called raw here is a piece of JSON that a jsonText has checked.

// members yields the keys, in quotes, and the values of an object.
func members(raw []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func(key, value []byte) bool) {
		rest := skipSpace(raw[1:])
		for rest[0] != '}' {
			n := valueLen(rest)
			key := rest[:n]
			rest = skipSpace(skipSpace(rest[n:])[1:])
			n = valueLen(rest)
			if !yield(key, rest[:n]) {
				return
			}
			if rest = skipSpace(rest[n:]); rest[0] == ',' {
				rest = skipSpace(rest[1:])
			}
		}
	}
}

// elements yields the elements of an array.
func elements(raw []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		rest := skipSpace(raw[1:])
		for rest[0] != ']' {
			n := valueLen(rest)
			if !yield(rest[:n]) {
				return
			}
			if rest = skipSpace(rest[n:]); rest[0] == ',' {
				rest = skipSpace(rest[1:])
			}
		}
	}
}

func skipSpace(raw []byte) []byte {
	for len(raw) > 0 && (raw[0] == ' ' || raw[0] == '\n' || raw[0] == '\t' || raw[0] == '\r') {
		raw = raw[1:]
	}
	return raw
}

// valueLen is the number of bytes of the value that raw begins with.
func valueLen(raw []byte) int {
	depth := 0
	for i := 0; i < len(raw); i++ {
		switch raw[i] {
		case '"':
			i += textLen(raw[i:]) - 1
		case '{', '[':
			depth++
			continue
		case '}', ']':
			depth--
		case ' ', '\n', '\t', '\r', ',', ':':
			continue
		default:
			for i+1 < len(raw) && !ends[raw[i+1]] {
				i++
			}
		}
		if depth == 0 {
			return i + 1
		}
	}
	return len(raw)
}

// ends are the bytes that may stand behind a number, true, false or null.
var ends = [256]bool{' ': true, '\n': true, '\t': true, '\r': true, ',': true, ']': true, '}': true}

// textLen is the number of bytes of the text that raw begins with, with its quotes.
func textLen(raw []byte) int {
	for i := 1; ; i++ {
		n := bytes.IndexByte(raw[i:], '"')
		if n < 0 {
			return len(raw)
		}
		i += n
		escapes := 0
		for raw[i-1-escapes] == '\\' {
			escapes++
		}
		if escapes%2 == 0 {
			return i + 1
		}
	}
}

// textOf is what a text says. Escapes are resolved behind scratch, which grows.
func textOf(scratch *[]byte, raw []byte) []byte {
	raw = raw[1 : len(raw)-1]
	i := bytes.IndexByte(raw, '\\')
	if i < 0 {
		return raw
	}
	start, out := len(*scratch), *scratch
	for ; i >= 0; i = bytes.IndexByte(raw, '\\') {
		out = append(out, raw[:i]...)
		var n int
		out, n = resolve(out, raw[i:])
		raw = raw[i+n:]
	}
	out = append(out, raw...)
	*scratch = out
	return out[start:]
}

// resolve appends what the escape stands for that raw begins with, and returns
// how many bytes of raw that is. Half a pair of surrogates becomes U+FFFD, as in
// encoding/json.
func resolve(out, raw []byte) ([]byte, int) {
	switch c := raw[1]; c {
	case 'b':
		return append(out, '\b'), 2
	case 'f':
		return append(out, '\f'), 2
	case 'n':
		return append(out, '\n'), 2
	case 'r':
		return append(out, '\r'), 2
	case 't':
		return append(out, '\t'), 2
	case 'u':
		r := codeUnit(raw)
		if !utf16.IsSurrogate(r) {
			return utf8.AppendRune(out, r), 6
		}
		if r = utf16.DecodeRune(r, codeUnit(raw[6:])); r != utf8.RuneError {
			return utf8.AppendRune(out, r), 12
		}
		return utf8.AppendRune(out, r), 6
	default:
		return append(out, c), 2
	}
}

// codeUnit is the number that \u and four digits at the beginning of raw write,
// else U+FFFD.
func codeUnit(raw []byte) rune {
	if len(raw) < 6 || raw[0] != '\\' || raw[1] != 'u' {
		return utf8.RuneError
	}
	r := rune(0)
	for _, c := range raw[2:6] {
		r = r<<4 | hex(c)
	}
	return r
}
