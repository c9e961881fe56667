package jpeg

import "showtell/tensor"

// A plane holds samples of one component, and makes rows of the picture's width
// of them.
type plane struct {
	pix          []uint8
	stride, rows int // row y is number y%rows of pix
	w, h         int // samples that are of the picture
	wide, high   int // pixels that a sample covers
	left, top    int // of these, how many lie outside the picture at its first sample

	up   upsampler // nil: the nearest sample
	line []uint8   // of one row
}

// An upsampler makes one row as wide as the picture. Near is the row of samples
// that covers the picture's row, far the next nearest one; below tells that far
// lies below near. Near and far are of the plane's width, and dst fits twice that
// where rows are widened.
type upsampler func(dst, near, far []uint8, below bool)

// choose finds how to make rows of width pixels as libjpeg does: smoothly where
// a sample covers two pixels, unless the plane is very narrow. Where it makes
// a picture as small as it can, it does not smooth.
func (p *plane) choose(width int, smooth bool) {
	p.up = nil
	switch {
	case !smooth:
	case p.wide == 2 && p.high == 1 && p.w > 2:
		p.up = up2x1
	case p.wide == 2 && p.high == 2 && p.w > 2:
		p.up = up2x2
	case p.wide == 1 && p.high == 2:
		p.up = up1x2
	}
	if p.wide > 1 || p.up != nil {
		p.line = make([]uint8, max(width, p.wide*p.w))
	}
}

func (p *plane) at(y int) []uint8 { return p.pix[y%p.rows*p.stride:][:p.w] }

// row returns row y of the picture, to be read before the next call.
func (p *plane) row(y int) []uint8 {
	near := p.at((y + p.top) / p.high)
	switch {
	case p.up != nil && p.high == 1:
		p.up(p.line, near, nil, false)
	case p.up != nil && y%2 == 0:
		p.up(p.line, near, p.at(max(y/2-1, 0)), false)
	case p.up != nil:
		p.up(p.line, near, p.at(min(y/2+1, p.h-1)), true)
	case p.wide == 1:
		return near
	default:
		for x := range p.line {
			p.line[x] = near[min((x+p.left)/p.wide, len(near)-1)]
		}
	}
	return p.line
}

// up2x1 weighs the two nearest samples 3:1, with alternating rounding.
func up2x1(dst, near, _ []uint8, _ bool) { tensor.Widen(dst, near, nil) }

// up1x2 is up2x1 turned.
func up1x2(dst, near, far []uint8, below bool) {
	bias := uint(1)
	if below {
		bias = 2
	}
	far, dst = far[:len(near)], dst[:len(near)]
	for x, v := range near {
		dst[x] = uint8((3*uint(v) + uint(far[x]) + bias) >> 2)
	}
}

// up2x2 weighs the four nearest samples 9:3:3:1.
func up2x2(dst, near, far []uint8, _ bool) { tensor.Widen(dst, near, far) }
