package tensor

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// levels of this machine, the plain one first.
func pictureLevels() []level {
	var all []level
	for l := levelGeneric; l <= machineLevel(); l++ {
		all = append(all, l)
	}
	return all
}

// coefficients of blocks that are empty, sparse, or full to the extremes.
func coefficients(rng *rand.Rand, blocks int) []int16 {
	coefs := make([]int16, 64*blocks)
	for i := range blocks {
		limit := []int32{1, 3, 50, 1000, 1 << 15}[rng.IntN(5)]
		for range rng.IntN(65) {
			k := rng.IntN(64)
			switch rng.IntN(3) {
			case 0:
				k &= 0x1b // rows and columns 0 to 3
			case 1:
				k = 0
			}
			coefs[64*i+k] = int16(rng.Int32N(2*limit) - limit)
		}
	}
	return coefs
}

func checkInverseDCT(t *testing.T, seed uint64) {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 1))
	var quant [64]uint16
	for i := range quant {
		quant[i] = uint16(1 + rng.IntN([]int{1, 20, 255, 1<<16 - 1}[seed%4]))
	}
	n := rng.IntN(21)
	coefs := coefficients(rng, n)
	for _, size := range []int{8, 4, 2} {
		stride := size*n + rng.IntN(9)
		var want []uint8
		for _, l := range pictureLevels() {
			dst := make([]uint8, size*stride+8)
			newInverseDCT(l, size, &quant).Row(dst, stride, coefs)
			if l == levelGeneric {
				want = dst
			} else if !bytes.Equal(dst, want) {
				t.Fatalf("seed %d: %d blocks of %d by %d samples by %v differ from the plain ones", seed, n, size, size, l)
			}
		}
	}
}

func TestInverseDCTLevels(t *testing.T) {
	for seed := range uint64(400) {
		checkInverseDCT(t, seed)
	}
}

func FuzzInverseDCT(f *testing.F) {
	f.Fuzz(func(t *testing.T, seed uint64) { checkInverseDCT(t, seed) })
}

// By hand: a block of its first coefficient alone is level.
func TestInverseDCTLevel(t *testing.T) {
	for _, tt := range []struct {
		coef int16
		want uint8
	}{{0, 128}, {1, 130}, {-3, 122}, {200, 255}, {-200, 0}} {
		for _, size := range []int{8, 4, 2, 1} {
			dst := make([]uint8, size*size)
			coefs := make([]int16, 64)
			coefs[0] = tt.coef
			if size == 1 {
				coefs = coefs[:1]
			}
			NewInverseDCT(size, &[64]uint16{16}).Row(dst, size, coefs)
			if want := bytes.Repeat([]byte{tt.want}, size*size); !bytes.Equal(dst, want) {
				t.Errorf("Row of %d by %d, coefficient %d = %v, want %v", size, size, tt.coef, dst, want)
			}
		}
	}
}

func samples(rng *rand.Rand, n int) []uint8 {
	s := make([]uint8, n)
	for i := range s {
		s[i] = []uint8{0, 255, 128, uint8(rng.Uint32()), uint8(rng.Uint32())}[rng.IntN(5)]
	}
	return s
}

// TestYCbCrToRGB compares with the formula, for all chromas.
func TestYCbCrToRGB(t *testing.T) {
	cut := func(v int) uint8 { return uint8(min(max(v, 0), 255)) }
	const n = 256 + 37
	for _, l := range pictureLevels() {
		y, cb, cr, dst := make([]uint8, n), make([]uint8, n), make([]uint8, n), make([]uint8, 3*n+1)
		for i := range 256 * 256 {
			copy(y[1:], y)
			copy(cb[1:], cb)
			copy(cr[1:], cr)
			y[0], cb[0], cr[0] = uint8(i*7>>3), uint8(i), uint8(i>>8)
			if i%n != n-1 && i != 1<<16-1 {
				continue
			}
			dst[3*n] = 77
			ycbcrToRGB(l, dst, y, cb, cr)
			for k, luma := range y {
				y, b, r := int(luma), int(cb[k])-128, int(cr[k])-128
				want := [3]uint8{cut(y + (91881*r+32768)>>16), cut(y + (-22554*b-46802*r+32768)>>16), cut(y + (116130*b+32768)>>16)}
				if [3]uint8(dst[3*k:]) != want {
					t.Fatalf("%v: colour of %d, %d, %d = %v, want %v", l, luma, cb[k], cr[k], dst[3*k:][:3], want)
				}
			}
			if dst[3*n] != 77 {
				t.Fatalf("%v: wrote behind the row", l)
			}
		}
	}
}

