package tensor

import (
	"fmt"
	"unsafe"
)

// An InverseDCT turns blocks of 8 by 8 quantised coefficients, as a JPEG has them, into samples: 8 by 8, or
// of a smaller picture 4 by 4, 2 by 2 or 1. It is safe for concurrent use.
//
// The transforms are the integer ones of libjpeg (its "islow" method): first columns, then rows, in whole
// numbers of 32 bits with constants of 13 bits. That of 8 by 8 follows Loeffler, Ligtenberg and Moschytz (1989),
// "Practical Fast 1-D DCT Algorithms with 11 Multiplications"; those to 4 by 4 and 2 by 2 compute every second
// and every fourth sample of the transform of a picture without its higher frequencies. No step rounds but
// the descaling, so zeros may be passed over.
type InverseDCT struct {
	size   int
	quant  [64]int32   // in natural order, row by row
	folded [5][8]int32 // quant of rows 0, 1, 3, 5 and 7 times what the 2 by 2 transform weighs them with
	run    dctKernel
}

// A dctKernel transforms blocks from the first on, as many as it can, and tells how many.
type dctKernel func(t *InverseDCT, dst []uint8, stride int, coefs []int16) int

// NewInverseDCT makes a transform to size by size samples, 8, 4, 2 or 1. Quant are the steps that the
// coefficients count, row by row.
func NewInverseDCT(size int, quant *[64]uint16) *InverseDCT {
	return newInverseDCT(cpuLevel, size, quant)
}

func newInverseDCT(l level, size int, quant *[64]uint16) *InverseDCT {
	if size != 8 && size != 4 && size != 2 && size != 1 {
		panic(fmt.Sprintf("tensor: inverse transform to %d by %d samples", size, size))
	}
	t := &InverseDCT{size: size, run: dctKernelOf(l, size)}
	for i, q := range quant {
		t.quant[i] = int32(q)
	}
	for i, by := range [...]int32{1 << (constBits + 2), fix3624, -fix1272, fix0850, -fix0720} {
		row := max(2*i-1, 0)
		for x := range 8 {
			t.folded[i][x] = t.quant[8*row+x] * by
		}
	}
	return t
}

// Row transforms coefs, (blocks, 64), each block row by row, into blocks side by side: row y of block i is
// dst[y*stride+i*size:][:size]. If size is 1, coefs are (blocks), the first of each.
func (t *InverseDCT) Row(dst []uint8, stride int, coefs []int16) {
	if t.size == 1 {
		for i, c := range coefs {
			dst[i] = sampleOf((int32(c)*t.quant[0] + 4) >> 3)
		}
		return
	}
	n := len(coefs) / 64
	if n == 0 {
		return
	}
	if len(dst) < (t.size-1)*stride+n*t.size || stride < n*t.size {
		panic(fmt.Sprintf("tensor: %d blocks of %d by %d samples into %d bytes with stride %d", n, t.size, t.size, len(dst), stride))
	}
	done := 0
	if t.run != nil {
		done = t.run(t, dst, stride, coefs)
	}
	for i := done; i < n; i++ {
		t.block(dst[i*t.size:], stride, (*[64]int16)(coefs[64*i:]))
	}
}

// block transforms one.
func (t *InverseDCT) block(dst []uint8, stride int, c *[64]int16) {
	quarters := (*[16]uint64)(unsafe.Pointer(c)) // of which only being 0 matters
	left, right, bottom := uint64(0), uint64(0), uint64(0)
	for y := 1; y < 8; y++ {
		left |= quarters[2*y]
		right |= quarters[2*y+1]
		if y >= 4 {
			bottom |= quarters[2*y] | quarters[2*y+1]
		}
	}
	right |= quarters[1]
	s := sparse{right: right == 0, bottom: bottom == 0}
	switch {
	case left|right == 0 && c[1]|c[2]|c[3] == 0:
		flat(dst, stride, t.size, int32(c[0])*t.quant[0])
	case t.size == 8:
		t.inverse8(dst, stride, c, s)
	case t.size == 4:
		t.inverse4(dst, stride, c, s)
	default:
		t.inverse2(dst, stride, c, s)
	}
}

