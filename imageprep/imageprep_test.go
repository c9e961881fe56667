package imageprep

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"image"
	"image/jpeg"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func referenceFiles(t *testing.T, config string) []string {
	t.Helper()
	var c struct {
		Reference struct {
			Images []struct{ File string }
		}
	}
	data, err := os.ReadFile(config)
	if err != nil {
		t.Skip(err)
	}
	if err := json.Unmarshal(data, &c); err != nil {
		t.Fatal(err)
	}
	var files []string
	for _, i := range c.Reference.Images {
		files = append(files, i.File)
	}
	return files
}

func TestAccepts(t *testing.T) {
	for name, want := range map[string]bool{
		"a.jpg": true, "b/A.JPEG": true, "a.tar.png": true, "a.webp": true, "a.tif": true, "a.TIFF": true,
		"a.gif": true, "a.bmp": true, "a.jpg.1": false, "a.heic": false, "jpg": false, "": false,
		"__MACOSX/._a.jpg": false, ".a.jpg": true,
	} {
		if got := Accepts(name); got != want {
			t.Errorf("Accepts(%q) = %v, want %v", name, got, want)
		}
	}
}

func TestDecodeErrors(t *testing.T) {
	png := func(w, h string) string {
		return "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + w + h + "\x08\x02\x00\x00\x00"
	}
	tests := []struct{ name, data, err string }{
		{"empty", "", "not a picture (empty)"},
		{"text", "dear diary\n", "not a picture (text)"},
		{"cut text", "Grüß" + "\xc3", "not a picture (text)"},
		{"html", "\n<!DOCTYPE html><html>", "not a picture (HTML)"},
		{"svg", `<?xml version="1.0"?><svg/>`, "not a picture (SVG drawing)"},
		{"xml", `<?xml version="1.0"?><a/>`, "not a picture (XML)"},
		{"pdf", "%PDF-1.7\n", "not a picture (PDF)"},
		{"zip", "PK\x03\x04", "not a picture (zip)"},
		{"film", "\x00\x00\x00\x20ftypisom", "not a picture (MP4 or QuickTime film)"},
		{"zeros", strings.Repeat("\x00", 1000), "not a picture (zero bytes)"},
		{"noise", "\x01\x02\x03\xff", "not a picture (unknown data)"},
		{"heic", "\x00\x00\x00\x20ftypheic", "HEIC pictures are not supported: convert it to JPEG or PNG"},
		{"avif", "\x00\x00\x00\x20ftypavif", "AVIF pictures are not supported: convert it to JPEG or PNG"},
		{"jpeg head", "\xff\xd8", "truncated JPEG: "},
		{"png head", "\x89PNG\r\n\x1a\n", "truncated PNG: "},
		{"webp head", "RIFF\x00\x00\x00\x00WEBP", "truncated WebP: "},
		{"jpeg junk", "\xff\xd8\xff\xc0\x00\x02", "broken or unsupported JPEG: "},
	}
	for _, tt := range tests {
		_, err := Decode([]byte(tt.data), nil)
		if err == nil || !strings.HasPrefix(err.Error(), tt.err) {
			t.Errorf("%s: Decode = %v, want %q", tt.name, err, tt.err)
		}
	}
	if _, err := Decode([]byte(png("\x00\x00\x00\x00", "\x00\x00\x00\x05")), nil); err == nil {
		t.Error("Decode takes a PNG of no width")
	}
}

func TestTooManyPixels(t *testing.T) {
	const path = "testdata/rgb.png" // 24x18
	for limit, ok := range map[int]bool{24*18 - 1: false, 24 * 18: true, 0: true} {
		_, err := ReadFile(path, &Options{MaxPixels: limit})
		if ok != (err == nil) {
			t.Errorf("limit %d: ReadFile = %v", limit, err)
		}
		if err != nil && err.Error() != path+": PNG: 24x18 pixels (0.000432 megapixels) are over the limit of 0.000431 megapixels: raise the limit to read it" {
			t.Errorf("limit %d: ReadFile = %v", limit, err)
		}
	}
	// A header is enough: nothing is decoded, so nothing of this size is allocated.
	bmp := make([]byte, 54)
	copy(bmp, "BM")
	bmp[10], bmp[14] = 54, 40
	copy(bmp[18:], "\x00\x00\x01\x00\x00\x00\x01\x00\x01\x00\x18\x00") // 65536x65536, 24 bits
	if _, err := Decode(bmp, nil); err == nil || !strings.Contains(err.Error(), "65536x65536 pixels (4295 megapixels)") {
		t.Errorf("Decode = %v, want a limit", err)
	}
	gif := []byte("GIF89a\x00\x00\x05\x00\x00\x00\x00")
	if _, err := Decode(gif, nil); err == nil || err.Error() != "GIF: zero size: 0x5 pixels" {
		t.Errorf("Decode = %v, want zero size", err)
	}
}

