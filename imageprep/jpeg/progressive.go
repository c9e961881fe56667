package jpeg

import (
	"encoding/binary"
	"errors"
	"math/bits"
	"sync"
)

// A grid holds the coefficients of a component, for pictures in several scans.
type grid struct {
	dc   []int16  // (padY, padX)
	ac   []int16  // (padY, padX, 64), in zigzag order; what mask does not name is not valid
	mask []uint64 // (padY, padX): a bit for each of ac that is not 0
}

// A pool keeps arrays of pictures that are done for the next ones: a large one
// takes long to come by.
type pool struct{ sync.Pool }

var used pool

// Get returns n coefficients. They are 0 only by chance: what counts is the mask.
func (p *pool) Get(n int) *[]int16 {
	if old, _ := p.Pool.Get().(*[]int16); old != nil && cap(*old) >= n {
		*old = (*old)[:n]
		return old
	}
	fresh := make([]int16, n)
	return &fresh
}

// Put gives coefs back, if there are any.
func (p *pool) Put(coefs *[]int16) {
	if coefs != nil {
		p.Pool.Put(coefs)
	}
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
	for k := s.start; k <= s.stop; k++ {
		run, v, err := d.in.coefficient(c.ac)
		switch {
		case err != nil:
			return err
		case v == 0 && run < 15:
			d.run = d.in.blocks(run) - 1
			return nil
		}
		k += run
		if v != 0 {
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
		zeros, fresh := 64, int32(0) // to pass over, and what follows them
		if d.run == 0 {
			run, v, err := d.in.coefficient(c.ac)
			switch {
			case err != nil:
				return err
			case v < -1 || v > 1:
				return errRefine
			case v == 0 && run < 15:
				d.run = d.in.blocks(run)
			default:
				zeros, fresh = run, v
			}
		}
		k = d.in.correct(&c.grid, at, k, s.stop, zeros, bit)
		if fresh != 0 && k <= s.stop {
			c.grid.set(at, k, int16(fresh)*bit)
		}
		if d.run > 0 {
			d.run--
			return nil
		}
	}
	return nil
}

// blocks is how many blocks end without further coefficients, by the run of
// the symbol that says so.
func (r *reader) blocks(run int) int { return 1<<run | int(r.take(uint(run))) }

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
