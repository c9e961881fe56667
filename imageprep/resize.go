package imageprep

import (
	"image"
	"math"
)

// The names of filters.
const (
	Bilinear = "bilinear" // a triangle over the two nearest samples
	Bicubic  = "bicubic"  // Keys's cubic with a = -0.5 over the four nearest
	Nearest  = "nearest"  // the sample that is there, as Keras reads pictures
)

// A filter weighs samples by their distance; beyond support it is 0. Where a
// picture shrinks, it is widened by the reduction, which is what keeps out
// aliasing.
type filter struct {
	support float64
	weight  func(distance float64) float64
}

var filters = map[string]filter{
	Bilinear: {1, func(x float64) float64 { return max(0, 1-math.Abs(x)) }},
	Bicubic:  {2, cubic},
}

// cubic is the convolution kernel of Keys (1981), "Cubic Convolution
// Interpolation for Digital Image Processing", with a = -1/2. The conversions
// keep multiplication and addition apart on processors that would fuse them.
func cubic(x float64) float64 {
	const a = -0.5
	x = math.Abs(x)
	switch {
	case x < 1:
		return float64(float64(float64((a+2)*x)-(a+3))*x)*x + 1
	case x < 2:
		return (float64((float64((x-5)*x)+8)*x) - 4) * a
	}
	return 0
}

// Resize scales the whole of img to w by h pixels, antialiased: the bytes are
// those of Image.resize in Pillow 13. Any other name than "bilinear" and "nearest" means bicubic;
// Recipe.Validate tells names apart. An empty img gives a black picture.
func Resize(img image.Image, w, h int, filter string) *RGB {
	return window(img, image.Pt(w, h), image.Rect(0, 0, w, h), filter)
}

// window scales img to size and returns the part of it inside crop, without
// computing the rest.
func window(img image.Image, size image.Point, crop image.Rectangle, filter string) *RGB {
	if crop.Empty() {
		return &RGB{}
	}
	from := img.Bounds().Size()
	if filter == Nearest {
		return nearest(img, places(from.X, size.X)[crop.Min.X:crop.Max.X], places(from.Y, size.Y)[crop.Min.Y:crop.Max.Y])
	}
	f, ok := filters[filter]
	if !ok {
		f = filters[Bicubic]
	}
	if from == size && crop.Size() == size {
		return convert(rowsOf(img), img.Bounds())
	}
	across := spans(f, from.X, size.X, crop.Min.X, crop.Max.X)
	down := spans(f, from.Y, size.Y, crop.Min.Y, crop.Max.Y)
	if verticalFirst(from, size) {
		return horizontal(vertical(Convert(img), down), across, 0, len(down))
	}
	first, last := reach(down)
	narrow := horizontal(img, across, first, last)
	for i := range down {
		down[i].first -= first
	}
	return vertical(narrow, down)
}

// places are the samples, of n, that size samples are taken from: those under
// their middles. The sums are Pillow's, rounding errors included.
func places(n, size int) []int {
	step := float64(n) / float64(size)
	at := make([]int, size)
	for i, x := 0, step*0.5; i < size; i, x = i+1, x+step {
		at[i] = min(int(x), max(n-1, 0))
	}
	return at
}

// nearest takes the pixels at columns across and rows down.
func nearest(img image.Image, across, down []int) *RGB {
	dst := newRGB(len(across), len(down))
	width := img.Bounds().Dx()
	if width == 0 || img.Bounds().Dy() == 0 {
		return dst
	}
	read, row := rowsOf(img), make([]uint8, 3*width)
	for y, from := range down {
		if y == 0 || from != down[y-1] {
			read(from, row)
		}
		for x, at := range across {
			copy(dst.Pix[3*(y*dst.W+x):][:3], row[3*at:])
		}
	}
	return dst
}

// verticalFirst is Pillow's choice, since version 13, of the pass to begin
// with. It shows in the result, which is rounded to bytes between the passes.
func verticalFirst(from, to image.Point) bool {
	cut := from.Sub(to)
	return cut.Y > 0 && cut.Y > 2*cut.X
}

// A span is where one output sample comes from: the samples from first on, each
// with its weight. Weights are whole, 1<<precision in all.
type span struct {
	first   int
	weights []int32
}

