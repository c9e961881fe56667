package imageprep

import (
	"image"
	"math/rand/v2"
	"slices"
	"testing"
)

// pattern is a picture whose pixels tell where they are: red the column, green
// the row.
func pattern(w, h int) *RGB {
	m := newRGB(w, h)
	for i := range w * h {
		m.Pix[3*i], m.Pix[3*i+1], m.Pix[3*i+2] = uint8(i%w*255/w), uint8(i/w*255/h), 60
	}
	return m
}

func varied(r Recipe, img image.Image, v Variation, seed uint64) []float32 {
	return r.Vary(img, v, rand.New(rand.NewPCG(seed, 1)))
}

func TestVaryIsMadeBySeed(t *testing.T) {
	plain := Recipe{Width: 32, Height: 24, Filter: Bicubic, Fit: Squash, Channels: OrderRGB, Std: [3]float32{1, 1, 1}}
	middle := Recipe{Width: 24, Height: 24, Filter: Bilinear, Fit: Crop, Short: 28, Channels: OrderBGR, Std: [3]float32{1, 1, 1}}
	for name, r := range map[string]Recipe{"squash": plain, "crop": middle} {
		img := pattern(80, 50)
		before := slices.Clone(img.Pix)
		for _, v := range []Variation{{Crop: 0.5}, {Jitter: 0.3}, {Crop: 0.3, Jitter: 0.2}} {
			a := varied(r, img, v, 1)
			if !slices.Equal(a, varied(r, img, v, 1)) {
				t.Errorf("%s %+v: the same seed gives another picture", name, v)
			}
			if slices.Equal(a, varied(r, img, v, 2)) {
				t.Errorf("%s %+v: another seed gives the same picture", name, v)
			}
		}
		for _, v := range []Variation{{}, {Crop: 1}} {
			if !v.None() || !slices.Equal(varied(r, img, v, 1), r.Apply(img)) {
				t.Errorf("%s: %+v changes the picture", name, v)
			}
		}
		if !slices.Equal(before, img.Pix) {
			t.Errorf("%s: the caller's picture has changed", name)
		}
	}
}

// A picture of the recipe's size is copied before its colours change.
func TestVaryLeavesThePictureAlone(t *testing.T) {
	img := pattern(20, 20)
	before := slices.Clone(img.Pix)
	r := Recipe{Width: 20, Height: 20, Filter: Bicubic, Fit: Squash, Channels: OrderRGB, Std: [3]float32{1, 1, 1}}
	varied(r, img, Variation{Jitter: 0.5}, 1)
	if !slices.Equal(before, img.Pix) {
		t.Error("the caller's picture has changed")
	}
}

func TestWindowRange(t *testing.T) {
	for _, c := range []struct {
		name  string
		r     Recipe
		size  image.Point
		share float64
		area  float64 // of the largest window
	}{
		{"squash", Recipe{Width: 10, Height: 10, Fit: Squash}, image.Pt(400, 300), 0.25, 400 * 300},
		{"crop of a wide picture", Recipe{Width: 10, Height: 10, Fit: Crop}, image.Pt(400, 300), 0.5, 300 * 300},
		{"crop of a high picture", Recipe{Width: 20, Height: 10, Fit: Crop}, image.Pt(300, 900), 0.8, 300 * 150},
	} {
		proportions := float64(c.size.X) / float64(c.size.Y)
		if c.r.Fit == Crop {
			proportions = float64(c.r.Width) / float64(c.r.Height)
		}
		rng := rand.New(rand.NewPCG(1, 2))
		least, most := 2.0, 0.0
		for range 2000 {
			w := c.r.window(c.size, c.share, rng)
			if !w.In(image.Rectangle{Max: c.size}) || w.Empty() {
				t.Fatalf("%s: window %v of a picture of %v", c.name, w, c.size)
			}
			area := float64(w.Dx()*w.Dy()) / c.area
			least, most = min(least, area), max(most, area)
			if p := float64(w.Dx()) / float64(w.Dy()) / proportions; p < 0.74 || p > 1.35 {
				t.Fatalf("%s: window %v has %.2f times the proportions", c.name, w, p)
			}
		}
		if least < c.share-0.01 || least > c.share+0.05 || most > 1.01 || most < 0.9 {
			t.Errorf("%s: windows of %.2f to %.2f of the area, want %.2f to 1", c.name, least, most, c.share)
		}
	}
	tiny := Recipe{Width: 300, Height: 100, Fit: Crop}
	for seed := range uint64(50) { // no size may be too small
		if w := tiny.window(image.Pt(1, 1), 0.1, rand.New(rand.NewPCG(seed, 1))); w != image.Rect(0, 0, 1, 1) {
			t.Fatalf("window %v of a picture of one pixel", w)
		}
	}
}

func TestColours(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(m *RGB, factor float32)
		factor float32
		want   [6]uint8
	}{ // by hand; the greys of the two pixels are 69.68 and 141.64, their mean 105.66
		{"brighter", (*RGB).brighten, 1.5, [6]uint8{150, 90, 60, 255, 180, 150}},
		{"darker", (*RGB).brighten, 0.5, [6]uint8{50, 30, 20, 100, 60, 50}},
		{"no contrast", (*RGB).contrast, 0, [6]uint8{106, 106, 106, 106, 106, 106}},
		{"more contrast", (*RGB).contrast, 2, [6]uint8{94, 14, 0, 255, 134, 94}},
		{"grey", (*RGB).saturate, 0, [6]uint8{70, 70, 70, 142, 142, 142}},
		{"as it is", (*RGB).saturate, 1, [6]uint8{100, 60, 40, 200, 120, 100}},
	} {
		m := &RGB{W: 2, H: 1, Pix: []uint8{100, 60, 40, 200, 120, 100}}
		c.change(m, c.factor)
		if got := [6]uint8(m.Pix); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}
