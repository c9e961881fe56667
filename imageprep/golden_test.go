package imageprep

import (
	"fmt"
	"image"
	"image/jpeg"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"showtell/internal/testutil"
	"showtell/modelfile"
)

// goldens reads what testdata/make.py had Pillow make.
func goldens(t testing.TB) *modelfile.File {
	t.Helper()
	data, err := testutil.Gunzip("testdata/goldens.safetensors.gz")
	if err != nil {
		t.Fatal(err)
	}
	m, err := modelfile.Parse("goldens", data)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func picture(x modelfile.Tensor) *RGB { return &RGB{W: x.Shape[1], H: x.Shape[0], Pix: x.Data} }

// differ counts the bytes that differ, and tells the greatest difference; it is
// 256 for pictures of different sizes.
func differ(a, b *RGB) (count, most int) {
	if a.W != b.W || a.H != b.H {
		return len(a.Pix), 256
	}
	for i, v := range a.Pix {
		if d := max(int(v)-int(b.Pix[i]), int(b.Pix[i])-int(v)); d > 0 {
			count, most = count+1, max(most, d)
		}
	}
	return count, most
}

func TestResizeAsPillow(t *testing.T) {
	g := goldens(t)
	tested, count, bytes := 0, 0, 0
	for _, x := range g.Tensors() {
		part := strings.Split(x.Name, "/")
		if part[0] != "resize" {
			continue
		}
		source, _ := g.Tensor("source/" + part[1])
		want := picture(x)
		got := Resize(picture(source), want.W, want.H, part[2])
		n, most := differ(got, want)
		if most > 1 {
			t.Errorf("%s: %d bytes differ, by up to %d", x.Name, n, most)
		}
		tested, count, bytes = tested+1, count+n, bytes+len(want.Pix)
	}
	if tested < 90 {
		t.Errorf("%d goldens", tested)
	}
	if count > 0 {
		t.Errorf("%d of %d bytes differ, want none", count, bytes)
	}
}

// What is half transparent may differ by one.
func TestDecodeAsPillow(t *testing.T) {
	tested := 0
	for _, x := range goldens(t).Tensors() {
		name, ok := strings.CutPrefix(x.Name, "decode/")
		if !ok {
			continue
		}
		tested++
		img, err := ReadFile(filepath.Join("testdata", name), nil)
		if err != nil {
			t.Error(err)
			continue
		}
		limit := 0
		if strings.Contains(name, "alpha") || strings.Contains(name, "rgba") {
			limit = 1
		}
		if n, most := differ(Convert(img), picture(x)); most > limit {
			t.Errorf("%s: %d of %d bytes differ, by up to %d, want at most %d", name, n, len(x.Data), most, limit)
		}
	}
	if tested < 49 {
		t.Errorf("%d goldens", tested)
	}
}

func TestCropAsTorchvision(t *testing.T) {
	img, err := ReadFile("../testdata/astronaut.jpg", nil)
	if err != nil {
		t.Fatal(err)
	}
	tested := 0
	for _, x := range goldens(t).Tensors() {
		if !strings.HasPrefix(x.Name, "crop/") {
			continue
		}
		r := Recipe{Filter: Bicubic, Fit: Crop, Channels: OrderRGB}
		var w, h int
		if _, err := fmt.Sscanf(x.Name, "crop/%dx%d/%d/%dx%d", &w, &h, &r.Short, &r.Width, &r.Height); err != nil {
			t.Fatal(err)
		}
		photo := part(img, w, h)
		if n, most := differ(r.Frame(photo), picture(x)); most > 0 {
			t.Errorf("%s: %d of %d bytes differ, by up to %d", x.Name, n, len(x.Data), most)
		}
		tested++
	}
	if tested != 6 {
		t.Errorf("%d goldens", tested)
	}
}

// part is the upper left corner of img.
func part(img image.Image, w, h int) *RGB {
	src, dst := Convert(img), newRGB(w, h)
	for y := range h {
		copy(dst.row(y), src.row(y))
	}
	return dst
}

// TestReference compares with the pixels that the reference encoder was given.
func TestReference(t *testing.T) {
	const shared = "../../shared/"
	f, err := modelfile.Open(shared + "encoders/efficientnet_lite0/reference.safetensors")
	if err != nil {
		t.Skip("no reference: ", err)
	}
	defer f.Close()
	for i, path := range referenceFiles(t, shared+"encoders/efficientnet_lite0/config.json") {
		img, err := ReadFile(shared+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		want, ok := f.Tensor(fmt.Sprint(i, ".pixels"))
		if !ok || len(want.Data) != 3*224*224 {
			t.Fatalf("no pixels of picture %d", i)
		}
		got := Resize(img, 224, 224, Bicubic)
		n, most := differ(got, interleave(want.Data, 224, 224))
		if most > 0 {
			t.Errorf("%s: %d bytes differ, by up to %d", path, n, most)
		}
	}
}

// interleave makes (h, w, 3) of (3, h, w).
func interleave(planes []byte, w, h int) *RGB {
	m := newRGB(w, h)
	for i := range w * h {
		for c := range 3 {
			m.Pix[3*i+c] = planes[c*w*h+i]
		}
	}
	return m
}

// asStandardLibrary reads JPEGs with image/jpeg, others with ReadFile.
func asStandardLibrary(name string) (image.Image, error) {
	if !strings.HasSuffix(name, ".jpg") {
		return ReadFile(name, nil)
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return jpeg.Decode(f)
}

// What others have decoded with image/jpeg becomes the pixels that Decode gives,
// but for the rounding of the inverse transform.
func TestConvertStandardLibrary(t *testing.T) {
	for _, name := range []string{"jpeg444", "jpeg444odd", "jpeg422", "jpeg422odd", "jpeg420", "jpeg420odd", "jpeg440", "progressive", "gray", "cmyk"} {
		name = "testdata/" + name + ".jpg"
		img, err := asStandardLibrary(name)
		if err != nil {
			t.Fatal(err)
		}
		want, err := ReadFile(name, nil)
		if err != nil {
			t.Fatal(err)
		}
		if n, most := differ(Convert(img), want.(*RGB)); most > 3 {
			t.Errorf("%s: %d bytes differ, by up to %d", name, n, most)
		}
	}
}

// Parts of pictures, and types without a path of their own, must read the same.
func TestConvertAgreesWithAt(t *testing.T) {
	files, err := filepath.Glob("testdata/*.*")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if !Accepts(name) {
			continue
		}
		img, err := asStandardLibrary(name)
		if err != nil {
			t.Fatal(err)
		}
		limit := 1
		if _, ok := img.(*image.YCbCr); ok {
			limit = 64 // chroma is smoothed, and At does not
		}
		for _, part := range []image.Image{img, crop(img)} {
			slow := convert(anyRows(part), part.Bounds())
			if n, most := differ(Convert(part), slow); most > limit {
				t.Errorf("%s: %T %v: %d bytes differ, by up to %d", name, img, part.Bounds(), n, most)
			}
			limit = 1
		}
	}
}

func crop(img image.Image) image.Image {
	s, ok := img.(interface {
		SubImage(image.Rectangle) image.Image
	})
	if !ok {
		return img
	}
	b := img.Bounds()
	return s.SubImage(image.Rect(b.Min.X+min(3, b.Dx()-1), b.Min.Y+min(1, b.Dy()-1), b.Max.X, b.Max.Y))
}

func TestTruncated(t *testing.T) {
	files, err := filepath.Glob("testdata/*.*")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if !Accepts(name) {
			continue
		}
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range []int{len(data) / 4, len(data) / 2, len(data) * 3 / 4} {
			img, err := Decode(data[:n], nil)
			switch {
			case err == nil && strings.Contains(name, "moving"): // the first frame is whole
			case err == nil:
				t.Errorf("%s cut to %d of %d bytes: Decode = %T, want an error", name, n, len(data), img)
			case !strings.HasPrefix(err.Error(), "truncated "):
				t.Errorf("%s cut to %d of %d bytes: Decode = %v, want \"truncated\"", name, n, len(data), err)
			}
		}
	}
}
