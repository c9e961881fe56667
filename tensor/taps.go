package tensor

import "fmt"

// Taps scale a line of samples: sample i of the result weighs those from First[i] on with Weights[i], which
// are whole and 1<<TapBits in all, rounds, and cuts to 0..255. First does not fall. A Taps keeps buffers: one
// goroutine at a time.
type Taps struct {
	First   []int
	Weights [][]int32

	places []tapPlace // for each of First, see pack
	groups []tapGroup
	pairs  []uint64
	sums   []int32
}

// A tapPlace is where the samples of a pixel begin, in bytes, and how many tapGroups weigh them.
type tapPlace struct{ offset, groups int32 }

// A tapGroup is four weights, by pairs in words of 16 bits: first the lower 15 bits, then the higher ones.
type tapGroup [4]uint32

const (
	// TapBits is such that a sum over bytes fits an int32, with room for weights that overshoot.
	TapBits  = 32 - 8 - 2
	tapRound = 1 << (TapBits - 1)
)

// Across scales rows of pixels of three bytes each, two rows at once: dst, (len(First), 3), comes of src,
// (pixels, 3), which is as long in both.
func (t *Taps) Across(dst, src [2][]uint8) { t.across(cpuLevel, dst, src) }

func (t *Taps) across(l level, dst, src [2][]uint8) {
	done := t.acrossVectors(l, dst, src)
	if done == len(t.First) {
		return
	}
	from := 3 * t.First[done]
	upper, lower := src[0][from:], src[1][from:len(src[0])]
	if cap(t.pairs) < len(upper) {
		t.pairs = make([]uint64, len(upper))
	}
	pairs := t.pairs[:len(upper)]
	for i, v := range upper {
		pairs[i] = uint64(v) | uint64(lower[i])<<32
	}
	for i := done; i < len(t.First); i++ {
		acrossPixel(dst[0][3*i:], dst[1][3*i:], pairs[3*t.First[i]-from:], t.Weights[i])
	}
}

// acrossPixel makes one pixel of two rows. A word of pairs holds a sample of the
// upper row in its low half and the one below in its high half, so one
// multiplication weighs both.
func acrossPixel(upper, lower []uint8, p []uint64, weights []int32) {
	const start = tapRound | tapRound<<32
	var r, g, b uint64 = start, start, start
	for ; len(weights) >= 4; p, weights = p[12:], weights[4:] {
		w, q := (*[4]int32)(weights), (*[12]uint64)(p)
		k0, k1, k2, k3 := uint64(int64(w[0])), uint64(int64(w[1])), uint64(int64(w[2])), uint64(int64(w[3]))
		r += k0*q[0] + k1*q[3] + k2*q[6] + k3*q[9]
		g += k0*q[1] + k1*q[4] + k2*q[7] + k3*q[10]
		b += k0*q[2] + k1*q[5] + k2*q[8] + k3*q[11]
	}
	for j, k := range weights {
		k, q := uint64(int64(k)), p[3*j:3*j+3:3*j+3]
		r += k * q[0]
		g += k * q[1]
		b += k * q[2]
	}
	upper, lower = upper[:3:3], lower[:3:3]
	upper[0], lower[0] = unpair(r)
	upper[1], lower[1] = unpair(g)
	upper[2], lower[2] = unpair(b)
}

// unpair cuts the two sums in a word to bytes. A negative low sum has borrowed
// one from the high sum.
func unpair(v uint64) (low, high uint8) {
	l := int32(v)
	return cutTaps(l), cutTaps(int32((v - uint64(int64(l))) >> 32))
}

// Down makes row i of a picture scaled in height: dst, (values), weighs the rows of src, (rows, values).
func (t *Taps) Down(dst []uint8, i int, src []uint8) { t.down(cpuLevel, dst, i, src) }

func (t *Taps) down(l level, dst []uint8, i int, src []uint8) {
	weights, n := t.Weights[i], len(dst)
	src = src[t.First[i]*n:]
	if len(src) < len(weights)*n {
		panic(fmt.Sprintf("tensor: %d rows of %d values in %d", len(weights), n, len(src)))
	}
	done := downVectors(l, dst, src, weights)
	if cap(t.sums) < n {
		t.sums = make([]int32, n)
	}
	sums := t.sums[:n-done]
	for i := range sums {
		sums[i] = tapRound
	}
	src = src[done:]
	row := func(j int) []uint8 { return src[j*n:][:len(sums)] }
	j := 0
	for ; j+4 <= len(weights); j += 4 {
		k0, k1, k2, k3 := weights[j], weights[j+1], weights[j+2], weights[j+3]
		r0, r1, r2, r3 := row(j), row(j+1), row(j+2), row(j+3)
		for i := range sums {
			sums[i] += k0*int32(r0[i]) + k1*int32(r1[i]) + k2*int32(r2[i]) + k3*int32(r3[i])
		}
	}
	for ; j < len(weights); j++ {
		k, r := weights[j], row(j)
		for i := range sums {
			sums[i] += k * int32(r[i])
		}
	}
	for i, v := range sums {
		dst[done+i] = cutTaps(v)
	}
}

// cutTaps drops the fraction of a weighted sum and cuts it to a byte; the sum is
// never below -128 nor above 383.
func cutTaps(v int32) uint8 { return tapCut[(v>>TapBits)&1023] }

// tapCut[v&1023] is v cut to 0..255, for v from -384 to 639.
var tapCut = func() (table [1024]uint8) {
	for i := range table {
		switch {
		case i < 256:
			table[i] = uint8(i)
		case i < 640:
			table[i] = 255
		}
	}
	return table
}()