// sparse tells which half of a block holds nothing but zeros.
type sparse struct{ right, bottom bool }

const (
	constBits = 13 // fraction of the constants
	passBits  = 2  // fraction kept between columns and rows
)

// fix(x) is x in fixed point.
const (
	fix0211 = 1730  // 0.211164243
	fix0298 = 2446  // 0.298631336
	fix0390 = 3196  // 0.390180644
	fix0509 = 4176  // 0.509795579
	fix0541 = 4433  // 0.541196100
	fix0601 = 4926  // 0.601344887
	fix0720 = 5906  // 0.720959822
	fix0765 = 6270  // 0.765366865
	fix0850 = 6967  // 0.850430095
	fix0899 = 7373  // 0.899976223
	fix1061 = 8697  // 1.061594337
	fix1175 = 9633  // 1.175875602
	fix1272 = 10426 // 1.272758580
	fix1451 = 11893 // 1.451774981
	fix1501 = 12299 // 1.501321110
	fix1847 = 15137 // 1.847759065
	fix1961 = 16069 // 1.961570560
	fix2053 = 16819 // 2.053119869
	fix2172 = 17799 // 2.172734803
	fix2562 = 20995 // 2.562915447
	fix3072 = 25172 // 3.072711026
	fix3624 = 29692 // 3.624509785
)

// sampleOf is v, of which 12 bits count, plus the 128 that were taken off before the transform, cut to 0..255.
func sampleOf(v int32) uint8 { return levels[v&4095] }

var levels = func() (table [4096]uint8) {
	for i := range table {
		v := i
		if v >= 2048 {
			v -= 4096
		}
		table[i] = uint8(min(max(v+128, 0), 255))
	}
	return table
}()

// flat fills a block of size by size samples whose only coefficient is the first.
func flat(dst []uint8, stride, size int, dc int32) {
	v := sampleOf((dc + 4) >> 3)
	for y := range size {
		row := dst[y*stride:][:size]
		for x := range row {
			row[x] = v
		}
	}
}

// inverse8 transforms to 8 by 8 samples.
func (t *InverseDCT) inverse8(dst []uint8, stride int, c *[64]int16, s sparse) {
	var w [64]int32
	q := &t.quant
	for x := range 8 {
		if x == 4 && s.right {
			break
		}
		const shift = constBits - passBits
		const round = 1 << (shift - 1)
		x0, x1, x2, x3 := int32(c[x])*q[x]<<constBits+round, int32(c[8+x]), int32(c[16+x]), int32(c[24+x])
		var y0, y1, y2, y3, y4, y5, y6, y7 int32
		switch {
		case s.bottom && x1|x2|x3 == 0:
			for y := 0; y < 64; y += 8 {
				w[y+x] = x0 >> shift
			}
			continue
		case s.bottom:
			y0, y1, y2, y3, y4, y5, y6, y7 = half8(x0, x1*q[8+x], x2*q[16+x], x3*q[24+x])
		default:
			y0, y1, y2, y3, y4, y5, y6, y7 = full8(x0, x1*q[8+x], x2*q[16+x], x3*q[24+x],
				int32(c[32+x])*q[32+x]<<constBits, int32(c[40+x])*q[40+x], int32(c[48+x])*q[48+x], int32(c[56+x])*q[56+x])
		}
		w[x], w[8+x], w[16+x], w[24+x] = y0>>shift, y1>>shift, y2>>shift, y3>>shift
		w[32+x], w[40+x], w[48+x], w[56+x] = y4>>shift, y5>>shift, y6>>shift, y7>>shift
	}
	for y := range 8 {
		const shift = constBits + passBits + 3
		const round = 1 << (shift - 1)
		r := (*[8]int32)(w[8*y:])
		var y0, y1, y2, y3, y4, y5, y6, y7 int32
		if s.right {
			y0, y1, y2, y3, y4, y5, y6, y7 = half8(r[0]<<constBits+round, r[1], r[2], r[3])
		} else {
			y0, y1, y2, y3, y4, y5, y6, y7 = full8(r[0]<<constBits+round, r[1], r[2], r[3], r[4]<<constBits, r[5], r[6], r[7])
		}
		out := (*[8]uint8)(dst[y*stride:])
		out[0], out[1] = sampleOf(y0>>shift), sampleOf(y1>>shift)
		out[2], out[3] = sampleOf(y2>>shift), sampleOf(y3>>shift)
		out[4], out[5] = sampleOf(y4>>shift), sampleOf(y5>>shift)
		out[6], out[7] = sampleOf(y6>>shift), sampleOf(y7>>shift)
	}
}

