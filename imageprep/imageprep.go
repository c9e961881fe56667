// Package imageprep turns the bytes of a picture into the numbers that a network reads.
//
// ReadFile or Decode gives an upright picture, Recipe.Apply resizes, crops and
// normalises it as a network was trained to see it. All functions are safe for
// concurrent use.
package imageprep

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

const defaultMaxPixels = 100_000_000

// Options say what is read. Nil means the defaults.
type Options struct {
	// MaxPixels is the most pixels a picture may have, looked up in its header
	// before anything is decoded. Default 100 million.
	MaxPixels int

	// Least is the width and height below which the upright picture is not to
	// fall. A JPEG is decoded at 1/8, 1/4 or 1/2 of its size if that leaves as
	// much, which is sooner. Default: pictures are decoded in full. See
	// Recipe.Least.
	Least image.Point
}

func (o *Options) least() image.Point {
	if o == nil {
		return image.Point{}
	}
	return o.Least
}

func (o *Options) maxPixels() int {
	if o == nil || o.MaxPixels <= 0 {
		return defaultMaxPixels
	}
	return o.MaxPixels
}

// maxBytes is the largest file that is read: eight bytes a pixel, which no
// format needs more of, and room for metadata.
func (o *Options) maxBytes() int64 { return 8*int64(o.maxPixels()) + 64<<20 }

var extensions = []string{".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".gif", ".webp", ".bmp", ".tif", ".tiff"}

// Accepts tells whether a file of this name should be a picture that Decode
// reads, going by its extension. The "._" files that macOS leaves beside
// pictures are not.
func Accepts(name string) bool {
	base := filepath.Base(name)
	return slices.Contains(extensions, strings.ToLower(filepath.Ext(base))) && !strings.HasPrefix(base, "._")
}

// ReadFile decodes the picture at path as Decode does. Errors begin with path.
func ReadFile(path string, opts *Options) (image.Image, error) {
	img, err := readFile(path, opts)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return img, nil
}

func readFile(path string, opts *Options) (image.Image, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, cause(err)
	}
	defer f.Close()
	return Read(f, opts)
}

// Read decodes the picture that r brings as Decode does. It stops reading when
// that is no picture, or more bytes than one of MaxPixels has.
func Read(r io.Reader, opts *Options) (image.Image, error) {
	head := make([]byte, sniffLen)
	n, err := io.ReadFull(r, head)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return nil, cause(err)
	}
	if _, err := formatOf(head[:n]); err != nil { // before a film of 4 GB is read
		return nil, err
	}
	limit := opts.maxBytes()
	var data bytes.Buffer
	data.Grow(min(sizeOf(r), int(limit)) + 2*bytes.MinRead)
	data.Write(head[:n])
	if _, err := data.ReadFrom(io.LimitReader(r, limit-int64(n)+1)); err != nil {
		return nil, cause(err)
	}
	if int64(data.Len()) > limit {
		return nil, fmt.Errorf("file of over %d bytes is too large for a picture of %d pixels: raise the limit to read it",
			limit, opts.maxPixels())
	}
	return Decode(data.Bytes(), opts)
}

// sizeOf is the size of a file, 0 for other readers.
func sizeOf(r io.Reader) int {
	f, ok := r.(*os.File)
	if !ok {
		return 0
	}
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return 0
	}
	return int(info.Size())
}

// cause strips the operation and the path that package os puts before an error.
func cause(err error) error {
	var p *os.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}
