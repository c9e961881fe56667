package main

import "fmt"

// Byte offsets of the fields of tensor.winogradArgs.
const (
	winPixels, winProducts, winBias       = 0, 8, 16
	winRowStride, winPixelStride, winStep = 24, 32, 40
	winVectors, winLow, winHigh           = 48, 56, 60
)

// A transform writes the code of Winograd's transforms of six points. Twelve registers hold two of
// the rows that the first pass over a square makes, four more are for what is between.
type transform struct {
	*assembly
	isa
}

func (t transform) held(row, column int) string { return fmt.Sprint(t.reg, row*6+column) }

func (t transform) temp(i int) string { return fmt.Sprint(t.reg, 12+i) }

// constants in the order of the table that declareConstants writes.
var winConstants = []int{2, 4, 5, 8}

// constant is an operand that holds c in every lane.
func (t transform) constant(c int) string {
	for i, have := range winConstants {
		if have == c && t.lanes == 16 {
			return fmt.Sprint(t.reg, 16+i)
		}
		if have == c {
			return fmt.Sprintf("winograd<>+%d(SB)", 32*i)
		}
	}
	panic("no such constant")
}

// declareConstants writes the vectors that AVX2 reads from memory.
func declareConstants(a *assembly) {
	bits := map[int]string{2: "0x4000000040000000", 4: "0x4080000040800000", 5: "0x40a0000040a00000", 8: "0x4100000041000000"}
	a.WriteString("\n")
	for i, c := range winConstants {
		for j := range 4 {
			fmt.Fprintf(a, "DATA winograd<>+%d(SB)/8, $%s\n", 32*i+8*j, bits[c])
		}
	}
	fmt.Fprintf(a, "GLOBL winograd<>(SB), RODATA|NOPTR, $%d\n", 32*len(winConstants))
}

// loadConstants fills the registers that AVX-512 has for them.
func (t transform) loadConstants() {
	if t.lanes == 16 {
		for i := range winConstants {
			t.op("VBROADCASTSS winograd<>+%d(SB), %s%d", 32*i, t.reg, 16+i)
		}
	}
}

// inputPair makes two of the six values B'd, those of the given pass, and hands each to put, which
// has to use it at once. in names the operand of d[k]. B' is
//
//	4  0 -5  0  1  0
//	0 -4 -4  1  1  0
//	0  4 -4 -1  1  0
//	0 -2 -1  2  1  0
//	0  2 -1 -2  1  0
//	0  4  0 -5  0  1
func (t transform) inputPair(pass int, in func(k int) string, put func(k int, reg string)) {
	x, y, z, w := t.temp(0), t.temp(1), t.temp(2), t.temp(3)
	four, five := t.constant(4), t.constant(5)
	switch pass {
	case 0: // (d4 - 4 d2) ± (d3 - 4 d1)
		t.op("VMOVUPS %s, %s", in(2), z)
		t.op("VMOVUPS %s, %s", in(4), x)
		t.op("VFNMADD231PS %s, %s, %s", four, z, x)
		t.op("VMOVUPS %s, %s", in(1), z)
		t.op("VMOVUPS %s, %s", in(3), y)
		t.op("VFNMADD231PS %s, %s, %s", four, z, y)
		t.op("VADDPS %s, %s, %s", y, x, z)
		t.op("VSUBPS %s, %s, %s", y, x, w)
		put(1, z)
		put(2, w)
	case 1: // (d4 - d2) ± 2 (d3 - d1)
		t.op("VMOVUPS %s, %s", in(4), x)
		t.op("VSUBPS %s, %s, %s", in(2), x, x)
		t.op("VMOVUPS %s, %s", in(3), y)
		t.op("VSUBPS %s, %s, %s", in(1), y, y)
		t.op("VADDPS %s, %s, %s", y, y, y)
		t.op("VADDPS %s, %s, %s", y, x, z)
		t.op("VSUBPS %s, %s, %s", y, x, w)
		put(3, z)
		put(4, w)
	case 2: // 4 d0 - 5 d2 + d4 and 4 d1 - 5 d3 + d5
		for i, k := range []int{0, 5} {
			to := []string{x, z}[i]
			t.op("VMOVUPS %s, %s", in(4+i), to)
			t.op("VMOVUPS %s, %s", in(2+i), y)
			t.op("VFNMADD231PS %s, %s, %s", five, y, to)
			t.op("VMOVUPS %s, %s", in(i), y)
			t.op("VFMADD231PS %s, %s, %s", four, y, to)
			put(k, to)
		}
	}
}

