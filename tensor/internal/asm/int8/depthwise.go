package main

import "fmt"

// depthwiseStrip is the longest strip of a depthwise kernel; with 7 pixels they take 2 to 4 % less time
// and three times the code.
const depthwiseStrip = 4

// Byte offsets of the fields of tensor.depthwise8Args.
const (
	depthSrc, depthWeights, depthDst, depthBias, depthScale       = 0, 8, 16, 24, 32
	depthRowStride, depthPixelStride, depthDstStride, depthBlocks = 40, 48, 56, 64
)

// A use is an output that a column of src adds to, and the column of the taps with which it does.
type use struct{ output, tap int }

// parts are the pieces of a depthwise kernel: open begins the sums of an output, column loads the taps
// of a column and adds them where they belong, close stores an output.
type parts struct {
	open   func(i int)
	column func(uses []use)
	close  func(i int)
}

// depthwiseLoop writes a kernel for n pixels of a row and any number of blocks of channels. It goes over
// the columns of src from left to right, so that each is loaded once and few outputs are under way.
func depthwiseLoop(a *assembly, name string, size, stride, n, channels, weights int, p parts) {
	a.begin(name, "depthwise8Args")
	a.op("MOVQ %d(AX), SI", depthSrc)
	a.op("MOVQ %d(AX), DI", depthWeights)
	a.op("MOVQ %d(AX), DX", depthDst)
	a.op("MOVQ %d(AX), R13", depthBias)
	a.op("MOVQ %d(AX), R12", depthScale)
	a.op("MOVQ %d(AX), R8", depthPixelStride)
	a.op("MOVQ %d(AX), R9", depthRowStride)
	a.op("MOVQ %d(AX), R10", depthDstStride)
	a.op("MOVQ %d(AX), CX", depthBlocks)
	a.op("LEAQ (R9)(R9*2), BX")
	a.label("block")
	a.op("MOVQ SI, R11")
	a.op("MOVQ DX, R15")
	for x := range (n-1)*stride + size {
		var uses []use
		for i := range n {
			if tap := x - i*stride; 0 <= tap && tap < size {
				uses = append(uses, use{i, tap})
				if tap == 0 {
					p.open(i)
				}
			}
		}
		if len(uses) > 0 {
			p.column(uses)
		}
		a.op("ADDQ R8, R11")
		if len(uses) > 0 && uses[0].tap == size-1 {
			p.close(uses[0].output)
			a.op("ADDQ R10, R15")
		}
	}
	a.op("ADDQ $%d, SI", channels)
	a.op("ADDQ $%d, DX", channels)
	a.op("ADDQ $%d, DI", weights)
	a.op("ADDQ $%d, R13", 4*channels)
	a.op("ADDQ $%d, R12", 4*channels)
	a.op("DECQ CX")
	a.op("JNZ block")
	a.end()
}

// under is how many outputs are under way at once.
func under(size, stride int) int { return (size + stride - 1) / stride }

// rows are the addresses of the taps of a column.
var rows = []string{"(R11)", "(R11)(R9*1)", "(R11)(R9*2)", "(R11)(BX*1)", "(R11)(R9*4)"}

// depthwiseVNNI works on blocks of 32 channels. The taps of a column are brought together by fours,
// four bytes a channel, for VPDPBUSD. Unpacking bytes and then words leaves channels 4k to 4k+3 and
// 16+4k to 16+4k+3 in register k; weights, bias and scale are packed in that order, and packing the
// results undoes it.
func depthwiseVNNI(a *assembly, size, stride, n int) string {
	name := fmt.Sprintf("depthwise8VNNIk%ds%dn%d", size, stride, n)
	fours := (size + 3) / 4
	sum := func(i, k int) string { return fmt.Sprint("Y", i%under(size, stride)*4+k) }
	quad := func(g, k int) string { return fmt.Sprint("Y", 20+4*g+k) }
	add := func(u use) {
		for g := range fours {
			for k := range 4 {
				a.op("VPDPBUSD %d(DI), %s, %s", ((u.tap*fours+g)*4+k)*32, quad(g, k), sum(u.output, k))
			}
		}
	}
	depthwiseLoop(a, name, size, stride, n, 32, size*fours*128, parts{
		open: func(i int) {
			for k := range 4 {
				a.op("VMOVDQU32 %d(R13), %s", 32*k, sum(i, k))
			}
		},
		column: func(uses []use) {
			for g := range fours {
				unpack(a, rows[4*g:min(4*g+4, size)], func(k int) string { return quad(g, k) })
			}
			for _, u := range uses {
				add(u)
			}
		},
		close: func(i int) {
			for k := range 4 {
				s := sum(i, k)
				a.op("VCVTDQ2PS %s, %s", s, s)
				a.op("VMULPS %d(R12), %s, %s", 32*k, s, s)
				a.op("VCVTPS2DQ %s, %s", s, s)
			}
			a.op("VPACKSSDW %s, %s, %s", sum(i, 1), sum(i, 0), sum(i, 0))
			a.op("VPACKSSDW %s, %s, %s", sum(i, 3), sum(i, 2), sum(i, 2))
			a.op("VPACKUSWB %s, %s, %s", sum(i, 2), sum(i, 0), sum(i, 0))
			a.op("VMOVDQU32 %s, (R15)", sum(i, 0))
		},
	})
	return name
}

