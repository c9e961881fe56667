package tensor

// table has a row for every level that this machine can run.
var table = []*kernels{&genericKernels, &avx2Kernels, &avx512Kernels}[:machineLevel()+1]

var avx2Kernels = kernels{
	level: levelAVX2,
	gemm:  []gemmFunc{nil, gemm1AVX2, gemm2AVX2, gemm3AVX2, gemm4AVX2, gemm5AVX2, gemm6AVX2},
	mr:    6, nr: 16, aWidth: 8, transWidth: 8,
	packCopy:   packCopyAVX2,
	packTrans:  packTransAVX2,
	add:        addAVX2,
	mul:        mulAVX2,
	mulAdd:     mulAddAVX2,
	scale:      scaleAVX2,
	shift:      shiftAVX2,
	axpy:       axpyAVX2,
	dot:        dotAVX2,
	sum:        sumAVX2,
	sumSquares: sumSquaresAVX2,
	max:        maxAVX2,
	above:      aboveAVX2,
	exp:        expAVX2,
	tanh:       tanhAVX2,
	sigmoid:    sigmoidAVX2,
	silu:       siluAVX2,
	normal:     normalAVX2,
	relu:       reluAVX2,
	relu6:      relu6AVX2,
	expSum:     expSumAVX2,
	sumExp:     sumExpAVX2,
	adamw:      adamwAVX2,
	ema:        emaAVX2,
	fma:        fmaAVX2, fmaSize: 12 * 8,
	halfToFloat: halfToFloatF16, floatToHalf: floatToHalfF16,
}

var avx512Kernels = kernels{
	level: levelAVX512,
	gemm:  []gemmFunc{nil, gemm1AVX512, gemm2AVX512, gemm3AVX512, gemm4AVX512, gemm5AVX512, gemm6AVX512, gemm7AVX512, gemm8AVX512, gemm9AVX512, gemm10AVX512, gemm11AVX512, gemm12AVX512},
	mr:    12, nr: 32, aWidth: 12, transWidth: 16,
	packCopy:   packCopyAVX512,
	packTrans:  packTransAVX512,
	add:        addAVX512,
	mul:        mulAVX512,
	mulAdd:     mulAddAVX512,
	scale:      scaleAVX512,
	shift:      shiftAVX512,
	axpy:       axpyAVX512,
	dot:        dotAVX512,
	sum:        sumAVX512,
	sumSquares: sumSquaresAVX512,
	max:        maxAVX512,
	above:      aboveAVX2,
	exp:        expAVX512,
	tanh:       tanhAVX512,
	sigmoid:    sigmoidAVX512,
	silu:       siluAVX512,
	normal:     normalAVX512,
	relu:       reluAVX512,
	relu6:      relu6AVX512,
	expSum:     expSumAVX512,
	sumExp:     sumExpAVX512,
	adamw:      adamwAVX512,
	ema:        emaAVX512,
	fma:        fmaAVX512, fmaSize: 12 * 16,
	halfToFloat: halfToFloatF16, floatToHalf: floatToHalfF16,
}

func halfToFloatF16(dst []float32, src []uint16) {
	n := len(dst) &^ 7
	if n > 0 {
		halfToFloatF16C(&dst[0], &src[0], n)
	}
	halfToFloatGeneric(dst[n:], src[n:])
}

func floatToHalfF16(dst []uint16, src []float32) {
	n := len(dst) &^ 7
	if n > 0 {
		floatToHalfF16C(&dst[0], &src[0], n)
	}
	floatToHalfGeneric(dst[n:], src[n:])
}

func aboveAVX2(x []float32, floor float32) int {
	n := len(x) &^ 31
	if n > 0 {
		if i := aboveVectorsAVX2(&x[0], n, floor); i < n {
			return i
		}
	}
	return n + aboveGeneric(x[n:], floor)
}
