// Package datasettest holds what every format of package dataset must do.
//
// Call Run from the test of a format, with a function that writes rows in it.
package datasettest

import (
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"showtell/dataset"
)

// A Row is a caption to write.
type Row struct{ Image, Caption, Split string }

// A Format is one to test.
type Format struct {
	Name string

	// Write returns the files that hold rows, by name. The first line of
	// the file called Captions that holds a row is Line; each row is a line.
	Write    func(rows []Row) map[string]string
	Captions string
	Line     int

	// Junk are lines that hold no caption, and what Open says of each.
	Junk map[string]string
}

var rows = []Row{
	{"b.png", "A dog runs , and \"barks\" .", "train"},
	{"b.png", "Dog's ball", "train"},
	{"a.png", "Zwei Männer", "train"},
	{"a.png", "Zwei Männer", "train"},
	{"sub/c.png", "一只狗", "dev"},
	{"e\u0301te\u0301.png", "summer", "test"}, // decomposed; the file's name is composed
}

// Run tests a format.
func Run(t *testing.T, f Format) {
	t.Run("reads", func(t *testing.T) { testReads(t, f) })
	t.Run("variants of the text", func(t *testing.T) { testVariants(t, f) })
	t.Run("problems", func(t *testing.T) { testProblems(t, f) })
	t.Run("broken picture", func(t *testing.T) { testBroken(t, f) })
	t.Run("nothing to read", func(t *testing.T) { testNothing(t, f) })
	t.Run("cancelled", func(t *testing.T) { testCancelled(t, f) })
}

func testReads(t *testing.T, f Format) {
	dir := Folder(t, f.Write(rows))
	set := open(t, dir, nil)
	if set.Format != f.Name {
		t.Errorf("Format = %q, want %q", set.Format, f.Name)
	}
	var got []string
	for _, item := range set.Items {
		got = append(got, item.Name+" "+item.Split+" "+strings.Join(item.Captions, "|"))
		if _, err := os.Stat(item.Path); err != nil {
			t.Error(err)
		}
	}
	want := []string{
		"b.png train A dog runs , and \"barks\" .|Dog's ball",
		"a.png train Zwei Männer|Zwei Männer",
		"sub/c.png dev 一只狗",
		"\u00e9t\u00e9.png test summer",
	}
	if !slices.Equal(got, want) {
		t.Errorf("items = %q, want %q", got, want)
	}
	counts(t, set, map[string]int{dataset.Duplicate: 1, dataset.NoCaption: 1})
	again := open(t, Folder(t, f.Write(rows)), nil)
	if set.Fingerprint() != again.Fingerprint() {
		t.Error("the same data in another folder has another fingerprint")
	}
	byFile := open(t, filepath.Join(dir, f.Captions), nil)
	if got := byFile.Items; len(got) != len(set.Items) {
		t.Errorf("the file of captions by itself gives %d items, want %d", len(got), len(set.Items))
	}
	if len(set.Split("dev")) != 1 {
		t.Errorf("Split(dev) = %v, want one item", set.Split("dev"))
	}
}

