package jpeg

import "encoding/binary"

// Three sums in a word, each with 256 added so that none is negative: red from bit
// 0 on, blue from bit 16 on, green from bit 48 on with a fraction of 16 bits. If
// bits 8 and 9 of all are as in inRange, they lie between 0 and 255.
const (
	lumaStep = 1<<48 | 1<<16 | 1
	overflow = 3<<56 | 3<<24 | 3<<8
	inRange  = 1<<56 | 1<<24 | 1<<8
)

// cbTable and crTable are what a chroma adds to the sums, by the formula of JFIF
// in libjpeg's 16-bit fixed point:
//
//	R = Y + 1.402 Cr,  G = Y - 0.34414 Cb - 0.71414 Cr,  B = Y + 1.772 Cb
var cbTable, crTable = func() (cb, cr [256]uint64) {
	for i := range cb {
		v := int64(i) - 128
		cb[i] = uint64((256<<16+32768-22554*v)<<32 + (256+(116130*v+32768)>>16)<<16 + 256)
		cr[i] = uint64(-46802*v<<32 + (91881*v+32768)>>16)
	}
	return cb, cr
}()

func sumsOf(y, cb, cr uint8) uint64 { return uint64(y)*lumaStep + cbTable[cb] + crTable[cr] }

// colour cuts the sums to red, green and blue, from the lowest byte on.
func colour(sums uint64) uint32 {
	cut := func(sum uint64) uint32 { return uint32(min(max(int(sum&1023)-256, 0), 255)) }
	return cut(sums) | cut(sums>>48)<<8 | cut(sums>>16)<<16
}

func ycbcrRow(dst []uint8, planes [][]uint8) {
	n := len(dst) / 3
	y, cb, cr := planes[0][:n], planes[1][:n], planes[2][:n]
	for i, luma := range y {
		sums := sumsOf(luma, cb[i], cr[i])
		rgb := uint32(sums&0xff00ff | sums>>40&0xff00)
		if sums&overflow != inRange {
			rgb = colour(sums)
		}
		if len(dst) < 4 {
			dst[0], dst[1], dst[2] = uint8(rgb), uint8(rgb>>8), uint8(rgb>>16)
			break
		}
		binary.LittleEndian.PutUint32(dst, rgb) // the next pixel mends the fourth byte
		dst = dst[3:]
	}
}

func grayRow(dst []uint8, planes [][]uint8) {
	for _, v := range planes[0][:len(dst)/3] {
		d := dst[:3:3]
		d[0], d[1], d[2] = v, v, v
		dst = dst[3:]
	}
}

func rgbRow(dst []uint8, planes [][]uint8) {
	for x := range len(dst) / 3 {
		dst[3*x], dst[3*x+1], dst[3*x+2] = planes[0][x], planes[1][x], planes[2][x]
	}
}

// cmykRow takes the inks to be stored inverted, as Adobe's programs and Pillow do.
func cmykRow(dst []uint8, planes [][]uint8) {
	for x := range len(dst) / 3 {
		light := planes[3][x]
		for i := range 3 {
			dst[3*x+i] = under(planes[i][x], light)
		}
	}
}

// ycckRow is cmykRow of inks that are stored as luma and chroma.
func ycckRow(dst []uint8, planes [][]uint8) {
	for x := range len(dst) / 3 {
		light := planes[3][x]
		ink := 0xffffff - colour(sumsOf(planes[0][x], planes[1][x], planes[2][x]))
		dst[3*x], dst[3*x+1], dst[3*x+2] = under(uint8(ink), light), under(uint8(ink>>8), light), under(uint8(ink>>16), light)
	}
}

// under is what an ink, inverted, and black, inverted, leave of the light.
func under(ink, light uint8) uint8 {
	x := uint32(255-ink)*uint32(light) + 128
	return light - uint8((x+x>>8)>>8)
}
