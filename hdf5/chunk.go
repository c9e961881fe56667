package hdf5

import (
	"errors"
	"fmt"
	"sync"

	"showtell/tensor"
)

// A chunk is a stored part of a dataset.
type chunk struct {
	address, size uint64
	skip          uint32 // bit i: filter i was not applied
}

// assemble puts the chunks of a dataset together.
func (d *Dataset) assemble() ([]byte, error) {
	if d.size == 0 {
		return nil, nil
	}
	grid := make([]int, len(d.Shape)) // chunks in each dimension
	for i, n := range d.Shape {
		grid[i] = (n-1)/d.layout.chunk[i] + 1
	}
	n := count(1, grid)
	if n < 0 || n > len(d.f.data)/8+1 {
		return nil, fmt.Errorf("shape %v in chunks of %v: more chunks than the file has room for", d.Shape, d.layout.chunk)
	}
	chunks, err := d.find(grid, n)
	if err != nil {
		return nil, err
	}
	if err := d.check(chunks); err != nil {
		return nil, err
	}
	values := make([]byte, d.size)
	errs := make([]error, n)
	unfilterers := sync.Pool{New: func() any { return new(unfilterer) }}
	tensor.Parallel(n, func(i int) {
		u := unfilterers.Get().(*unfilterer)
		defer unfilterers.Put(u)
		c := chunks[i]
		part, err := u.undo(d, d.f.data[c.address:][:c.size], c.skip)
		if err != nil {
			errs[i] = fmt.Errorf("chunk %d of %d: %w", i, n, err)
			return
		}
		d.place(values, part, grid, i)
	})
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return values, nil
}

// find looks up the chunks in row-major order of the grid.
func (d *Dataset) find(grid []int, n int) ([]chunk, error) {
	w, l := d.f.walker(), d.layout
	plain := uint64(l.bytes)
	switch l.index {
	case oldTree:
		return d.fromTree(w, grid, n)
	case oneChunk:
		if n != 1 {
			return nil, fmt.Errorf("one chunk of %v for shape %v: the file is corrupt", l.chunk, d.Shape)
		}
		return []chunk{{l.address, l.single.size, l.single.skip}}, nil
	case fixedArray:
		return d.fromArray(w, n)
	}
	if plain > uint64(len(d.f.data)) {
		return nil, fmt.Errorf("chunks of %d bytes in a file of %d: the file is corrupt", plain, len(d.f.data))
	}
	chunks := make([]chunk, 0, n)
	for i := range n { // in order: one behind the other
		chunks = append(chunks, chunk{address: l.address + uint64(i)*plain, size: plain})
	}
	return chunks, nil
}

// fromTree reads a B-tree of chunks, whose keys are size, skipped filters and
// place (III.A.1).
func (d *Dataset) fromTree(w *walker, grid []int, n int) ([]chunk, error) {
	if d.layout.address == undefined {
		return nil, errors.New("no values were ever stored")
	}
	chunks := make([]chunk, n)
	for i := range chunks {
		chunks[i].address = undefined
	}
	err := w.tree(d.layout.address, 1, 8+8*(len(grid)+1), func(key *cursor, child uint64) error {
		c := chunk{address: child, size: key.word(), skip: uint32(key.word())}
		at := 0
		for i, cells := range grid {
			place, size := key.uint(8), uint64(d.layout.chunk[i])
			if place%size != 0 || place/size >= uint64(cells) {
				return fmt.Errorf("a chunk at %d of dimension %d, which has %d: the file is corrupt", place, i, d.Shape[i])
			}
			at = at*cells + int(place/size)
		}
		if chunks[at].address != undefined {
			return fmt.Errorf("two chunks %d: the file is corrupt", at)
		}
		chunks[at] = c
		return nil
	})
	return chunks, err
}

// fromArray reads a fixed array of chunks (VII.C of version 3 of the format).
func (d *Dataset) fromArray(w *walker, n int) ([]chunk, error) {
	c := w.from("fixed array", d.layout.address)
	c.sign("FAHD")
	c.version(0)
	filtered, size, bits := c.byte() == 1, c.byte(), c.byte()
	entries, at := c.length(), c.address()
	sizeBytes := size - w.offset - 4
	switch {
	case c.err != nil:
		return nil, c.err
	case entries != uint64(n) || bits > 32 || filtered && (sizeBytes < 1 || sizeBytes > 8) || !filtered && size != w.offset:
		return nil, fmt.Errorf("fixed array of %d entries of %d bytes for %d chunks: the file is corrupt", entries, size, n)
	}
	c = w.from("fixed array's data", at)
	c.sign("FADB")
	c.version(0)
	c.take(1 + w.offset)
	page := n
	if n > 1<<bits {
		page = 1 << bits
		c.take(((n-1)/page + 1 + 7) / 8) // which pages were ever written
		c.take(4)
	}
	chunks := make([]chunk, 0, n)
	for i := range n {
		if i > 0 && i%page == 0 {
			c.take(4) // checksum of the page before
		}
		next := chunk{address: c.address(), size: uint64(d.layout.bytes)}
		if filtered {
			next.size, next.skip = c.uint(sizeBytes), uint32(c.word())
		}
		if c.err != nil {
			return nil, c.err
		}
		chunks = append(chunks, next)
	}
	return chunks, nil
}

// check makes sure that each chunk lies in the file and can hold what it must,
// before memory is taken for all.
func (d *Dataset) check(chunks []chunk) error {
	const ratio = 1032 // deflate's best
	length, total := uint64(len(d.f.data)), uint64(0)
	least := uint64(d.layout.bytes)
	if len(d.filters) > 0 {
		least = max(1, least/ratio)
	}
	for i, c := range chunks {
		switch {
		case c.address == undefined:
			return fmt.Errorf("chunk %d of %d was never stored", i, len(chunks))
		case c.address > length || c.size > length-c.address:
			return fmt.Errorf("chunk %d of %d: %d bytes at byte %d of a file of %d: the file is truncated or corrupt",
				i, len(chunks), c.size, c.address, length)
		case c.size < least:
			return fmt.Errorf("chunk %d of %d: %d bytes cannot hold %d: the file is corrupt", i, len(chunks), c.size, d.layout.bytes)
		}
		if total += c.size; total > length {
			return errors.New("chunks lie upon each other: the file is corrupt")
		}
	}
	return nil
}

// place copies the values of chunk number i to where they belong; the parts of
// a chunk beyond the shape are left out.
func (d *Dataset) place(values, part []byte, grid []int, i int) {
	rank, size := len(grid), d.typ.size
	at, cells := make([]int, rank), make([]int, rank) // where it begins, what of it counts
	for k := rank - 1; k >= 0; k-- {
		at[k] = i % grid[k] * d.layout.chunk[k]
		i /= grid[k]
		cells[k] = min(d.layout.chunk[k], d.Shape[k]-at[k])
	}
	row := make([]int, rank) // of the chunk; its last number stays 0
	for {
		from, to := 0, 0
		for k := range row {
			from = from*d.layout.chunk[k] + row[k]
			to = to*d.Shape[k] + at[k] + row[k]
		}
		copy(values[to*size:(to+cells[rank-1])*size], part[from*size:])
		k := rank - 2
		for ; k >= 0; k-- {
			if row[k]++; row[k] < cells[k] {
				break
			}
			row[k] = 0
		}
		if k < 0 {
			return
		}
	}
}
