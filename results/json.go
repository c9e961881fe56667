package results

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// deepestJSON is how many brackets may stand around a value, as in encoding/json.
const deepestJSON = 10000

// A jsonText reads JSON piece by piece, checks all of it, and knows in which line
// it is. It accepts what encoding/json does, but for text that is not UTF-8.
type jsonText struct {
	name string
	r    io.Reader
	err  error // of r
	buf  []byte
	pos  int // of the next byte in buf
	keep int // first byte of buf that is still needed, if not -1

	line    int // of buf[counted]
	counted int
	blank   int // line breaks in the space that the text ends with

	depth int
	key   []byte
}

func newJSONText(name string, r io.Reader) *jsonText {
	return &jsonText{name: name, r: r, keep: -1, line: 1, buf: make([]byte, 0, 1<<16)}
}

// fill reads more of the text; false at its end.
func (t *jsonText) fill() bool {
	if t.err != nil {
		return false
	}
	start := t.pos
	if t.keep >= 0 {
		start, t.keep = t.keep, 0
	}
	t.count(start)
	t.buf = t.buf[:copy(t.buf, t.buf[start:])]
	t.pos, t.counted = t.pos-start, t.counted-start
	t.buf = slices.Grow(t.buf, 1)
	for {
		n, err := t.r.Read(t.buf[len(t.buf):cap(t.buf)])
		t.buf, t.err = t.buf[:len(t.buf)+n], err
		if n > 0 || err != nil {
			return n > 0
		}
	}
}

// count counts lines up to a place in buf, and returns the line there.
func (t *jsonText) count(pos int) int {
	if pos > t.counted {
		t.line += bytes.Count(t.buf[t.counted:pos], []byte{'\n'})
		t.counted = pos
	}
	return t.line
}

// next is the next byte, which stays, after space; false at the end of the text.
func (t *jsonText) next() (byte, bool) {
	t.blank = 0
	for {
		for ; t.pos < len(t.buf); t.pos++ {
			switch c := t.buf[t.pos]; c {
			case '\n':
				t.blank++
			case ' ', '\t', '\r':
			default:
				t.blank = 0
				return c, true
			}
		}
		if !t.fill() {
			return 0, false
		}
	}
}

// byte is the next byte, which stays; false at the end of the text.
func (t *jsonText) byte() (byte, bool) {
	if t.pos == len(t.buf) && !t.fill() {
		return 0, false
	}
	return t.buf[t.pos], true
}

// wrong is an error at the next byte.
func (t *jsonText) wrong(format string, args ...any) error {
	return fmt.Errorf("%s:%d: %w", t.name, t.count(t.pos), fmt.Errorf(format, args...))
}

// unexpected is the error of encoding/json at the next byte, if what stands before
// it is of the same kind as before; or the error that there is no next byte.
func (t *jsonText) unexpected(before string) error {
	if c, ok := t.byte(); ok {
		var v any
		return t.wrong("%w", json.Unmarshal(append([]byte(before), c), &v))
	}
	line, err := t.count(t.pos)-t.blank, t.err
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = errors.New("the text ends too early")
	}
	return fmt.Errorf("%s:%d: %w", t.name, line, err)
}

// value reads the next value, which is good until more is read, and the line where
// it begins.
func (t *jsonText) value() ([]byte, int, error) {
	if _, ok := t.next(); !ok {
		return nil, 0, t.unexpected("")
	}
	line := t.count(t.pos)
	t.keep = t.pos
	err := t.skip()
	raw := t.buf[t.keep:t.pos]
	t.keep = -1
	return raw, line, err
}

// skip reads over a value.
func (t *jsonText) skip() error {
	switch c, _ := t.next(); {
	case c == '"':
		_, err := t.text()
		return err
	case c == '{':
		return t.object(nil)
	case c == '[':
		return t.elements(t.skip)
	case c == 't':
		return t.literal("true")
	case c == 'f':
		return t.literal("false")
	case c == 'n':
		return t.literal("null")
	case c == '-' || '0' <= c && c <= '9':
		return t.number()
	}
	return t.unexpected("")
}

// object calls f for every key, which stays until the value is read; f reads the
// value. nil reads over them.
func (t *jsonText) object(f func(key []byte) error) error {
	if err := t.enter('{'); err != nil {
		return err
	}
	if c, _ := t.next(); c == '}' {
		return t.leave()
	}
	for before := "{"; ; before = `{"":"",` {
		if c, _ := t.next(); c != '"' {
			return t.unexpected(before)
		}
		key, err := t.text()
		if err != nil {
			return err
		}
		if f != nil {
			t.key = append(t.key[:0], key...)
		}
		if c, _ := t.next(); c != ':' {
			return t.unexpected(`{""`)
		}
		t.pos++
		if f == nil {
			err = t.skip()
		} else {
			err = f(textOf(&t.key, t.key))
		}
		if err != nil {
			return err
		}
		switch c, _ := t.next(); c {
		case ',':
			t.pos++
		case '}':
			return t.leave()
		default:
			return t.unexpected(`{"":""`)
		}
	}
}

