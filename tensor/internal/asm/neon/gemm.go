package main

import (
	"fmt"
	"strings"
)

// The matrix kernels compute h rows of a result tile, all its columns at once:
//
//	c[i, 0:w] (+)= sum over p < k of a[i*ars+p*acs] * b[p*brs : p*brs+w]
//
// for w up to three vectors, with strides in elements. Every element is one chain of fused
// multiply-adds in the order of p, so it does not depend on h, w or the strides.
const gemmSignature = "(k int, a *float32, ars, acs int, b *float32, brs int, c *float32, crs int, w int, add bool)"

// gemmRows is the most rows: their sums take the registers from firstSum on, those of a row of b
// 0 to 2, and values of a the others.
const (
	gemmRows = 8
	firstA   = 3
	firstSum = 8
)

// Row i of a begins at R8+i; R16 is the place in it. Strides are in bytes.
const firstRow = 8

// gemms writes all matrix kernels and returns their table.
func (w *writer) gemms() string {
	names := []string{"nil"}
	for h := 1; h <= gemmRows; h++ {
		names = append(names, w.gemm(h))
	}
	return "// Matrix kernels by the number of rows.\nvar gemmNEON = []gemmFunc{" + strings.Join(names, ", ") + "}\n\n"
}

func (w *writer) gemm(h int) string {
	name := fmt.Sprintf("gemm%dNEON", h)
	w.begin(name, gemmSignature, 73)
	for _, arg := range []string{"k+0(FP), R0", "a+8(FP), R8", "ars+16(FP), R17", "acs+24(FP), R2", "b+32(FP), R3",
		"brs+40(FP), R4", "c+48(FP), R5", "crs+56(FP), R6", "w+64(FP), R7"} {
		w.op("MOVD %s", arg)
	}
	w.op("MOVBU add+72(FP), R21")
	for _, r := range []string{"R17", "R2", "R4", "R6"} {
		w.op("LSL $2, %s", r)
	}
	w.op("MOVD $0, R16")
	w.eachSpan("R7", func(s span) {
		w.lastPart(s, "R3", "R7", "R19")
		w.lastPart(s, "R5", "R7", "R20")
		for i := range h {
			for part := range s.parts {
				w.zero(gemmSum(i, part))
			}
		}
		if s.parts == 3 && h > 1 {
			w.op("CMP $4, R17")
			w.op("BEQ adjacent")
		}
		w.gemmStrided(h, s)
		w.gemmStore(h, s)
		if s.parts == 3 && h > 1 {
			w.gemmAdjacent(h, s)
		}
	})
	return name
}

func gemmSum(i, part int) int { return firstSum + 3*i + part }

// gemmStrided adds up the products where rows of a lie anywhere.
func (w *writer) gemmStrided(h int, s span) {
	for i := 1; i < h; i++ {
		w.op("ADD R17, R%d, R%d", firstRow+i-1, firstRow+i)
	}
	w.label(s.name + "Loop")
	w.load(s, "R3", "R19", 0)
	w.advance(s, "R4", "R3", "R19")
	w.valuesOfRows(h, func(i, a int) { w.gemmRow(s, i, a, 0) })
	w.op("ADD R2, R16")
	w.op("SUBS $1, R0")
	w.op("BNE %sLoop", s.name)
}

// valuesOfRows loads the value at R16 of each row, well before the use of it: processors that go by
// the order of the program wait for it otherwise.
func (w *writer) valuesOfRows(rows int, use func(i, register int)) {
	const registers = firstSum - firstA
	load := func(i int) { w.op("FMOVS (R%d)(R16), F%d", firstRow+i, firstA+i%registers) }
	for i := range min(rows, registers) {
		load(i)
	}
	for i := range rows {
		use(i, firstA+i%registers)
		if i+registers < rows {
			load(i + registers)
		}
	}
}

// gemmAdjacent does so where rows of a are adjacent in memory, as they are in panels: it loads
// up to four values at once.
func (w *writer) gemmAdjacent(h int, s span) {
	w.label("adjacent")
	w.load(s, "R3", "R19", 0)
	w.advance(s, "R4", "R3", "R19")
	var lanes [][2]int // register and lane of each row
	for a := firstA; len(lanes) < h; a++ {
		n := min(h-len(lanes), 4)
		if n == 3 {
			n = 2
		}
		w.op("%s %d(R8), F%d", span{size: n}.move(), 4*len(lanes), a)
		for lane := range n {
			lanes = append(lanes, [2]int{a, lane})
		}
	}
	w.op("ADD R2, R8")
	for i, l := range lanes {
		w.gemmRow(s, i, l[0], l[1])
	}
	w.op("SUBS $1, R0")
	w.op("BNE adjacent")
	w.op("B %sStore", s.name)
}

// gemmRow adds a lane of a register of a, times the row of b, to row i.
func (w *writer) gemmRow(s span, i, a, lane int) {
	for part := range s.parts {
		w.arm(fmt.Sprintf("fmla v%%.4s, v%%.4s, v%%.s[%d]", lane), gemmSum(i, part), part, a)
	}
}

// gemmStore writes the tile, adding to what is there if asked to.
func (w *writer) gemmStore(h int, s span) {
	w.label(s.name + "Store")
	w.op("CBZ R21, %sWrite", s.name)
	w.op("MOVD R5, R22")
	w.op("MOVD R20, R23")
	for i := range h {
		w.load(s, "R22", "R23", 0)
		w.advance(s, "R6", "R22", "R23")
		for part := range s.parts {
			w.arm("fadd v%.4s, v%.4s, v%.4s", gemmSum(i, part), gemmSum(i, part), part)
		}
	}
	w.label(s.name + "Write")
	for i := range h {
		w.store(s, gemmSum(i, 0), "R5", "R20")
		w.advance(s, "R6", "R5", "R20")
	}
	w.op("RET")
}