// full8 transforms eight coefficients to eight samples; the first and the fifth
// are scaled by 1<<constBits already, as the samples are.
func full8(x0, x1, x2, x3, x4, x5, x6, x7 int32) (y0, y1, y2, y3, y4, y5, y6, y7 int32) {
	z := (x2 + x6) * fix0541
	e2, e3 := z-x6*fix1847, z+x2*fix0765
	e0, e1 := x0+x4, x0-x4
	e0, e3 = e0+e3, e0-e3
	e1, e2 = e1+e2, e1-e2
	z1, z2, z3, z4 := x7+x1, x5+x3, x7+x3, x5+x1
	z5 := (z3 + z4) * fix1175
	z1, z2, z3, z4 = z1*fix0899, z2*fix2562, z5-z3*fix1961, z5-z4*fix0390
	o0 := x7*fix0298 - z1 + z3
	o1 := x5*fix2053 - z2 + z4
	o2 := x3*fix3072 - z2 + z3
	o3 := x1*fix1501 - z1 + z4
	return e0 + o3, e1 + o2, e2 + o1, e3 + o0, e3 - o0, e2 - o1, e1 - o2, e0 - o3
}

// half8 is full8 where the last four coefficients are 0.
func half8(x0, x1, x2, x3 int32) (y0, y1, y2, y3, y4, y5, y6, y7 int32) {
	e3, e2 := x2*(fix0541+fix0765), x2*fix0541
	e0, e3 := x0+e3, x0-e3
	e1, e2 := x0+e2, x0-e2
	z5 := (x3 + x1) * fix1175
	z3, z4 := z5-x3*fix1961, z5-x1*fix0390
	o0 := z3 - x1*fix0899
	o1 := z4 - x3*fix2562
	o2 := x3*(fix3072-fix2562) + z3
	o3 := x1*(fix1501-fix0899) + z4
	return e0 + o3, e1 + o2, e2 + o1, e3 + o0, e3 - o0, e2 - o1, e1 - o2, e0 - o3
}

// inverse4 transforms to 4 by 4 samples. Row and column 4 count for nothing.
func (t *InverseDCT) inverse4(dst []uint8, stride int, c *[64]int16, s sparse) {
	var w [32]int32
	q := &t.quant
	for x := range 8 {
		if x == 4 || x > 4 && s.right {
			continue
		}
		const shift = constBits - passBits + 1
		const round = 1 << (shift - 1)
		x0, x1, x2, x3 := int32(c[x])*q[x]<<(constBits+1)+round, int32(c[8+x]), int32(c[16+x]), int32(c[24+x])
		var y0, y1, y2, y3 int32
		switch {
		case s.bottom && x1|x2|x3 == 0:
			x0 >>= shift
			w[x], w[8+x], w[16+x], w[24+x] = x0, x0, x0, x0
			continue
		case s.bottom:
			y0, y1, y2, y3 = half4(x0, x1*q[8+x], x2*q[16+x], x3*q[24+x])
		default:
			y0, y1, y2, y3 = full4(x0, x1*q[8+x], x2*q[16+x], x3*q[24+x], int32(c[40+x])*q[40+x], int32(c[48+x])*q[48+x], int32(c[56+x])*q[56+x])
		}
		w[x], w[8+x], w[16+x], w[24+x] = y0>>shift, y1>>shift, y2>>shift, y3>>shift
	}
	for y := range 4 {
		const shift = constBits + passBits + 3 + 1
		const round = 1 << (shift - 1)
		r := (*[8]int32)(w[8*y:])
		x0 := r[0]<<(constBits+1) + round
		var y0, y1, y2, y3 int32
		if s.right {
			y0, y1, y2, y3 = half4(x0, r[1], r[2], r[3])
		} else {
			y0, y1, y2, y3 = full4(x0, r[1], r[2], r[3], r[5], r[6], r[7])
		}
		out := (*[4]uint8)(dst[y*stride:])
		out[0], out[1] = sampleOf(y0>>shift), sampleOf(y1>>shift)
		out[2], out[3] = sampleOf(y2>>shift), sampleOf(y3>>shift)
	}
}

