package jpeg

import "encoding/binary"

// The inverse transforms are the integer ones of libjpeg (its "islow" method):
// first columns, then rows, in whole numbers with constants of 13 bits. That of
// 8 by 8 follows Loeffler, Ligtenberg and Moschytz (1989), "Practical Fast 1-D DCT
// Algorithms with 11 Multiplications"; those to 4 by 4 and 2 by 2 compute every
// second and every fourth sample of the transform of a picture without its
// higher frequencies. No step rounds but the descaling, so zeros may be
// passed over.

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

// levels[v&4095] is v, plus the 128 that were taken off before the transform,
// cut to 0..255, for v from -2048 to 2047.
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
	v := levels[(dc+4)>>3&4095]
	for y := range size {
		row := dst[y*stride:][:size]
		if size == 8 {
			binary.LittleEndian.PutUint64(row, uint64(v)*0x0101010101010101)
			continue
		}
		for x := range row {
			row[x] = v
		}
	}
}

// In a mask of coefficients, shifted down by x, these are of column x.
const (
	columns = 0x0101010101010100 // all but the one in row 0
	lower   = 0x0101010100000000 // those from row 4 on
)

// inverse8 transforms blk to 8 by 8 samples.
func inverse8(dst []uint8, stride int, blk *[64]int32, mask uint64) {
	var w [64]int32
	const round = 1 << (constBits - passBits - 1)
	wide := false // a column from 4 on is not 0
	for x := range 8 {
		column := mask >> x
		if column&columns == 0 {
			if dc := blk[x] << passBits; dc != 0 {
				for y := 0; y < 64; y += 8 {
					w[y+x] = dc
				}
				wide = wide || x >= 4
			}
			continue
		}
		wide = wide || x >= 4
		var y0, y1, y2, y3, y4, y5, y6, y7 int32
		if column&lower == 0 {
			y0, y1, y2, y3, y4, y5, y6, y7 = half8(blk[x]<<constBits+round, blk[8+x], blk[16+x], blk[24+x])
		} else {
			y0, y1, y2, y3, y4, y5, y6, y7 = full8(blk[x]<<constBits+round, blk[8+x], blk[16+x], blk[24+x],
				blk[32+x]<<constBits, blk[40+x], blk[48+x], blk[56+x])
		}
		const shift = constBits - passBits
		w[x], w[8+x], w[16+x], w[24+x] = y0>>shift, y1>>shift, y2>>shift, y3>>shift
		w[32+x], w[40+x], w[48+x], w[56+x] = y4>>shift, y5>>shift, y6>>shift, y7>>shift
	}
	for y := range 8 {
		const shift = constBits + passBits + 3
		const round = 1 << (shift - 1)
		r := (*[8]int32)(w[8*y:])
		var y0, y1, y2, y3, y4, y5, y6, y7 int32
		if wide {
			y0, y1, y2, y3, y4, y5, y6, y7 = full8(r[0]<<constBits+round, r[1], r[2], r[3], r[4]<<constBits, r[5], r[6], r[7])
		} else {
			y0, y1, y2, y3, y4, y5, y6, y7 = half8(r[0]<<constBits+round, r[1], r[2], r[3])
		}
		out := (*[8]uint8)(dst[y*stride:])
		out[0], out[1] = levels[y0>>shift&4095], levels[y1>>shift&4095]
		out[2], out[3] = levels[y2>>shift&4095], levels[y3>>shift&4095]
		out[4], out[5] = levels[y4>>shift&4095], levels[y5>>shift&4095]
		out[6], out[7] = levels[y6>>shift&4095], levels[y7>>shift&4095]
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

// inverse4 transforms blk to 4 by 4 samples. Row and column 4 count for nothing.
func inverse4(dst []uint8, stride int, blk *[64]int32, mask uint64) {
	var w [32]int32
	const round = 1 << (constBits - passBits)
	wide := mask&0xe0e0e0e0e0e0e0e0 != 0 // in columns 5 to 7
	for x := range 8 {
		if x == 4 || x > 4 && !wide {
			continue
		}
		if mask>>x&columns == 0 {
			if dc := blk[x] << passBits; dc != 0 {
				w[x], w[8+x], w[16+x], w[24+x] = dc, dc, dc, dc
			}
			continue
		}
		const shift = constBits - passBits + 1
		x0 := blk[x]<<(constBits+1) + round
		var y0, y1, y2, y3 int32
		if mask>>x&lower == 0 {
			y0, y1, y2, y3 = half4(x0, blk[8+x], blk[16+x], blk[24+x])
		} else {
			y0, y1, y2, y3 = full4(x0, blk[8+x], blk[16+x], blk[24+x], blk[40+x], blk[48+x], blk[56+x])
		}
		w[x], w[8+x], w[16+x], w[24+x] = y0>>shift, y1>>shift, y2>>shift, y3>>shift
	}
	for y := range 4 {
		const shift = constBits + passBits + 3 + 1
		const round = 1 << (shift - 1)
		r := (*[8]int32)(w[8*y:])
		x0 := r[0]<<(constBits+1) + round
		var y0, y1, y2, y3 int32
		if !wide {
			y0, y1, y2, y3 = half4(x0, r[1], r[2], r[3])
		} else {
			y0, y1, y2, y3 = full4(x0, r[1], r[2], r[3], r[5], r[6], r[7])
		}
		out := (*[4]uint8)(dst[y*stride:])
		out[0], out[1] = levels[y0>>shift&4095], levels[y1>>shift&4095]
		out[2], out[3] = levels[y2>>shift&4095], levels[y3>>shift&4095]
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

// inverse2 transforms blk to 2 by 2 samples. Of rows and columns, the first and
// the odd ones count.
func inverse2(dst []uint8, stride int, blk *[64]int32, mask uint64) {
	const shift = constBits + passBits + 3 + 2
	const round = 1 << (shift - 1)
	a0, b0 := column2(blk, 0) // of the upper and of the lower row
	a1, b1 := column2(blk, 1)
	a3, b3 := column2(blk, 3)
	upper, lower := odd2(a1, a3, 0, 0), odd2(b1, b3, 0, 0)
	if mask&0xa0a0a0a0a0a0a0a0 != 0 { // in columns 5 and 7
		a5, b5 := column2(blk, 5)
		a7, b7 := column2(blk, 7)
		upper, lower = upper+odd2(0, 0, a5, a7), lower+odd2(0, 0, b5, b7)
	}
	a0, b0 = a0<<(constBits+2)+round, b0<<(constBits+2)+round
	out := (*[2]uint8)(dst)
	out[0], out[1] = levels[(a0+upper)>>shift&4095], levels[(a0-upper)>>shift&4095]
	out = (*[2]uint8)(dst[stride:])
	out[0], out[1] = levels[(b0+lower)>>shift&4095], levels[(b0-lower)>>shift&4095]
}

func column2(blk *[64]int32, x int) (upper, lower int32) {
	const shift = constBits - passBits + 2
	const round = 1 << (shift - 1)
	e := blk[x]<<(constBits+2) + round
	o := odd2(blk[8+x], blk[24+x], blk[40+x], blk[56+x])
	return (e + o) >> shift, (e - o) >> shift
}

func odd2(x1, x3, x5, x7 int32) int32 {
	return x1*fix3624 - x3*fix1272 + x5*fix0850 - x7*fix0720
}
