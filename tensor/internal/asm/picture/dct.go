package main

// The inverse transforms of tensor.InverseDCT, whose comments tell the formulas. Constants have 13 bits.
const (
	constBits = 13
	passBits  = 2
)

// In fixed point.
const (
	fix0211 = 1730
	fix0298 = 2446
	fix0390 = 3196
	fix0509 = 4176
	fix0541 = 4433
	fix0601 = 4926
	fix0720 = 5906
	fix0765 = 6270
	fix0850 = 6967
	fix0899 = 7373
	fix1061 = 8697
	fix1175 = 9633
	fix1272 = 10426
	fix1451 = 11893
	fix1501 = 12299
	fix1847 = 15137
	fix1961 = 16069
	fix2053 = 16819
	fix2172 = 17799
	fix2562 = 20995
	fix3072 = 25172
	fix3624 = 29692
)

// beginDCT loads the fields of tensor.dctArgs.
func (a *assembly) beginDCT(name string) {
	a.begin(name, "dctArgs", "SI", "DI", "DX", "R8", "CX") // coefficients, samples, quantisers, stride, times
	a.op("LEAQ (R8)(R8*2), R9")
	a.label("block")
}

// endDCT goes on to the next blocks.
func (a *assembly) endDCT(blocks, size int) {
	a.op("ADDQ $%d, SI", 128*blocks)
	a.op("ADDQ $%d, DI", size*blocks)
	a.op("DECQ CX")
	a.op("JNZ block")
	a.end()
}

// load gives row y of block i of coefficients, times what is at an address.
func (a *assembly) load(i, y int, times string) reg {
	r := a.take()
	a.op("VPMOVSXWD %d(SI), %v", 128*i+16*y, r)
	a.op("VPMULLD %s, %v, %v", times, r, r)
	return r
}

// by gives x times a constant.
func (a *assembly) by(x reg, constant int32) reg { return a.do("VPMULLD", a.word(constant), x) }

// into writes an instruction whose result takes the place of y.
func (a *assembly) into(name string, x any, y reg) { a.op("%s %v, %v, %v", name, x, y, y) }

// butterfly gives x+y and x-y in their place.
func (a *assembly) butterfly(x, y reg) (sum, difference reg) {
	sum = a.do("VPADDD", y, x)
	a.op("VPSUBD %v, %v, %v", y, x, y)
	a.drop(x)
	return sum, y
}

// full8 transforms eight vectors, of which the first and the fifth are scaled, in their place.
func (a *assembly) full8(x [8]reg) [8]reg {
	z := a.do("VPADDD", x[6], x[2])
	a.into("VPMULLD", a.word(fix0541), z)
	a.into("VPMULLD", a.word(fix1847), x[6])
	a.into("VPMULLD", a.word(fix0765), x[2])
	a.op("VPSUBD %v, %v, %v", x[6], z, x[6])
	a.into("VPADDD", z, x[2])
	a.drop(z)
	e0, e1 := a.butterfly(x[0], x[4])
	e0, e3 := a.butterfly(e0, x[2])
	e1, e2 := a.butterfly(e1, x[6])

	z1, z2 := a.do("VPADDD", x[1], x[7]), a.do("VPADDD", x[3], x[5])
	z3, z4 := a.do("VPADDD", x[3], x[7]), a.do("VPADDD", x[1], x[5])
	z5 := a.do("VPADDD", z4, z3)
	a.into("VPMULLD", a.word(fix1175), z5)
	a.into("VPMULLD", a.word(fix0899), z1)
	a.into("VPMULLD", a.word(fix2562), z2)
	a.into("VPMULLD", a.word(fix1961), z3)
	a.into("VPMULLD", a.word(fix0390), z4)
	a.op("VPSUBD %v, %v, %v", z3, z5, z3)
	a.op("VPSUBD %v, %v, %v", z4, z5, z4)
	for _, o := range []struct {
		x          reg
		by         int32
		minus, add reg
	}{{x[7], fix0298, z1, z3}, {x[5], fix2053, z2, z4}, {x[3], fix3072, z2, z3}, {x[1], fix1501, z1, z4}} {
		a.into("VPMULLD", a.word(o.by), o.x)
		a.into("VPSUBD", o.minus, o.x)
		a.into("VPADDD", o.add, o.x)
	}
	a.drop(z1, z2, z3, z4, z5)
	y0, y7 := a.butterfly(e0, x[1])
	y1, y6 := a.butterfly(e1, x[3])
	y2, y5 := a.butterfly(e2, x[5])
	y3, y4 := a.butterfly(e3, x[7])
	return [8]reg{y0, y1, y2, y3, y4, y5, y6, y7}
}

