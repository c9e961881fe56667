package modelfile

import (
	"encoding/binary"
	"math"
)

// fromHalf converts IEEE binary16 numbers, little-endian, two bytes each.
func fromHalf(dst []float32, src []byte) {
	src = src[:2*len(dst)]
	for i := range dst {
		h := uint32(binary.LittleEndian.Uint16(src[2*i:]))
		// The bits moved into place, taken as a float32, are 2^112 times too small,
		// for subnormal numbers too; only infinities and NaNs differ.
		x := math.Float32frombits(h&0x7fff<<13) * 0x1p112
		u := math.Float32bits(x) | h&0x8000<<16
		if h&0x7c00 == 0x7c00 {
			u |= 0x7f800000
		}
		dst[i] = math.Float32frombits(u)
	}
}

// half rounds x to the nearest IEEE binary16 number, ties to even.
func half(x float32) uint16 {
	u := math.Float32bits(x)
	sign, u := uint16(u>>16&0x8000), u&0x7fffffff
	switch {
	case u > 0x7f800000: // NaN, kept quiet
		return sign | 0x7e00 | uint16(u>>13&0x1ff)
	case u >= 0x477ff000: // 65520 and more round to infinity
		return sign | 0x7c00
	case u < 0x38800000: // below 2^-14: subnormal, a multiple of 2^-24
		// Adding 0.5 leaves such a multiple in the low bits, rounded to even.
		return sign | uint16(math.Float32bits(math.Float32frombits(u)+0.5)-0x3f000000)
	}
	u += 0xfff + u>>13&1 // round to even at bit 13
	return sign | uint16((u-0x38000000)>>13)
}
