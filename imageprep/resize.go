package imageprep

import (
	"image"
	"math"
)

// The names of filters.
const (
	Bilinear = "bilinear" // a triangle over the two nearest samples
	Bicubic  = "bicubic"  // Keys's cubic with a = -0.5 over the four nearest
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
// those of Pillow's Image.resize. Any other name than "bilinear" means bicubic;
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
	f, ok := filters[filter]
	if !ok {
		f = filters[Bicubic]
	}
	from := img.Bounds().Size()
	if from == size && crop.Size() == size {
		return convert(rowsOf(img), img.Bounds())
	}
	across := spans(f, from.X, size.X, crop.Min.X, crop.Max.X)
	down := spans(f, from.Y, size.Y, crop.Min.Y, crop.Max.Y)
	first, last := reach(down)
	narrow := horizontal(img, across, first, last)
	for i := range down {
		down[i].first -= first
	}
	return vertical(narrow, down)
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

// horizontal scales rows first to last of img.
func horizontal(img image.Image, across []span, first, last int) *RGB {
	dst := newRGB(len(across), last-first)
	read := rowsOf(img)
	m, direct := img.(*RGB)
	w := img.Bounds().Dx()
	buffer := make([]uint8, 3*w)
	for y := range dst.H {
		src := buffer
		if direct {
			src = m.row(first + y)
		} else {
			read(first+y, src)
		}
		horizontalRow(dst.row(y), src, across)
	}
	return dst
}

func horizontalRow(dst, src []uint8, across []span) {
	for i, s := range across {
		var r, g, b int32 = half, half, half
		p := src[3*s.first:][:3*len(s.weights)]
		for _, k := range s.weights {
			r += k * int32(p[0])
			g += k * int32(p[1])
			b += k * int32(p[2])
			p = p[3:]
		}
		q := dst[3*i : 3*i+3 : 3*i+3]
		q[0], q[1], q[2] = clip22(r), clip22(g), clip22(b)
	}
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
