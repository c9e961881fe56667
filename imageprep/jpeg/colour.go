package jpeg

import "showtell/tensor"

func ycbcrRow(dst []uint8, planes [][]uint8) {
	n := len(dst) / 3
	tensor.YCbCrToRGB(dst, planes[0][:n], planes[1], planes[2])
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
	ycbcrRow(dst, planes)
	for i, v := range dst {
		dst[i] = under(255-v, planes[3][i/3])
	}
}

// under is what an ink, inverted, and black, inverted, leave of the light.
func under(ink, light uint8) uint8 {
	x := uint32(255-ink)*uint32(light) + 128
	return light - uint8((x+x>>8)>>8)
}
