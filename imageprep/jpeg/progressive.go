package jpeg

import (
	"encoding/binary"
	"errors"
	"math/bits"
)

// A grid holds the coefficients of a component, for pictures in several scans.
type grid struct {
	dc   []int16  // (padY, padX)
	ac   []int16  // (padY, padX, 64), in zigzag order; number 0 is unused
	mask []uint64 // (padY, padX): a bit for each of ac that is not 0
}

// set stores coefficient k of a block, or number 63 if k is larger.
func (g *grid) set(at, k int, v int16) {
	k = min(k, 63)
	g.ac[64*at+k] = v
	g.mask[at] |= 1 << (k & 63)
}

// blockDecoder returns what decodes a block of a scan, given its number.
func (d *decoder) blockDecoder(s *scan) func(c *component, at int) error {
	switch {
	case !d.progressive:
		return d.wholeBlock
	case s.start == 0 && s.high == 0:
		return func(c *component, at int) error {
			diff, err := d.in.difference(c.dc)
			c.pred += diff
			c.grid.dc[at] = int16(c.pred << s.low)
			return err
		}
	case s.start == 0:
		return func(c *component, at int) error {
			c.grid.dc[at] |= int16(d.in.take(1) << s.low)
			return nil
		}
	case s.high == 0:
		return func(c *component, at int) error { return d.firstAC(s, c, at) }
	}
	return func(c *component, at int) error { return d.refineAC(s, c, at) }
}

// wholeBlock is reader.sequentialBlock for a sequential picture in several scans.
func (d *decoder) wholeBlock(c *component, at int) error {
	diff, err := d.in.difference(c.dc)
	if err != nil {
		return err
	}
	c.pred += diff
	c.grid.dc[at] = int16(c.pred)
	err = d.firstAC(&scan{start: 1, stop: 63}, c, at)
	d.run = 0 // a sequential block ends alone
	return err
}

// firstAC decodes coefficients of which nothing is known yet [G.1.2.2].
func (d *decoder) firstAC(s *scan, c *component, at int) error {
	if d.run > 0 {
		d.run--
		return nil
	}
	in, t := &d.in, c.ac
	for k := s.start; k <= s.stop; k++ {
		in.fill()
		e := t.fast[in.acc>>(64-tableBits)]
		if e&(slow|end) == 0 {
			in.acc <<= e & 63
			in.n -= uint(e & 63)
			k += int(e>>8&31) - 1
			if e>>16 != 0 {
				c.grid.set(at, k, int16(int32(e)>>16<<s.low))
			}
			continue
		}
		symbol, err := in.symbol(t)
		if err != nil {
			return err
		}
		run, size := int(symbol>>4), uint(symbol&15)
		if size == 0 && run < 15 {
			d.run = 1<<run | int(in.take(uint(run)))
			d.run--
			return nil
		}
		k += run
		if v := extend(in.take(size), int(size)); v != 0 {
			c.grid.set(at, k, int16(v<<s.low))
		}
	}
	return nil
}

var errRefine = errors.New("value of several bits where one is refined")

// refineAC decodes one more bit of coefficients [G.1.2.3].
func (d *decoder) refineAC(s *scan, c *component, at int) error {
	bit := int16(1) << s.low
	for k := s.start; k <= s.stop; k++ {
		zeros, fresh := 64, int16(0) // to pass over, and what follows them
		if d.run == 0 {
			symbol, err := d.in.symbol(c.ac)
			if err != nil {
				return err
			}
			run, size := int(symbol>>4), symbol&15
			switch {
			case size > 1:
				return errRefine
			case size == 1:
				zeros, fresh = run, 2*bit*int16(d.in.take(1))-bit
			case run == 15:
				zeros = run
			default:
				d.run = 1<<run | int(d.in.take(uint(run)))
			}
		}
		k = d.in.correct(&c.grid, at, k, s.stop, zeros, bit)
		if fresh != 0 && k <= s.stop {
			c.grid.set(at, k, fresh)
		}
		if d.run > 0 {
			d.run--
			return nil
		}
	}
	return nil
}

// correct goes from coefficient k on past as many zeros as told, and reads a bit
// for each coefficient between that is not 0. It returns where the next zero is,
// or a number above stop.
func (r *reader) correct(g *grid, at, k, stop, zeros int, bit int16) int {
	acc, n, pos := r.acc, r.n, r.pos
	coefs := (*[64]int16)(g.ac[64*at:])
	left := g.mask[at] & (2<<(stop&63) - 1) >> (k & 63) << (k & 63)
	for ; left != 0; left &= left - 1 {
		next := bits.TrailingZeros64(left)
		if next-k > zeros {
			break
		}
		zeros -= next - k
		k = next + 1
		if n == 0 {
			acc |= binary.BigEndian.Uint64(r.buf[pos:pos+8]) >> (n & 63)
			pos += int(63-n) >> 3
			n |= 56
		}
		v := &coefs[next&63]
		add := bit // moves away from 0
		if *v < 0 {
			add = -bit
		}
		if *v&bit == 0 {
			*v += add & -int16(acc>>63)
		}
		acc <<= 1
		n--
	}
	r.acc, r.n, r.pos = acc, n, pos
	return k + zeros
}
