package main

import "fmt"

// writeColour writes tensor.YCbCrToRGB for 32 pixels at a time. So that the factors fit 16 bits, whole
// multiples of the chroma are added apart:
//
//	R = Y + Cr + 0.402 Cr,  G = Y - Cr - 0.34414 Cb + 0.28586 Cr,  B = Y + 2 Cb - 0.228 Cb
func writeColour(a *assembly) {
	a.begin("ycbcrAVX2", "colourArgs", "DI", "SI", "R8", "R9", "CX")
	y, cb, cr, zero := a.take(), a.take(), a.take(), a.take()
	a.into("VPXOR", zero, zero)
	a.label("pixels")
	a.op("VMOVDQU (SI), %v", y)
	a.op("VMOVDQU (R8), %v", cb)
	a.op("VMOVDQU (R9), %v", cr)
	low := a.colours(a.do("VPUNPCKLBW", zero, y), a.do("VPUNPCKLBW", zero, cb), a.do("VPUNPCKLBW", zero, cr))
	high := a.colours(a.do("VPUNPCKHBW", zero, y), a.do("VPUNPCKHBW", zero, cb), a.do("VPUNPCKHBW", zero, cr))
	for c := range low {
		a.into("VPACKUSWB", high[c], low[c])
		a.drop(high[c])
	}
	for part := range 3 {
		out := a.interleaved(low, part)
		a.op("VMOVDQU %s, %d(DI)", out.X(), 16*part)
		a.op("VEXTRACTI128 $1, %v, %d(DI)", out, 48+16*part)
		a.drop(out)
	}
	a.op("ADDQ $96, DI")
	for _, p := range []string{"SI", "R8", "R9"} {
		a.op("ADDQ $32, %s", p)
	}
	a.op("DECQ CX")
	a.op("JNZ pixels")
	a.end()
}

// colours makes red, green and blue of words of 16 bits, in their place.
func (a *assembly) colours(y, cb, cr reg) [3]reg {
	a.into("VPSUBW", a.halves(128), cb)
	a.into("VPSUBW", a.halves(128), cr)
	// Green first: the pairs of chroma, times their factors, in 32 bits.
	factors := a.words("green", 18734<<16|int32(uint16(0x10000-22554)))
	green, pairs := a.do("VPUNPCKLWD", cr, cb), a.do("VPUNPCKHWD", cr, cb)
	for _, r := range []reg{green, pairs} {
		a.into("VPMADDWD", factors, r)
		a.into("VPADDD", a.word(1<<15), r)
		a.op("VPSRAD $16, %v, %v", r, r)
	}
	a.into("VPACKSSDW", pairs, green)
	a.drop(pairs)
	a.into("VPADDW", y, green)
	a.into("VPSUBW", cr, green)
	// The higher half of twice the chroma times a factor, plus one, halved, is rounded.
	double := a.do("VPADDW", cb, cb)
	blue := a.do("VPMULHW", a.halves(-14942), double)
	a.into("VPSUBW", a.halves(-1), blue)
	a.op("VPSRAW $1, %v, %v", blue, blue)
	a.into("VPADDW", double, blue)
	a.into("VPADDW", y, blue)
	a.op("VPADDW %v, %v, %v", cr, cr, double)
	a.into("VPMULHW", a.halves(26345), double)
	a.into("VPSUBW", a.halves(-1), double)
	a.op("VPSRAW $1, %v, %v", double, double)
	a.into("VPADDW", cr, double)
	a.into("VPADDW", y, double)
	a.drop(y, cb, cr)
	return [3]reg{double, green, blue}
}

// interleaved gives one third of the pixels of each half, byte by byte.
func (a *assembly) interleaved(channels [3]reg, part int) reg {
	var out [3]reg
	for c := range out {
		mask := a.shuffle(fmt.Sprintf("pixels%d%d", part, c), func(i int) int {
			if k := 16*part + i; k%3 == c {
				return k / 3
			}
			return -1
		})
		out[c] = a.do("VPSHUFB", mask, channels[c])
	}
	a.into("VPOR", out[1], out[0])
	a.into("VPOR", out[2], out[0])
	a.drop(out[1], out[2])
	return out[0]
}

// writeWiden writes tensor.Widen for 16 gaps between samples at a time, for one row or for two.
func writeWiden(a *assembly, name string, rows bool) {
	a.begin(name, "widenArgs", "DI", "SI", "R8", "CX")
	a.label("samples")
	bits, down, up := 2, int16(2), int16(1) // what rounds behind a sample, and before one
	if rows {
		bits, down, up = 4, 7, 8
	}
	load := func(offset int) reg {
		r := a.take()
		a.op("VPMOVZXBW %d(SI), %v", offset, r)
		if rows {
			far := a.take()
			a.op("VPMOVZXBW %d(R8), %v", offset, far)
			a.into("VPADDW", r, far)
			a.into("VPADDW", r, r)
			a.into("VPADDW", far, r)
			a.drop(far)
		}
		return r
	}
	left, right := load(0), load(1)
	sum := a.do("VPADDW", right, left)
	for i, r := range []reg{left, right} { // 3 left + right, 3 right + left
		a.into("VPADDW", r, r)
		a.into("VPADDW", sum, r)
		a.into("VPADDW", a.halves([]int16{down, up}[i]), r)
		a.op("VPSRLW $%d, %v, %v", bits, r, r)
	}
	a.op("VPSLLW $8, %v, %v", right, right)
	a.into("VPOR", right, left)
	a.op("VMOVDQU %v, (DI)", left)
	a.op("ADDQ $32, DI")
	a.op("ADDQ $16, SI")
	if rows {
		a.op("ADDQ $16, R8")
	}
	a.op("DECQ CX")
	a.op("JNZ samples")
	a.end()
}
