package tensor

import "unsafe"

//go:generate go run ./internal/asm/picture .

// The functions of picture_avx2_amd64.s. Their arguments are known to internal/asm/picture.

// dctArgs: times calls for one block of 8 by 8, two of 4 by 4, or four of 2 by 2 samples.
type dctArgs struct {
	coefs, dst, quant unsafe.Pointer
	stride, times     int
}

//go:noescape
func inverse8AVX2(args *dctArgs)

//go:noescape
func inverse4AVX2(args *dctArgs)

//go:noescape
func inverse2AVX2(args *dctArgs)

// colourArgs: times 32 pixels.
type colourArgs struct {
	dst, y, cb, cr unsafe.Pointer
	times          int
}

//go:noescape
func ycbcrAVX2(args *colourArgs)

// widenArgs: times 16 gaps between samples. The first sample of a gap is near[0], dst[0] lies behind it.
type widenArgs struct {
	dst, near, far unsafe.Pointer
	times          int
}

//go:noescape
func widenAVX2(args *widenArgs)

//go:noescape
func widenRowsAVX2(args *widenArgs)

// acrossArgs: pixels to make in both rows. What is written is a byte more.
type acrossArgs struct {
	src, dst [2]unsafe.Pointer
	places   unsafe.Pointer // a tapPlace for each pixel
	groups   unsafe.Pointer // their tapGroups
	pixels   int
}

//go:noescape
func acrossAVX2(args *acrossArgs)

// downArgs: times 16 values, each of pairs of rows that are stride apart.
type downArgs struct {
	dst, src, pairs unsafe.Pointer
	count, stride   int
	times           int
}

//go:noescape
func downAVX2(args *downArgs)

func dctKernelOf(l level, size int) dctKernel {
	if l < levelAVX2 {
		return nil
	}
	switch size {
	case 8:
		return func(t *InverseDCT, dst []uint8, stride int, coefs []int16) int {
			return dctVectors(inverse8AVX2, 1, 8, &t.quant[0], dst, stride, coefs)
		}
	case 4:
		return func(t *InverseDCT, dst []uint8, stride int, coefs []int16) int {
			return dctVectors(inverse4AVX2, 2, 4, &t.quant[0], dst, stride, coefs)
		}
	case 2:
		return func(t *InverseDCT, dst []uint8, stride int, coefs []int16) int {
			return dctVectors(inverse2AVX2, 4, 2, &t.folded[0][0], dst, stride, coefs)
		}
	}
	return nil
}

// dctVectors calls a kernel for as many blocks as it does at a time.
func dctVectors(kernel func(*dctArgs), each, size int, quant *int32, dst []uint8, stride int, coefs []int16) (done int) {
	const most = 1 << 10 // blocks in a call, some 20 µs
	n := len(coefs) / 64
	for done+each <= n {
		count := min(n-done, most) / each
		kernel(&dctArgs{unsafe.Pointer(&coefs[64*done]), unsafe.Pointer(&dst[size*done]), unsafe.Pointer(quant), stride, count})
		done += count * each
	}
	return done
}

// ycbcrVectors converts the first pixels and tells how many.
func ycbcrVectors(l level, dst, y, cb, cr []uint8) (done int) {
	const each = 32
	if l < levelAVX2 {
		return 0
	}
	for done+each <= len(y) {
		count := min(len(y)-done, chunk) / each
		ycbcrAVX2(&colourArgs{unsafe.Pointer(&dst[3*done]), unsafe.Pointer(&y[done]), unsafe.Pointer(&cb[done]), unsafe.Pointer(&cr[done]), count})
		done += count * each
	}
	return done
}

// widenVectors fills the first gaps between samples and tells how many.
func widenVectors(l level, dst, near, far []uint8) (done int) {
	const each = 16
	if l < levelAVX2 {
		return 0
	}
	for done+each < len(near) {
		count := min(len(near)-1-done, chunk) / each
		args := widenArgs{dst: unsafe.Pointer(&dst[2*done+1]), near: unsafe.Pointer(&near[done]), times: count}
		if far == nil {
			widenAVX2(&args)
		} else {
			args.far = unsafe.Pointer(&far[done])
			widenRowsAVX2(&args)
		}
		done += count * each
	}
	return done
}

// tapPair packs the lower and the higher parts of two weights.
func tapPair(a, b int32) (low, high uint32) {
	const mask = 1<<15 - 1
	return uint32(a&mask) | uint32(b&mask)<<16, uint32(uint16(a>>15)) | uint32(uint16(b>>15))<<16
}

// pack makes, once, the form of the weights that acrossAVX2 reads.
func (t *Taps) pack() {
	if t.places != nil {
		return
	}
	t.places = make([]tapPlace, len(t.First))
	for i, weights := range t.Weights {
		t.places[i] = tapPlace{int32(3 * t.First[i]), int32(max(len(weights)+3, 4) / 4)}
		for k := 0; k == 0 || k < len(weights); k += 4 {
			var w [4]int32
			copy(w[:], weights[k:])
			var g tapGroup
			g[0], g[2] = tapPair(w[0], w[1])
			g[1], g[3] = tapPair(w[2], w[3])
			t.groups = append(t.groups, g)
		}
	}
}

// acrossVectors makes the first pixels and tells how many: those before the end of what may be read and written.
func (t *Taps) acrossVectors(l level, dst, src [2][]uint8) int {
	if l < levelAVX2 {
		return 0
	}
	t.pack()
	n := len(t.First) - 1
	for n > 0 && int(t.places[n-1].offset)+12*int(t.places[n-1].groups)+4 > len(src[0]) {
		n--
	}
	if n <= 0 {
		return 0
	}
	acrossAVX2(&acrossArgs{
		src:    [2]unsafe.Pointer{unsafe.Pointer(&src[0][0]), unsafe.Pointer(&src[1][0])},
		dst:    [2]unsafe.Pointer{unsafe.Pointer(&dst[0][0]), unsafe.Pointer(&dst[1][0])},
		places: unsafe.Pointer(&t.places[0]), groups: unsafe.Pointer(&t.groups[0]), pixels: n,
	})
	return n
}

// downVectors makes the first values and tells how many.
func downVectors(l level, dst, src []uint8, weights []int32) (done int) {
	const each = 16
	n := len(dst)
	if l < levelAVX2 || len(weights) < 2 {
		return 0
	}
	type pair struct {
		offset    int
		low, high uint32
	}
	pairs := make([]pair, 0, 64)
	for j := 0; j+1 < len(weights); j += 2 {
		low, high := tapPair(weights[j], weights[j+1])
		pairs = append(pairs, pair{j * n, low, high})
	}
	if j := len(weights) - 1; j%2 == 0 {
		low, high := tapPair(0, weights[j])
		pairs = append(pairs, pair{(j - 1) * n, low, high})
	}
	for done+each <= n {
		count := min((n-done)/each, max(chunk/len(pairs), 1))
		downAVX2(&downArgs{unsafe.Pointer(&dst[done]), unsafe.Pointer(&src[done]), unsafe.Pointer(&pairs[0]), len(pairs), n, count})
		done += count * each
	}
	return done
}
