package hdf5

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/klauspost/compress/zlib"
)

// A filter changed the bytes of each chunk when it was stored (IV.A.2.l).
type filter struct {
	id   int
	size int // of the elements that shuffle took apart
}

const (
	deflate  = 1
	shuffle  = 2
	fletcher = 3
)

var filterNames = map[int]string{4: "szip", 5: "nbit", 6: "scaleoffset", 32000: "lzf", 32001: "blosc", 32015: "zstd"}

func readFilters(c *cursor) ([]filter, error) {
	version := c.version(1, 2)
	n := c.byte()
	if version == 1 {
		c.take(6)
	}
	var filters []filter
	for range n {
		f := filter{id: c.short()}
		name := 0
		if version == 1 || f.id >= 256 {
			name = c.short()
		}
		c.take(2)
		values := c.short()
		if version == 1 {
			name = (name + 7) &^ 7
		}
		c.take(name)
		for i := range values {
			if v := c.word(); i == 0 {
				f.size = int(v)
			}
		}
		if version == 1 && values%2 == 1 {
			c.take(4)
		}
		if c.err != nil {
			return nil, c.err
		}
		if f.id < deflate || f.id > fletcher {
			what := filterNames[f.id]
			if what == "" {
				what = fmt.Sprintf("number %d", f.id)
			}
			return nil, fmt.Errorf("compressed with filter %s; this reader knows gzip, shuffle and fletcher32: save the file again", what)
		}
		if slices.ContainsFunc(filters, func(o filter) bool { return o.id == f.id }) {
			return nil, fmt.Errorf("filter %d twice: the file is corrupt", f.id)
		}
		filters = append(filters, f)
	}
	return filters, c.err
}

// An unfilterer undoes filters. It keeps its buffers for the next chunk.
type unfilterer struct {
	z        io.ReadCloser // nil at first
	inflated bytes.Buffer
	ordered  []byte
}

// undo undoes the filters of a stored chunk of d, last first. What it returns
// holds until the next call.
func (u *unfilterer) undo(d *Dataset, b []byte, skip uint32) ([]byte, error) {
	for i := len(d.filters) - 1; i >= 0; i-- {
		if skip>>i&1 != 0 {
			continue
		}
		var err error
		switch f := d.filters[i]; f.id {
		case deflate:
			b, err = u.inflate(b, d.layout.bytes+4) // four for a checksum below
		case shuffle:
			b = u.unshuffle(b, f.size)
		case fletcher:
			b, err = checked(b)
		}
		if err != nil {
			return nil, err
		}
	}
	if len(b) != d.layout.bytes {
		return nil, fmt.Errorf("%d bytes, want %d: the file is corrupt", len(b), d.layout.bytes)
	}
	return b, nil
}

// inflate unpacks a zlib stream of limit bytes at most. Its buffer grows with
// what comes out, not with what is promised.
func (u *unfilterer) inflate(b []byte, limit int) (_ []byte, err error) {
	in := bytes.NewReader(b)
	if u.z == nil {
		u.z, err = zlib.NewReader(in)
	} else {
		err = u.z.(zlib.Resetter).Reset(in, nil)
	}
	if err != nil {
		return nil, err
	}
	u.inflated.Reset()
	_, err = u.inflated.ReadFrom(io.LimitReader(u.z, int64(limit)))
	return u.inflated.Bytes(), err
}

// unshuffle puts bytes back that were stored as all first bytes of the
// elements, all second bytes, and so on; what is left over stands at the end.
func (u *unfilterer) unshuffle(b []byte, size int) []byte {
	if size < 2 || size > len(b) {
		return b
	}
	n := len(b) / size
	u.ordered = slices.Grow(u.ordered[:0], len(b))[:len(b)]
	for j := range size {
		for i, v := range b[j*n : (j+1)*n] {
			u.ordered[i*size+j] = v
		}
	}
	copy(u.ordered[n*size:], b[n*size:])
	return u.ordered
}

// checked takes off the checksum of Fletcher at the end: two sums modulo 65535
// over big-endian words of two bytes.
func checked(b []byte) ([]byte, error) {
	if len(b) < 4 {
		return nil, errors.New("too short for its checksum")
	}
	b, stored := b[:len(b)-4], binary.LittleEndian.Uint32(b[len(b)-4:])
	var one, two uint64
	for i := 0; i < len(b); i += 2 {
		word := uint64(b[i]) << 8
		if i+1 < len(b) {
			word |= uint64(b[i+1])
		}
		one += word
		two += one
		if i&0x3ff == 0x3fe {
			one, two = one%65535, two%65535
		}
	}
	// The library's sums are reduced so that 65535 may stand for 0.
	one, two = one%65535, two%65535
	if got := [2]uint64{uint64(stored) & 0xffff % 65535, uint64(stored) >> 16 % 65535}; got != [2]uint64{one, two} {
		return nil, errors.New("wrong checksum: the file is corrupt")
	}
	return b, nil
}