const (
	precision = 32 - 8 - 2 // bits: a sum over bytes fits an int32, with room for the overshoot
	half      = 1 << (precision - 1)
)

// spans computes the outputs from lo to hi of a scaling from n to size samples.
func spans(f filter, n, size, lo, hi int) []span {
	scale := float64(n) / float64(size)
	widen := max(scale, 1)
	support := f.support * widen
	list := make([]span, hi-lo)
	var weights []float64
	for i := range list {
		center := (float64(lo+i) + 0.5) * scale
		first := max(int(center-support+0.5), 0)
		last := min(int(center+support+0.5), n)
		weights = weights[:0]
		sum := 0.0
		for x := first; x < last; x++ {
			w := f.weight((float64(x) - center + 0.5) * (1 / widen))
			weights = append(weights, w)
			sum += w
		}
		list[i] = span{first, make([]int32, len(weights))}
		for j, w := range weights {
			if sum != 0 {
				w /= sum
			}
			list[i].weights[j] = int32(math.Copysign(0.5, w) + float64(w*(1<<precision)))
		}
	}
	return list
}

// reach is the range of samples that the spans read.
func reach(list []span) (first, last int) {
	end := list[len(list)-1]
	return list[0].first, end.first + len(end.weights)
}

// horizontal scales rows first to last of img, two at a time: a word holds a
// sample of the upper row in its low half and the one below in its high half,
// and one multiplication weighs both.
func horizontal(img image.Image, across []span, first, last int) *RGB {
	dst := newRGB(len(across), last-first)
	read := rowsOf(img)
	n := 3 * img.Bounds().Dx()
	upper, lower, pairs := make([]uint8, n), make([]uint8, n), make([]uint64, n)
	for y := 0; y < dst.H; y += 2 {
		below := min(y+1, dst.H-1)
		read(first+y, upper)
		read(first+below, lower)
		for i, v := range upper[:len(pairs)] {
			pairs[i] = uint64(v) | uint64(lower[i])<<32
		}
		horizontalRows(dst.row(y), dst.row(below), pairs, across)
	}
	return dst
}

func horizontalRows(upper, lower []uint8, src []uint64, across []span) {
	for i, s := range across {
		const start = half | half<<32
		var r, g, b uint64 = start, start, start
		p, weights := src[3*s.first:], s.weights
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
		u, l := upper[3*i:3*i+3:3*i+3], lower[3*i:3*i+3:3*i+3]
		u[0], l[0] = unpair(r)
		u[1], l[1] = unpair(g)
		u[2], l[2] = unpair(b)
	}
}

// unpair cuts the two sums in a word to bytes. A negative low sum has borrowed
// one from the high sum.
func unpair(v uint64) (low, high uint8) {
	l := int32(v)
	return clip22(l), clip22(int32((v - uint64(int64(l))) >> 32))
}

func vertical(src *RGB, down []span) *RGB {
	dst := newRGB(src.W, len(down))
	sums := make([]int32, 3*src.W)
	for y, s := range down {
		for i := range sums {
			sums[i] = half
		}
		at, weights := s.first, s.weights
		for ; len(weights) >= 4; at, weights = at+4, weights[4:] {
			k0, k1, k2, k3 := weights[0], weights[1], weights[2], weights[3]
			r0, r1, r2, r3 := src.row(at)[:len(sums)], src.row(at + 1)[:len(sums)], src.row(at + 2)[:len(sums)], src.row(at + 3)[:len(sums)]
			for i := range sums {
				sums[i] += k0*int32(r0[i]) + k1*int32(r1[i]) + k2*int32(r2[i]) + k3*int32(r3[i])
			}
		}
		for ; len(weights) > 0; at, weights = at+1, weights[1:] {
			k, row := weights[0], src.row(at)[:len(sums)]
			for i := range sums {
				sums[i] += k * int32(row[i])
			}
		}
		row := dst.row(y)[:len(sums)]
		for i, v := range sums {
			row[i] = clip22(v)
		}
	}
	return dst
}

// clip22 drops the fraction of a weighted sum and cuts it to a byte; the sum is
// never below -128 nor above 383.
func clip22(v int32) uint8 { return clip[(v>>precision)&1023] }

// clip[v&1023] is v cut to 0..255, for v from -384 to 639.
var clip = func() (table [1024]uint8) {
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