// unpack loads up to four rows and makes quads of them. Weights of rows that are not there are zero,
// so another row may stand in for them.
func unpack(a *assembly, four []string, quad func(k int) string) {
	row := func(i int) string { return fmt.Sprint("Y", 28+min(i, len(four)-1)) }
	for i, address := range four {
		a.op("VMOVDQU32 %s, %s", address, row(i))
	}
	a.op("VPUNPCKLBW %s, %s, %s", row(1), row(0), quad(0))
	a.op("VPUNPCKHBW %s, %s, %s", row(1), row(0), quad(2))
	second0, second2 := quad(0), quad(2)
	if len(four) > 2 {
		second0, second2 = row(0), row(1)
		a.op("VPUNPCKLBW %s, %s, %s", row(3), row(2), second0)
		a.op("VPUNPCKHBW %s, %s, %s", row(3), row(2), second2)
	}
	a.op("VPUNPCKHWD %s, %s, %s", second0, quad(0), quad(1))
	a.op("VPUNPCKLWD %s, %s, %s", second0, quad(0), quad(0))
	a.op("VPUNPCKHWD %s, %s, %s", second2, quad(2), quad(3))
	a.op("VPUNPCKLWD %s, %s, %s", second2, quad(2), quad(2))
}

// depthwiseAVX2 works on blocks of 16 channels. The taps of a column are brought together by twos and
// widened, for VPMADDWD; weights are pairs of int16.
func depthwiseAVX2(a *assembly, size, stride, n int) string {
	name := fmt.Sprintf("depthwise8AVX2k%ds%dn%d", size, stride, n)
	twos := (size + 1) / 2
	sum := func(i, k int) string { return fmt.Sprint("Y", i%under(size, stride)*2+k) }
	add := func(u use, g int) {
		for k := range 2 {
			a.op("VPMADDWD %d(DI), Y%d, Y%d", ((u.tap*twos+g)*2+k)*32, 10+k, 14+k)
			a.op("VPADDD Y%d, %s, %s", 14+k, sum(u.output, k), sum(u.output, k))
		}
	}
	depthwiseLoop(a, name, size, stride, n, 16, size*twos*64, parts{
		open: func(i int) {
			a.op("VMOVDQU (R13), %s", sum(i, 0))
			a.op("VMOVDQU 32(R13), %s", sum(i, 1))
		},
		column: func(uses []use) {
			for g := range twos {
				second := 13
				a.op("VMOVDQU %s, X12", rows[2*g])
				if 2*g+1 < size {
					a.op("VMOVDQU %s, X13", rows[2*g+1])
				} else {
					second = 12
				}
				a.op("VPUNPCKLBW X%d, X12, X10", second)
				a.op("VPUNPCKHBW X%d, X12, X11", second)
				a.op("VPMOVZXBW X10, Y10")
				a.op("VPMOVZXBW X11, Y11")
				for _, u := range uses {
					add(u, g)
				}
			}
		},
		close: func(i int) {
			for k := range 2 {
				a.op("VCVTDQ2PS %s, %s", sum(i, k), sum(i, k))
				a.op("VMULPS %d(R12), %s, %s", 32*k, sum(i, k), sum(i, k))
			}
			storeAVX2(a, sum(i, 0), sum(i, 1), "(R15)")
		},
	})
	return name
}