// inputPasses are the rows of B'd that each pass holds.
var inputPasses = [3][2]int{{1, 2}, {3, 4}, {0, 5}}

// winogradLineIn writes the kernel that transforms six pixels, any number of whole vectors of
// channels, to left sides of products, winStep apart.
func winogradLineIn(a *assembly, s isa) string {
	name := "winogradLineIn" + s.name
	t := transform{a, s}
	a.begin(name, "winogradArgs")
	a.op("MOVQ %d(AX), SI", winPixels)
	a.op("MOVQ %d(AX), DI", winProducts)
	a.op("MOVQ %d(AX), CX", winVectors)
	t.times35(winPixelStride, "R9", "R10", "R11")
	t.times35(winStep, "R12", "R13", "BX")
	t.loadConstants()
	a.label("vector")
	for pass := range inputPasses {
		t.inputPair(pass, func(k int) string { return sixth("SI", k, "R9", "R10", "R11") }, func(k int, reg string) {
			a.op("VMOVUPS %s, %s", reg, sixth("DI", k, "R12", "R13", "BX"))
		})
	}
	t.next("SI", "DI")
	return name
}

// next ends a loop over vectors of channels, at whose end the pointers move on, and the function.
func (t transform) next(pointers ...string) {
	for _, p := range pointers {
		t.op("ADDQ $%d, %s", 4*t.lanes, p)
	}
	t.op("DECQ CX")
	t.op("JNZ vector")
	t.end()
}

// winogradSquareIn is winogradLineIn for 6x6 pixels d: B'dB.
func winogradSquareIn(a *assembly, s isa) string {
	name := "winogradSquareIn" + s.name
	t := transform{a, s}
	a.begin(name, "winogradArgs")
	a.op("MOVQ %d(AX), SI", winPixels)
	a.op("MOVQ %d(AX), DI", winProducts)
	a.op("MOVQ %d(AX), CX", winVectors)
	a.op("MOVQ %d(AX), R8", winPixelStride)
	t.times35(winRowStride, "R9", "R10", "R11")
	t.times35(winStep, "R12", "R13", "BX")
	t.loadConstants()
	a.label("vector")
	for pass, rows := range inputPasses {
		a.op("MOVQ SI, DX")
		for column := range 6 {
			t.inputPair(pass, func(k int) string { return sixth("DX", k, "R9", "R10", "R11") }, func(k int, reg string) {
				row := 0
				if k == rows[1] {
					row = 1
				}
				a.op("VMOVAPS %s, %s", reg, t.held(row, column))
			})
			a.op("ADDQ R8, DX")
		}
		for row, r := range rows {
			a.op("MOVQ DI, R14")
			if r > 0 {
				a.op("IMUL3Q $%d, R12, DX", 6*r)
				a.op("ADDQ DX, R14")
			}
			for second := range inputPasses {
				t.inputPair(second, func(k int) string { return t.held(row, k) }, func(k int, reg string) {
					a.op("VMOVUPS %s, %s", reg, sixth("R14", k, "R12", "R13", "BX"))
				})
			}
		}
	}
	t.next("SI", "DI")
	return name
}

// times35 loads a stride and makes its triple and its fivefold.
func (t transform) times35(from int, one, three, five string) {
	t.op("MOVQ %d(AX), %s", from, one)
	t.op("LEAQ (%s)(%s*2), %s", one, one, three)
	t.op("LEAQ (%s)(%s*4), %s", one, one, five)
}

// sixth is the address k strides, of which times35 made multiples, behind base.
func sixth(base string, k int, one, three, five string) string {
	return "(" + base + ")" + []string{"", "(" + one + "*1)", "(" + one + "*2)", "(" + three + "*1)", "(" + one + "*4)", "(" + five + "*1)"}[k]
}