// elements calls f for every element of an array, which f reads.
func (t *jsonText) elements(f func() error) error {
	if err := t.enter('['); err != nil {
		return err
	}
	if c, _ := t.next(); c == ']' {
		return t.leave()
	}
	for {
		if err := f(); err != nil {
			return err
		}
		switch c, _ := t.next(); c {
		case ',':
			t.pos++
		case ']':
			return t.leave()
		default:
			return t.unexpected(`[""`)
		}
	}
}

func (t *jsonText) enter(bracket byte) error {
	if c, ok := t.next(); ok && c != bracket {
		raw, line, err := t.value()
		if err != nil {
			return err
		}
		return fmt.Errorf("%s:%d: found %.40s, want %c", t.name, line, raw, bracket)
	} else if !ok {
		return t.unexpected("")
	}
	if t.depth++; t.depth > deepestJSON {
		return t.wrong("more than %d brackets around a value", deepestJSON)
	}
	t.pos++
	return nil
}

func (t *jsonText) leave() error {
	t.depth--
	t.pos++
	return nil
}

// inText are the bytes that stand for themselves in a text.
var inText = func() (in [256]bool) {
	for c := range in {
		in[c] = c >= ' ' && c != '"' && c != '\\'
	}
	return in
}()

// text reads a text, and returns it with its quotes; it is good until more is read.
func (t *jsonText) text() ([]byte, error) {
	alone := t.keep < 0
	if alone {
		t.keep = t.pos
		defer func() { t.keep = -1 }()
	}
	start := t.pos - t.keep
	t.pos++
	for {
		i, buf := t.pos, t.buf
		for i < len(buf) && inText[buf[i]] {
			i++
		}
		t.pos = i
		c, ok := t.byte()
		switch {
		case ok && c == '"':
			t.pos++
			raw := t.buf[t.keep+start : t.pos]
			if !utf8.Valid(raw) {
				return nil, t.wrong("not UTF-8")
			}
			return raw, nil
		case ok && c == '\\':
			if err := t.escape(); err != nil {
				return nil, err
			}
		case !ok || c < ' ':
			return nil, t.unexpected(`"`)
		}
	}
}

// escape reads over a backslash and what it escapes.
func (t *jsonText) escape() error {
	t.pos++
	c, _ := t.byte()
	if strings.IndexByte(`"\/bfnrtu`, c) < 0 {
		return t.unexpected(`"\`)
	}
	t.pos++
	if c != 'u' {
		return nil
	}
	for range 4 {
		if c, _ := t.byte(); hex(c) < 0 {
			return t.unexpected(`"\u`)
		}
		t.pos++
	}
	return nil
}

// hex is the value of a digit, -1 if it is none.
func hex(c byte) rune {
	switch {
	case '0' <= c && c <= '9':
		return rune(c - '0')
	case 'a' <= c|' ' && c|' ' <= 'f':
		return rune(c|' '-'a') + 10
	}
	return -1
}

func (t *jsonText) literal(word string) error {
	for i := range len(word) {
		if c, _ := t.byte(); c != word[i] {
			return t.unexpected(word[:i])
		}
		t.pos++
	}
	return nil
}

func (t *jsonText) number() error {
	if t.accept("-") && !t.digit() {
		return t.unexpected("-")
	}
	if !t.accept("0") {
		t.digits()
	}
	if t.accept(".") && !t.digits() {
		return t.unexpected("0.")
	}
	if t.accept("eE") {
		t.accept("+-")
		if !t.digits() {
			return t.unexpected("0e+")
		}
	}
	return nil
}

// accept reads a byte if it is one of some.
func (t *jsonText) accept(some string) bool {
	c, ok := t.byte()
	if !ok || strings.IndexByte(some, c) < 0 {
		return false
	}
	t.pos++
	return true
}

// digit tells if the next byte is one.
func (t *jsonText) digit() bool {
	c, _ := t.byte()
	return '0' <= c && c <= '9'
}

// digits reads digits; false if there is none.
func (t *jsonText) digits() bool {
	some := false
	for t.digit() {
		t.pos++
		some = true
	}
	return some
}

// finish wants nothing more.
func (t *jsonText) finish() error {
	if _, ok := t.next(); !ok {
		if t.err == io.EOF {
			return nil
		}
		return t.unexpected("")
	}
	line := t.count(t.pos)
	if err := t.skip(); err != nil {
		return err
	}
	return fmt.Errorf("%s:%d: more text after the end of the JSON", t.name, line)
}
