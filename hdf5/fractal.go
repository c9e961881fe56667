package hdf5

import (
	"errors"
	"fmt"
	"math/bits"
)

// Kinds of records in B-trees of version 2 that lead into a fractal heap.
const (
	linkNames = 5
	attrNames = 8
)

// dense calls object with each object of a fractal heap that a B-tree of the
// given kind of records names. This is how large groups of new files keep
// their links, and objects with many attributes keep those.
func (w *walker) dense(heap, tree uint64, kind int, object func([]byte) error) error {
	h, err := w.fractalHeap(heap)
	if err != nil {
		return err
	}
	return w.tree2(tree, kind, func(record *cursor) error {
		if kind == linkNames {
			record.take(4) // hash of the name
		}
		id := record.take(h.idSize)
		if record.err != nil {
			return record.err
		}
		b, err := h.object(id)
		if err != nil {
			return err
		}
		return object(b)
	})
}

// A fractalHeap keeps objects in blocks whose sizes double (III.G). Rows of an
// indirect block have width children each.
type fractalHeap struct {
	w                  *walker
	idSize             int
	width, rows        int    // children in a row, rows of the root; 0 rows: the root is a direct block
	smallest, largest  uint64 // bytes of a direct block
	offsetSize, length int    // bytes of both in an object's id
	root               uint64
}

func (w *walker) fractalHeap(address uint64) (*fractalHeap, error) {
	h := &fractalHeap{w: w}
	c := w.from("fractal heap", address)
	c.sign("FRHP")
	c.version(0)
	h.idSize = c.short()
	filters := c.short()
	c.take(1)
	biggest := c.word() // object in a block
	c.take(2*w.offset + 10*w.width)
	h.width = c.short()
	h.smallest, h.largest = c.length(), c.length()
	space := c.short() // bits of an offset
	c.take(2)
	h.root, h.rows = c.address(), c.short()
	switch {
	case c.err != nil:
		return nil, c.err
	case filters != 0:
		return nil, errors.New("compressed fractal heap, which this reader does not know")
	case h.smallest == 0 || h.largest < h.smallest || h.largest > 1<<40 || space > 64 ||
		!powerOfTwo(uint64(h.width)) || !powerOfTwo(h.smallest) || !powerOfTwo(h.largest):
		return nil, fmt.Errorf("fractal heap at byte %d has impossible sizes: the file is corrupt", address)
	}
	h.offsetSize = (space + 7) / 8
	h.length = min((log2(h.largest)+7)/8, log2(max(1, biggest))/8+1)
	return h, nil
}

func powerOfTwo(x uint64) bool { return x != 0 && x&(x-1) == 0 }

func log2(x uint64) int { return bits.Len64(x) - 1 }

// object returns the bytes that an id stands for.
func (h *fractalHeap) object(id []byte) ([]byte, error) {
	c := h.w.in("heap id", id)
	if kind := c.byte() >> 4 & 3; kind != 0 {
		return nil, errors.New("an object too large for its heap, which this reader does not know")
	}
	offset, length := c.uint(h.offsetSize), c.uint(h.length)
	if c.err != nil {
		return nil, c.err
	}
	if err := h.w.spend(int(length) + len(id)); err != nil {
		return nil, err
	}
	block, size, at := h.root, h.smallest, offset
	if h.rows > 0 {
		var err error
		if block, size, at, err = h.find(h.root, h.rows, offset); err != nil {
			return nil, err
		}
	}
	if at+length > size {
		return nil, fmt.Errorf("object at byte %d of a fractal heap is longer than its block: the file is corrupt", offset)
	}
	b := h.w.from("fractal heap's block", block)
	b.sized(at)
	return b.sized(length), b.err
}

