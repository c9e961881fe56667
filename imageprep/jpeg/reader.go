package jpeg

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

const (
	chunk = 16 << 10 // bytes of entropy-coded data at hand
	spare = 3 << 10  // bytes, more than 10 blocks may take of 64 codes of 16 bits and values of 15 each
)

// A reader brings the bits of entropy-coded data [F.2.2.5]. The zeros that are
// stuffed behind bytes of 255 are taken out a chunk at a time, so that the bits
// of a block can be had without looking at each byte.
type reader struct {
	acc  uint64 // the next bits, from the top
	n    uint   // how many of them count
	pos  int    // of the byte in buf that comes next
	end  int    // of the data in buf; what follows is 0
	buf  [chunk + spare + 8]byte
	src  []byte // what comes after buf
	last bool   // nothing of it belongs here
}

// start goes to the beginning of src.
func (r *reader) start(src []byte) {
	r.acc, r.n, r.pos, r.end, r.src, r.last = 0, 0, 0, 0, src, false
	r.more()
}

// more brings the next chunk. Where the data end there are zeros; over tells then.
func (r *reader) more() {
	r.end = copy(r.buf[:], r.buf[r.pos:r.end])
	r.pos = 0
	for r.end < chunk && !r.last {
		part := r.src[:min(len(r.src), chunk-r.end)]
		n := bytes.IndexByte(part, 0xff)
		switch {
		case len(part) == 0:
			r.last = true
		case n < 0:
			r.end += copy(r.buf[r.end:], part)
			r.src = r.src[len(part):]
		case n+1 >= len(r.src) || r.src[n+1] != 0: // a marker
			r.end += copy(r.buf[r.end:], part[:n])
			r.src = r.src[n:]
			r.last = true
		default:
			r.end += copy(r.buf[r.end:], part[:n+1])
			r.src = r.src[n+2:]
		}
	}
	if r.last {
		clear(r.buf[r.end:])
	}
}

// ready sees to it that the bits of an MCU are at hand.
func (r *reader) ready() {
	if r.pos > r.end-spare && !r.last {
		r.more()
	}
}

// over tells whether more bits were taken than there were.
func (r *reader) over() bool { return 8*r.pos-int(r.n) > 8*r.end }

// fill makes it 56 bits or more that can be taken of acc.
func (r *reader) fill() {
	r.acc |= binary.BigEndian.Uint64(r.buf[r.pos:]) >> (r.n & 63)
	r.pos += int(63-r.n) >> 3
	r.n |= 56
}

// take returns the next n bits, at most 16.
func (r *reader) take(n uint) uint32 {
	if r.n < n {
		r.fill()
	}
	v := r.acc >> 1 >> (63 - n&63)
	r.acc <<= n & 63
	r.n -= n
	return uint32(v)
}

// symbol decodes one.
func (r *reader) symbol(t *table) (uint8, error) {
	if r.n < 16 {
		r.fill()
	}
	code := uint32(r.acc >> 48)
	n := 1
	for code >= t.limit[n] {
		n++
	}
	if n > 16 {
		return 0, errCode
	}
	r.acc <<= n
	r.n -= uint(n)
	return t.symbols[uint8(int32(code>>(16-n))+t.first[n])], nil
}

// next passes over restart marker number n, which must come next.
func (r *reader) next(n int) error {
	src, mark := marker(r.src)
	switch {
	case src == nil:
		return errShort
	case int(mark) != markRST0+n&7:
		return fmt.Errorf("marker %#x where restart marker %d should be", mark, n&7)
	}
	r.start(src[2:])
	return nil
}

// marker finds the first marker in entropy-coded data, and the data from it on.
func marker(data []byte) ([]byte, uint8) {
	for {
		i := bytes.IndexByte(data, 0xff)
		if i < 0 || i+1 >= len(data) {
			return nil, 0
		}
		data = data[i:]
		if m := data[1]; m != 0 && m != 0xff {
			return data, m
		}
		data = data[1:]
	}
}
