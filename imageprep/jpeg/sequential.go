package jpeg

import "encoding/binary"

// zigzag is the natural place, row by row, of a coefficient in the order of the
// file [figure A.6]. As in libjpeg, what lies beyond 63 is put there; beyond 127,
// behind the block.
var zigzag = func() (order [256]uint8) {
	x, y := 0, 0
	for k := range order {
		if k > 63 {
			order[k] = uint8(63 + k>>7)
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

// strip is how many MCUs, or blocks of a grid, are transformed at once: few enough
// that their coefficients stay in the first cache.
const strip = 16

// per is how many coefficients a block has that are of use.
func (c *component) per() int {
	if c.size == 1 {
		return 1
	}
	return 64
}

// row is how many coefficients lie between rows of blocks in coefs: a block is
// left over at the end.
func (c *component) row() int { return c.per() * (strip*c.h + 1) }

// lend gives the component coefs, (v, strip*h+1, per), which are 0 between strips.
func (c *component) lend() {
	if c.coefs == nil {
		c.coefs = make([]int16, c.v*c.row()+256)
	}
}

// transform makes the samples of blocks side by side, the first at column x and
// row y, and zeroes the coefficients.
func (c *component) transform(coefs []int16, x, y int) {
	p := &c.plane
	c.inverse.Row(p.pix[y*c.size%p.rows*p.stride+x*c.size:], p.stride, coefs)
	clear(coefs)
}

// direct decodes the only scan of a picture, row of MCUs by row of MCUs.
func (d *decoder) direct(s *scan) error {
	for _, c := range s.comps {
		c.lend()
		if c.size == 1 {
			c.ac.skips()
		} else {
			c.ac.pairs()
		}
	}
	return d.each(s, func(x, y int) error {
		if err := d.in.mcu(s.comps, x%strip); err != nil {
			return err
		}
		if x%strip < strip-1 && x < s.mcusX-1 {
			return nil
		}
		for _, c := range s.comps {
			for v := range c.v {
				n := (x%strip + 1) * c.h
				c.transform(c.coefs[v*c.row():][:n*c.per()], (x+1)*c.h-n, y*c.v+v)
			}
		}
		return nil
	}, d.emit)
}

// mcu decodes an MCU [F.2.2] into place at of the strips.
func (r *reader) mcu(comps []*component, at int) error {
	for _, c := range comps {
		per := c.per()
		for v := range c.v {
			blocks := c.coefs[v*c.row()+at*c.h*per:]
			for range c.h {
				if err := r.sequentialBlock(c, blocks); err != nil {
					return err
				}
				blocks = blocks[per:]
			}
		}
	}
	return nil
}

// sequentialBlock decodes a block into the first of blocks, which is all 0.
func (r *reader) sequentialBlock(c *component, blocks []int16) error {
	diff, err := r.difference(c.dc)
	if err != nil {
		return err
	}
	c.pred += diff
	if c.size == 1 {
		blocks[0] = int16(c.pred)
		return r.skip(c.ac)
	}
	err = r.coefficients(c.ac, (*[256]int16)(blocks))
	blocks[0] = int16(c.pred)
	return err
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

// coefficients decodes those after the first into a block, whose first one they
// may spoil. The state is kept in registers, and what fill does is written out.
func (r *reader) coefficients(t *table, blk *[256]int16) error {
	acc, n, pos := r.acc, r.n, r.pos
	buf, pair := &r.buf, t.pair
	for k := uint8(0); k < 63; {
		acc |= binary.BigEndian.Uint64(buf[pos:pos+8]) >> (n & 63)
		pos += int(63-n) >> 3
		n |= 56
		e := pair[acc>>(64-tableBits)]
		if next := k + uint8(e>>16); next&64 == 0 {
			blk[zigzag[k+uint8(e>>8)]] = int16(e >> 32)
			blk[zigzag[next]] = int16(e >> 48)
			acc <<= e & 63
			n -= uint(e & 63)
			k = next
			continue
		}
		r.acc, r.n, r.pos = acc, n, pos
		run, v, err := r.coefficient(t)
		if err != nil || v == 0 && run < 15 {
			return err
		}
		acc, n, pos = r.acc, r.n, r.pos
		k += uint8(run) + 1
		blk[zigzag[k]] = int16(v)
	}
	r.acc, r.n, r.pos = acc, n, pos
	return nil
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