// pairwise replaces each two of the vectors, distance apart, by what two instructions make of them.
func (a *assembly) pairwise(x []reg, distance int, low, high string) {
	for i := range x {
		if i&distance == 0 {
			l := a.do(low, x[i+distance], x[i])
			a.op("%s %v, %v, %v", high, x[i+distance], x[i], x[i+distance])
			a.drop(x[i])
			x[i] = l
		}
	}
}

// transpose turns, in each half, squares of four by four.
func (a *assembly) transpose(x []reg) {
	a.pairwise(x, 1, "VPUNPCKLDQ", "VPUNPCKHDQ")
	a.pairwise(x, 2, "VPUNPCKLQDQ", "VPUNPCKHQDQ")
	for i := 0; i < len(x); i += 4 {
		x[i+1], x[i+2] = x[i+2], x[i+1]
	}
}

// scaled gives the vector shifted by bits, plus what rounds.
func (a *assembly) scaled(x reg, bits, round int) {
	a.op("VPSLLD $%d, %v, %v", bits, x, x)
	if round != 0 {
		a.into("VPADDD", a.word(int32(round)), x)
	}
}

// descaled shifts back; 12 bits of the result count.
func (a *assembly) descaled(x reg, bits int) {
	if bits < 20 {
		a.op("VPSLLD $%d, %v, %v", 20-bits, x, x)
	}
	a.op("VPSRAD $20, %v, %v", x, x)
}

// packed brings four vectors together as bytes, 128 added and cut to 0..255. In each half of the
// result stand four of the first, four of the second and so on.
func (a *assembly) packed(x [4]reg) reg {
	a.into("VPACKSSDW", x[1], x[0])
	a.into("VPACKSSDW", x[3], x[2])
	a.into("VPACKSSWB", x[2], x[0])
	a.into("VPXOR", a.word(-0x7f7f7f80), x[0])
	a.drop(x[1:]...)
	return x[0]
}

func writeInverse8(a *assembly) {
	a.beginDCT("inverse8AVX2")
	var x [8]reg
	for y := range x {
		x[y] = a.load(0, y, quantRow(y))
	}
	const shift = constBits - passBits
	a.scaled(x[0], constBits, 1<<(shift-1))
	a.scaled(x[4], constBits, 0)
	x = a.full8(x)
	for _, r := range x {
		a.op("VPSRAD $%d, %v, %v", shift, r, r)
	}
	a.transpose(x[:])
	for i := range 4 {
		low := a.do("VPERM2I128 $0x20,", x[i+4], x[i])
		a.op("VPERM2I128 $0x31, %v, %v, %v", x[i+4], x[i], x[i+4])
		a.drop(x[i])
		x[i] = low
	}
	const shift2 = constBits + passBits + 3
	a.scaled(x[0], constBits, 1<<(shift2-1))
	a.scaled(x[4], constBits, 0)
	x = a.full8(x)
	for _, r := range x {
		a.descaled(r, shift2)
	}
	left, right := a.packed([4]reg(x[:4])), a.packed([4]reg(x[4:]))
	a.into("VPSHUFB", a.square(), left)
	a.into("VPSHUFB", a.square(), right)
	even := a.do("VPUNPCKLDQ", right, left)
	odd := a.do("VPUNPCKHDQ", right, left)
	for y, r := range []reg{even, odd} {
		a.op("VMOVQ %s, %s", r.X(), sampleRow(2*y))
		a.op("VPEXTRQ $1, %s, %s", r.X(), sampleRow(2*y+1))
	}
	a.op("LEAQ (DI)(R8*4), BX")
	for y, r := range []reg{even, odd} {
		a.op("VEXTRACTI128 $1, %v, %s", r, r.X())
		a.op("VMOVQ %s, %s", r.X(), []string{"(BX)", "(BX)(R8*2)"}[y])
		a.op("VPEXTRQ $1, %s, %s", r.X(), []string{"(BX)(R8*1)", "(BX)(R9*1)"}[y])
	}
	a.endDCT(1, 8)
}

