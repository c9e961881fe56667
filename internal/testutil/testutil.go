// Package testutil finds what tests need and makes small data sets for them.
// Call Shared for data outside the repository, Flickr for a toy data set.
package testutil

import (
	"compress/gzip"
	"fmt"
	"image"
	"image/draw"
	"image/jpeg"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// Root is the folder of the repository.
func Root() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "..", "..")
}

// A skipper is the part of testing.TB that Shared needs.
type skipper interface {
	Helper()
	Skipf(format string, args ...any)
}

// Shared is the path of a file or folder in ../shared, beside the repository.
// Where it is missing the test is skipped.
func Shared(t skipper, path string) string {
	t.Helper()
	full := filepath.Join(Root(), "..", "shared", filepath.FromSlash(path))
	if _, err := os.Stat(full); err != nil {
		t.Skipf("needs ../shared/%s, which is not here", path)
	}
	return full
}

// photographs in testdata, and what is on them.
var photographs = []struct{ name, what, where string }{
	{"astronaut", "woman in an orange suit", "in front of a flag"},
	{"cat", "brown cat", "on a soft blanket"},
	{"coffee", "cup of coffee", "on a wooden table"},
	{"rocket", "white rocket", "under a dark sky"},
}

// Flickr writes a toy data set in the layout of Flickr8k as published: twenty
// pictures, cut from the four photographs in testdata, with five captions
// each; 12 to train with, 4 for dev, 4 for test.
func Flickr(dir string) error {
	if err := os.MkdirAll(filepath.Join(dir, "Images"), 0o755); err != nil {
		return err
	}
	var captions strings.Builder
	lists := map[string]*strings.Builder{"train": {}, "dev": {}, "test": {}}
	for i := range 20 {
		p := photographs[i%len(photographs)]
		name := fmt.Sprintf("%s_%d.jpg", p.name, i/len(photographs))
		if err := crop(filepath.Join(dir, "Images", name), p.name, i/len(photographs)); err != nil {
			return err
		}
		for k, format := range []string{"A %s %s .", "The %s is %s .", "There is a %s %s .", "A picture of a %s %s .", "a %s"} {
			line := fmt.Sprintf(format, p.what, p.where)
			if k == 4 {
				line = fmt.Sprintf(format, p.what)
			}
			fmt.Fprintf(&captions, "%s#%d\t%s\n", name, k, line)
		}
		split := []string{"train", "train", "train", "dev", "test"}[i/len(photographs)]
		fmt.Fprintln(lists[split], name)
	}
	for split, list := range lists {
		if err := os.WriteFile(filepath.Join(dir, "Flickr_8k."+split+"Images.txt"), []byte(list.String()), 0o644); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(dir, "Flickr8k.token.txt"), []byte(captions.String()), 0o644)
}

// crop writes the k-th cut of a photograph.
func crop(path, photograph string, k int) error {
	in, err := os.Open(filepath.Join(Root(), "testdata", photograph+".jpg"))
	if err != nil {
		return err
	}
	defer in.Close()
	img, err := jpeg.Decode(in)
	if err != nil {
		return err
	}
	b := img.Bounds()
	part := image.Rect(0, 0, b.Dx()*3/4, b.Dy()*3/4).Add(image.Pt(b.Dx()*k/20, b.Dy()*k/20))
	dst := image.NewRGBA(image.Rect(0, 0, part.Dx(), part.Dy()))
	draw.Draw(dst, dst.Bounds(), img, part.Min.Add(b.Min), draw.Src)
	out, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := jpeg.Encode(out, dst, &jpeg.Options{Quality: 85}); err != nil {
		out.Close()
		return err
	}
	return out.Close()
}

// Gunzip reads a file, unpacked if its name ends with .gz.
func Gunzip(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if filepath.Ext(path) != ".gz" {
		return io.ReadAll(f)
	}
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return io.ReadAll(z)
}
