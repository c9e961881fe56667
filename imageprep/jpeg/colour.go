package jpeg

// raised[384+v] is v cut to 0..255.
var raised = func() (table [1024]uint8) {
	for i := range table {
		table[i] = uint8(min(max(i-384, 0), 255))
	}
	return table
}()

// ycbcr converts as JFIF says, in libjpeg's 16-bit fixed point:
//
//	R = Y + 1.402 Cr,  G = Y - 0.34414 Cb - 0.71414 Cr,  B = Y + 1.772 Cb
func ycbcr(y, cb, cr uint8) (r, g, b uint8) {
	luma, u, v := int32(y), int32(cb)-128, int32(cr)-128
	return raised[(384+luma+(91881*v+32768)>>16)&1023],
		raised[(384+luma+(-22554*u-46802*v+32768)>>16)&1023],
		raised[(384+luma+(116130*u+32768)>>16)&1023]
}

// Three sums in a word, each with 384 added so that none is negative: blue from
// bit 0 on, red from bit 16 on, green, with a fraction of 16 bits, from bit 32 on.
const lumaStep = 1<<48 | 1<<16 | 1

// cbTable and crTable are what a chroma adds to the sums.
var cbTable, crTable = func() (cb, cr [256]uint64) {
	for i := range cb {
		v := int64(i) - 128
		cb[i] = uint64((384<<16+32768-22554*v)<<32 + 384<<16 + 384 + (116130*v+32768)>>16)
		cr[i] = uint64(-46802*v<<32 + (91881*v+32768)>>16<<16)
	}
	return cb, cr
}()

// ycbcrRow does what ycbcr does, all three sums at once.
func ycbcrRow(dst []uint8, planes [][]uint8) {
	n := len(dst) / 3
	y, cb, cr := planes[0][:n], planes[1][:n], planes[2][:n]
	for i, luma := range y {
		sums := uint64(luma)*lumaStep + cbTable[cb[i]] + crTable[cr[i]]
		d := dst[:3:3]
		d[0] = raised[sums>>16&1023]
		d[1] = raised[sums>>48&1023]
		d[2] = raised[sums&1023]
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
		r, g, b := ycbcr(planes[0][x], planes[1][x], planes[2][x])
		dst[3*x], dst[3*x+1], dst[3*x+2] = under(255-r, light), under(255-g, light), under(255-b, light)
	}
}

// under is what an ink, inverted, and black, inverted, leave of the light.
func under(ink, light uint8) uint8 {
	x := uint32(255-ink)*uint32(light) + 128
	return light - uint8((x+x>>8)>>8)
}