func testVariants(t *testing.T, f Format) {
	want := open(t, Folder(t, f.Write(rows)), nil).Fingerprint()
	variants := map[string]func(string) string{
		"byte order mark":     func(s string) string { return "\ufeff" + s },
		"Windows line ends":   func(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") },
		"no line end at last": func(s string) string { return strings.TrimRight(s, "\n") },
		"blank lines":         func(s string) string { return strings.ReplaceAll(s, "\n", "\n\n") },
	}
	for name, change := range variants {
		files := f.Write(rows)
		for file, s := range files {
			files[file] = change(s)
		}
		if got := open(t, Folder(t, files), nil).Fingerprint(); got != want {
			t.Errorf("%s: the set is another one", name)
		}
	}
}

func testProblems(t *testing.T, f Format) {
	bad := append(slices.Clone(rows),
		Row{"gone.png", "no picture", "train"},
		Row{"gone.png", "none either", "train"},
		Row{"../../etc/x.png", "out of the folder", "train"},
		Row{"/etc/x.png", "out of the folder", "train"},
		Row{`..\x.png`, "out of the folder", "train"},
		Row{"b.png", "in two splits", "test"},
		Row{"b.png", " . ", "test"},
	)
	files := f.Write(bad)
	line := f.Line + len(bad)
	want := map[string]int{
		dataset.Duplicate: 1, dataset.NoCaption: 1, dataset.NoPicture: 1,
		dataset.BadName: 3, dataset.TwoSplits: 1, dataset.BadLine: 2 + len(f.Junk),
	}
	junk := slices.Sorted(maps.Keys(f.Junk))
	for _, s := range append([]string{"caf\xe9"}, junk...) {
		files[f.Captions] += s + "\n"
	}
	set := open(t, Folder(t, files), nil)
	counts(t, set, want)
	says(t, set, "gone.png: captions: 2")
	says(t, set, "b.png: no word in the caption")
	says(t, set, place(f, line)+": not UTF-8")
	for i, s := range junk {
		says(t, set, place(f, line+1+i)+": "+f.Junk[s])
	}
	if items := set.Split("test"); len(items) != 2 {
		t.Errorf("test has %d items, want 2: the picture in two splits is for measuring", len(items))
	}
}

func testBroken(t *testing.T, f Format) {
	dir := Folder(t, f.Write(rows))
	for name, content := range map[string]string{"a.png": "not a picture", "sub/c.png": ""} {
		if err := os.WriteFile(filepath.Join(dir, "images", name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	calls := 0
	set := open(t, dir, &dataset.Options{CheckImages: true, Progress: func(done, total int) {
		if calls++; done != calls || total != 4 {
			t.Errorf("Progress(%d, %d), want (%d, 4)", done, total, calls)
		}
	}})
	counts(t, set, map[string]int{dataset.Duplicate: 1, dataset.NoCaption: 1, dataset.Unreadable: 2})
	says(t, set, "a.png: ")
	if len(set.Items) != 2 || calls != 4 {
		t.Errorf("%d items and %d calls of Progress, want 2 and 4", len(set.Items), calls)
	}
}

func testNothing(t *testing.T, f Format) {
	for name, content := range map[string]string{"empty": "", "only a line end": "\n", "only a byte order mark": "\ufeff"} {
		dir := Folder(t, map[string]string{f.Captions: content})
		if _, err := dataset.Open(context.Background(), dir, nil); err == nil || !strings.Contains(err.Error(), f.Captions) {
			t.Errorf("%s: error %v, want one that names %s", name, err, f.Captions)
		}
	}
	dir := Folder(t, f.Write([]Row{{"gone.png", "a dog", "train"}, {"lost.png", "a cat", "dev"}}))
	if _, err := dataset.Open(context.Background(), dir, nil); err == nil || !strings.Contains(err.Error(), "gone.png") {
		t.Errorf("no picture of any caption: error %v, want one that names gone.png", err)
	}
}

func testCancelled(t *testing.T, f Format) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := dataset.Open(ctx, Folder(t, f.Write(rows)), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want %v", err, context.Canceled)
	}
}

// Folder makes a folder with these files, and images/ with five small
// pictures: a.png, b.png, sub/c.png, été.png, and unused.png.
func Folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(content), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	for i, name := range []string{"a.png", "b.png", "sub/c.png", "\u00e9t\u00e9.png", "unused.png"} {
		Picture(t, filepath.Join(dir, "images", name), uint8(i))
	}
	return dir
}

// Picture writes a small PNG of one grey.
func Picture(t *testing.T, path string, grey uint8) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	img := image.NewGray(image.Rect(0, 0, 2, 2))
	img.SetGray(0, 0, color.Gray{Y: grey})
	if err := png.Encode(file, img); err != nil {
		t.Fatal(err)
	}
}

func open(t *testing.T, path string, opts *dataset.Options) *dataset.Set {
	t.Helper()
	set, err := dataset.Open(context.Background(), path, opts)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func counts(t *testing.T, set *dataset.Set, want map[string]int) {
	t.Helper()
	if got := set.Counts(); !maps.Equal(got, want) {
		t.Errorf("problems = %v, want %v; they are %v", got, want, set.Problems)
	}
}

func place(f Format, line int) string { return fmt.Sprintf("%s:%d", f.Captions, line) }

// says looks for a problem whose line holds s.
func says(t *testing.T, set *dataset.Set, s string) {
	t.Helper()
	for _, p := range set.Problems {
		if strings.Contains(p.String(), s) {
			return
		}
	}
	t.Errorf("no problem says %q; they are %v", s, set.Problems)
}
