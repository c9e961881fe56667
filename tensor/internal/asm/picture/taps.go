package main

// lowBits is how many bits of a weight are its lower part.
const lowBits = 15

// TapBits of tensor.Taps.
const tapBits = 22

// sum adds products of samples and pairs of weights, the lower parts and the higher, to low and high. At
// the addresses stand pairs of words of 16 bits.
func (a *assembly) sum(samples, low, high reg, lowAt, highAt string) {
	for i, sum := range []reg{low, high} {
		w := a.take()
		a.op("VPBROADCASTD %s, %v", []string{lowAt, highAt}[i], w)
		a.into("VPMADDWD", samples, w)
		a.into("VPADDD", w, sum)
		a.drop(w)
	}
}

// close makes low the rounded sum.
func (a *assembly) close(low, high reg) {
	a.op("VPSLLD $%d, %v, %v", lowBits, high, high)
	a.into("VPADDD", high, low)
	a.into("VPADDD", a.word(1<<(tapBits-1)), low)
	a.op("VPSRAD $%d, %v, %v", tapBits, low, low)
	a.drop(high)
}

// writeAcross writes tensor.Taps.Across. The halves of a register are the two rows. Four taps come
// together, which are twelve bytes of the sixteen that are loaded.
func writeAcross(a *assembly) {
	// Two rows of samples, two rows to make, a place and a count for each pixel, weights, and how many pixels.
	a.begin("acrossAVX2", "acrossArgs", "SI", "R8", "DI", "R9", "R10", "DX", "CX")
	masks := [2]reg{a.take(), a.take()}
	for i, m := range masks {
		a.op("VMOVDQU %s, %v", a.shuffle([]string{"taps01", "taps23"}[i], func(at int) int {
			if at%2 == 1 || at >= 12 {
				return -1
			}
			return 6*i + at/4 + at/2%2*3
		}), m)
	}
	low, high := a.take(), a.take()
	a.label("pixel")
	a.op("MOVLQSX (R10), R11")
	a.op("MOVLQSX 4(R10), R12")
	a.into("VPXOR", low, low)
	a.into("VPXOR", high, high)
	a.label("taps")
	pixels := a.take()
	a.op("VMOVDQU (SI)(R11*1), %s", pixels.X())
	a.op("VINSERTI128 $1, (R8)(R11*1), %v, %v", pixels, pixels)
	samples := a.do("VPSHUFB", masks[0], pixels)
	a.into("VPSHUFB", masks[1], pixels)
	a.sum(samples, low, high, "(DX)", "8(DX)")
	a.sum(pixels, low, high, "4(DX)", "12(DX)")
	a.op("ADDQ $12, R11")
	a.op("ADDQ $16, DX")
	a.op("DECQ R12")
	a.op("JNZ taps")
	a.close(low, high)
	a.into("VPACKSSDW", low, low)
	a.into("VPACKUSWB", low, low)
	a.op("VMOVD %s, (DI)", low.X())
	a.op("VEXTRACTI128 $1, %v, %s", low, low.X())
	a.op("VMOVD %s, (R9)", low.X())
	for _, p := range []string{"DI", "R9"} {
		a.op("ADDQ $3, %s", p)
	}
	a.op("ADDQ $8, R10")
	a.op("DECQ CX")
	a.op("JNZ pixel")
	a.end()
}

// writeDown writes tensor.Taps.Down for 16 values at a time.
func writeDown(a *assembly) {
	// Values to make, those of the first row, pairs of taps, how many, the bytes between rows, and how often.
	a.begin("downAVX2", "downArgs", "DI", "SI", "DX", "R8", "R9", "CX")
	a.label("values")
	a.op("MOVQ DX, R10")
	a.op("MOVQ R8, R11")
	var sums [2][2]reg
	for i := range sums {
		sums[i] = [2]reg{a.take(), a.take()}
		for _, r := range sums[i] {
			a.into("VPXOR", r, r)
		}
	}
	a.label("taps")
	a.op("MOVQ (R10), BX")
	a.op("ADDQ SI, BX")
	upper, lower := a.take(), a.take()
	a.op("VPMOVZXBW (BX), %v", upper)
	a.op("VPMOVZXBW (BX)(R9*1), %v", lower)
	left := a.do("VPUNPCKLWD", lower, upper)
	a.into("VPUNPCKHWD", lower, upper)
	a.sum(left, sums[0][0], sums[0][1], "8(R10)", "12(R10)")
	a.sum(upper, sums[1][0], sums[1][1], "8(R10)", "12(R10)")
	a.op("ADDQ $16, R10")
	a.op("DECQ R11")
	a.op("JNZ taps")
	for _, s := range sums {
		a.close(s[0], s[1])
	}
	low := sums[0][0]
	a.into("VPACKSSDW", sums[1][0], low)
	a.into("VPACKUSWB", low, low)
	a.op("VPERMQ $8, %v, %v", low, low)
	a.op("VMOVDQU %s, (DI)", low.X())
	a.op("ADDQ $16, DI")
	a.op("ADDQ $16, SI")
	a.op("DECQ CX")
	a.op("JNZ values")
	a.end()
}
