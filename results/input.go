package results

import (
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"strings"
	"sync/atomic"
	"unicode/utf8"

	"github.com/klauspost/compress/zstd"
)

// headSize is how much of a file decides about its format, in bytes.
const headSize = 1 << 18

// longestLine of text, in bytes.
const longestLine = 1 << 24

// An input is the text of a file, unpacked and without byte order mark.
type input struct {
	name   string
	packed *counter
	text   *bufio.Reader
	head   head
}

// A counter knows how much of a file was read, in bytes.
type counter struct {
	io.Reader
	done atomic.Int64
	size int64 // 0: not known
}

func newCounter(r io.Reader) *counter {
	c := &counter{Reader: r}
	if f, ok := r.(*os.File); ok {
		if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
			c.size = info.Size()
		}
	}
	return c
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.done.Add(int64(n))
	return n, err
}

// A head is the beginning of a file.
type head struct {
	text    string
	first   string // line
	outline outline
}

func open(name string, r io.Reader) (*input, error) {
	packed := newCounter(r)
	text := bufio.NewReaderSize(packed, headSize)
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
	return &input{name, packed, text, head{start, strings.TrimSuffix(first, "\r"), outlineOf(start)}}, nil
}

// peek returns the next n bytes, or fewer at the end.
func peek(r *bufio.Reader, n int) (string, error) {
	b, err := r.Peek(n)
	if err == io.EOF {
		err = nil
	}
	return string(b), err
}

// lines yields the lines of the text, numbered from 1, without line ends, each good
// until the next. The error ends them.
func (in *input) lines() iter.Seq2[Place, textLine] {
	return func(yield func(Place, textLine) bool) {
		sc := bufio.NewScanner(in.text)
		sc.Buffer(make([]byte, 1<<16), longestLine)
		n := 0
		for sc.Scan() {
			n++
			line := textLine{text: sc.Bytes()}
			if !utf8.Valid(line.text) {
				line.err = fmt.Errorf("%s:%d: not UTF-8", in.name, n)
			}
			if !yield(Place{Line: int32(n)}, line) || line.err != nil {
				return
			}
		}
		if err := sc.Err(); err != nil {
			if errors.Is(err, bufio.ErrTooLong) {
				err = fmt.Errorf("a line of more than %d MB", longestLine>>20)
			}
			yield(Place{Line: int32(n + 1)}, textLine{err: fmt.Errorf("%s:%d: %w", in.name, n+1, err)})
		}
	}
}

type textLine struct {
	text []byte
	err  error
}
