package dataset

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"strings"
	"unicode/utf8"

	"showtell/text"
)

// A row is one caption as a file has it.
type row struct {
	line                 int
	name, caption, split string
}

// gathered is what a file of captions, or a list of names, says.
type gathered struct {
	file     string // for errors
	where    string // for problems: shorter
	rows     []row
	problems []Problem
	err      error // reading stopped there
}

// readText reads a file with a format's reader.
func readText(g *gathered, path string, read func(*gathered, io.Reader) error) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := read(g, f); err != nil {
		return err
	}
	return g.err
}

// add takes a row, or makes a problem of it.
func (g *gathered) add(r row) {
	r.name, r.caption, r.split = strings.TrimSpace(r.name), strings.TrimSpace(r.caption), strings.TrimSpace(r.split)
	switch {
	case r.name == "":
		g.bad(r.line, "", errors.New("no picture's name"))
	case text.Clean(r.caption) == "":
		g.bad(r.line, r.name, fmt.Errorf("no word in the caption %.80q", r.caption))
	default:
		g.rows = append(g.rows, r)
	}
}

// bad notes a line that holds nothing usable.
func (g *gathered) bad(line int, name string, err error) {
	g.problems = append(g.problems, Problem{BadLine, name, g.at(line), err})
}

func (g *gathered) at(line int) string { return fmt.Sprintf("%s:%d", g.where, line) }

// lines yields the lines of r that are not blank, numbered from 1, without
// byte order mark and line end. A line that is not UTF-8 is noted as bad.
// If reading fails, err is set.
func (g *gathered) lines(r io.Reader) iter.Seq2[int, string] {
	return func(yield func(int, string) bool) {
		sc := bufio.NewScanner(r)
		sc.Buffer(nil, 1<<22)
		n := 0
		for sc.Scan() {
			n++
			line := sc.Bytes()
			if n == 1 {
				if bytes.HasPrefix(line, []byte("\xff\xfe")) || bytes.HasPrefix(line, []byte("\xfe\xff")) {
					g.err = fmt.Errorf("%s: the text is UTF-16; save it as UTF-8", g.file)
					return
				}
				line = bytes.TrimPrefix(line, []byte("\ufeff"))
			}
			if !utf8.Valid(line) {
				g.bad(n, "", fmt.Errorf("not UTF-8: %.80q", line))
				continue
			}
			if len(bytes.TrimSpace(line)) > 0 && !yield(n, string(line)) {
				return
			}
		}
		if err := sc.Err(); err != nil {
			g.err = fmt.Errorf("%s:%d: %w", g.file, n+1, err)
		}
	}
}

// check gives an error if there is no caption at all.
func (g *gathered) check() error {
	switch {
	case len(g.rows) > 0:
		return nil
	case len(g.problems) == 0:
		return fmt.Errorf("%s: no captions in it", g.file)
	}
	p := g.problems[0]
	return fmt.Errorf("%s: no captions in it: %d lines can't be read, the first is %v", g.file, len(g.problems), p)
}
