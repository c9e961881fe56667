package tensor

// YCbCrToRGB writes the colours of a row of pixels, three bytes each, to dst, (len(y), 3), by the formula of
// JFIF in libjpeg's 16-bit fixed point:
//
//	R = Y + 1.402 Cr,  G = Y - 0.34414 Cb - 0.71414 Cr,  B = Y + 1.772 Cb
//
// where 128 was added to Cb and Cr. They are of the length of y.
func YCbCrToRGB(dst, y, cb, cr []uint8) { ycbcrToRGB(cpuLevel, dst, y, cb, cr) }

func ycbcrToRGB(l level, dst, y, cb, cr []uint8) {
	n := len(y)
	dst, cb, cr = dst[:3*n], cb[:n], cr[:n]
	done := ycbcrVectors(l, dst, y, cb, cr)
	dst, y, cb, cr = dst[3*done:], y[done:], cb[done:], cr[done:]
	for i, luma := range y {
		sums := sumsOf(luma, cb[i], cr[i])
		rgb := uint32(sums&0xff00ff | sums>>40&0xff00)
		if sums&overflow != inRange {
			rgb = cutSums(sums)
		}
		if len(dst) < 4 {
			dst[0], dst[1], dst[2] = uint8(rgb), uint8(rgb>>8), uint8(rgb>>16)
			break
		}
		d := dst[:4:4] // the next pixel mends the fourth byte
		d[0], d[1], d[2], d[3] = uint8(rgb), uint8(rgb>>8), uint8(rgb>>16), uint8(rgb>>24)
		dst = dst[3:]
	}
}

// Three sums in a word, each with 256 added so that none is negative: red from bit
// 0 on, blue from bit 16 on, green from bit 48 on with a fraction of 16 bits. If
// bits 8 and 9 of all are as in inRange, they lie between 0 and 255.
const (
	lumaStep = 1<<48 | 1<<16 | 1
	overflow = 3<<56 | 3<<24 | 3<<8
	inRange  = 1<<56 | 1<<24 | 1<<8
)

// cbTable and crTable are what a chroma adds to the sums.
var cbTable, crTable = func() (cb, cr [256]uint64) {
	for i := range cb {
		v := int64(i) - 128
		cb[i] = uint64((256<<16+32768-22554*v)<<32 + (256+(116130*v+32768)>>16)<<16 + 256)
		cr[i] = uint64(-46802*v<<32 + (91881*v+32768)>>16)
	}
	return cb, cr
}()

func sumsOf(y, cb, cr uint8) uint64 { return uint64(y)*lumaStep + cbTable[cb] + crTable[cr] }

// cutSums cuts the sums to red, green and blue, from the lowest byte on.
func cutSums(sums uint64) uint32 {
	cut := func(sum uint64) uint32 { return uint32(min(max(int(sum&1023)-256, 0), 255)) }
	return cut(sums) | cut(sums>>48)<<8 | cut(sums>>16)<<16
}

// Widen doubles a row of samples as libjpeg's "fancy upsampling" does: dst, (2*len(near)), weighs the two
// nearest ones 3:1, with alternating rounding. If there is a far row, of the same length, the four nearest
// of both rows count 9:3:3:1. Near is not empty.
func Widen(dst, near, far []uint8) { widenSamples(cpuLevel, dst, near, far) }

func widenSamples(l level, dst, near, far []uint8) {
	n := len(near)
	dst = dst[:2*n]
	done := 1 // the first and the last lack a neighbour
	if far == nil {
		dst[0] = near[0]
		done += widenVectors(l, dst, near, nil)
		for x := done; x < n; x++ {
			left, right := uint(near[x-1]), uint(near[x])
			dst[2*x-1], dst[2*x] = uint8((3*left+right+2)>>2), uint8((3*right+left+1)>>2)
		}
		dst[2*n-1] = near[n-1]
		return
	}
	far = far[:n]
	left := 3*uint(near[0]) + uint(far[0])
	dst[0] = uint8((4*left + 8) >> 4)
	done += widenVectors(l, dst, near, far)
	left = 3*uint(near[done-1]) + uint(far[done-1])
	for x := done; x < n; x++ {
		right := 3*uint(near[x]) + uint(far[x])
		d := dst[2*x-1 : 2*x+1 : 2*x+1]
		d[0], d[1] = uint8((3*left+right+7)>>4), uint8((3*right+left+8)>>4)
		left = right
	}
	dst[2*n-1] = uint8((4*left + 7) >> 4)
}
