package hdf5

import (
	"errors"
	"fmt"
	"slices"

	"showtell/modelfile"
)

// A Dataset is a named array in a file.
type Dataset struct {
	// Path is the names from the root, joined by slashes.
	Path string
	// Shape is empty for a scalar.
	Shape []int
	// DType is "" for strings, records and whatever else is not a number.
	DType modelfile.DType

	attributes
	typ     datatype
	size    int // bytes of all elements
	layout  layout
	filters []filter
	err     error // what keeps it from being read, though others can be
}

// A layout tells where the values are (IV.A.2.i).
type layout struct {
	values  []byte // of a dataset in one piece
	index   int    // kind of chunk index; 0 if the values are in one piece
	address uint64 // of the chunk index
	chunk   []int  // shape of a chunk
	bytes   int    // of a chunk, without filters
	single  chunk  // the only chunk's size and filters, for that kind of index
	page    int    // log2 of elements in a page of a fixed array
}

// Kinds of chunk index. The first is this package's name for B-trees of
// version 1, the others are the format's numbers.
const (
	oldTree    = -1
	oneChunk   = 1
	inOrder    = 2
	fixedArray = 3
)

func (w *walker) dataset(path string, messages []message) (*Dataset, error) {
	d := &Dataset{Path: path}
	var err error
	if d.Shape, err = readSpace(w.body(messages, spaceMessage, "shape")); err != nil {
		return nil, err
	}
	if d.typ, err = readType(w.body(messages, typeMessage, "type")); err != nil {
		return nil, err
	}
	d.DType = d.typ.dtype
	if d.size = count(d.typ.size, d.Shape); d.size < 0 {
		return nil, fmt.Errorf("shape %v is too large", d.Shape)
	}
	d.err = d.storage(w, messages)
	return d, nil
}

// storage finds out where and how the values are stored.
func (d *Dataset) storage(w *walker, messages []message) (err error) {
	if has(messages, externalMessage) {
		return errors.New("values in another file")
	}
	if has(messages, filterMessage) {
		if d.filters, err = readFilters(w.body(messages, filterMessage, "filters")); err != nil {
			return err
		}
	}
	return d.readLayout(w.body(messages, layoutMessage, "layout"))
}

func (d *Dataset) readLayout(c *cursor) error {
	version := c.version(1, 2, 3, 4)
	if version <= 2 {
		return d.oldLayout(c)
	}
	switch class := c.byte(); class {
	case 0:
		return d.whole(c.take(c.short()), c.err)
	case 1:
		return d.contiguous(c, c.address())
	case 2:
		if version == 4 {
			return d.chunked4(c)
		}
		rank := c.byte()
		d.layout.index, d.layout.address = oldTree, c.address()
		return d.chunked(c, rank, 4)
	default:
		if c.err == nil {
			c.err = fmt.Errorf("layout %d (virtual?), which this reader does not know", class)
		}
		return c.err
	}
}

// oldLayout reads versions 1 and 2, which HDF5 1.6 and before wrote.
func (d *Dataset) oldLayout(c *cursor) error {
	rank, class := c.byte(), c.byte()
	c.take(5)
	var address uint64
	if class != 0 {
		address = c.address()
	}
	switch class {
	case 0:
		c.take(4 * rank)
		return d.whole(c.sized(c.word()), c.err)
	case 1:
		return d.contiguous(c, address)
	case 2:
		d.layout.index, d.layout.address = oldTree, address
		return d.chunked(c, rank, 4)
	}
	return fmt.Errorf("layout %d: the file is corrupt", class)
}