// find descends from an indirect block of some rows to the direct block that
// holds an offset, and returns its size and where in it the offset is.
func (h *fractalHeap) find(address uint64, rows int, offset uint64) (block, size, at uint64, err error) {
	direct := log2(h.largest) - log2(h.smallest) + 2 // rows of direct blocks
	whole := offset
	for {
		c := h.w.from("fractal heap's indirect block", address)
		c.sign("FHIB")
		c.version(0)
		c.take(h.w.offset + h.offsetSize)
		row := 0
		size = h.smallest
		for ; row < rows && size < 1<<48 && offset >= uint64(h.width)*size; row++ {
			offset -= uint64(h.width) * size
			if row > 0 {
				size *= 2
			}
		}
		if row >= rows || size >= 1<<48 {
			return 0, 0, 0, fmt.Errorf("offset %d is outside its fractal heap: the file is corrupt", whole)
		}
		c.take((row*h.width + int(offset/size)) * h.w.offset)
		address, offset = c.address(), offset%size
		if c.err != nil || row < direct {
			return address, size, offset, c.err
		}
		rows = min(row, log2(size)-log2(h.smallest*uint64(h.width))+1) // fewer than row: this ends
	}
}

// tree2 calls leaf for each record of a B-tree of version 2 (III.A.2).
func (w *walker) tree2(address uint64, kind int, leaf func(record *cursor) error) error {
	c := w.from("B-tree", address)
	c.sign("BTHD")
	c.version(0)
	t := &tree2{w: w, leaf: leaf, kind: c.byte()}
	t.node = int(c.word())
	t.record = c.short()
	depth := c.short()
	c.take(2)
	root, n := c.address(), c.short()
	switch {
	case c.err != nil:
		return c.err
	case root == undefined:
		return nil
	case t.kind != kind || t.record == 0 || t.node < 64 || depth > 16:
		return fmt.Errorf("the B-tree at byte %d is of kind %d with records of %d bytes: the file is corrupt", address, t.kind, t.record)
	}
	return t.visit(root, depth, n)
}

type tree2 struct {
	w                  *walker
	kind, node, record int // node and record in bytes
	leaf               func(*cursor) error
}

// pointer gives the bytes in which a node tells the records of a child at some
// depth, and of all below that child.
func (t *tree2) pointer(depth int) (own, total int) {
	most := uint64(t.node-10) / uint64(t.record) // records in a leaf
	own = log2(max(1, most))/8 + 1
	for d := 1; d <= depth; d++ {
		size := t.w.offset + own + total
		here := uint64(max(0, t.node-10-size)) / uint64(t.record+size)
		most = min((here+1)*most+here, 1<<48)
		total = log2(max(1, most))/8 + 1
	}
	return own, total
}

func (t *tree2) visit(address uint64, depth, n int) error {
	c := t.w.from("B-tree node", address)
	if depth == 0 {
		c.sign("BTLF")
	} else {
		c.sign("BTIN")
	}
	c.version(0)
	if got := c.byte(); c.err == nil && got != t.kind {
		return fmt.Errorf("the B-tree node at byte %d is of kind %d, want %d: the file is corrupt", address, got, t.kind)
	}
	if n > t.node/t.record {
		return fmt.Errorf("the B-tree node at byte %d has %d records, too many for its size: the file is corrupt", address, n)
	}
	if err := t.w.spend(10 + n*t.record); err != nil {
		return err
	}
	records := c.part(uint64(n * t.record))
	own, total := 0, 0
	if depth > 0 {
		own, total = t.pointer(depth - 1)
	}
	for i := 0; i <= n; i++ {
		if depth > 0 {
			child, count := c.address(), int(c.uint(own))
			c.take(total)
			if c.err != nil {
				return c.err
			}
			if err := t.visit(child, depth-1, count); err != nil {
				return err
			}
		}
		if i == n {
			break
		}
		record := records.part(uint64(t.record))
		if record.err != nil {
			return record.err
		}
		if err := t.leaf(record); err != nil {
			return err
		}
	}
	return c.err
}
