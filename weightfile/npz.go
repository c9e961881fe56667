package weightfile

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"showtell/modelfile"
)

// npz reads the arrays of a file that numpy.savez or savez_compressed wrote.
func (f *File) npz(a *archive) error {
	f.Format = NumPy
	for _, name := range a.order {
		head, err := a.head(name, maxHead)
		if err != nil {
			return err
		}
		n, err := readNPY(head)
		if err != nil {
			return fmt.Errorf("%s: %.80s: %w", f.Name, name, err)
		}
		n.array, n.member = a, name
		t := Tensor{Name: strings.TrimSuffix(name, ".npy"), DType: n.dtype, Shape: n.shape, file: f.Name, data: n.data}
		if err := f.add(t); err != nil {
			return err
		}
	}
	return nil
}

// An npy is the header of a NumPy array in a member of a zip file
// (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html).
type npy struct {
	array  *archive
	member string

	dtype     modelfile.DType // "" for what is no number
	what      string          // NumPy's name of the type
	bigEndian bool
	fortran   bool // the first index counts fastest
	shape     []int
	begin     int // of the values
}

const maxHead = 1 << 14 // bytes of a header; NumPy itself refuses more than 10000

// readNPY reads a header of version 1, 2 or 3.
func readNPY(b []byte) (*npy, error) {
	if len(b) < 10 || string(b[:6]) != "\x93NUMPY" {
		return nil, errors.New("not a NumPy array")
	}
	length, begin := 0, 10
	switch version := b[6]; {
	case version == 1:
		length = int(binary.LittleEndian.Uint16(b[8:]))
	case version <= 3 && version > 0 && len(b) >= 12:
		length, begin = int(min(binary.LittleEndian.Uint32(b[8:]), math.MaxInt32)), 12
	default:
		return nil, fmt.Errorf("array format version %d, want 1 to 3", version)
	}
	if length > len(b)-begin {
		return nil, fmt.Errorf("header of %d bytes is cut short or too long", length)
	}
	n := &npy{begin: begin + length}
	if err := n.parse(string(b[begin:n.begin])); err != nil {
		return nil, fmt.Errorf("header %.80q: %w", b[begin:n.begin], err)
	}
	return n, nil
}

// parse reads {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }, as
// NumPy writes it.
func (n *npy) parse(header string) error {
	rest := strings.TrimSpace(header)
	body, ok := strings.CutPrefix(rest, "{")
	if !ok {
		return errors.New("no dictionary")
	}
	seen := map[string]bool{}
	for {
		body = strings.TrimLeft(body, ", \n")
		if body == "}" {
			break
		}
		key, after, err := quoted(body)
		if err != nil {
			return err
		}
		after, ok := strings.CutPrefix(strings.TrimLeft(after, " "), ":")
		if !ok || seen[key] {
			return fmt.Errorf("key %.20q twice or without a value", key)
		}
		seen[key] = true
		if body, err = n.value(key, strings.TrimLeft(after, " ")); err != nil {
			return err
		}
	}
	if !seen["descr"] || !seen["fortran_order"] || !seen["shape"] {
		return errors.New("want descr, fortran_order and shape")
	}
	return nil
}

// value reads the value of a key and returns what follows it.
func (n *npy) value(key, s string) (rest string, err error) {
	switch key {
	case "descr":
		if strings.HasPrefix(s, "[") {
			return "", errors.New("an array of records")
		}
		if n.what, rest, err = quoted(s); err == nil {
			n.dtype, n.bigEndian = numpyType(n.what)
		}
		return rest, err
	case "fortran_order":
		if rest, ok := strings.CutPrefix(s, "True"); ok {
			n.fortran = true
			return rest, nil
		}
		if rest, ok := strings.CutPrefix(s, "False"); ok {
			return rest, nil
		}
		return "", errors.New("fortran_order is neither True nor False")
	case "shape":
		list, rest, ok := strings.Cut(s, ")")
		if list, open := strings.CutPrefix(list, "("); ok && open {
			n.shape, err = dimensions(list)
			return rest, err
		}
		return "", errors.New("shape is no tuple")
	}
	return "", fmt.Errorf("unknown key %.20q", key)
}

func dimensions(list string) ([]int, error) {
	shape := []int{}
	for part := range strings.SplitSeq(list, ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		d, err := strconv.Atoi(strings.TrimSuffix(part, "L")) // as Python 2 wrote them
		if err != nil || d < 0 || len(shape) == 64 {
			return nil, fmt.Errorf("%.20q is no dimension", part)
		}
		shape = append(shape, d)
	}
	return shape, nil
}

// quoted cuts a Python string without escapes off s.
func quoted(s string) (inside, rest string, err error) {
	if s == "" || s[0] != '\'' && s[0] != '"' {
		return "", "", errors.New("want a string")
	}
	inside, rest, ok := strings.Cut(s[1:], s[:1])
	if !ok || strings.Contains(inside, `\`) {
		return "", "", errors.New("a string without an end or with escapes")
	}
	return inside, rest, nil
}

// numpyType knows names such as "<f4", ">f2" and "|u1".
func numpyType(s string) (t modelfile.DType, bigEndian bool) {
	if len(s) < 3 {
		return "", false
	}
	t = map[string]modelfile.DType{
		"f2": modelfile.F16, "f4": modelfile.F32, "f8": modelfile.F64,
		"i1": modelfile.I8, "i2": "I16", "i4": modelfile.I32, "i8": modelfile.I64,
		"u1": modelfile.U8, "u2": "U16", "u4": "U32", "u8": "U64", "b1": "BOOL",
	}[s[1:]]
	switch s[0] {
	case '<', '|', '=':
		return t, false
	case '>':
		return t, true
	}
	return "", false
}

func (n *npy) data() ([]byte, error) {
	data, err := n.read()
	if err != nil {
		return nil, fmt.Errorf("%s: %.80s: %w", n.array.name, n.member, err)
	}
	return data, nil
}

func (n *npy) read() ([]byte, error) {
	if n.dtype == "" {
		return nil, fmt.Errorf("elements of NumPy type %.20q, not numbers", n.what)
	}
	data, err := n.array.unpack(n.array.files[n.member], true)
	if err != nil {
		return nil, err
	}
	data = data[min(n.begin, len(data)):]
	size := n.dtype.Size()
	stored := len(data) / size
	if count, err := elements(n.shape, stored); err != nil {
		return nil, err
	} else if count*size != len(data) {
		return nil, fmt.Errorf("%d bytes for shape %v of %s: the file is corrupt", len(data), n.shape, n.dtype)
	}
	if n.fortran && len(data) > 0 {
		s := strided{size: size, shape: n.shape, strides: slices.Clone(n.shape)}
		step := 1
		for i, d := range n.shape {
			s.strides[i] = step
			step *= d
		}
		data = s.rowMajor(data)
	}
	if n.bigEndian && size > 1 {
		data = swapped(data, size)
	}
	return data, nil
}
