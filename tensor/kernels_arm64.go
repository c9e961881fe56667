package tensor

// table has a row for every level that this machine can run.
var table = []*kernels{&genericKernels, &neonKernels}

var neonKernels = kernels{
	level: levelNEON,
	gemm:  gemmNEON,
	mr:    8, nr: 12, aWidth: 8, transWidth: 4,
	packCopy:   packCopyNEON,
	packTrans:  packTransNEON,
	add:        addNEON,
	mul:        mulNEON,
	mulAdd:     mulAddNEON,
	scale:      scaleNEON,
	shift:      shiftNEON,
	axpy:       axpyNEON,
	dot:        dotNEON,
	sum:        sumNEON,
	sumSquares: sumSquaresNEON,
	max:        maxNEON,
	above:      aboveGeneric,
	exp:        expNEON,
	tanh:       tanhNEON,
	sigmoid:    sigmoidNEON,
	silu:       siluNEON,
	normal:     normalNEON,
	relu:       reluNEON,
	relu6:      relu6NEON,
	expSum:     expSumNEON,
	sumExp:     sumExpNEON,
	adamw:      adamwNEON,
	ema:        emaNEON,
	fma:        fmaNEON, fmaSize: 24 * 4,
	halfToFloat: halfToFloatNEON, floatToHalf: floatToHalfNEON,
}

func halfToFloatNEON(dst []float32, src []uint16) {
	n := len(dst) &^ 7
	if n > 0 {
		halfToFloat8NEON(&dst[0], &src[0], n)
	}
	halfToFloatGeneric(dst[n:], src[n:])
}

func floatToHalfNEON(dst []uint16, src []float32) {
	n := len(dst) &^ 7
	if n > 0 {
		floatToHalf8NEON(&dst[0], &src[0], n)
	}
	floatToHalfGeneric(dst[n:], src[n:])
}