// contiguous is a layout in one piece of the file, at the size that shape and
// type ask for: the size in the message is but a copy, missing from old ones.
func (d *Dataset) contiguous(c *cursor, address uint64) error {
	switch {
	case c.err != nil:
		return c.err
	case d.size == 0:
		return nil
	case address == undefined:
		return errors.New("no values were ever stored")
	}
	values := c.f.from("values", address)
	if values.err == nil && d.size > len(values.b) {
		return fmt.Errorf("shape %v needs %d bytes at byte %d of a file of %d: the file is truncated or corrupt",
			d.Shape, d.size, address, len(c.f.data))
	}
	return d.whole(values.take(d.size), values.err)
}

func (d *Dataset) whole(values []byte, err error) error {
	if err == nil && len(values) < d.size {
		err = fmt.Errorf("shape %v needs %d bytes, there are %d: the file is corrupt", d.Shape, d.size, len(values))
	}
	if err != nil {
		return err
	}
	d.layout.values = values[:d.size]
	return nil
}

// chunked reads the shape of a chunk: rank numbers of the given bytes, the last
// of which is the size of an element.
func (d *Dataset) chunked(c *cursor, rank, bytes int) error {
	if c.err == nil && (rank != len(d.Shape)+1 || rank == 1) {
		return fmt.Errorf("chunks of %d dimensions for shape %v: the file is corrupt", rank-1, d.Shape)
	}
	shape := make([]int, 0, rank)
	for range rank {
		n := c.uint(bytes)
		if c.err == nil && (n == 0 || n > 1<<32) {
			return fmt.Errorf("a chunk dimension of %d: the file is corrupt", n)
		}
		shape = append(shape, int(n))
	}
	if c.err != nil {
		return c.err
	}
	if last := shape[rank-1]; last != d.typ.size {
		return fmt.Errorf("chunks of %d-byte elements for a type of %d: the file is corrupt", last, d.typ.size)
	}
	d.layout.chunk = shape[:rank-1]
	if d.layout.bytes = count(d.typ.size, d.layout.chunk); d.layout.bytes < 0 {
		return fmt.Errorf("chunks of shape %v are too large", d.layout.chunk)
	}
	return nil
}

// chunked4 reads chunks with the indexes that came with HDF5 1.10.
func (d *Dataset) chunked4(c *cursor) error {
	l := &d.layout
	flags, rank, bytes := c.byte(), c.byte(), c.byte()
	if c.err == nil && (bytes < 1 || bytes > 8) {
		return fmt.Errorf("chunk dimensions of %d bytes: the file is corrupt", bytes)
	}
	if err := d.chunked(c, rank, bytes); err != nil {
		return err
	}
	l.index = c.byte()
	l.single = chunk{size: uint64(l.bytes)}
	switch l.index {
	case oneChunk:
		if flags&2 != 0 {
			l.single.size, l.single.skip = c.length(), uint32(c.word())
		}
	case inOrder:
	case fixedArray:
		l.page = c.byte()
	default:
		if c.err == nil {
			return fmt.Errorf("chunks that can grow (index %d), which this reader does not know: "+
				"save the file again with h5py's defaults", l.index)
		}
	}
	l.address = c.address()
	return c.err
}

// Data returns all values, little-endian and row-major. Where the file has
// them so in one piece they are the file's own bytes: treat them as read-only.
// The error names the file and the dataset.
func (d *Dataset) Data() ([]byte, error) {
	values, err := d.data()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", d.f.Name, named(d.Path, err))
	}
	return values, nil
}

func (d *Dataset) data() ([]byte, error) {
	if d.DType == "" {
		return nil, fmt.Errorf("holds %s, not numbers", d.typ.what)
	}
	if d.err != nil {
		return nil, d.err
	}
	values := d.layout.values
	fresh := d.layout.index != 0
	if fresh {
		var err error
		if values, err = d.assemble(); err != nil {
			return nil, err
		}
	}
	if !d.typ.bigEndian || d.typ.size == 1 {
		return values, nil
	}
	if !fresh {
		values = slices.Clone(values)
	}
	for element := range slices.Chunk(values, d.typ.size) {
		slices.Reverse(element)
	}
	return values, nil
}
