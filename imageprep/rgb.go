package imageprep

import (
	"image"
	"image/color"

	"showtell/imageprep/jpeg"
)

// RGB is a picture of three bytes a pixel, row by row without gaps. An *RGB is
// an image.Image.
type RGB struct {
	W, H int
	Pix  []uint8 // (H, W, 3)
}

func newRGB(w, h int) *RGB { return &RGB{w, h, make([]uint8, 3*w*h)} }

// ColorModel is color.RGBAModel; the alpha is always full.
func (m *RGB) ColorModel() color.Model { return color.RGBAModel }

// Bounds is (0, 0) to (W, H).
func (m *RGB) Bounds() image.Rectangle { return image.Rect(0, 0, m.W, m.H) }

// At is the colour of a pixel, black outside the bounds.
func (m *RGB) At(x, y int) color.Color {
	if x < 0 || y < 0 || x >= m.W || y >= m.H {
		return color.RGBA{A: 255}
	}
	p := m.Pix[3*(y*m.W+x):]
	return color.RGBA{p[0], p[1], p[2], 255}
}

func (m *RGB) row(y int) []uint8 { return m.Pix[3*y*m.W : 3*(y+1)*m.W] }

// Convert returns img as an *RGB, the same one if it is one already. What is
// transparent becomes white. Pictures with chroma of lower resolution get it
// smoothed as libjpeg does, 16-bit ones keep their high bytes.
func Convert(img image.Image) *RGB {
	if m, ok := img.(*RGB); ok {
		return m
	}
	return convert(rowsOf(img), img.Bounds())
}

func convert(read rows, bounds image.Rectangle) *RGB {
	m := newRGB(bounds.Dx(), bounds.Dy())
	for y := range m.H {
		read(y, m.row(y))
	}
	return m
}

// within is a black picture of the given size with m at corner.
func (m *RGB) within(size, corner image.Point) *RGB {
	dst := newRGB(size.X, size.Y)
	for y := range m.H {
		copy(dst.row(corner.Y + y)[3*corner.X:], m.row(y))
	}
	return dst
}

// rows writes row y of a picture, counted from the top of its bounds, to dst,
// three bytes a pixel. It may keep buffers: one goroutine at a time.
type rows func(y int, dst []uint8)

func rowsOf(img image.Image) rows {
	switch m := img.(type) {
	case *RGB:
		return func(y int, dst []uint8) { copy(dst, m.row(y)) }
	case *image.YCbCr:
		return jpeg.Rows(m)
	case *image.NYCbCrA:
		return alphaRows(m, jpeg.Rows(&m.YCbCr))
	case *image.Gray:
		return func(y int, dst []uint8) { grayRow(dst, m.Pix[y*m.Stride:], 1) }
	case *image.Gray16:
		return func(y int, dst []uint8) { grayRow(dst, m.Pix[y*m.Stride:], 2) }
	case *image.NRGBA:
		return func(y int, dst []uint8) { straightRow(dst, m.Pix[y*m.Stride:], 1) }
	case *image.NRGBA64:
		return func(y int, dst []uint8) { straightRow(dst, m.Pix[y*m.Stride:], 2) }
	case *image.RGBA:
		return func(y int, dst []uint8) { premultipliedRow(dst, m.Pix[y*m.Stride:], 1) }
	case *image.RGBA64:
		return func(y int, dst []uint8) { premultipliedRow(dst, m.Pix[y*m.Stride:], 2) }
	case *image.Paletted:
		return palettedRows(m)
	case *image.CMYK:
		return func(y int, dst []uint8) { cmykRow(dst, m.Pix[y*m.Stride:]) }
	}
	return anyRows(img)
}

// grayRow reads samples of size bytes, big-endian.
func grayRow(dst, src []uint8, size int) {
	for i := 0; i+2 < len(dst); i += 3 {
		v := src[i/3*size]
		dst[i], dst[i+1], dst[i+2] = v, v, v
	}
}