// outputPair makes the values of A'm that the given pass is for, those with even or with odd numbers,
// and hands each to put, which has to use it at once. A' is the first size rows of
//
//	1  1  1  1  1  0
//	0  1 -1  2 -2  0
//	0  1  1  4  4  0
//	0  1 -1  8 -8  0
//
// with a 1 at the end of the last.
func (t transform) outputPair(pass, size int, in func(k int) string, put func(k int, reg string)) {
	x, y, z := t.temp(0), t.temp(1), t.temp(2)
	combine := []string{"VADDPS", "VSUBPS"}[pass]
	t.op("VMOVUPS %s, %s", in(1), x)
	t.op("%s %s, %s, %s", combine, in(2), x, x)
	t.op("VMOVUPS %s, %s", in(3), y)
	t.op("%s %s, %s, %s", combine, in(4), y, y)
	for k := pass; k < size; k += 2 {
		to := z
		if k >= 2 {
			to = x
		} else {
			t.op("VMOVAPS %s, %s", x, z)
		}
		if k == 0 {
			t.op("VADDPS %s, %s, %s", y, to, to)
			t.op("VADDPS %s, %s, %s", in(0), to, to)
		} else {
			t.op("VFMADD231PS %s, %s, %s", t.constant(1<<k), y, to)
		}
		if k == size-1 {
			t.op("VADDPS %s, %s, %s", in(5), to, to)
		}
		put(k, to)
	}
}

// finish adds the bias, clamps and stores pixel x of a row.
func (t transform) finish(x int, reg, row string) {
	limit := t.temp(3)
	t.op("VADDPS (BX), %s, %s", reg, reg)
	t.op("VBROADCASTSS %d(AX), %s", winLow, limit)
	t.op("VMAXPS %s, %s, %s", reg, limit, reg)
	t.op("VBROADCASTSS %d(AX), %s", winHigh, limit)
	t.op("VMINPS %s, %s, %s", reg, limit, reg)
	t.op("VMOVUPS %s, (%s)%s", reg, row, []string{"", "(R12*1)", "(R12*2)", "(R13*1)"}[x])
}

// beginOut opens a kernel that makes pixels: DI, R12 and R13 are for finish.
func (t transform) beginOut(name string) {
	t.begin(name, "winogradArgs")
	t.op("MOVQ %d(AX), DI", winPixels)
	t.op("MOVQ %d(AX), SI", winProducts)
	t.op("MOVQ %d(AX), BX", winBias)
	t.op("MOVQ %d(AX), CX", winVectors)
	t.op("MOVQ %d(AX), R12", winPixelStride)
	t.op("LEAQ (R12)(R12*2), R13")
	t.loadConstants()
}

// winogradLineOut writes the kernel that makes size pixels of six products, adds the bias and clamps.
func winogradLineOut(a *assembly, s isa, size int) string {
	name := fmt.Sprintf("winogradLineOut%d%s", size, s.name)
	t := transform{a, s}
	t.beginOut(name)
	t.times35(winStep, "R9", "R10", "R11")
	a.label("vector")
	for pass := range 2 {
		t.outputPair(pass, size, func(k int) string { return sixth("SI", k, "R9", "R10", "R11") }, func(x int, reg string) {
			t.finish(x, reg, "DI")
		})
	}
	t.next("SI", "DI", "BX")
	return name
}

// winogradSquareOut is winogradLineOut for size x size pixels of 6x6 products m: A'mA.
func winogradSquareOut(a *assembly, s isa, size int) string {
	name := fmt.Sprintf("winogradSquareOut%d%s", size, s.name)
	t := transform{a, s}
	t.beginOut(name)
	a.op("MOVQ %d(AX), R8", winStep)
	a.op("IMUL3Q $6, R8, R9")
	a.op("LEAQ (R9)(R9*2), R10")
	a.op("LEAQ (R9)(R9*4), R11")
	a.label("vector")
	for pass := range 2 {
		a.op("MOVQ SI, DX")
		for column := range 6 {
			t.outputPair(pass, size, func(k int) string { return sixth("DX", k, "R9", "R10", "R11") }, func(k int, reg string) {
				a.op("VMOVAPS %s, %s", reg, t.held(k/2, column))
			})
			a.op("ADDQ R8, DX")
		}
		for y := pass; y < size; y += 2 {
			a.op("MOVQ DI, R14")
			for range y {
				a.op("ADDQ %d(AX), R14", winRowStride)
			}
			for across := range 2 {
				t.outputPair(across, size, func(k int) string { return t.held(y/2, k) }, func(x int, reg string) { t.finish(x, reg, "R14") })
			}
		}
	}
	t.next("SI", "DI", "BX")
	return name
}
