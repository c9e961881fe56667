package imageprep

import (
	"image"
	"math"
	"math/rand/v2"
)

// A Variation says how far pictures are changed at random while a network
// learns from them. The zero value changes nothing.
type Variation struct {
	// Crop is the least share of the picture's area that is kept: a window of
	// random size, place and, by up to a third, proportions (Szegedy et al.
	// 2015). 0 and 1: all that the recipe shows.
	Crop float64

	// Jitter is by how much brightness, contrast and saturation change: each by
	// a factor from 1-Jitter to 1+Jitter. From 0 to 1.
	Jitter float64
}

// None tells whether v changes nothing.
func (v Variation) None() bool { return !v.crops() && v.Jitter == 0 }

func (v Variation) crops() bool { return v.Crop > 0 && v.Crop < 1 }

// Least is the least size of a picture to Vary, for Options.Least.
func (v Variation) Least(r Recipe) image.Point {
	least := r.Least()
	if v.crops() {
		least.X, least.Y = int(float64(least.X)/math.Sqrt(v.Crop)), int(float64(least.Y)/math.Sqrt(v.Crop))
	}
	return least
}

// Vary is Apply of a picture that was changed by chance, which rng decides alone.
func (r Recipe) Vary(img image.Image, v Variation, rng *rand.Rand) []float32 {
	var frame *RGB
	if v.crops() {
		size := image.Pt(r.Width, r.Height)
		frame = window(Convert(r.flat(img)).cut(r.window(img.Bounds().Size(), v.Crop, rng)), size, image.Rectangle{Max: size}, r.Filter)
	} else {
		frame = r.Frame(img)
	}
	if v.Jitter > 0 {
		factor := func() float32 { return float32(1 + v.Jitter*(2*rng.Float64()-1)) }
		frame.brighten(factor())
		frame.contrast(factor())
		frame.saturate(factor())
	}
	return r.normalise(frame) // (Height, Width, 3)
}

// window chooses the part of a picture of the given size that is kept: at least
// a share of the largest window with the proportions that the recipe shows.
func (r Recipe) window(size image.Point, share float64, rng *rand.Rand) image.Rectangle {
	whole := size // all of it is squashed into the frame
	if r.Fit == Crop {
		scale := min(float64(size.X)/float64(r.Width), float64(size.Y)/float64(r.Height))
		whole = image.Pt(max(1, int(scale*float64(r.Width))), max(1, int(scale*float64(r.Height))))
	}
	window := whole
	for range 10 { // some windows are wider or higher than the picture
		area, stretch := share+(1-share)*rng.Float64(), math.Pow(4.0/3, 2*rng.Float64()-1)
		w, h := float64(whole.X)*math.Sqrt(area*stretch), float64(whole.Y)*math.Sqrt(area/stretch)
		if p := image.Pt(max(1, int(w+0.5)), max(1, int(h+0.5))); p.X <= size.X && p.Y <= size.Y {
			window = p
			break
		}
	}
	corner := image.Pt(rng.IntN(size.X-window.X+1), rng.IntN(size.Y-window.Y+1))
	return image.Rectangle{corner, corner.Add(window)}
}

// cut is the part of m inside r.
func (m *RGB) cut(r image.Rectangle) *RGB {
	part := newRGB(r.Dx(), r.Dy())
	for y := range part.H {
		copy(part.row(y), m.row(r.Min.Y + y)[3*r.Min.X:])
	}
	return part
}

// brighten multiplies all samples.
func (m *RGB) brighten(factor float32) {
	var table [256]uint8
	for v := range table {
		table[v] = sample(factor * float32(v))
	}
	for i, v := range m.Pix {
		m.Pix[i] = table[v]
	}
}

// contrast multiplies the distance of all samples from the mean grey.
func (m *RGB) contrast(factor float32) {
	sum := 0.0
	for i := 0; i+2 < len(m.Pix); i += 3 {
		sum += float64(grey(m.Pix[i:]))
	}
	mean := float32(sum / float64(max(1, len(m.Pix)/3)))
	var table [256]uint8
	for v := range table {
		table[v] = sample(mean + float32(factor*(float32(v)-mean)))
	}
	for i, v := range m.Pix {
		m.Pix[i] = table[v]
	}
}

// saturate multiplies the distance of each pixel from its grey.
func (m *RGB) saturate(factor float32) {
	for i := 0; i+2 < len(m.Pix); i += 3 {
		p := m.Pix[i : i+3]
		g := grey(p)
		for c, v := range p {
			p[c] = sample(g + float32(factor*(float32(v)-g)))
		}
	}
}

// grey is the luma of a pixel (ITU-R BT.601). The conversions keep
// multiplication and addition apart on processors that would fuse them.
func grey(p []uint8) float32 {
	return float32(0.299*float32(p[0])) + float32(0.587*float32(p[1])) + float32(0.114*float32(p[2]))
}

// sample rounds v to a byte.
func sample(v float32) uint8 { return uint8(min(max(v, 0), 255) + 0.5) }
