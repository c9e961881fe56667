package jpeg

import "image"

// covers is how many pixels a chroma sample covers, across and down.
var covers = map[image.YCbCrSubsampleRatio][2]int{
	image.YCbCrSubsampleRatio444: {1, 1},
	image.YCbCrSubsampleRatio422: {2, 1},
	image.YCbCrSubsampleRatio420: {2, 2},
	image.YCbCrSubsampleRatio440: {1, 2},
	image.YCbCrSubsampleRatio411: {4, 1},
	image.YCbCrSubsampleRatio410: {4, 2},
}

// Rows reads a picture that image/jpeg has decoded the way Decode makes pixels:
// the function writes row y, counted from the top of m's bounds, to dst, three
// bytes a pixel. It keeps buffers: one goroutine at a time. Of a part of
// a picture, the chroma is not smoothed.
func Rows(m *image.YCbCr) func(y int, dst []uint8) {
	w, h := m.Rect.Dx(), m.Rect.Dy()
	if w <= 0 || h <= 0 {
		return func(int, []uint8) {}
	}
	size := covers[m.SubsampleRatio]
	chroma := func(pix []uint8) *plane {
		p := &plane{pix: pix[m.COffset(m.Rect.Min.X, m.Rect.Min.Y):], stride: m.CStride, wide: size[0], high: size[1]}
		p.left, p.top = m.Rect.Min.X%p.wide, m.Rect.Min.Y%p.high
		p.w, p.h = ceil(p.left+w, p.wide), ceil(p.top+h, p.high)
		p.rows = p.h
		p.choose(w, m.Rect.Min == image.Point{})
		return p
	}
	luma := m.Y[m.YOffset(m.Rect.Min.X, m.Rect.Min.Y):]
	cb, cr := chroma(m.Cb), chroma(m.Cr)
	return func(y int, dst []uint8) {
		planes := [...][]uint8{luma[y*m.YStride:][:w], cb.row(y), cr.row(y)}
		ycbcrRow(dst, planes[:])
	}
}
