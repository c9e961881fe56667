package imageprep

import (
	"image"
	"math"

	"showtell/tensor"
)

// The names of filters.
const (
	Bilinear = "bilinear" // a triangle over the two nearest samples
	Bicubic  = "bicubic"  // Keys's cubic with a = -0.5 over the four nearest
	Lanczos  = "lanczos"  // a windowed sinc over the six nearest samples
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
	Lanczos:  {3, lanczos},
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

// lanczos is the sinc function, windowed by its middle lobe at a third of the
// frequency: Lanczos's filter of order 3 (Duchon 1979).
func lanczos(x float64) float64 {
	sinc := func(x float64) float64 {
		if x == 0 {
			return 1
		}
		x *= math.Pi
		return math.Sin(x) / x
	}
	if x < -3 || x >= 3 {
		return 0
	}
	return sinc(x) * sinc(x/3)
}

// Resize scales the whole of img to w by h pixels, antialiased: the bytes are
// those of Image.resize in Pillow 13. A name that is no filter's means bicubic;
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
		return horizontal(vertical(Convert(img), down), across, 0, len(down.First))
	}
	first, last := reach(down)
	narrow := horizontal(img, across, first, last)
	for i := range down.First {
		down.First[i] -= first
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

// spans computes where the outputs from lo to hi come from in a scaling from n to size samples.
func spans(f filter, n, size, lo, hi int) *tensor.Taps {
	scale := float64(n) / float64(size)
	widen := max(scale, 1)
	support := f.support * widen
	taps := &tensor.Taps{First: make([]int, hi-lo), Weights: make([][]int32, hi-lo)}
	var weights []float64
	for i := range taps.First {
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
		taps.First[i], taps.Weights[i] = first, make([]int32, len(weights))
		for j, w := range weights {
			if sum != 0 {
				w /= sum
			}
			taps.Weights[i][j] = int32(math.Copysign(0.5, w) + float64(w*(1<<tensor.TapBits)))
		}
	}
	return taps
}

// reach is the range of samples that taps read.
func reach(taps *tensor.Taps) (first, last int) {
	end := len(taps.First) - 1
	return taps.First[0], taps.First[end] + len(taps.Weights[end])
}

// horizontal scales rows first to last of img, two at a time.
func horizontal(img image.Image, across *tensor.Taps, first, last int) *RGB {
	dst := newRGB(len(across.First), last-first)
	n := 3 * img.Bounds().Dx()
	upper, lower := lineOf(img, n), lineOf(img, n)
	for y := 0; y < dst.H; y += 2 {
		below := min(y+1, dst.H-1)
		across.Across([2][]uint8{dst.row(y), dst.row(below)}, [2][]uint8{upper(first + y), lower(first + below)})
	}
	return dst
}

// lineOf gives row y of a picture, n bytes, to be read before the next call.
func lineOf(img image.Image, n int) func(y int) []uint8 {
	if m, ok := img.(*RGB); ok {
		return m.row
	}
	read, line := rowsOf(img), make([]uint8, n)
	return func(y int) []uint8 {
		read(y, line)
		return line
	}
}

func vertical(src *RGB, down *tensor.Taps) *RGB {
	dst := newRGB(src.W, len(down.First))
	for y := range dst.H {
		down.Down(dst.row(y), y, src.Pix)
	}
	return dst
}
