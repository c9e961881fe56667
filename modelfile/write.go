package modelfile

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"unicode/utf8"

	"showtell/internal/atomicfile"
)

// alignment is where the data begin, counted from the start of the file: a
// cache line, so that mapped float32s are aligned for any processor.
const alignment = 64

// Write stores the tensors and the metadata at path. It writes beside path and
// renames, so that path holds the old file or the whole new one, even where the
// tensors are mapped from the old one. Equal input, in any order, gives equal
// bytes.
func Write(path string, meta map[string]string, tensors []Tensor) error {
	err := atomicfile.Write(path, func(w io.Writer) error { return Encode(w, meta, tensors) })
	if err != nil {
		if p, ok := err.(*os.PathError); ok {
			err = p.Err // without the path, which is named already
		}
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// Encode writes what Write stores. It checks everything before the first byte.
func Encode(w io.Writer, meta map[string]string, tensors []Tensor) error {
	tensors = ordered(tensors)
	for _, t := range tensors {
		if err := t.check(); err != nil {
			return err
		}
	}
	header, _, err := makeHeader(meta, tensors)
	if err != nil {
		return err
	}
	if _, err := w.Write(header); err != nil {
		return err
	}
	for _, t := range tensors {
		if _, err := w.Write(t.Data); err != nil {
			return fmt.Errorf("tensor %.80q: %w", t.Name, err)
		}
	}
	return nil
}

// A Layout is a file whose data are not there yet: what to write first, where
// the data of each tensor begin, and how long the file is, in bytes.
type Layout struct {
	Header []byte
	At     map[string]int64
	Size   int64
}

// Plan lays out a file for tensors whose Data is still missing, for a caller
// who fills them in piece by piece.
func Plan(meta map[string]string, tensors []Tensor) (Layout, error) {
	tensors = ordered(tensors)
	header, offsets, err := makeHeader(meta, tensors)
	if err != nil {
		return Layout{}, err
	}
	l := Layout{Header: header, At: map[string]int64{}, Size: int64(len(header) + offsets[len(tensors)])}
	for i, t := range tensors {
		l.At[t.Name] = int64(len(header) + offsets[i])
	}
	return l, nil
}

// ordered puts the widest elements first, so that every tensor is aligned to
// its element though the format has no gaps.
func ordered(tensors []Tensor) []Tensor {
	return slices.SortedStableFunc(slices.Values(tensors), func(a, b Tensor) int {
		return cmp.Or(cmp.Compare(b.DType.Size(), a.DType.Size()), cmp.Compare(a.Name, b.Name))
	})
}

// makeHeader returns everything before the data, of a length that is a multiple
// of alignment, and where each tensor begins behind it, the end last.
func makeHeader(meta map[string]string, tensors []Tensor) (header []byte, offsets []int, err error) {
	var b bytes.Buffer
	b.Write(make([]byte, 8))
	b.WriteByte('{')
	if len(meta) > 0 {
		if err := checkMeta(meta); err != nil {
			return nil, nil, err
		}
		if err := writeField(&b, metaKey, meta); err != nil {
			return nil, nil, err
		}
	}
	seen := map[string]bool{}
	at := 0
	for _, t := range tensors {
		size, err := byteSize(t.DType, t.Shape)
		if err != nil {
			return nil, nil, fmt.Errorf("tensor %.80q: %w", t.Name, err)
		}
		switch {
		case t.Name == metaKey:
			return nil, nil, fmt.Errorf("tensor %q: the name is reserved", t.Name)
		case !utf8.ValidString(t.Name):
			return nil, nil, fmt.Errorf("tensor %q: the name is not UTF-8", t.Name)
		case seen[t.Name]:
			return nil, nil, fmt.Errorf("tensor %q: duplicate name", t.Name)
		}
		seen[t.Name] = true
		err = writeField(&b, t.Name, struct {
			DType   DType  `json:"dtype"`
			Shape   []int  `json:"shape"`
			Offsets [2]int `json:"data_offsets"`
		}{t.DType, append([]int{}, t.Shape...), [2]int{at, at + size}})
		if err != nil {
			return nil, nil, fmt.Errorf("tensor %q: %w", t.Name, err)
		}
		offsets = append(offsets, at)
		at += size
	}
	b.WriteByte('}')
	for b.Len()%alignment != 0 {
		b.WriteByte(' ')
	}
	if b.Len()-8 > maxHeader {
		return nil, nil, fmt.Errorf("header of %d bytes is over the limit of %d", b.Len()-8, maxHeader)
	}
	binary.LittleEndian.PutUint64(b.Bytes(), uint64(b.Len()-8))
	return b.Bytes(), append(offsets, at), nil
}

// checkMeta refuses what JSON would store as something else.
func checkMeta(meta map[string]string) error {
	for key, value := range meta {
		if !utf8.ValidString(key) || !utf8.ValidString(value) {
			return fmt.Errorf("metadata %q: not UTF-8", key)
		}
	}
	return nil
}

// writeField adds a member to a JSON object. Maps come out sorted by key.
func writeField(b *bytes.Buffer, name string, value any) error {
	if b.Bytes()[b.Len()-1] != '{' {
		b.WriteByte(',')
	}
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false)
	if err := e.Encode(name); err != nil {
		return err
	}
	b.Truncate(b.Len() - 1) // Encode ends with a new line
	b.WriteByte(':')
	if err := e.Encode(value); err != nil {
		return err
	}
	b.Truncate(b.Len() - 1)
	return nil
}
