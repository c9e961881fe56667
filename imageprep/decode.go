package imageprep

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/gif"
	"image/png"
	"io"
	"strings"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"
	"golang.org/x/image/webp"

	"showtell/imageprep/jpeg"
)

// A format is one kind of picture that Decode reads.
type format struct {
	name   string
	magics []string // beginnings of a file, '?' stands for any byte
	config func(data []byte) (image.Config, error)
	decode func(data []byte, least image.Point) (image.Image, error)
	exif   func([]byte) []byte // the EXIF block of a file, if any
}

var formats = []format{
	{"JPEG", []string{"\xff\xd8"}, jpegConfig, decodeJPEG, jpegEXIF},
	{"PNG", []string{"\x89PNG\r\n\x1a\n"}, head(png.DecodeConfig), whole(png.Decode), pngEXIF},
	{"GIF", []string{"GIF87a", "GIF89a"}, head(gif.DecodeConfig), whole(gif.Decode), nil},
	{"WebP", []string{"RIFF????WEBP"}, head(webp.DecodeConfig), whole(decodeWebP), webpEXIF},
	{"BMP", []string{"BM"}, head(bmp.DecodeConfig), whole(bmp.Decode), nil},
	{"TIFF", []string{"II*\x00", "MM\x00*"}, head(tiff.DecodeConfig), whole(tiff.Decode), func(data []byte) []byte { return data }},
}

func head(f func(io.Reader) (image.Config, error)) func([]byte) (image.Config, error) {
	return func(data []byte) (image.Config, error) { return f(bytes.NewReader(data)) }
}

// whole decodes all pixels, however few would do.
func whole(f func(io.Reader) (image.Image, error)) func([]byte, image.Point) (image.Image, error) {
	return func(data []byte, _ image.Point) (image.Image, error) { return f(bytes.NewReader(data)) }
}

// Decode reads a JPEG, PNG, GIF, WebP, BMP or TIFF picture and turns it upright
// by its EXIF orientation; broken metadata are ignored. Of an animated GIF it
// takes the first frame, of a TIFF the first page. A JPEG has the pixels that
// libjpeg-turbo gives it.
//
// The result is of a type of package image, or an *RGB where the picture was
// turned, is a JPEG, or came in video levels (lossy WebP); it is not empty. What
// is transparent becomes white wherever this package makes an *RGB, unless by a
// Recipe like Transformers; where a GIF is transparent, its colours are lost.
//
// Errors tell what data look like if not a picture, what is broken or cut off,
// and the size of a picture that is too large. No input makes it panic.
func Decode(data []byte, opts *Options) (image.Image, error) {
	f, err := formatOf(data)
	if err != nil {
		return nil, err
	}
	c, err := guard(func() (image.Config, error) { return f.config(data) })
	if err != nil {
		return nil, f.explain(err)
	}
	if err := checkSize(c.Width, c.Height, opts); err != nil {
		return nil, fmt.Errorf("%s: %w", f.name, err)
	}
	orientation, least := 1, opts.least()
	if f.exif != nil {
		orientation = orientationOf(f.exif(data))
	}
	if orientation >= 5 {
		least.X, least.Y = least.Y, least.X
	}
	img, err := guard(func() (image.Image, error) { return f.decode(data, least) })
	if err != nil {
		return nil, f.explain(err)
	}
	if size := img.Bounds().Size(); size.X > c.Width || size.Y > c.Height || size.X <= 0 || size.Y <= 0 {
		return nil, fmt.Errorf("broken %s: %dx%d pixels where the header says %dx%d", f.name, size.X, size.Y, c.Width, c.Height)
	}
	if f.name == "GIF" {
		img = onScreen(img, c.Width, c.Height)
	}
	return turn(img, orientation), nil
}

func checkSize(w, h int, opts *Options) error {
	limit := opts.maxPixels()
	switch {
	case w <= 0 || h <= 0:
		return fmt.Errorf("zero size: %dx%d pixels", w, h)
	case w > limit/h:
		return fmt.Errorf("%dx%d pixels (%.4g megapixels) are over the limit of %.4g megapixels: raise the limit to read it",
			w, h, float64(w)*float64(h)/1e6, float64(limit)/1e6)
	}
	return nil
}

// guard turns a panic of f, a decoder of others, into an error.
func guard[T any](f func() (T, error)) (result T, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("decoder gave up: %v", r)
		}
	}()
	return f()
}

// shortfalls are how the decoders put it that data are missing.
var shortfalls = []string{"unexpected EOF", "short Huffman data", "short chunk", "not enough pixel data", "not enough image data"}

// explain says what err means for a picture of this format.
func (f format) explain(err error) error {
	cut := errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF)
	for _, words := range shortfalls {
		cut = cut || strings.Contains(err.Error(), words)
	}
	if cut {
		return fmt.Errorf("truncated %s: %w", f.name, err)
	}
	return fmt.Errorf("broken or unsupported %s: %w", f.name, err)
}

// onScreen puts a GIF's frame, which may be smaller, on its white screen.
func onScreen(frame image.Image, w, h int) image.Image {
	b := frame.Bounds()
	if b == image.Rect(0, 0, w, h) {
		return frame
	}
	screen := newRGB(w, h)
	for i := range screen.Pix {
		screen.Pix[i] = 255
	}
	small := Convert(frame)
	for y := range small.H {
		at := 3 * ((b.Min.Y+y)*w + b.Min.X)
		copy(screen.Pix[at:], small.row(y))
	}
	return screen
}

// decodeWebP converts lossy pictures at once, to an *RGB or an *image.NRGBA: package
// webp delivers their video levels (16 to 235) in a type that stands for full levels.
func decodeWebP(r io.Reader) (image.Image, error) {
	img, err := webp.Decode(r)
	if err != nil {
		return nil, err
	}
	switch m := img.(type) {
	case *image.YCbCr:
		return convert(videoRows(m), m.Rect), nil
	case *image.NYCbCrA:
		return straight(convert(videoRows(&m.YCbCr), m.Rect), m), nil
	}
	return img, nil
}

// straight gives m the alpha of another picture.
func straight(m *RGB, alpha *image.NYCbCrA) *image.NRGBA {
	dst := image.NewNRGBA(alpha.Rect)
	for y := range m.H {
		for x := range m.W {
			p := dst.Pix[y*dst.Stride+4*x:][:4]
			copy(p, m.row(y)[3*x:][:3])
			p[3] = alpha.A[y*alpha.AStride+x]
		}
	}
	return dst
}

func jpegConfig(data []byte) (c image.Config, err error) {
	c.Width, c.Height, err = jpeg.Size(data)
	return c, err
}

func decodeJPEG(data []byte, least image.Point) (image.Image, error) {
	m, err := jpeg.Decode(data, least.X, least.Y)
	if err != nil {
		return nil, err
	}
	return &RGB{m.W, m.H, m.Pix}, nil
}
