package jpeg

import (
	"bytes"
	"image"
	stdjpeg "image/jpeg"
	"math/rand/v2"
	"testing"
)

// FuzzDecode checks that no bytes bring Decode down or make it give less than it
// was asked for.
func FuzzDecode(f *testing.F) {
	for _, data := range testFiles(f) {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		w, h, err := Size(data)
		if err != nil || w*h > 1<<16 {
			return
		}
		for _, n := range denominators {
			m, err := Decode(data, w/n, h/n)
			if err == nil && (m.W < w/n || m.H < h/n || m.W > w || m.H > h || len(m.Pix) != 3*m.W*m.H) {
				t.Errorf("Decode(%d, %d) gives %dx%d pixels, %d bytes, of %dx%d", w/n, h/n, m.W, m.H, len(m.Pix), w, h)
			}
		}
	})
}

// TestAsStandardLibrary compares grey pictures with image/jpeg, whose inverse
// transform rounds otherwise.
func TestAsStandardLibrary(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 100 {
		img := image.NewGray(image.Rect(0, 0, 1+random.IntN(70), 1+random.IntN(70)))
		noise := 1 + random.IntN(200)
		for i := range img.Pix {
			img.Pix[i] = uint8(i/3 + random.IntN(noise))
		}
		var file bytes.Buffer
		if err := stdjpeg.Encode(&file, img, &stdjpeg.Options{Quality: 1 + random.IntN(100)}); err != nil {
			t.Fatal(err)
		}
		std, err := stdjpeg.Decode(bytes.NewReader(file.Bytes()))
		if err != nil {
			t.Fatal(err)
		}
		m, err := Decode(file.Bytes(), 0, 0)
		if err != nil || image.Pt(m.W, m.H) != std.Bounds().Size() {
			t.Fatalf("Decode of %v = %v, %v", std.Bounds(), m, err)
		}
		gray := std.(*image.Gray)
		for y := range m.H {
			for x := range m.W {
				got, want := int(m.Pix[3*(y*m.W+x)]), int(gray.Pix[y*gray.Stride+x])
				if got-want > 2 || want-got > 2 {
					t.Fatalf("pixel %d,%d of %dx%d = %d, want %d", x, y, m.W, m.H, got, want)
				}
			}
		}
	}
}
