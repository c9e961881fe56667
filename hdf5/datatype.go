package hdf5

import (
	"fmt"
	"math"

	"showtell/modelfile"
)

// A datatype is what one element is (IV.A.2.d).
type datatype struct {
	dtype     modelfile.DType // "" if neither a float nor a whole number
	what      string          // for errors: "strings"
	size      int             // bytes
	bigEndian bool
	text      textKind
	spaces    bool // text is filled up with them
}

type textKind int

const (
	noText       textKind = iota
	fixedText             // of size bytes
	variableText          // a reference into a global heap
)

var classes = []string{"integers", "floats", "times", "strings", "bit fields", "opaque bytes", "records",
	"references", "enumerations", "variable-length lists", "arrays", "complex numbers"}

// readType reads a datatype; kinds that hold no weights are told by what alone.
func readType(c *cursor) (datatype, error) {
	head := c.byte()
	flags := c.uint(3)
	size := c.word()
	if c.err != nil {
		return datatype{}, c.err
	}
	class := head & 15
	if class >= len(classes) || size == 0 || size > math.MaxInt32 {
		return datatype{}, fmt.Errorf("datatype of class %d and %d bytes: the file is corrupt", class, size)
	}
	t := datatype{what: classes[class], size: int(size), bigEndian: flags&1 != 0}
	switch class {
	case 0:
		t.dtype = wholeNumber(t.size, flags&8 != 0)
	case 1:
		if flags&64 != 0 {
			t.what = "VAX floats"
			break
		}
		c.take(2)
		form := [...]int{t.size, c.short(), c.byte(), c.byte(), c.byte(), c.byte(), int(c.word())}
		if t.dtype = floats[form]; t.dtype == "" {
			t.what = fmt.Sprintf("floats of %d bytes that are none of IEEE's", t.size)
		}
	case 3:
		t.text, t.spaces = fixedText, flags&15 == 2
	case 9:
		if flags&15 == 1 {
			t.text, t.spaces = variableText, flags>>4&15 == 2
		}
	}
	return t, c.err
}

// floats are known by bytes, bits, place and size of the exponent, place and
// size of the mantissa, bias.
var floats = map[[7]int]modelfile.DType{
	{2, 16, 10, 5, 0, 10, 15}:    modelfile.F16,
	{2, 16, 7, 8, 0, 7, 127}:     modelfile.BF16,
	{4, 32, 23, 8, 0, 23, 127}:   modelfile.F32,
	{8, 64, 52, 11, 0, 52, 1023}: modelfile.F64,
}

func wholeNumber(size int, signed bool) modelfile.DType {
	letter := "U"
	if signed {
		letter = "I"
	}
	switch size {
	case 1, 2, 4, 8:
		return modelfile.DType(fmt.Sprint(letter, 8*size))
	}
	return ""
}

// readSpace reads a dataspace (IV.A.2.b); a scalar has an empty shape.
func readSpace(c *cursor) ([]int, error) {
	version := c.version(1, 2)
	rank, flags := c.byte(), c.byte()
	kind := c.byte() // of version 2; reserved in version 1
	if version == 1 {
		c.take(4)
	} else if kind == 2 {
		return []int{0}, c.err // null: no elements
	}
	const most = 32
	if rank > most {
		return nil, fmt.Errorf("%d dimensions, %d are possible: the file is corrupt", rank, most)
	}
	shape := make([]int, rank)
	for i := range shape {
		n := c.length()
		if n > math.MaxInt {
			return nil, fmt.Errorf("dimension %d is too large", n)
		}
		shape[i] = int(n)
	}
	if flags&1 != 0 {
		c.take(rank * c.f.width) // the largest shape it may grow to
	}
	return shape, c.err
}

// count is the elements of a shape times size, -1 if that is too much.
func count(size int, shape []int) int {
	n, empty := size, false
	for _, d := range shape {
		if d == 0 {
			empty = true
			continue
		}
		if n > math.MaxInt/d {
			return -1
		}
		n *= d
	}
	if empty {
		return 0
	}
	return n
}
