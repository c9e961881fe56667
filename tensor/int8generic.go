package tensor

import (
	"math"
	"unsafe"
)

var conv8Generic = conv8Kernels{byVectors: map[int][]func(*conv8Args){1: {
	func(a *conv8Args) { conv8StripGeneric(a, 1) },
	func(a *conv8Args) { conv8StripGeneric(a, 2) },
	func(a *conv8Args) { conv8StripGeneric(a, 3) },
	func(a *conv8Args) { conv8StripGeneric(a, 4) },
}}}

func conv8StripGeneric(a *conv8Args, n int) {
	for i := range n {
		sums := *(*[16]int32)(a.bias)
		for row := range a.rows {
			src := unsafe.Slice((*[4]uint8)(unsafe.Add(a.src, row*a.rowStride+i*a.pixelStride)), a.len)
			weights := unsafe.Slice((*[16][4]int8)(unsafe.Add(a.weights, row*a.len*64)), a.len)
			addProducts8(&sums, src, weights)
		}
		var v [16]float32
		for j, scale := range (*[16]float32)(a.scale) {
			v[j] = float32(float32(sums[j]) * scale)
		}
		if a.residual != nil {
			for j, r := range (*[16]uint8)(unsafe.Add(a.residual, i*a.resStride)) {
				v[j] += float32(float32(r) * a.resScale)
			}
		}
		if a.floats != 0 {
			dst := (*[16]float32)(unsafe.Add(a.dst, i*a.dstStride))
			for j := range v {
				dst[j] = clamp(v[j], a.low, a.high)
			}
			continue
		}
		dst := (*[16]uint8)(unsafe.Add(a.dst, i*a.dstStride))
		for j := range v {
			dst[j] = roundByte(v[j])
		}
	}
}

// addProducts8 adds Σ x[k]·w[k] to sums, a few at a time, which Go keeps in registers.
func addProducts8(sums *[16]int32, x [][4]uint8, w [][16][4]int8) {
	w = w[:len(x)]
	for j := 0; j < 16; j += 4 {
		s0, s1, s2, s3 := sums[j], sums[j+1], sums[j+2], sums[j+3]
		for k := range x {
			x0, x1, x2, x3 := int32(x[k][0]), int32(x[k][1]), int32(x[k][2]), int32(x[k][3])
			u := (*[4][4]int8)(w[k][j:])
			s0 += x0*int32(u[0][0]) + x1*int32(u[0][1]) + x2*int32(u[0][2]) + x3*int32(u[0][3])
			s1 += x0*int32(u[1][0]) + x1*int32(u[1][1]) + x2*int32(u[1][2]) + x3*int32(u[1][3])
			s2 += x0*int32(u[2][0]) + x1*int32(u[2][1]) + x2*int32(u[2][2]) + x3*int32(u[2][3])
			s3 += x0*int32(u[3][0]) + x1*int32(u[3][1]) + x2*int32(u[3][2]) + x3*int32(u[3][3])
		}
		sums[j], sums[j+1], sums[j+2], sums[j+3] = s0, s1, s2, s3
	}
}

// roundByte is the nearest byte, of two the even one: a float32 from 2^23 on has no room for a
// fraction, so adding 2^23 rounds.
func roundByte(v float32) uint8 {
	return uint8(math.Float32bits(min(max(v, 0), 255) + 1<<23))
}
