package tensor

//go:generate go run ./internal/asm .

// The functions of gemm_*_amd64.s and vector_*_amd64.s.

//go:noescape
func gemm1AVX512(k int, a *float32, ars, acs int, b *float32, brs int, c *float32, crs int, w int, add bool)

//go:noescape
func gemm2AVX512(k int, a *float32, ars, acs int, b *float32, brs int, c *float32, crs int, w int, add bool)

//go:noescape
func gemm3AVX512(k int, a *float32, ars, acs int, b *float32, brs int, c *float32, crs int, w int, add bool)

//go:noescape
func gemm4AVX512(k int, a *float32, ars, acs int, b *float32, brs int, c *float32, crs int, w int, add bool)

//go:noescape
func gemm5AVX512(k int, a *float32, ars, acs int, b *float32, brs int, c *float32, crs int, w int, add bool)

//go:noescape
func gemm6AVX512(k int, a *float32, ars, acs int, b *float32, brs int, c *float32, crs int, w int, add bool)

//go:noescape
func gemm7AVX512(k int, a *float32, ars, acs int, b *float32, brs int, c *float32, crs int, w int, add bool)

//go:noescape
func gemm8AVX512(k int, a *float32, ars, acs int, b *float32, brs int, c *float32, crs int, w int, add bool)

//go:noescape
func gemm9AVX512(k int, a *float32, ars, acs int, b *float32, brs int, c *float32, crs int, w int, add bool)

//go:noescape
func gemm10AVX512(k int, a *float32, ars, acs int, b *float32, brs int, c *float32, crs int, w int, add bool)

//go:noescape
func gemm11AVX512(k int, a *float32, ars, acs int, b *float32, brs int, c *float32, crs int, w int, add bool)

//go:noescape
func gemm12AVX512(k int, a *float32, ars, acs int, b *float32, brs int, c *float32, crs int, w int, add bool)

//go:noescape
func packCopyAVX512(dst, src *float32, k, ss, ds, w int)

//go:noescape
func packTransAVX512(dst, src *float32, k, ss, ds, w int)

//go:noescape
func addAVX512(dst, a, b []float32)

//go:noescape
func mulAVX512(dst, a, b []float32)

//go:noescape
func mulAddAVX512(dst, a, b []float32)

//go:noescape
func scaleAVX512(dst, x []float32, s float32)

//go:noescape
func shiftAVX512(dst, x []float32, s float32)

//go:noescape
func axpyAVX512(dst, x []float32, s float32)

//go:noescape
func reluAVX512(dst, x []float32)

//go:noescape
func relu6AVX512(dst, x []float32)

//go:noescape
func expAVX512(dst, x []float32)

//go:noescape
func sigmoidAVX512(dst, x []float32)

//go:noescape
func siluAVX512(dst, x []float32)

//go:noescape
func tanhAVX512(dst, x []float32)

//go:noescape
func normalAVX512(dst, x []float32)

//go:noescape
func sumAVX512(x []float32) float64

//go:noescape
func sumSquaresAVX512(x []float32) float64

//go:noescape
func dotAVX512(a, b []float32) float32

//go:noescape
func maxAVX512(x []float32) float32

//go:noescape
func expSumAVX512(dst, x []float32, max float32) float64

//go:noescape
func sumExpAVX512(x []float32, max float32) float64

//go:noescape
func emaAVX512(avg, w []float32, keep, add float32)

//go:noescape
func adamwAVX512(w, g, m, v []float32, c *adamwStep)

//go:noescape
func fmaAVX512(n int)

//go:noescape
func gemm1AVX2(k int, a *float32, ars, acs int, b *float32, brs int, c *float32, crs int, w int, add bool)

//go:noescape
func gemm2AVX2(k int, a *float32, ars, acs int, b *float32, brs int, c *float32, crs int, w int, add bool)

//go:noescape
func gemm3AVX2(k int, a *float32, ars, acs int, b *float32, brs int, c *float32, crs int, w int, add bool)

//go:noescape
func gemm4AVX2(k int, a *float32, ars, acs int, b *float32, brs int, c *float32, crs int, w int, add bool)

//go:noescape
func gemm5AVX2(k int, a *float32, ars, acs int, b *float32, brs int, c *float32, crs int, w int, add bool)

//go:noescape
func gemm6AVX2(k int, a *float32, ars, acs int, b *float32, brs int, c *float32, crs int, w int, add bool)

//go:noescape
func packCopyAVX2(dst, src *float32, k, ss, ds, w int)

//go:noescape
func packTransAVX2(dst, src *float32, k, ss, ds, w int)

//go:noescape
func addAVX2(dst, a, b []float32)

//go:noescape
func mulAVX2(dst, a, b []float32)

//go:noescape
func mulAddAVX2(dst, a, b []float32)

//go:noescape
func scaleAVX2(dst, x []float32, s float32)

//go:noescape
func shiftAVX2(dst, x []float32, s float32)

//go:noescape
func axpyAVX2(dst, x []float32, s float32)

//go:noescape
func reluAVX2(dst, x []float32)

//go:noescape
func relu6AVX2(dst, x []float32)

//go:noescape
func expAVX2(dst, x []float32)

//go:noescape
func sigmoidAVX2(dst, x []float32)

//go:noescape
func siluAVX2(dst, x []float32)

//go:noescape
func tanhAVX2(dst, x []float32)

//go:noescape
func normalAVX2(dst, x []float32)

//go:noescape
func sumAVX2(x []float32) float64

//go:noescape
func sumSquaresAVX2(x []float32) float64

//go:noescape
func dotAVX2(a, b []float32) float32

//go:noescape
func maxAVX2(x []float32) float32

//go:noescape
func expSumAVX2(dst, x []float32, max float32) float64

//go:noescape
func sumExpAVX2(x []float32, max float32) float64

//go:noescape
func emaAVX2(avg, w []float32, keep, add float32)

//go:noescape
func adamwAVX2(w, g, m, v []float32, c *adamwStep)

//go:noescape
func fmaAVX2(n int)

//go:noescape
func halfToFloatF16C(dst *float32, src *uint16, n int)

//go:noescape
func floatToHalfF16C(dst *uint16, src *float32, n int)

//go:noescape
func aboveVectorsAVX2(x *float32, n int, floor float32) int
