package jpeg

import (
	"errors"
	"fmt"
	"math/bits"

	"showtell/tensor"
)

// A scan is what its header [B.2.3] says.
type scan struct {
	comps        []*component
	start, stop  int  // coefficients, in zigzag order
	high, low    uint // successive approximation: bits known before, and bits not to be known after
	mcusX, mcusY int
}

// No picture has more than maxScans, nor more than maxPasses for one coefficient:
// 14 is the most that make sense. More are an attack on the reader's patience.
const (
	maxScans  = 200
	maxPasses = 16
)

var errScans = errors.New("too many scans")

// scans reads all scans and the tables between them, and makes the picture.
func (d *decoder) scans() error {
	for count := 0; ; {
		mark, body, err := d.segment()
		switch {
		case err != nil:
			return err
		case mark == markEOI:
			return d.finish()
		case mark != markSOS:
			if err := d.read(mark, body); err != nil {
				return err
			}
			continue
		}
		if count++; count > maxScans {
			return errScans
		}
		s, err := d.scanHeader(body)
		if err != nil {
			return err
		}
		if !d.progressive && len(s.comps) == len(d.comps) && d.comps[0].grid.dc == nil {
			return d.direct(s) // this is all
		}
		if err := d.store(s); err != nil {
			return err
		}
	}
}

func (d *decoder) scanHeader(body []byte) (*scan, error) {
	if len(body) < 1 || len(body) != 4+2*int(body[0]) || body[0] < 1 || body[0] > 4 {
		return nil, fmt.Errorf("scan header of %d bytes", len(body))
	}
	s := new(scan)
	blocks := 0
	for i := range int(body[0]) {
		id, tables := body[1+2*i], body[2+2*i]
		c := d.component(id)
		if c == nil {
			return nil, fmt.Errorf("scan of component %d, which is not in the frame", id)
		}
		for _, other := range s.comps {
			if other == c {
				return nil, fmt.Errorf("scan with component %d twice", id)
			}
		}
		if tables>>4 > 3 || tables&15 > 3 {
			return nil, fmt.Errorf("scan with Huffman tables %d and %d", tables>>4, tables&15)
		}
		c.dc, c.ac = d.dc[tables>>4], d.ac[tables&15]
		blocks += c.h * c.v
		s.comps = append(s.comps, c)
	}
	if len(s.comps) > 1 && blocks > 10 {
		return nil, fmt.Errorf("%d blocks in an MCU, want at most 10", blocks)
	}
	s.mcusX, s.mcusY = d.mcusX, d.mcusY
	if len(s.comps) == 1 {
		s.mcusX, s.mcusY = s.comps[0].blocksX, s.comps[0].blocksY
	}
	last := body[len(body)-3:]
	s.stop = 63
	if d.progressive {
		s.start, s.stop, s.high, s.low = int(last[0]), int(last[1]), uint(last[2]>>4), uint(last[2]&15)
	}
	return s, d.prepare(s)
}

func (d *decoder) component(id uint8) *component {
	for i := range d.comps {
		if d.comps[i].id == id {
			return &d.comps[i]
		}
	}
	return nil
}

// prepare checks a scan, and readies its components.
func (d *decoder) prepare(s *scan) error {
	if d.progressive {
		if s.start > s.stop || s.stop > 63 || s.low > 13 || s.high != 0 && s.high != s.low+1 ||
			s.start == 0 && s.stop != 0 || s.start != 0 && len(s.comps) != 1 {
			return fmt.Errorf("scan of coefficients %d to %d of %d components, bits %d to %d", s.start, s.stop, len(s.comps), s.high, s.low)
		}
	}
	for _, c := range s.comps {
		for k := s.start; k <= s.stop; k++ {
			if c.seen[k]++; c.seen[k] > maxPasses {
				return errScans
			}
		}
		if s.start > 0 && c.seen[0] == 0 {
			return fmt.Errorf("scan of component %d before that of its DC values", c.id)
		}
		if s.start == 0 && s.high == 0 && c.dc == nil || s.stop > 0 && c.ac == nil {
			return fmt.Errorf("scan of component %d without a Huffman table", c.id)
		}
		if err := d.dequantiser(c); err != nil {
			return err
		}
	}
	return nil
}

// dequantiser takes the quantisation table that holds at a component's first scan.
func (d *decoder) dequantiser(c *component) error {
	if c.inverse != nil {
		return nil
	}
	steps := d.quant[c.quantID]
	if steps == nil {
		return fmt.Errorf("component %d without quantisation table %d", c.id, c.quantID)
	}
	var natural [64]uint16
	for k, step := range steps {
		natural[zigzag[k]] = step
	}
	c.inverse = tensor.NewInverseDCT(c.size, &natural)
	return nil
}

