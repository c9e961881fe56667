package jpeg

import "fmt"

// layout plans a picture at 1/n of its size.
func (d *decoder) layout(n int) error {
	d.size = 8 / n
	for i := range d.comps {
		d.maxH, d.maxV = max(d.maxH, d.comps[i].h), max(d.maxV, d.comps[i].v)
	}
	d.mcusX, d.mcusY = ceil(d.w, 8*d.maxH), ceil(d.h, 8*d.maxV)
	blocks := 0
	for i := range d.comps {
		c := &d.comps[i]
		if err := d.plan(c); err != nil {
			return err
		}
		blocks += c.padX * c.padY
	}
	// A block takes at least a bit. This keeps a small file from claiming much memory.
	if blocks/8 > len(d.data) {
		return errShort
	}
	out := &Image{W: ceil(d.w, n), H: ceil(d.h, n)}
	out.Pix = make([]uint8, 3*out.W*out.H)
	d.out = out
	for i := range d.comps {
		c := &d.comps[i]
		c.plane.choose(out.W, d.size > 1)
		d.planes = append(d.planes, &c.plane)
	}
	d.convert = d.colours()
	return nil
}

// plan sizes a component. Where the picture is made smaller, components of lower
// resolution are less so: that takes the place of upsampling them, if it comes
// out even.
func (d *decoder) plan(c *component) error {
	c.size = d.size
	for c.size < 8 && d.maxH*d.size%(2*c.h*c.size) == 0 && d.maxV*d.size%(2*c.v*c.size) == 0 {
		c.size *= 2
	}
	c.blocksX, c.blocksY = ceil(d.w*c.h, 8*d.maxH), ceil(d.h*c.v, 8*d.maxV)
	c.padX, c.padY = d.mcusX*c.h, d.mcusY*c.v
	if d.maxH*d.size%(c.h*c.size) != 0 || d.maxV*d.size%(c.v*c.size) != 0 {
		return fmt.Errorf("sampling factors %dx%d do not divide %dx%d", c.h, c.v, d.maxH, d.maxV)
	}
	p := &c.plane
	p.w, p.h = ceil(d.w*c.h*c.size, 8*d.maxH), ceil(d.h*c.v*c.size, 8*d.maxV)
	p.wide, p.high = d.maxH*d.size/(c.h*c.size), d.maxV*d.size/(c.v*c.size)
	p.stride, p.rows = c.padX*c.size, 3*c.v*c.size // this row of MCUs, the last, and one under way
	p.pix = make([]uint8, p.stride*p.rows)
	return nil
}

func ceil(a, b int) int { return (a + b - 1) / b }

// colours finds what the components mean, as libjpeg does: from the markers of
// JFIF and Adobe, or else the numbers of the components.
func (d *decoder) colours() func(dst []uint8, planes [][]uint8) {
	switch c := d.comps; {
	case len(c) == 1:
		return grayRow
	case len(c) == 4 && d.adobe && d.transform != 0:
		return ycckRow
	case len(c) == 4:
		return cmykRow
	case d.jfif:
		return ycbcrRow
	case d.adobe && d.transform == 0, !d.adobe && c[0].id == 'R' && c[1].id == 'G' && c[2].id == 'B':
		return rgbRow
	}
	return ycbcrRow
}

// emit makes the rows of the picture that can be made when MCU row y is decoded.
// The last one of it may have to wait for the samples below.
func (d *decoder) emit(y int) {
	end := min((y+1)*d.maxV*d.size, d.out.H)
	if y < d.mcusY-1 {
		for _, p := range d.planes {
			if p.up != nil && p.high == 2 {
				end = (y+1)*d.maxV*d.size - 1
			}
		}
	}
	var rows [4][]uint8
	for ; d.rows < end; d.rows++ {
		for i, p := range d.planes {
			rows[i] = p.row(d.rows)
		}
		d.convert(d.out.Pix[3*d.rows*d.out.W:][:3*d.out.W], rows[:len(d.planes)])
	}
}
