package results

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"unicode/utf8"

	"github.com/klauspost/compress/zstd"
)

// headSize is how much of a file decides about its format, in bytes.
const headSize = 1 << 18

// longestLine of text, in bytes.
const longestLine = 1 << 24

// An input is the text of a file, unpacked and without byte order mark.
type input struct {
	name string
	text *bufio.Reader
	head head
}

// A head is the beginning of a file.
type head struct {
	text    string
	first   string // line
	outline outline
}

func open(name string, r io.Reader) (*input, error) {
	text := bufio.NewReaderSize(r, headSize)
	magic, err := peek(text, 4)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s: %w", name, err)
	case strings.HasPrefix(magic, "\x1f\x8b"):
		unpacked, err := gzip.NewReader(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		text = bufio.NewReaderSize(unpacked, headSize)
	case magic == "\x28\xb5\x2f\xfd":
		unpacked, err := zstd.NewReader(text, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(1<<27))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		text = bufio.NewReaderSize(unpacked, headSize)
	}
	start, err := peek(text, headSize)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if strings.HasPrefix(start, "\xff\xfe") || strings.HasPrefix(start, "\xfe\xff") {
		return nil, fmt.Errorf("%s: the text is UTF-16; save it as UTF-8", name)
	}
	if after, ok := strings.CutPrefix(start, "\ufeff"); ok {
		text.Discard(len(start) - len(after))
		start = after
	}
	first, _, _ := strings.Cut(start, "\n")
	return &input{name, text, head{start, strings.TrimSuffix(first, "\r"), outlineOf(start)}}, nil
}

// peek returns the next n bytes, or fewer at the end.
func peek(r *bufio.Reader, n int) (string, error) {
	b, err := r.Peek(n)
	if err == io.EOF {
		err = nil
	}
	return string(b), err
}

// lines yields the lines of the text, numbered from 1, without line ends. The
// error ends them.
func (in *input) lines() iter.Seq2[Place, textLine] {
	return func(yield func(Place, textLine) bool) {
		sc := bufio.NewScanner(in.text)
		sc.Buffer(nil, longestLine)
		n := 0
		for sc.Scan() {
			n++
			line := textLine{text: sc.Text()}
			if !utf8.ValidString(line.text) {
				line.err = fmt.Errorf("%s:%d: not UTF-8", in.name, n)
			}
			if !yield(Place{Line: n}, line) || line.err != nil {
				return
			}
		}
		if err := sc.Err(); err != nil {
			if errors.Is(err, bufio.ErrTooLong) {
				err = fmt.Errorf("a line of more than %d MB", longestLine>>20)
			}
			yield(Place{Line: n + 1}, textLine{err: fmt.Errorf("%s:%d: %w", in.name, n+1, err)})
		}
	}
}

type textLine struct {
	text string
	err  error
}

// A lineCounter passes text on and knows in which line each of its bytes stands.
type lineCounter struct {
	r      io.Reader
	offset int64
	breaks []int64 // places of line breaks after the last one asked for
	line   int     // of the first byte after the last one asked for
}

func (l *lineCounter) Read(p []byte) (int, error) {
	n, err := l.r.Read(p)
	for rest, at := p[:n], l.offset; ; {
		i := bytes.IndexByte(rest, '\n')
		if i < 0 {
			break
		}
		l.breaks = append(l.breaks, at+int64(i))
		rest, at = rest[i+1:], at+int64(i)+1
	}
	l.offset += int64(n)
	return n, err
}

// at is the line of a byte; places must not go backwards.
func (l *lineCounter) at(offset int64) int {
	passed := 0
	for passed < len(l.breaks) && l.breaks[passed] < offset {
		passed++
	}
	l.breaks, l.line = l.breaks[passed:], l.line+passed
	return l.line
}