// full4 transforms coefficients to four samples; the first is scaled by
// 2<<constBits already, as the samples are.
func full4(x0, x1, x2, x3, x5, x6, x7 int32) (y0, y1, y2, y3 int32) {
	e := x2*fix1847 - x6*fix0765
	e0, e1 := x0+e, x0-e
	o1 := x5*fix1451 - x7*fix0211 - x3*fix2172 + x1*fix1061
	o0 := x3*fix0899 - x7*fix0509 - x5*fix0601 + x1*fix2562
	return e0 + o0, e1 + o1, e1 - o1, e0 - o0
}

// half4 is full4 where the last coefficients are 0.
func half4(x0, x1, x2, x3 int32) (y0, y1, y2, y3 int32) {
	e := x2 * fix1847
	e0, e1 := x0+e, x0-e
	o1 := x1*fix1061 - x3*fix2172
	o0 := x3*fix0899 + x1*fix2562
	return e0 + o0, e1 + o1, e1 - o1, e0 - o0
}

// inverse2 transforms to 2 by 2 samples. Of rows and columns, the first and
// the odd ones count.
func (t *InverseDCT) inverse2(dst []uint8, stride int, c *[64]int16, s sparse) {
	const shift = constBits + passBits + 3 + 2
	const round = 1 << (shift - 1)
	f := &t.folded
	a0, b0 := column2(c[0], f[0][0], odd2(c, f, 0)) // of the upper and of the lower row
	a1, b1 := column2(c[1], f[0][1], odd2(c, f, 1))
	a3, b3 := column2(c[3], f[0][3], odd2(c, f, 3))
	upper, lower := a1*fix3624-a3*fix1272, b1*fix3624-b3*fix1272
	if !s.right {
		a5, b5 := column2(c[5], f[0][5], odd2(c, f, 5))
		a7, b7 := column2(c[7], f[0][7], odd2(c, f, 7))
		upper, lower = upper+a5*fix0850-a7*fix0720, lower+b5*fix0850-b7*fix0720
	}
	a0, b0 = a0<<(constBits+2)+round, b0<<(constBits+2)+round
	out := (*[2]uint8)(dst)
	out[0], out[1] = sampleOf((a0+upper)>>shift), sampleOf((a0-upper)>>shift)
	out = (*[2]uint8)(dst[stride:])
	out[0], out[1] = sampleOf((b0+lower)>>shift), sampleOf((b0-lower)>>shift)
}

func column2(first int16, by, odd int32) (upper, lower int32) {
	const shift = constBits - passBits + 2
	const round = 1 << (shift - 1)
	e := int32(first)*by + round
	return (e + odd) >> shift, (e - odd) >> shift
}

func odd2(c *[64]int16, f *[5][8]int32, x int) int32 {
	return int32(c[8+x])*f[1][x] + int32(c[24+x])*f[2][x] + int32(c[40+x])*f[3][x] + int32(c[56+x])*f[4][x]
}