func TestWiden(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for n := 1; n < 90; n++ {
		near, far := samples(rng, n), samples(rng, n)
		for _, rows := range [][]uint8{nil, far} {
			sum := func(x int) int { // of the sample at x, by four if there are two rows
				x = min(max(x, 0), n-1)
				if rows == nil {
					return int(near[x])
				}
				return 3*int(near[x]) + int(far[x])
			}
			bits, left, right := 2, 1, 2
			if rows != nil {
				bits, left, right = 4, 8, 7
			}
			for _, l := range pictureLevels() {
				dst := make([]uint8, 2*n+1)
				widenSamples(l, dst[:2*n], near, rows)
				for x := range n {
					want := [2]uint8{uint8((3*sum(x) + sum(x-1) + left) >> bits), uint8((3*sum(x) + sum(x+1) + right) >> bits)}
					if [2]uint8(dst[2*x:]) != want {
						t.Fatalf("%v: sample %d of %d becomes %v, want %v", l, x, n, dst[2*x:][:2], want)
					}
				}
				if dst[2*n] != 0 {
					t.Fatalf("%v: wrote behind a row of %d", l, n)
				}
			}
		}
	}
}

// randomTaps are weights of size pixels over n, negative ones among them.
func randomTaps(rng *rand.Rand, n, size int) *Taps {
	taps := &Taps{}
	for i := range size {
		first := i * n / size
		weights := make([]int32, 1+rng.IntN(min(n-first, 30)))
		left := int32(1 << TapBits)
		for j := range weights {
			weights[j] = rng.Int32N(1<<TapBits/8) - 1<<TapBits/64
			left -= weights[j]
		}
		weights[rng.IntN(len(weights))] += left // sums may leave 0..255, but not by much
		taps.First, taps.Weights = append(taps.First, first), append(taps.Weights, weights)
	}
	return taps
}

// weigh is the formula of Taps.
func weigh(weights []int32, at func(j int) uint8) uint8 {
	sum := int64(1) << (TapBits - 1)
	for j, w := range weights {
		sum += int64(w) * int64(at(j))
	}
	return uint8(min(max(sum>>TapBits, 0), 255))
}

func checkTaps(t *testing.T, seed uint64) {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 3))
	n, size := 1+rng.IntN(90), 1+rng.IntN(40)
	taps := randomTaps(rng, n, size)
	pixels := [2][]uint8{gentle(rng, 3*n), gentle(rng, 3*n)}
	width := 1 + rng.IntN(70)
	rows := gentle(rng, n*width)
	for _, l := range pictureLevels() {
		dst := [2][]uint8{make([]uint8, 3*size+1), make([]uint8, 3*size+1)}
		taps.across(l, [2][]uint8{dst[0][:3*size], dst[1][:3*size]}, pixels)
		for r, row := range dst {
			for i := range 3 * size {
				want := weigh(taps.Weights[i/3], func(j int) uint8 { return pixels[r][3*(taps.First[i/3]+j)+i%3] })
				if row[i] != want {
					t.Fatalf("seed %d, %v: row %d, value %d of %d from %d pixels = %d, want %d", seed, l, r, i, size, n, row[i], want)
				}
			}
			if row[3*size] != 0 {
				t.Fatalf("seed %d, %v: wrote behind the row", seed, l)
			}
		}
		down := make([]uint8, width+1)
		for i := range size {
			taps.down(l, down[:width], i, rows)
			for x := range width {
				if want := weigh(taps.Weights[i], func(j int) uint8 { return rows[(taps.First[i]+j)*width+x] }); down[x] != want {
					t.Fatalf("seed %d, %v: row %d of %d from %d, value %d of %d = %d, want %d", seed, l, i, size, n, x, width, down[x], want)
				}
			}
			if down[width] != 0 {
				t.Fatalf("seed %d, %v: wrote behind the row", seed, l)
			}
		}
	}
}

// gentle samples differ little, so that sums with large weights stay in range.
func gentle(rng *rand.Rand, n int) []uint8 {
	s := make([]uint8, n)
	for i := range s {
		s[i] = 255 - uint8(rng.IntN(20))
	}
	return s
}

func TestTaps(t *testing.T) {
	for seed := range uint64(200) {
		checkTaps(t, seed)
	}
}

func FuzzTaps(f *testing.F) {
	f.Fuzz(func(t *testing.T, seed uint64) { checkTaps(t, seed) })
}
