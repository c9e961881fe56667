package imageprep

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"
	"math/rand/v2"
	"os"
	"testing"

	"golang.org/x/image/draw"
)

// photo is a JPEG of w by h pixels, of the density of a camera's: grain makes up
// for what the enlarged picture lacks. A file named by the variable
// SHOWTELL_BENCH_JPEG takes the place of the 12 megapixels.
func photo(b *testing.B, w, h int) []byte {
	b.Helper()
	if name := os.Getenv("SHOWTELL_BENCH_JPEG"); name != "" && w == 4000 {
		data, err := os.ReadFile(name)
		if err != nil {
			b.Fatal(err)
		}
		return data
	}
	img, err := ReadFile("../testdata/coffee.jpg", nil)
	if err != nil {
		b.Fatal(err)
	}
	random := rand.New(rand.NewPCG(1, 2))
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	for i, v := range Resize(img, w, h, Bicubic).Pix {
		m.Pix[i/3*4+i%3] = uint8(min(max(int(v)+int(2*random.NormFloat64()), 0), 255))
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, m, &jpeg.Options{Quality: 90}); err != nil {
		b.Fatal(err)
	}
	return out.Bytes()
}

func Benchmark(b *testing.B) {
	r := Recipe{Width: 224, Height: 224, Filter: Bicubic, Fit: Squash, Channels: OrderRGB, Mean: [3]float32{127, 127, 127}, Std: [3]float32{128, 128, 128}}
	for _, size := range []struct {
		name string
		w, h int
	}{{"500x375", 500, 375}, {"12MP", 4000, 3000}} {
		data := photo(b, size.w, size.h)
		img, err := Decode(data, nil)
		if err != nil {
			b.Fatal(err)
		}
		flat := Convert(img)
		run := func(what string, f func()) {
			b.Run(what+"/"+size.name, func(b *testing.B) {
				for b.Loop() {
					f()
				}
			})
		}
		for _, n := range []int{1, 2, 4, 8} {
			o := &Options{Least: image.Pt(flat.W/n, flat.H/n)}
			run(fmt.Sprint("Decode", n), func() { Decode(data, o) })
		}
		run("Resize", func() { Resize(flat, 224, 224, Bicubic) })
		run("Apply", func() { r.Apply(img) })
		run("Turn", func() { turn(flat, 6) })
		run("Path", func() { // what captioning does
			img, _ := Decode(data, &Options{Least: r.Least()})
			r.Apply(img)
		})
		run("PathInFull", func() {
			img, _ := Decode(data, nil)
			r.Apply(img)
		})
		run("PathStandard", func() { // what it would be without this package
			img, _ := jpeg.Decode(bytes.NewReader(data))
			small := image.NewRGBA(image.Rect(0, 0, 224, 224))
			draw.CatmullRom.Scale(small, small.Rect, img, img.Bounds(), draw.Src, nil)
		})
	}
}
