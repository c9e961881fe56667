package modelfile

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"
)

const (
	metaKey   = "__metadata__"
	maxHeader = 100_000_000 // bytes, the limit of the reference implementation
)

// entry is a tensor as the header tells it; offsets count from the end of the header.
type entry struct {
	name       string
	dtype      DType
	shape      []int
	start, end int
}

// parse reads a whole file. As the reference implementation does, it wants the
// tensors to cover the data exactly: no overlap, no gap, nothing left over.
func parse(file []byte) (map[string]string, []Tensor, error) {
	header, data, err := split(file)
	if err != nil {
		return nil, nil, err
	}
	meta, entries, err := readHeader(header)
	if err != nil {
		return nil, nil, fmt.Errorf("header: %w", err)
	}
	slices.SortStableFunc(entries, func(a, b entry) int {
		return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(a.end, b.end))
	})
	tensors := make([]Tensor, len(entries))
	at := 0
	for i, e := range entries {
		switch {
		case e.end > len(data):
			return nil, nil, fmt.Errorf("tensor %.80q: ends at byte %d of %d: the file is truncated", e.name, e.end, len(data))
		case e.start < at:
			return nil, nil, fmt.Errorf("tensor %.80q: overlaps tensor %.80q", e.name, entries[i-1].name)
		case e.start > at:
			return nil, nil, fmt.Errorf("tensor %.80q: begins at byte %d, leaving a gap after byte %d", e.name, e.start, at)
		}
		tensors[i] = Tensor{Name: e.name, DType: e.dtype, Shape: e.shape, Data: data[e.start:e.end:e.end]}
		if err := tensors[i].check(); err != nil {
			return nil, nil, err
		}
		at = e.end
	}
	if at != len(data) {
		return nil, nil, fmt.Errorf("%d bytes after the last tensor", len(data)-at)
	}
	return meta, tensors, nil
}

// split cuts a file into its header and its data.
func split(file []byte) (header, data []byte, err error) {
	if len(file) < 8 {
		return nil, nil, fmt.Errorf("%d bytes are too few for a safetensors file", len(file))
	}
	n, rest := binary.LittleEndian.Uint64(file), file[8:]
	switch {
	case n == 0 || len(rest) > 0 && rest[0] != '{':
		return nil, nil, errors.New("not a safetensors file")
	case n > maxHeader:
		return nil, nil, fmt.Errorf("header of %d bytes is over the limit of %d", n, maxHeader)
	case n > uint64(len(rest)):
		return nil, nil, fmt.Errorf("header of %d bytes in a file of %d: the file is truncated", n, len(file))
	}
	return rest[:n], rest[n:], nil
}

// readHeader parses the JSON by tokens, since json.Unmarshal would let the last
// of several equal names win and take "Shape" for "shape".
func readHeader(header []byte) (map[string]string, []entry, error) {
	if !utf8.Valid(header) {
		return nil, nil, errors.New("not UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader(header))
	d.UseNumber()
	meta := map[string]string{}
	var entries []entry
	err := object(d, func(key string) error {
		if key == metaKey {
			return object(d, func(key string) error {
				value, err := next[string](d, "a string")
				meta[key] = value
				return under(key, err)
			})
		}
		e, err := readEntry(d, key)
		entries = append(entries, e)
		if err != nil {
			return fmt.Errorf("tensor %.80q: %w", key, err)
		}
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, nil, errors.New("something follows the JSON object")
	}
	return meta, entries, nil
}

func readEntry(d *json.Decoder, name string) (entry, error) {
	e := entry{name: name}
	missing := map[string]bool{"dtype": true, "shape": true, "data_offsets": true}
	err := object(d, func(key string) (err error) {
		delete(missing, key)
		switch key {
		case "dtype":
			var s string
			s, err = next[string](d, "a string")
			e.dtype = DType(s)
		case "shape":
			e.shape, err = ints(d)
		case "data_offsets":
			var at []int
			if at, err = ints(d); err == nil && len(at) != 2 {
				err = fmt.Errorf("%d numbers, want 2", len(at))
			}
			if err == nil {
				e.start, e.end = at[0], at[1]
			}
		default:
			var ignored json.RawMessage
			err = d.Decode(&ignored)
		}
		return under(key, err)
	})
	for _, key := range []string{"dtype", "shape", "data_offsets"} {
		if err == nil && missing[key] {
			err = fmt.Errorf("no %s", key)
		}
	}
	if err == nil && e.end < e.start {
		err = fmt.Errorf("data_offsets end at %d before they begin at %d", e.end, e.start)
	}
	return e, err
}

// object reads a JSON object and calls value once per key, where value must
// consume what the key holds. A key that comes twice is an error.
func object(d *json.Decoder, value func(key string) error) error {
	if err := delim(d, '{'); err != nil {
		return err
	}
	seen := map[string]bool{}
	for d.More() {
		key, err := next[string](d, "a string")
		if err != nil {
			return err
		}
		if seen[key] {
			return fmt.Errorf("duplicate name %.80q", key)
		}
		seen[key] = true
		if err := value(key); err != nil {
			return err
		}
	}
	return delim(d, '}')
}

// ints reads a JSON array of whole numbers, none negative.
func ints(d *json.Decoder) ([]int, error) {
	if err := delim(d, '['); err != nil {
		return nil, err
	}
	list := []int{}
	for d.More() {
		number, err := next[json.Number](d, "a number")
		if err != nil {
			return nil, err
		}
		n, err := strconv.ParseUint(number.String(), 10, 64)
		if err != nil || n > math.MaxInt {
			return nil, fmt.Errorf("%.40s is not a whole number from 0 to %d", number, math.MaxInt)
		}
		list = append(list, int(n))
	}
	return list, delim(d, ']')
}

// next reads a T, which errors call want.
func next[T any](d *json.Decoder, want string) (T, error) {
	token, err := d.Token()
	value, ok := token.(T)
	if err == nil && !ok {
		err = fmt.Errorf("at byte %d: want %s", d.InputOffset(), want)
	}
	return value, complete(err)
}

func delim(d *json.Decoder, want json.Delim) error {
	token, err := d.Token()
	if err == nil && token != want {
		err = fmt.Errorf("at byte %d: want %q", d.InputOffset(), want.String())
	}
	return complete(err)
}

// complete names the end of the input for what it is inside a header.
func complete(err error) error {
	if err == io.EOF {
		return errors.New("JSON ends too early")
	}
	return err
}

func under(key string, err error) error {
	if err != nil {
		return fmt.Errorf("%.80s: %w", key, err)
	}
	return nil
}
