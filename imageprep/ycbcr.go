package imageprep

import "image"

// An upsampler makes one row of a chroma plane as wide as the picture. Near is
// the row of the plane that covers the picture's row, far the next nearest one;
// below tells that far lies below near. Near and far are of the plane's width.
type upsampler func(dst, near, far []uint8, below bool)

// ycbcrRows reads a JPEG's picture: full levels, and chroma upsampled as libjpeg
// does. A part of a picture, and the rarer ratios, get the nearest chroma.
func ycbcrRows(m *image.YCbCr) rows {
	var up upsampler
	wide := (m.Rect.Dx()+1)/2 > 2 // libjpeg leaves the narrowest alone
	switch {
	case m.Rect.Min != image.Point{}:
	case m.SubsampleRatio == image.YCbCrSubsampleRatio422 && wide:
		up = up2x1
	case m.SubsampleRatio == image.YCbCrSubsampleRatio420 && wide:
		up = up2x2
	case m.SubsampleRatio == image.YCbCrSubsampleRatio440:
		up = up1x2
	}
	return planeRows(m, up, fullLevels)
}

// videoRows reads a lossy WebP's picture: chroma upsampled as libwebp does, and
// levels from 16 to 235.
func videoRows(m *image.YCbCr) rows { return planeRows(m, upWebP, videoLevels) }

func planeRows(m *image.YCbCr, up upsampler, convert func(dst, y, cb, cr []uint8)) rows {
	w := m.Rect.Dx()
	cb, cr := make([]uint8, w), make([]uint8, w)
	return func(y int, dst []uint8) {
		luma := m.Y[y*m.YStride:][:w]
		switch {
		case m.SubsampleRatio == image.YCbCrSubsampleRatio444:
			at := y * m.CStride
			convert(dst, luma, m.Cb[at:at+w], m.Cr[at:at+w])
			return
		case up == nil:
			nearest(m, y, cb, cr)
		default:
			chroma(m, up, y, cb, cr)
		}
		convert(dst, luma, cb, cr)
	}
}

func nearest(m *image.YCbCr, y int, cb, cr []uint8) {
	for x := range cb {
		at := m.COffset(m.Rect.Min.X+x, m.Rect.Min.Y+y)
		cb[x], cr[x] = m.Cb[at], m.Cr[at]
	}
}

func chroma(m *image.YCbCr, up upsampler, y int, cb, cr []uint8) {
	w, row, last, below := (len(cb)+1)/2, y, m.Rect.Dy()-1, false
	if m.SubsampleRatio == image.YCbCrSubsampleRatio440 {
		w = len(cb)
	}
	if m.SubsampleRatio != image.YCbCrSubsampleRatio422 {
		row, last, below = y/2, last/2, y%2 == 1
	}
	other := max(row-1, 0)
	if below {
		other = min(row+1, last)
	}
	near, far := row*m.CStride, other*m.CStride
	up(cb, m.Cb[near:near+w], m.Cb[far:far+w], below)
	up(cr, m.Cr[near:near+w], m.Cr[far:far+w], below)
}

// up2x1 weighs the two nearest samples 3:1, as libjpeg's "fancy" upsampling does
// for 4:2:2, with its alternating rounding. It needs two samples.
func up2x1(dst, near, _ []uint8, _ bool) {
	last := len(near) - 1
	for x, v := range near {
		left, right := near[max(x-1, 0)], near[min(x+1, last)]
		dst[2*x] = uint8((3*uint(v) + uint(left) + 1) >> 2)
		if 2*x+1 < len(dst) {
			dst[2*x+1] = uint8((3*uint(v) + uint(right) + 2) >> 2)
		}
	}
}

// up1x2 is up2x1 turned, for 4:4:0.
func up1x2(dst, near, far []uint8, below bool) {
	bias := uint(1)
	if below {
		bias = 2
	}
	for x, v := range near {
		dst[x] = uint8((3*uint(v) + uint(far[x]) + bias) >> 2)
	}
}

// up2x2 weighs the four nearest samples 9:3:3:1, as libjpeg does for 4:2:0.
func up2x2(dst, near, far []uint8, _ bool) {
	far = far[:len(near)]
	this := 3*uint(near[0]) + uint(far[0])
	left := this
	near, far = near[1:], far[1:]
	for x, v := range near {
		if len(dst) < 2 {
			break
		}
		right := 3*uint(v) + uint(far[x])
		dst[0] = uint8((3*this + left + 8) >> 4)
		dst[1] = uint8((3*this + right + 7) >> 4)
		left, this = this, right
		dst = dst[2:]
	}
	dst[0] = uint8((3*this + left + 8) >> 4)
	if len(dst) > 1 {
		dst[1] = uint8((4*this + 7) >> 4)
	}
}

// upWebP weighs as up2x2 does, in libwebp's order of rounding.
func upWebP(dst, near, far []uint8, _ bool) {
	n0, f0 := uint(near[0]), uint(far[0])
	dst[0] = uint8((3*n0 + f0 + 2) >> 2)
	for x := 1; x < len(near); x++ {
		n1, f1 := uint(near[x]), uint(far[x])
		sum := n0 + n1 + f0 + f1 + 8
		dst[2*x-1] = uint8(((sum+2*(n1+f0))>>3 + n0) >> 1)
		dst[2*x] = uint8(((sum+2*(n0+f1))>>3 + n1) >> 1)
		n0, f0 = n1, f1
	}
	if len(dst)%2 == 0 {
		dst[len(dst)-1] = uint8((3*n0 + f0 + 2) >> 2)
	}
}

// clip[v&1023] is v cut to 0..255, for v from -384 to 639.
var clip = func() (table [1024]uint8) {
	for i := range table {
		switch {
		case i < 256:
			table[i] = uint8(i)
		case i < 640:
			table[i] = 255
		}
	}
	return table
}()

// fullLevels converts as JFIF says, in libjpeg's 16-bit fixed point:
//
//	R = Y + 1.402 Cr,  G = Y - 0.34414 Cb - 0.71414 Cr,  B = Y + 1.772 Cb
func fullLevels(dst, y, cb, cr []uint8) {
	cb, cr = cb[:len(y)], cr[:len(y)]
	for i, v := range y {
		if len(dst) < 3 {
			break
		}
		luma, u, v := int32(v), int32(cb[i])-128, int32(cr[i])-128
		dst[0] = clip[(luma+(91881*v+32768)>>16)&1023]
		dst[1] = clip[(luma+(-22554*u-46802*v+32768)>>16)&1023]
		dst[2] = clip[(luma+(116130*u+32768)>>16)&1023]
		dst = dst[3:]
	}
}

// videoLevels converts as BT.601 says, in libwebp's 14-bit fixed point.
func videoLevels(dst, y, cb, cr []uint8) {
	for i := range len(dst) / 3 {
		luma, u, v := int32(y[i])*19077>>8, int32(cb[i]), int32(cr[i])
		dst[3*i] = clip14(luma + v*26149>>8 - 14234)
		dst[3*i+1] = clip14(luma - u*6419>>8 - v*13320>>8 + 8708)
		dst[3*i+2] = clip14(luma + u*33050>>8 - 17685)
	}
}

func clip14(v int32) uint8 { return uint8(min(max(v>>6, 0), 255)) }
