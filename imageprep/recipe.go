package imageprep

import (
	"fmt"
	"image"
	"math"
)

// The ways to fit a picture into a recipe's frame, and the orders of channels.
const (
	Squash   = "squash" // scale the whole picture, whatever its proportions
	Crop     = "crop"   // scale the short side to Recipe.Short, cut the centre out
	OrderRGB = "RGB"
	OrderBGR = "BGR"

	// Transformers is whom a recipe may be like: Hugging Face's transformers drops
	// the alpha of a picture instead of putting it on white, leaves the odd pixel of a
	// crop to the right and bottom, and gives pictures smaller than the crop black edges.
	Transformers = "transformers"
)

const maxSide = 8192 // pixels

// A Recipe is what a network wants done to a picture. It is stored with the
// network, as JSON. There are no defaults: Validate one that was read.
type Recipe struct {
	Width    int    `json:"width"`           // pixels, to 8192
	Height   int    `json:"height"`          // pixels, to 8192
	Filter   string `json:"filter"`          // bilinear, bicubic, lanczos or nearest
	Fit      string `json:"fit"`             // squash or crop
	Channels string `json:"channels"`        // RGB or BGR
	Short    int    `json:"short,omitempty"` // pixels; crop only: the short side before the crop
	Like     string `json:"like,omitempty"`  // Transformers; otherwise as torchvision

	// Mean and Std are for pixels from 0 to 255, in the order of Channels:
	// a value is (pixel - Mean) / Std.
	Mean [3]float32 `json:"mean"`
	Std  [3]float32 `json:"std"`
}

// Validate says which field Apply cannot work with.
func (r Recipe) Validate() error {
	if r.Width < 1 || r.Width > maxSide || r.Height < 1 || r.Height > maxSide {
		return fmt.Errorf("recipe: size %dx%d: want 1 to %d pixels", r.Width, r.Height, maxSide)
	}
	if _, ok := filters[r.Filter]; !ok && r.Filter != Nearest {
		return fmt.Errorf("recipe: filter %q: want %s, %s, %s or %s", r.Filter, Bilinear, Bicubic, Lanczos, Nearest)
	}
	if r.Like != "" && r.Like != Transformers {
		return fmt.Errorf("recipe: like %q: want %s or nothing", r.Like, Transformers)
	}
	switch r.Fit {
	case Squash:
	case Crop:
		least := max(r.Width, r.Height)
		if r.Like == Transformers {
			least = 1
		}
		if r.Short < least || r.Short > maxSide {
			return fmt.Errorf("recipe: short side of %d: want %d to %d pixels", r.Short, least, maxSide)
		}
	default:
		return fmt.Errorf("recipe: fit %q: want %s or %s", r.Fit, Squash, Crop)
	}
	if r.Channels != OrderRGB && r.Channels != OrderBGR {
		return fmt.Errorf("recipe: channels %q: want %s or %s", r.Channels, OrderRGB, OrderBGR)
	}
	for c := range 3 {
		for what, v := range map[string]float32{"mean": r.Mean[c], "std": r.Std[c]} {
			if v := float64(v); math.IsNaN(v) || math.IsInf(v, 0) {
				return fmt.Errorf("recipe: %s[%d] is %g", what, c, v)
			}
		}
		if v := float64(255-r.Mean[c]) / float64(r.Std[c]); r.Std[c] == 0 || math.Abs(v) > math.MaxFloat32/512 {
			return fmt.Errorf("recipe: std[%d] = %g is too close to 0", c, r.Std[c])
		}
	}
	return nil
}

// Least is the least size of a picture to make a frame of: twice what it is
// scaled to, for Options.Least. Zero, which means that pictures are decoded in
// full, where pixels are taken as they are, or are to be like those of others.
func (r Recipe) Least() image.Point {
	if r.Filter == Nearest || r.Like != "" {
		return image.Point{}
	}
	if r.Fit == Crop {
		return image.Pt(2*r.Short, 2*r.Short)
	}
	return image.Pt(2*r.Width, 2*r.Height)
}

// Apply makes the network's input of img. The recipe must be valid.
func (r Recipe) Apply(img image.Image) []float32 {
	return r.normalise(r.Frame(img)) // (Height, Width, 3)
}

// Frame is the picture that Apply normalises: img resized, and cropped, to
// Width by Height.
func (r Recipe) Frame(img image.Image) *RGB {
	img = r.flat(img)
	size := image.Pt(r.Width, r.Height)
	if r.Fit != Crop {
		return window(img, size, image.Rectangle{Max: size}, r.Filter)
	}
	full := shortSide(img.Bounds().Size(), r.Short)
	corner := image.Pt(middle(full.X-r.Width), middle(full.Y-r.Height))
	if r.Like == Transformers {
		corner = image.Pt((full.X-r.Width)>>1, (full.Y-r.Height)>>1)
	}
	crop := image.Rectangle{corner, corner.Add(size)}
	inside := crop.Intersect(image.Rectangle{Max: full})
	m := window(img, full, inside, r.Filter)
	if inside == crop {
		return m
	}
	return m.within(size, inside.Min.Sub(corner))
}

// flat is img without alpha, where the recipe does not want it on white.
func (r Recipe) flat(img image.Image) image.Image {
	if r.Like == Transformers {
		return opaque(img)
	}
	return img
}

// shortSide is the size after scaling the short side, as torchvision computes
// it: the long side is cut, not rounded.
func shortSide(from image.Point, short int) image.Point {
	if from.X <= from.Y {
		return image.Pt(short, int(float64(short*from.Y)/float64(max(from.X, 1))))
	}
	return image.Pt(int(float64(short*from.X)/float64(max(from.Y, 1))), short)
}

// middle is half of what is cut off, as torchvision computes it: a half pixel
// goes to the even number.
func middle(cut int) int { return int(math.RoundToEven(float64(cut) / 2)) }

func (r Recipe) normalise(m *RGB) []float32 {
	var table [3][256]float32
	for c := range table {
		for v := range table[c] {
			table[c][v] = (float32(v) - r.Mean[c]) / r.Std[c]
		}
	}
	first, third := 0, 2
	if r.Channels == OrderBGR {
		first, third = 2, 0
	}
	dst := make([]float32, len(m.Pix))
	for i := 0; i+2 < len(dst); i += 3 {
		p, q := m.Pix[i:i+3:i+3], dst[i:i+3:i+3]
		q[0], q[1], q[2] = table[0][p[first]], table[1][p[1]], table[2][p[third]]
	}
	return dst
}

// Mirror swaps left and right of x (h, w, c), in place.
func Mirror(x []float32, h, w, c int) {
	for y := range h {
		row := x[y*w*c : (y+1)*w*c]
		for l, r := 0, (w-1)*c; l < r; l, r = l+c, r-c {
			for i := range c {
				row[l+i], row[r+i] = row[r+i], row[l+i]
			}
		}
	}
}
