package tensor

import "math"

// HalfToFloat widens IEEE 754 binary16 values; len(src) is at least len(dst).
func HalfToFloat(dst []float32, src []uint16) {
	need("HalfToFloat", len(dst), len(src))
	for ; len(dst) > chunk; dst, src = dst[chunk:], src[chunk:] {
		kern.halfToFloat(dst[:chunk], src[:chunk])
	}
	kern.halfToFloat(dst, src[:len(dst)])
}

// FloatToHalf rounds to IEEE 754 binary16, ties to even; what is too large becomes infinite.
func FloatToHalf(dst []uint16, src []float32) {
	need("FloatToHalf", len(dst), len(src))
	for ; len(dst) > chunk; dst, src = dst[chunk:], src[chunk:] {
		kern.floatToHalf(dst[:chunk], src[:chunk])
	}
	kern.floatToHalf(dst, src[:len(dst)])
}

func halfToFloatGeneric(dst []float32, src []uint16) {
	for i := range dst {
		dst[i] = widen(src[i])
	}
}

func floatToHalfGeneric(dst []uint16, src []float32) {
	for i := range dst {
		dst[i] = narrow(src[i])
	}
}

func widen(h uint16) float32 {
	sign, exp, frac := uint32(h>>15)<<31, uint32(h>>10&0x1f), uint32(h&0x3ff)
	switch {
	case exp == 0: // zero or subnormal: frac units of 2^-24
		return math.Float32frombits(sign | math.Float32bits(float32(frac)*0x1p-24))
	case exp == 0x1f && frac != 0:
		return math.Float32frombits(sign | 0x7fc00000 | frac<<13) // quiet, as the processor does
	case exp == 0x1f:
		return math.Float32frombits(sign | 0x7f800000)
	}
	return math.Float32frombits(sign | (exp+127-15)<<23 | frac<<13)
}

func narrow(f float32) uint16 {
	bits := math.Float32bits(f)
	sign := uint16(bits >> 16 & 0x8000)
	bits &= 0x7fffffff
	switch {
	case bits > 0x7f800000:
		return sign | 0x7e00 | uint16(bits>>13&0x3ff)
	case bits >= 0x47800000: // 65536 and more
		return sign | 0x7c00
	case bits < 0x38800000: // subnormal: let a float32 addition round to units of 2^-24
		return sign | uint16(math.Float32bits(math.Float32frombits(bits)+0.5)-math.Float32bits(0.5))
	}
	bits += 0xfff + bits>>13&1 // ties to even; a carry moves into the exponent
	return sign | uint16((bits-(127-15)<<23)>>13)
}