// square is the mask that turns squares of four by four bytes.
func (a *assembly) square() string {
	return a.shuffle("square", func(i int) int { return i%4*4 + i/4 })
}

func sampleRow(y int) string { return []string{"(DI)", "(DI)(R8*1)", "(DI)(R8*2)", "(DI)(R9*1)"}[y] }

// quantRow is the address of a row of vectors of 32 bytes.
func quantRow(y int) string {
	return []string{"(DX)", "32(DX)", "64(DX)", "96(DX)", "128(DX)", "160(DX)", "192(DX)", "224(DX)"}[y]
}

// full4 transforms vectors, of which the first is scaled and the fifth is not there, to four.
func (a *assembly) full4(x [8]reg) [4]reg {
	a.into("VPMULLD", a.word(fix1847), x[2])
	a.into("VPMULLD", a.word(fix0765), x[6])
	a.into("VPSUBD", x[6], x[2])
	a.drop(x[6])
	e0, e1 := a.butterfly(x[0], x[2])
	sum := func(by1, by3, by5, by7 int32) reg {
		o := a.by(x[1], by1)
		for i, by := range []int32{by3, by5, by7} {
			p := a.by(x[3+2*i], by)
			a.into("VPADDD", p, o)
			a.drop(p)
		}
		return o
	}
	o1 := sum(fix1061, -fix2172, fix1451, -fix0211)
	o0 := sum(fix2562, fix0899, -fix0601, -fix0509)
	a.drop(x[1], x[3], x[5], x[7])
	y0, y3 := a.butterfly(e0, o0)
	y1, y2 := a.butterfly(e1, o1)
	return [4]reg{y0, y1, y2, y3}
}

// writeInverse4 does two blocks at a time.
func writeInverse4(a *assembly) {
	a.beginDCT("inverse4AVX2")
	const shift = constBits - passBits + 1
	var w [2][4]reg
	for i := range w {
		var x [8]reg
		for y := range x {
			if y != 4 {
				x[y] = a.load(i, y, quantRow(y))
			}
		}
		a.scaled(x[0], constBits+1, 1<<(shift-1))
		w[i] = a.full4(x)
		for _, r := range w[i] {
			a.op("VPSRAD $%d, %v, %v", shift, r, r)
		}
	}
	var left, right [4]reg // columns 0 to 3 and 4 to 7, the first block's in the lower half
	for y := range 4 {
		left[y] = a.do("VPERM2I128 $0x20,", w[1][y], w[0][y])
		a.op("VPERM2I128 $0x31, %v, %v, %v", w[1][y], w[0][y], w[1][y])
		right[y] = w[1][y]
		a.drop(w[0][y])
	}
	a.transpose(left[:])
	a.transpose(right[:])
	a.drop(right[0])
	const shift2 = constBits + passBits + 3 + 1
	a.scaled(left[0], constBits+1, 1<<(shift2-1))
	y := a.full4([8]reg{left[0], left[1], left[2], left[3], 0, right[1], right[2], right[3]})
	for _, r := range y {
		a.descaled(r, shift2)
	}
	both := a.packed(y)
	a.into("VPSHUFB", a.square(), both)
	second := a.take()
	a.op("VEXTRACTI128 $1, %v, %s", both, second.X())
	upper := a.take()
	a.op("VPUNPCKLDQ %s, %s, %s", second.X(), both.X(), upper.X())
	a.op("VPUNPCKHDQ %s, %s, %s", second.X(), both.X(), second.X())
	for i, r := range []reg{upper, second} {
		a.op("VMOVQ %s, %s", r.X(), sampleRow(2*i))
		a.op("VPEXTRQ $1, %s, %s", r.X(), sampleRow(2*i+1))
	}
	a.endDCT(2, 4)
}