func TestReadFileErrors(t *testing.T) {
	dir := t.TempDir()
	notes := filepath.Join(dir, "notes.jpg")
	if err := os.WriteFile(notes, []byte("buy milk"), 0o644); err != nil {
		t.Fatal(err)
	}
	big := filepath.Join(dir, "big.bmp")
	if err := os.WriteFile(big, []byte("BM"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(big, 65<<20); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		notes:                          "not a picture (text)",
		big:                            "file of over 67117056 bytes is too large for a picture of 1024 pixels: raise the limit to read it",
		filepath.Join(dir, "none.jpg"): "no such file or directory",
		dir:                            "is a directory",
	} {
		_, err := ReadFile(path, &Options{MaxPixels: 1024})
		if err == nil || err.Error() != path+": "+want {
			t.Errorf("ReadFile(%q) = %v, want %q", path, err, want)
		}
	}
}

// Broken metadata never cost the picture.
func TestBrokenEXIF(t *testing.T) {
	data, err := os.ReadFile("testdata/turn6.jpg")
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.Index(data, []byte("Exif\x00\x00"))
	end := at - 2 + int(binary.BigEndian.Uint16(data[at-2:])) // of the segment
	for i := at; i < end; i++ {
		for _, v := range []byte{0, 1, 0x7f, 0xff} {
			odd := slices.Clone(data)
			odd[i] = v
			if _, err := Decode(odd, nil); err != nil {
				t.Errorf("byte %d = %d: Decode = %v", i, v, err)
			}
		}
	}
}

// What stands before the EXIF block must not hide it.
func TestOrientationBehindOddities(t *testing.T) {
	load := func(name, mark, insert string) []byte {
		data, err := os.ReadFile("testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		return slices.Insert(data, bytes.Index(data, []byte(mark)), []byte(insert)...)
	}
	webp := load("turn6lossy.webp", "EXIF", "ABCD\x01\x00\x00\x00x\x00") // an odd length, padded
	binary.LittleEndian.PutUint32(webp[4:], uint32(len(webp)-8))
	for name, data := range map[string][]byte{
		"fill byte":     load("turn6.jpg", "\xff\xe1", "\xff"),
		"empty comment": load("turn6.jpg", "\xff\xe1", "\xff\xfe\x00\x02"),
		"XMP":           load("turn6.jpg", "\xff\xe1", "\xff\xe1\x00\x08http:/"),
		"odd chunk":     webp,
	} {
		img, err := Decode(data, nil)
		if err != nil || img.Bounds().Dx() != 17 || img.Bounds().Dy() != 23 {
			t.Errorf("%s: Decode = %T, %v, want 17x23 pixels", name, img, err)
		}
	}
}

// A picture is read no smaller than it may be, upright.
func TestLeast(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, insert string) string {
		var b bytes.Buffer
		if err := jpeg.Encode(&b, newRGB(160, 96), nil); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, slices.Insert(b.Bytes(), 2, []byte(insert)...), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	flat := write("flat.jpg", "")
	turned := write("turned.jpg", "\xff\xe1\x00\x22Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06\x00\x00\x00\x00\x00\x00")
	for _, tt := range []struct {
		name        string
		path        string
		least, want image.Point
	}{
		{"in full", flat, image.Point{}, image.Pt(160, 96)},
		{"an eighth", flat, image.Pt(20, 12), image.Pt(20, 12)},
		{"wide enough", flat, image.Pt(30, 12), image.Pt(40, 24)},
		{"high enough", flat, image.Pt(20, 30), image.Pt(80, 48)},
		{"turned", turned, image.Pt(12, 20), image.Pt(12, 20)},
		{"turned and too low", turned, image.Pt(12, 21), image.Pt(24, 40)},
		{"PNG", "testdata/rgb.png", image.Pt(1, 1), image.Pt(24, 18)},
	} {
		img, err := ReadFile(tt.path, &Options{Least: tt.least})
		if err != nil || img.Bounds().Size() != tt.want {
			t.Errorf("%s: ReadFile = %v, want %v", tt.name, img.Bounds(), tt.want)
		}
	}
}

func recipe() Recipe {
	return Recipe{Width: 6, Height: 4, Filter: Bilinear, Fit: Squash, Channels: OrderRGB,
		Mean: [3]float32{1, 2, 3}, Std: [3]float32{2, 4, 8}}
}

func TestValidate(t *testing.T) {
	nan := float32(math.NaN())
	tests := []struct {
		name   string
		change func(*Recipe)
		err    string
	}{
		{"good", func(r *Recipe) {}, ""},
		{"good crop", func(r *Recipe) { r.Fit, r.Short = Crop, 6 }, ""},
		{"no width", func(r *Recipe) { r.Width = 0 }, "recipe: size 0x4: want 1 to 8192 pixels"},
		{"tall", func(r *Recipe) { r.Height = 1 << 40 }, "recipe: size 6x1099511627776: want 1 to 8192 pixels"},
		{"filter", func(r *Recipe) { r.Filter = "" }, `recipe: filter "": want bilinear, bicubic, lanczos or nearest`},
		{"fit", func(r *Recipe) { r.Fit = "pad" }, `recipe: fit "pad": want squash or crop`},
		{"short", func(r *Recipe) { r.Fit, r.Short = Crop, 5 }, "recipe: short side of 5: want 6 to 8192 pixels"},
		{"short, with black edges", func(r *Recipe) { r.Fit, r.Short, r.Like = Crop, 5, Transformers }, ""},
		{"like", func(r *Recipe) { r.Like = "keras" }, `recipe: like "keras": want transformers or nothing`},
		{"channels", func(r *Recipe) { r.Channels = "rgb" }, `recipe: channels "rgb": want RGB or BGR`},
		{"mean", func(r *Recipe) { r.Mean[1] = nan }, "recipe: mean[1] is NaN"},
		{"std", func(r *Recipe) { r.Std[2] = float32(math.Inf(1)) }, "recipe: std[2] is +Inf"},
		{"no std", func(r *Recipe) { r.Std[0] = 0 }, "recipe: std[0] = 0 is too close to 0"},
		{"tiny std", func(r *Recipe) { r.Std[0] = 1e-44 }, "recipe: std[0] = 1e-44 is too close to 0"},
	}
	for _, tt := range tests {
		r := recipe()
		tt.change(&r)
		err := r.Validate()
		if errText(err) != tt.err {
			t.Errorf("%s: Validate = %v, want %q", tt.name, err, tt.err)
		}
	}
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestRecipeJSON(t *testing.T) {
	r := recipe()
	r.Fit, r.Short, r.Mean[0] = Crop, 9, 123.68
	data, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"width":6,"height":4,"filter":"bilinear","fit":"crop","channels":"RGB","short":9,"mean":[123.68,2,3],"std":[2,4,8]}`
	if string(data) != want {
		t.Errorf("Marshal = %s, want %s", data, want)
	}
	var back Recipe
	if err := json.Unmarshal(data, &back); err != nil || !reflect.DeepEqual(back, r) {
		t.Errorf("Unmarshal = %+v, %v, want %+v", back, err, r)
	}
}

func TestApplyChannels(t *testing.T) {
	flat := image.NewNRGBA(image.Rect(0, 0, 5, 5))
	for i := range flat.Pix {
		flat.Pix[i] = []uint8{11, 22, 33, 255}[i%4]
	}
	for order, want := range map[string][]float32{OrderRGB: {5, 5, 3.75}, OrderBGR: {16, 5, 1}} {
		r := recipe()
		r.Channels = order
		got := r.Apply(flat)
		if len(got) != 4*6*3 || !slices.Equal(got[:3], want) || !slices.Equal(got[69:], want) {
			t.Errorf("%s: Apply = %d values from %v, want 72 from %v", order, len(got), got[:3], want)
		}
	}
}

// A picture whose long side would be scaled to billions of pixels costs only its crop.
func TestCropOfThread(t *testing.T) {
	r := recipe()
	r.Fit, r.Short, r.Width, r.Height = Crop, 256, 224, 224
	for _, m := range []*RGB{newRGB(1, 100_000), newRGB(100_000, 1), newRGB(1, 1)} {
		for i := range m.Pix {
			m.Pix[i] = 200
		}
		got := r.Frame(m)
		if got.W != 224 || got.H != 224 || slices.Min(got.Pix) != 200 || slices.Max(got.Pix) != 200 {
			t.Errorf("Frame of %dx%d is %dx%d of %d to %d", m.W, m.H, got.W, got.H, slices.Min(got.Pix), slices.Max(got.Pix))
		}
	}
}

func TestMirror(t *testing.T) {
	x := []float32{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}
	Mirror(x, 2, 3, 2)
	if want := []float32{5, 6, 3, 4, 1, 2, 11, 12, 9, 10, 7, 8}; !slices.Equal(x, want) {
		t.Errorf("Mirror = %v, want %v", x, want)
	}
}

// FuzzDecode checks that no bytes bring Decode or Apply down, and that the
// limit on pixels holds.
func FuzzDecode(f *testing.F) {
	files, err := filepath.Glob("testdata/*.*")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range files {
		if data, err := os.ReadFile(name); err == nil && Accepts(name) {
			f.Add(data)
		}
	}
	opts := &Options{MaxPixels: 1 << 14}
	r := Recipe{Width: 3, Height: 2, Filter: Bicubic, Fit: Crop, Short: 4, Channels: OrderBGR, Std: [3]float32{1, 1, 1}}
	f.Fuzz(func(t *testing.T, data []byte) {
		img, err := Decode(data, opts)
		if err != nil {
			return
		}
		size := img.Bounds().Size()
		if size.X <= 0 || size.Y <= 0 || size.X*size.Y > opts.MaxPixels {
			t.Errorf("Decode gives %v pixels", size)
		}
		for _, v := range r.Apply(img) {
			if v < 0 || v > 255 {
				t.Errorf("Apply gives %v", v)
			}
		}
	})
}
