package imageprep

import (
	"image"
	"slices"
	"testing"
)

// The columns and rows that Image.resize(..., Image.NEAREST) of Pillow 13 takes.
func TestNearestAsPillow(t *testing.T) {
	for _, c := range []struct {
		from, to int
		want     []int
	}{
		{5, 3, []int{0, 2, 4}},
		{3, 7, []int{0, 0, 1, 1, 1, 2, 2}},
		{4, 4, []int{0, 1, 2, 3}},
		{1000, 7, []int{71, 214, 357, 500, 642, 785, 928}},
	} {
		wide, high := newRGB(c.from, 1), newRGB(1, c.from)
		for i := range c.from {
			wide.Pix[3*i], wide.Pix[3*i+1] = uint8(i%256), uint8(i/256)
		}
		copy(high.Pix, wide.Pix)
		for _, out := range []*RGB{Resize(wide, c.to, 1, Nearest), Resize(high, 1, c.to, Nearest)} {
			var got []int
			for i := range c.to {
				got = append(got, int(out.Pix[3*i])+256*int(out.Pix[3*i+1]))
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("%d to %d x %d: %v, want %v", c.from, out.W, out.H, got, c.want)
			}
		}
	}
	if out := Resize(image.NewRGBA(image.Rect(0, 0, 0, 3)), 2, 2, Nearest); out.W != 2 || out.H != 2 {
		t.Errorf("an empty picture gives %d x %d", out.W, out.H)
	}
}