// writeInverse2 does four blocks at a time. Columns come of tensor.InverseDCT.folded.
func writeInverse2(a *assembly) {
	a.beginDCT("inverse2AVX2")
	const shift = constBits - passBits + 2
	const shift2 = constBits + passBits + 3 + 2
	weights := a.words("weigh2", 1<<(constBits+2), fix3624, 0, -fix1272, 0, fix0850, 0, -fix0720)
	var first, odd [4]reg // by the block: what the first column gives to the upper and the lower row; all else, to be added
	for i := range 4 {
		e := a.load(i, 0, quantRow(0))
		a.into("VPADDD", a.word(1<<(shift-1)), e)
		o := a.load(i, 1, quantRow(1))
		for k, y := range []int{3, 5, 7} {
			p := a.load(i, y, quantRow(2+k))
			a.into("VPADDD", p, o)
			a.drop(p)
		}
		upper, lower := a.butterfly(e, o)
		for _, r := range []reg{upper, lower} {
			a.op("VPSRAD $%d, %v, %v", shift, r, r)
			a.into("VPMULLD", weights, r)
		}
		first[i] = a.take()
		a.op("VPUNPCKLDQ %s, %s, %s", lower.X(), upper.X(), first[i].X())
		a.op("VPSRLQ $32, %v, %v", upper, upper)
		a.op("VPBLENDD $0xaa, %v, %v, %v", lower, upper, upper)
		a.drop(lower)
		odd[i] = upper
	}
	for i := 0; i < 4; i += 2 {
		high := a.do("VPERM2I128 $0x31,", odd[i+1], odd[i])
		a.op("VPERM2I128 $0x20, %v, %v, %v", odd[i+1], odd[i], odd[i])
		a.into("VPADDD", high, odd[i])
		a.drop(high, odd[i+1])
	}
	sums := a.do("VPUNPCKLQDQ", odd[2], odd[0])
	a.op("VPUNPCKHQDQ %v, %v, %v", odd[2], odd[0], odd[0])
	a.into("VPADDD", odd[0], sums)
	a.op("VPUNPCKLQDQ %s, %s, %s", first[2].X(), first[0].X(), first[0].X())
	a.op("VPUNPCKLQDQ %s, %s, %s", first[3].X(), first[1].X(), first[1].X())
	a.op("VINSERTI128 $1, %s, %v, %v", first[1].X(), first[0], first[0])
	a.into("VPADDD", a.word(1<<(shift2-1)), first[0])
	left, right := a.butterfly(first[0], sums)
	a.descaled(left, shift2)
	a.descaled(right, shift2)
	// Now the halves hold blocks 0 and 2, 1 and 3, of each the upper sample and the lower.
	a.into("VPACKSSDW", right, left)
	a.into("VPACKSSWB", left, left)
	a.into("VPXOR", a.word(-0x7f7f7f80), left)
	a.op("VEXTRACTI128 $1, %v, %s", left, right.X())
	a.op("VPUNPCKLQDQ %s, %s, %s", right.X(), left.X(), left.X())
	a.op("VPSHUFB %s, %s, %s", a.shuffle("rows2", func(i int) int { return i/8 + []int{0, 4, 8, 12, 2, 6, 10, 14}[i%8] }), left.X(), left.X())
	a.op("VMOVQ %s, (DI)", left.X())
	a.op("VPEXTRQ $1, %s, (DI)(R8*1)", left.X())
	a.endDCT(4, 2)
}
