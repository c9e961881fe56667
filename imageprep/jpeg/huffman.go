package jpeg

import (
	"errors"
	"fmt"
	"math/bits"
)

var errCode = errors.New("no such Huffman code")

// tableBits is how many bits a table is looked up by at once.
const tableBits = 11

// A table decodes the Huffman code of a table in the file [C, F.2.2.3].
//
// A symbol of AC coefficients is a run of zeros, in its upper four bits, and the
// size in bits of the value that follows the code. One of DC differences has no
// run. An entry of fast, looked up by the next bits, is
//
//	bits 0-5   how many bits to pass over
//	bit  6     slow: the value does not lie in the bits looked at
//	bit  7     end: no value, but the end of one or more blocks
//	bits 8-12  run + 1
//	bits 16-31 the value; where slow, its size in bits
//
// It is just slow for a code that is longer.
type table struct {
	fast    [1 << tableBits]uint32
	skip    *[1 << tableBits]uint32 // see skips
	pair    *[1 << tableBits]uint64 // see pairs
	limit   [18]uint32              // codes of n bits are below limit[n]>>(16-n)
	first   [17]int32               // of codes of n bits: index in symbols less code
	symbols [256]uint8
}

const (
	slow = 1 << 6
	end  = 1 << 7

	blockEnd uint64 = 128
)

// huffmanTables reads DHT [B.2.4.2].
func (d *decoder) huffmanTables(body []byte) error {
	for len(body) > 0 {
		if len(body) < 17 {
			return fmt.Errorf("a Huffman table of %d bytes", len(body))
		}
		class, id := body[0]>>4, body[0]&15
		n := 0
		for _, count := range body[1:17] {
			n += int(count)
		}
		if class > 1 || id > 3 || n > 256 || len(body) < 17+n {
			return fmt.Errorf("a Huffman table %d of class %d with %d symbols", id, class, n)
		}
		t, err := newTable((*[16]uint8)(body[1:]), body[17:17+n], class == 0)
		if err != nil {
			return err
		}
		if class == 0 {
			d.dc[id] = t
		} else {
			d.ac[id] = t
		}
		body = body[17+n:]
	}
	return nil
}

// newTable makes a table of symbols, counts[n-1] of them with codes of n bits.
func newTable(counts *[16]uint8, symbols []uint8, dc bool) (*table, error) {
	t := new(table)
	copy(t.symbols[:], symbols)
	for i := range t.fast {
		t.fast[i] = slow
	}
	code, k := uint32(0), 0
	for n := 1; n <= 16; n++ {
		t.first[n] = int32(k) - int32(code)
		for range counts[n-1] {
			symbol := symbols[k]
			if dc && symbol > 15 {
				return nil, fmt.Errorf("a Huffman table with DC differences of %d bits", symbol)
			}
			if code >= 1<<n {
				return nil, errors.New("a Huffman table with too many codes")
			}
			if n <= tableBits {
				t.enter(code, n, symbol, dc)
			}
			code, k = code+1, k+1
		}
		t.limit[n] = code << (16 - n)
		code <<= 1
	}
	t.limit[17] = 1 << 16
	return t, nil
}

// enter fills what begins with a code of n bits.
func (t *table) enter(code uint32, n int, symbol uint8, dc bool) {
	run, size := uint32(symbol>>4), int(symbol&15)
	room := tableBits - n
	for rest := range uint32(1) << room {
		at := &t.fast[code<<room|rest]
		switch {
		case size == 0 && run != 15 && !dc:
			*at = uint32(n) | end | (run+1)<<8
		case size > room:
			*at = uint32(n) | slow | (run+1)<<8 | uint32(size)<<16
		default:
			v := extend(rest>>(room-size), size)
			*at = uint32(n+size) | (run+1)<<8 | uint32(v)<<16
		}
	}
}

// extend turns the bits that follow a code into a value [F.2.2.1].
func extend(v uint32, size int) int32 {
	if size > 0 && v < 1<<(size-1) {
		return int32(v) - 1<<size + 1
	}
	return int32(v)
}

// pairs makes, once, the table to decode coefficients with, one or two at a time.
// An entry is
//
//	bits 0-5   how many bits to pass over
//	bits 8-15  how far the first value is from the last coefficient
//	bits 16-23 how far the second is; it is the first once more, if there is none
//	bits 32-47 the first value
//	bits 48-63 the second value
//
// The end of a block is a zero far behind it, 128 from the last coefficient. What
// has to be looked at by itself is 64 away, as is, for who goes on from coefficient
// k, whatever leads to number 64 or further: a symbol in an entry that is not of
// this block.
func (t *table) pairs() {
	if t.pair != nil {
		return
	}
	t.pair = new([1 << tableBits]uint64)
	for i := range t.pair {
		first := t.fast[i]
		n := first & 63
		switch {
		case first&slow != 0:
			t.pair[i] = 64 << 16
			continue
		case first&end != 0:
			t.pair[i] = uint64(n) | blockEnd<<8 | blockEnd<<16
			continue
		}
		run, v := uint64(first>>8&31), uint64(first>>16)
		e := uint64(n) | run<<8 | run<<16 | v<<32 | v<<48
		second := t.fast[i<<n&(1<<tableBits-1)]
		if more := second & 63; second&slow == 0 && n+more <= tableBits {
			to := run + uint64(second>>8&31)
			if second&end != 0 {
				to = run + 1 + blockEnd // where a first value is number 63, the block ended before
			}
			e = uint64(n+more) | run<<8 | to<<16 | v<<32 | uint64(second>>16)<<48
		}
		t.pair[i] = e
	}
}

// skips makes, once, the table to pass over coefficients with. An entry stands
// for as many of them as the bits looked up tell the lengths of:
//
//	bits 0-5   how many bits to pass over
//	bit  6     slow: the code is longer
//	bit  7     end: the end of a block is the last of them
//	bits 8-15  how many coefficients
func (t *table) skips() {
	if t.skip != nil {
		return
	}
	t.skip = new([1 << tableBits]uint32)
	for i := range t.skip {
		n, count, flags := 0, uint32(0), uint32(0)
		for flags == 0 && count < 64 {
			e := t.fast[i<<n&(1<<tableBits-1)]
			code := codeLength(e)
			if code == 0 || code > tableBits-n {
				break
			}
			n += int(e & 63)
			switch {
			case e&end != 0:
				flags = end
				continue
			case e&slow != 0:
				n += int(e >> 16)
			}
			count += e >> 8 & 31
			if n >= tableBits {
				break
			}
		}
		if n == 0 {
			flags = slow
		}
		t.skip[i] = uint32(n) | flags | count<<8
	}
}

// codeLength is how many bits of an entry of fast are the code, 0 if it is longer
// than what was looked at.
func codeLength(e uint32) int {
	n := int(e & 63)
	if e&(slow|end) == 0 {
		v := int32(e) >> 16
		n -= bits.Len32(uint32(max(v, -v)))
	}
	return n
}