// straightRow reads four samples a pixel, of size bytes each, big-endian, whose
// colours are not multiplied with the alpha.
func straightRow(dst, src []uint8, size int) {
	for ; len(dst) >= 3; dst, src = dst[3:], src[4*size:] {
		r, g, b, a := src[0], src[size], src[2*size], src[3*size]
		if a != 255 {
			r, g, b = onWhite(r, a), onWhite(g, a), onWhite(b, a)
		}
		dst[0], dst[1], dst[2] = r, g, b
	}
}

// premultipliedRow is straightRow for colours that are multiplied already.
func premultipliedRow(dst, src []uint8, size int) {
	for ; len(dst) >= 3; dst, src = dst[3:], src[4*size:] {
		white := 255 - int(src[3*size])
		for c := range 3 {
			dst[c] = uint8(min(int(src[c*size])+white, 255)) // a colour above its alpha is invalid
		}
	}
}

// onWhite is c at opacity a, both of 255, before white.
func onWhite(c, a uint8) uint8 {
	return uint8(div255(uint32(c)*uint32(a) + 255*uint32(255-a)))
}

// div255 divides by 255 and rounds to the nearest, for x up to 65535.
func div255(x uint32) uint32 {
	x += 128
	return (x + x>>8) >> 8
}

// opaque is img with its colours as they are below the alpha.
func opaque(img image.Image) image.Image {
	if m, ok := img.(interface{ Opaque() bool }); ok && m.Opaque() {
		return img
	}
	b := img.Bounds()
	switch m := img.(type) {
	case *RGB, *image.YCbCr:
		return img
	case *image.NYCbCrA:
		return convert(jpeg.Rows(&m.YCbCr), b)
	case *image.NRGBA:
		return convert(func(y int, dst []uint8) {
			for x := range len(dst) / 3 {
				copy(dst[3*x:3*x+3], m.Pix[y*m.Stride+4*x:])
			}
		}, b)
	}
	return convert(func(y int, dst []uint8) {
		for x := range len(dst) / 3 {
			c := color.NRGBAModel.Convert(img.At(b.Min.X+x, b.Min.Y+y)).(color.NRGBA)
			dst[3*x], dst[3*x+1], dst[3*x+2] = c.R, c.G, c.B
		}
	}, b)
}

func alphaRows(m *image.NYCbCrA, opaque rows) rows {
	return func(y int, dst []uint8) {
		opaque(y, dst)
		for x, a := range m.A[y*m.AStride:][:len(dst)/3] {
			if a != 255 {
				p := dst[3*x : 3*x+3]
				p[0], p[1], p[2] = onWhite(p[0], a), onWhite(p[1], a), onWhite(p[2], a)
			}
		}
	}
}

func palettedRows(m *image.Paletted) rows {
	var table [256][3]uint8 // what is beyond the palette is black, as in package image
	for i, c := range m.Palette[:min(len(m.Palette), 256)] {
		n := color.NRGBAModel.Convert(c).(color.NRGBA)
		table[i] = [3]uint8{onWhite(n.R, n.A), onWhite(n.G, n.A), onWhite(n.B, n.A)}
	}
	return func(y int, dst []uint8) {
		for x, i := range m.Pix[y*m.Stride:][:len(dst)/3] {
			copy(dst[3*x:3*x+3], table[i][:])
		}
	}
}

func cmykRow(dst, src []uint8) {
	for ; len(dst) >= 3; dst, src = dst[3:], src[4:] {
		light := 255 - uint32(src[3])
		for c := range 3 {
			dst[c] = uint8(light - div255(uint32(src[c])*light))
		}
	}
}

// anyRows reads pixel by pixel, through interfaces.
func anyRows(img image.Image) rows {
	b := img.Bounds()
	return func(y int, dst []uint8) {
		for x := range len(dst) / 3 {
			r, g, b, a := img.At(b.Min.X+x, b.Min.Y+y).RGBA()
			white := 0xffff - a
			dst[3*x], dst[3*x+1], dst[3*x+2] = uint8((r+white)>>8), uint8((g+white)>>8), uint8((b+white)>>8)
		}
	}
}
