package modelfile

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
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
		return fmt.Errorf("%s: %w", path, cause(err))
	}
	return nil
}

// Encode writes what Write stores. It checks everything before the first byte.
func Encode(w io.Writer, meta map[string]string, tensors []Tensor) error {
	tensors = slices.Clone(tensors)
	// The widest elements first, so that every tensor is aligned to its element
	// though the format has no gaps.
	slices.SortStableFunc(tensors, func(a, b Tensor) int {
		return cmp.Or(cmp.Compare(b.DType.Size(), a.DType.Size()), cmp.Compare(a.Name, b.Name))
	})
	header, err := makeHeader(meta, tensors)
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

// makeHeader returns everything before the data, of a length that is a multiple
// of alignment.
func makeHeader(meta map[string]string, tensors []Tensor) ([]byte, error) {
	var b bytes.Buffer
	b.Write(make([]byte, 8))
	b.WriteByte('{')
	if len(meta) > 0 {
		if err := checkMeta(meta); err != nil {
			return nil, err
		}
		if err := writeField(&b, metaKey, meta); err != nil {
			return nil, err
		}
	}
	seen := map[string]bool{}
	at := 0
	for _, t := range tensors {
		if err := t.check(); err != nil {
			return nil, err
		}
		switch {
		case t.Name == metaKey:
			return nil, fmt.Errorf("tensor %q: the name is reserved", t.Name)
		case !utf8.ValidString(t.Name):
			return nil, fmt.Errorf("tensor %q: the name is not UTF-8", t.Name)
		case seen[t.Name]:
			return nil, fmt.Errorf("tensor %q: duplicate name", t.Name)
		}
		seen[t.Name] = true
		err := writeField(&b, t.Name, struct {
			DType   DType  `json:"dtype"`
			Shape   []int  `json:"shape"`
			Offsets [2]int `json:"data_offsets"`
		}{t.DType, append([]int{}, t.Shape...), [2]int{at, at + len(t.Data)}})
		if err != nil {
			return nil, fmt.Errorf("tensor %q: %w", t.Name, err)
		}
		at += len(t.Data)
	}
	b.WriteByte('}')
	for b.Len()%alignment != 0 {
		b.WriteByte(' ')
	}
	if b.Len()-8 > maxHeader {
		return nil, fmt.Errorf("header of %d bytes is over the limit of %d", b.Len()-8, maxHeader)
	}
	binary.LittleEndian.PutUint64(b.Bytes(), uint64(b.Len()-8))
	return b.Bytes(), nil
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