// A walk goes through the MCUs of a scan, in their order.
type walk struct {
	d        *decoder
	s        *scan
	left     int // MCUs to the next restart marker
	restarts int // markers so far
}

func (d *decoder) walk(s *scan) *walk {
	d.in.start(d.data[d.pos:])
	d.restarted(s)
	return &walk{d: d, s: s, left: d.restart}
}

// row calls mcu for the MCUs of row y, given their columns.
func (w *walk) row(y int, mcu func(x, y int) error) error {
	d, in := w.d, &w.d.in
	for x := range w.s.mcusX {
		if d.restart > 0 {
			if w.left == 0 {
				if err := in.next(w.restarts); err != nil {
					return err
				}
				d.restarted(w.s)
				w.left, w.restarts = d.restart, w.restarts+1
			}
			w.left--
		}
		in.ready()
		err := mcu(x, y)
		if in.over() {
			return errShort // whatever came of data that are cut off
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// end goes on behind the scan.
func (w *walk) end() { w.d.pos = len(w.d.data) - len(w.d.in.src) }

func (d *decoder) restarted(s *scan) {
	d.run = 0
	for _, c := range s.comps {
		c.pred = 0
	}
}

// store decodes a scan of a picture that has several into the coefficients.
func (d *decoder) store(s *scan) error {
	if d.comps[0].grid.dc == nil {
		d.allot()
	}
	if s.start > 0 && s.comps[0].size == 1 {
		return nil // not needed; the next marker is looked for
	}
	decode, w := d.blockDecoder(s), d.walk(s)
	for y := range s.mcusY {
		if err := w.row(y, storing(s, decode)); err != nil {
			return err
		}
	}
	w.end()
	return nil
}

// storing returns what decodes an MCU, or in a scan of one component a block.
func storing(s *scan, decode func(c *component, at int) error) func(x, y int) error {
	return func(x, y int) error {
		if len(s.comps) == 1 {
			return decode(s.comps[0], y*s.comps[0].padX+x)
		}
		for _, c := range s.comps {
			for v := range c.v {
				for h := range c.h {
					if err := decode(c, (y*c.v+v)*c.padX+x*c.h+h); err != nil {
						return err
					}
				}
			}
		}
		return nil
	}
}

// allot makes the grids. AC coefficients that no transform needs have no place.
func (d *decoder) allot() {
	n := 0
	for i := range d.comps {
		c := &d.comps[i]
		c.grid.dc = make([]int16, c.padX*c.padY)
		if c.size > 1 || !d.progressive {
			c.grid.mask = make([]uint64, len(c.grid.dc))
			n += 64 * len(c.grid.mask)
		}
	}
	d.coefs = used.Get(n)
	rest := *d.coefs
	for i := range d.comps {
		g := &d.comps[i].grid
		n := 64 * len(g.mask)
		g.ac, rest = rest[:n:n], rest[n:]
	}
}

// finish makes the picture from the coefficients.
func (d *decoder) finish() error {
	for i := range d.comps {
		if c := &d.comps[i]; c.seen[0] == 0 {
			return fmt.Errorf("component %d is missing: %w", c.id, errShort)
		}
	}
	d.samples(0)
	for y := range d.mcusY {
		d.beside(func() {
			if y+1 < d.mcusY {
				d.samples(y + 1)
			}
		}, func() { d.emit(y) })
	}
	return nil
}

// samples makes those of a row of MCUs from the coefficients.
func (d *decoder) samples(row int) {
	for i := range d.comps {
		c := &d.comps[i]
		c.lend(strip, 1)
		for y := row * c.v; y < (row+1)*c.v; y++ {
			for x := 0; x < c.padX; x += strip {
				n := min(strip, c.padX-x)
				for i := range n {
					c.load(c.coefs[c.per()*i:], y*c.padX+x+i)
				}
				c.transform(c.coefs[:c.per()*n], x, y)
			}
		}
	}
}

// load brings a stored block.
func (c *component) load(blk []int16, at int) {
	blk[0] = c.grid.dc[at]
	if c.size == 1 {
		return
	}
	coefs, blk := (*[64]int16)(c.grid.ac[64*at:]), blk[:64]
	for left := c.grid.mask[at]; left != 0; left &= left - 1 {
		k := bits.TrailingZeros64(left) & 63
		blk[zigzag[k]] = coefs[k]
	}
}
