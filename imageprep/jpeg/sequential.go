package jpeg

import "encoding/binary"

// zigzag is the natural place, row by row, of a coefficient in the order of the
// file [figure A.6]. As in libjpeg, what lies beyond 63 is put there.
var zigzag = func() (order [128]uint8) {
	x, y := 0, 0
	for k := range order {
		order[k] = 63
		if k > 63 {
			continue
		}
		order[k] = uint8(8*y + x)
		switch {
		case (x+y)%2 == 0 && x == 7, (x+y)%2 == 1 && y < 7 && x == 0:
			y++
		case (x+y)%2 == 0 && y == 0, (x+y)%2 == 1 && y == 7:
			x++
		case (x+y)%2 == 0:
			x, y = x+1, y-1
		default:
			x, y = x-1, y+1
		}
	}
	return order
}()

// sequentialBlock decodes a block [F.2.2] into blk, dequantised, and returns a
// bit for each coefficient that may not be 0.
func (r *reader) sequentialBlock(c *component, blk *[64]int32) (mask uint64, err error) {
	r.ready()
	diff, err := r.difference(c.dc)
	if err != nil {
		return 0, err
	}
	c.pred += diff
	blk[0] = c.pred * int32(c.quant[0])
	if c.size == 1 {
		return 1, r.skip(c.ac)
	}
	return r.coefficients(c, blk)
}

// difference decodes that of a DC value to the last one.
func (r *reader) difference(t *table) (int32, error) {
	r.fill()
	e := t.fast[r.acc>>(64-tableBits)]
	if e&slow == 0 {
		r.acc <<= e & 63
		r.n -= uint(e & 63)
		return int32(e) >> 16, nil
	}
	size, err := r.symbol(t)
	if err != nil {
		return 0, err
	}
	return extend(r.take(uint(size)), int(size)), nil
}

// coefficient decodes a run of zeros and the value behind it. A value of 0 is the
// end of the block, unless the run is 15.
func (r *reader) coefficient(t *table) (run int, v int32, err error) {
	r.fill()
	e := t.fast[r.acc>>(64-tableBits)]
	if e&slow == 0 {
		r.acc <<= e & 63
		r.n -= uint(e & 63)
		return int(e>>8&31) - 1, int32(e) >> 16, nil
	}
	symbol, err := r.symbol(t)
	size := uint(symbol & 15)
	return int(symbol >> 4), extend(r.take(size), int(size)), err
}

// coefficients decodes those after the first. The state is kept in registers,
// and what fill does is written out.
func (r *reader) coefficients(c *component, blk *[64]int32) (uint64, error) {
	acc, n, pos := r.acc, r.n, r.pos
	buf, t, terms := &r.buf, c.ac, &c.terms
	mask := uint64(1)
	for k := uint32(0); k < 63; {
		acc |= binary.BigEndian.Uint64(buf[pos:pos+8]) >> (n & 63)
		pos += int(63-n) >> 3
		n |= 56
		e := t.fast[acc>>(64-tableBits)]
		if e&(slow|end) == 0 {
			k += e >> 8 & 31
			term := terms[k&127]
			blk[term&63] = (int32(e) >> 16) * int32(term>>8)
			mask |= 1 << (term & 63)
			acc <<= e & 63
			n -= uint(e & 63)
			continue
		}
		if e&end != 0 {
			acc <<= e & 63
			n -= uint(e & 63)
			break
		}
		r.acc, r.n, r.pos = acc, n, pos
		run, v, err := r.coefficient(t)
		if err != nil || v == 0 && run < 15 {
			return mask, err
		}
		acc, n, pos = r.acc, r.n, r.pos
		k += uint32(run) + 1
		term := terms[k&127]
		blk[term&63] = v * int32(term>>8)
		mask |= 1 << (term & 63)
	}
	r.acc, r.n, r.pos = acc, n, pos
	return mask, nil
}

// skip passes over the coefficients after the first, likewise.
func (r *reader) skip(t *table) error {
	acc, n, pos := r.acc, r.n, r.pos
	buf, skip := &r.buf, t.skip
	for k := uint32(0); k < 63; {
		acc |= binary.BigEndian.Uint64(buf[pos:pos+8]) >> (n & 63)
		pos += int(63-n) >> 3
		n |= 56
		e := skip[acc>>(64-tableBits)]
		if next := k + e>>8; e&slow == 0 && (next < 63 || next == 63 && e&end == 0) {
			acc <<= e & 63
			n -= uint(e & 63)
			if e&end != 0 {
				break
			}
			k = next
			continue
		}
		r.acc, r.n, r.pos = acc, n, pos
		run, v, err := r.coefficient(t)
		if err != nil || v == 0 && run < 15 {
			return err
		}
		acc, n, pos = r.acc, r.n, r.pos
		k += uint32(run) + 1
	}
	r.acc, r.n, r.pos = acc, n, pos
	return nil
}
