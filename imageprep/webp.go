package imageprep

import "image"

// videoRows reads a lossy WebP's picture: 4:2:0, chroma upsampled as libwebp does,
// and levels from 16 to 235.
func videoRows(m *image.YCbCr) rows {
	w, last := m.Rect.Dx(), (m.Rect.Dy()-1)/2
	cb, cr := make([]uint8, w), make([]uint8, w)
	return func(y int, dst []uint8) {
		row := y / 2
		other := max(row-1, 0)
		if y%2 == 1 {
			other = min(row+1, last)
		}
		near, far, n := row*m.CStride, other*m.CStride, (w+1)/2
		upWebP(cb, m.Cb[near:near+n], m.Cb[far:far+n])
		upWebP(cr, m.Cr[near:near+n], m.Cr[far:far+n])
		videoLevels(dst, m.Y[y*m.YStride:][:w], cb, cr)
	}
}

// upWebP makes a row of chroma as wide as the picture, of the row of samples that
// covers it and the next nearest one: it weighs the four nearest samples 9:3:3:1,
// in libwebp's order of rounding.
func upWebP(dst, near, far []uint8) {
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
