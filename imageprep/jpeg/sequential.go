package jpeg

import (
	"encoding/binary"

	"showtell/tensor"
)

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

// large is how many pixels, as decoded, make it worth while to share a picture
// between two cores.
const large = 1 << 19

// beside calls both, at the same time if the picture is large and a core is idle.
func (d *decoder) beside(first, second func()) {
	if d.out.W*d.out.H < large {
		first()
		second()
		return
	}
	tensor.Parallel(2, func(i int) {
		if i == 0 {
			first()
		} else {
			second()
		}
	})
}

// per is how many coefficients a block has that are of use.
func (c *component) per() int {
	if c.size == 1 {
		return 1
	}
	return 64
}

// lend gives the component coefs for so many MCUs side by side, (rows, v, mcus*h+1,
// per): a block is left over at the end of each row of blocks. They are 0 until they
// are decoded, and again when they are transformed.
func (c *component) lend(mcus, rows int) {
	if c.coefs == nil {
		c.row = c.per() * (mcus*c.h + 1)
		c.coefs = make([]int16, rows*c.v*c.row+256)
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
	wide := d.out.W*d.out.H >= large
	for _, c := range s.comps {
		if wide {
			c.lend(s.mcusX, 2)
		} else {
			c.lend(strip, 1)
		}
		if c.size == 1 {
			c.ac.skips()
		} else {
			c.ac.pairs()
		}
	}
	if wide {
		return d.directWide(s)
	}
	w := d.walk(s)
	for y := range s.mcusY {
		err := w.row(y, func(x, y int) error {
			if err := d.in.mcu(s.comps, x%strip, 0); err != nil {
				return err
			}
			if x%strip == strip-1 || x == s.mcusX-1 {
				transformStrip(s.comps, x-x%strip, x+1, 0, y, 0)
			}
			return nil
		})
		if err != nil {
			return err
		}
		d.emit(y)
	}
	w.end()
	return nil
}

// directWide decodes a row of MCUs while another core makes pixels of the one before.
func (d *decoder) directWide(s *scan) error {
	w := d.walk(s)
	decode := func(y int) error {
		return w.row(y, func(x, y int) error { return d.in.mcu(s.comps, x, y%2) })
	}
	err := decode(0)
	for y := 0; y < s.mcusY && err == nil; y++ {
		d.beside(func() {
			if y+1 < s.mcusY {
				err = decode(y + 1)
			}
		}, func() {
			for x := 0; x < s.mcusX; x += strip {
				transformStrip(s.comps, x, min(x+strip, s.mcusX), x, y, y%2)
			}
			d.emit(y)
		})
	}
	w.end()
	return err
}

// transformStrip makes the samples of MCUs from to end (exclusive) of row y, whose
// coefficients are those from MCU at on in the given row of coefs.
func transformStrip(comps []*component, from, end, at, y, row int) {
	for _, c := range comps {
		for v := range c.v {
			coefs := c.coefs[(row*c.v+v)*c.row+at*c.h*c.per():]
			c.transform(coefs[:(end-from)*c.h*c.per()], from*c.h, y*c.v+v)
		}
	}
}

// mcu decodes an MCU [F.2.2] into place at in a row of coefs.
func (r *reader) mcu(comps []*component, at, row int) error {
	for _, c := range comps {
		per := c.per()
		for v := range c.v {
			blocks := c.coefs[(row*c.v+v)*c.row+at*c.h*per:]
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
