package dataset

import (
	"bufio"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"showtell/text"
)

// Captions reads captions whose pictures don't matter, in their order: from a file of
// any of Formats, or else of a caption a line; gzipped or not. Lines without words are
// left out.
func Captions(path string) ([]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r, err := unzipped(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	head, _ := r.Peek(4096) // of shorter files all; errors come again when reading on
	base := strings.TrimSuffix(filepath.Base(path), ".gz")
	read := readPlain
	if f, ok := formatOf(formats, base, strings.TrimLeft(strings.TrimPrefix(string(head), "\ufeff"), "\r\n")); ok && len(head) > 0 {
		read = f.read
	}
	g := &gathered{file: path, where: filepath.Base(path)}
	if err := read(g, r); err != nil {
		return nil, err
	}
	if g.err != nil {
		return nil, g.err
	}
	if err := g.check(); err != nil {
		return nil, err
	}
	captions := make([]string, len(g.rows))
	for i, r := range g.rows {
		captions[i] = r.caption
	}
	return captions, nil
}

// readPlain takes each line for a caption.
func readPlain(g *gathered, r io.Reader) error {
	for n, line := range g.lines(r) {
		if text.Clean(line) != "" {
			g.rows = append(g.rows, row{line: n, caption: strings.TrimSpace(line)})
		}
	}
	return nil
}

// unzipped is r, or what was zipped in it.
func unzipped(r io.Reader) (*bufio.Reader, error) {
	b := bufio.NewReader(r)
	if magic, _ := b.Peek(2); string(magic) != "\x1f\x8b" {
		return b, nil
	}
	z, err := gzip.NewReader(b)
	if err != nil {
		return nil, err
	}
	return bufio.NewReader(z), nil
}
