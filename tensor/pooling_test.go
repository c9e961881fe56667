package tensor

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// pooled is the output (y, x, c) of a pooling by its definition.
func pooled(p pooling, w Window, src Image, y, x, c int) float64 {
	sum, most, seen := 0.0, math.Inf(-1), 0
	for i := y*w.Stride - w.Top; i < y*w.Stride-w.Top+w.H; i++ {
		for j := x*w.Stride - w.Left; j < x*w.Stride-w.Left+w.W; j++ {
			if 0 <= i && i < src.H && 0 <= j && j < src.W {
				v := float64(src.Row(i, j, 1)[c])
				sum, most, seen = sum+v, math.Max(most, v), seen+1
			}
		}
	}
	switch p {
	case poolMax:
		return most
	case poolSeen:
		return sum / float64(seen)
	}
	return sum / float64(w.H*w.W)
}

func checkPooling(t *testing.T, l level, w Window, src Image, h, width int) {
	t.Helper()
	rng := rand.New(rand.NewPCG(5, 5))
	for p := poolMax; p <= poolAll; p++ {
		dst := noise(rng, h, width, src.C)
		before := outside(dst)
		w.pool(l, p, dst, src)
		if !slices.Equal(before, outside(dst)) {
			t.Fatalf("%s %+v: wrote outside of the image", l, w)
		}
		for y := range h {
			for x := range width {
				for c, got := range dst.Row(y, x, 1) {
					want := pooled(p, w, src, y, x, c)
					if !(math.Abs(float64(got)-want) <= 1e-5) && !(math.IsNaN(want) && got != got) {
						t.Fatalf("%s %+v kind %d: output (%d, %d, %d) = %v, want %v", l, w, p, y, x, c, got, want)
					}
				}
			}
		}
	}
}

func TestPooling(t *testing.T) {
	for _, l := range convLevels() {
		for _, c := range []struct {
			name       string
			window     Window
			h, w, c    int // of the image
			outH, outW int
		}{
			{"VGG", Window{2, 2, 2, 0, 0}, 8, 6, 16, 4, 3},
			{"ResNet", Window{3, 3, 2, 1, 1}, 8, 8, 24, 4, 4},
			{"Inception, branch", Window{3, 3, 1, 1, 1}, 5, 6, 13, 5, 6},
			{"Inception, smaller", Window{3, 3, 2, 0, 0}, 17, 17, 8, 8, 8},
			{"global", Window{7, 7, 1, 0, 0}, 7, 7, 3, 1, 1},
			{"wider than the image", Window{5, 9, 3, 2, 4}, 3, 3, 9, 1, 2},
			{"parallel", Window{3, 3, 1, 1, 1}, 40, 40, 33, 40, 40},
		} {
			t.Run(l.String()+" "+c.name, func(t *testing.T) {
				checkPooling(t, l, c.window, noise(rand.New(rand.NewPCG(1, 1)), c.h, c.w, c.c), c.outH, c.outW)
			})
		}
	}
}

func TestPoolingKeepsNaN(t *testing.T) {
	nan := float32(math.NaN())
	for _, l := range convLevels() {
		for at := range 4 {
			src := Img(make([]float32, 4*11), 2, 2, 11)
			for i := range src.C {
				src.Data[at*src.C+i] = nan
			}
			checkPooling(t, l, Window{2, 2, 2, 0, 0}, src, 1, 1)
		}
	}
}

func FuzzPooling(f *testing.F) {
	f.Add(uint8(3), uint8(3), uint8(2), uint8(1), uint8(1), uint8(8), uint8(9), uint8(17), uint64(1))
	f.Fuzz(func(t *testing.T, kh, kw, stride, top, left, h, w, c uint8, seed uint64) {
		window := Window{H: 1 + int(kh)%5, W: 1 + int(kw)%5, Stride: 1 + int(stride)%3}
		window.Top, window.Left = int(top)%window.H, int(left)%window.W
		src := noise(rand.New(rand.NewPCG(seed, 1)), 1+int(h)%12, 1+int(w)%12, 1+int(c)%40)
		for _, l := range convLevels() {
			checkPooling(t, l, window, src, 1+(src.H-1+window.Top)/window.Stride, 1+(src.W-1+window.Left)/window.Stride)
		}
	})
}

func TestPoolingPanics(t *testing.T) {
	image := func(h, w, c int) Image { return Img(make([]float32, h*w*c), h, w, c) }
	for _, c := range []struct {
		name     string
		window   Window
		dst, src Image
	}{
		{"channels", Window{2, 2, 2, 0, 0}, image(2, 2, 3), image(4, 4, 4)},
		{"no stride", Window{2, 2, 0, 0, 0}, image(2, 2, 4), image(4, 4, 4)},
		{"a window that sees nothing", Window{2, 2, 2, 0, 0}, image(3, 2, 4), image(4, 4, 4)},
		{"a window before the image", Window{2, 2, 2, 2, 0}, image(2, 2, 4), image(4, 4, 4)},
	} {
		t.Run(c.name, func(t *testing.T) { wantPanic(t, func() { c.window.Max(c.dst, c.src) }) })
	}
	Window{2, 2, 2, 0, 0}.Max(image(0, 2, 4), image(0, 4, 4)) // nothing to do
}
