package jpeg

import (
	"bufio"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var denominators = []int{1, 2, 4, 8}

// eachLine calls f with the words of each line of a file.
func eachLine(t *testing.T, path string, f func(words []string)) {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	scanner := bufio.NewScanner(file)
	for scanner.Scan() {
		f(strings.Fields(scanner.Text()))
	}
	if err := scanner.Err(); err != nil {
		t.Fatal(err)
	}
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// part decodes at 1/n.
func part(data []byte, n int) (*Image, error) {
	w, h, err := Size(data)
	if err != nil {
		return nil, err
	}
	return Decode(data, w/n, h/n)
}

// TestAsPillow compares with the table that testdata/make.py had Pillow make.
func TestAsPillow(t *testing.T) {
	tested := 0
	eachLine(t, "testdata/pillow.txt", func(word []string) {
		var n int
		fmt.Sscan(word[1], &n)
		m, err := part(read(t, "testdata/"+word[0]), n)
		if err != nil {
			t.Errorf("%s at 1/%d: %v", word[0], n, err)
			return
		}
		if got := fmt.Sprintf("%dx%d", m.W, m.H); got != word[2] {
			t.Errorf("%s at 1/%d: %s pixels, want %s", word[0], n, got, word[2])
		}
		if got := fmt.Sprintf("%x", sha256.Sum256(m.Pix)); got != word[3] {
			t.Errorf("%s at 1/%d: pixels differ from Pillow's", word[0], n)
		}
		tested++
	})
	if tested < 100 {
		t.Errorf("%d pictures tested", tested)
	}
}

// TestPhotosAsPillow does so with photographs.
func TestPhotosAsPillow(t *testing.T) {
	const shared = "../../../shared/"
	if _, err := os.Stat(shared); err != nil {
		t.Skip(err)
	}
	eachLine(t, "testdata/shared.txt", func(word []string) {
		data, err := os.ReadFile(shared + word[0])
		if errors.Is(err, os.ErrNotExist) {
			t.Skip(err)
		}
		sum := sha256.New()
		for _, n := range denominators {
			m, err := part(data, n)
			if err != nil {
				t.Errorf("%s at 1/%d: %v", word[0], n, err)
				return
			}
			sum.Write(m.Pix)
		}
		if got := fmt.Sprintf("%x", sum.Sum(nil))[:16]; got != word[1] {
			t.Errorf("%s: pixels differ from Pillow's", word[0])
		}
	})
}

func TestSmallestThatWillDo(t *testing.T) {
	for _, tt := range []struct{ w, h, minW, minH, want int }{
		{4000, 3000, 0, 0, 1}, {4000, 3000, 224, 0, 1}, {4000, 3000, 500, 375, 8}, {4000, 3000, 501, 375, 4},
		{4000, 3000, 224, 750, 4}, {4000, 3000, 1001, 10, 2}, {4000, 3000, 5000, 10, 1}, {4007, 3007, 500, 375, 8},
		{15, 15, 1, 1, 8}, {7, 15, 1, 1, 4},
	} {
		if got := denominator(tt.w, tt.h, tt.minW, tt.minH); got != tt.want {
			t.Errorf("denominator(%d, %d, %d, %d) = %d, want %d", tt.w, tt.h, tt.minW, tt.minH, got, tt.want)
		}
	}
}

func testFiles(t testing.TB) map[string][]byte {
	t.Helper()
	names, err := filepath.Glob("testdata/*.jpg")
	if err != nil || len(names) == 0 {
		t.Fatal("no pictures: ", err)
	}
	files := map[string][]byte{}
	for _, name := range names {
		files[filepath.Base(name)] = read(t, name)
	}
	return files
}

// Whatever is cut off, it is an error that tells so.
func TestTruncated(t *testing.T) {
	for name, data := range testFiles(t) {
		for n := 0; n < len(data)-3; n += 1 + n/50 { // without the EOI and the last bits there may be a picture
			for _, size := range []int{0, 1} {
				m, err := Decode(data[:n], size, size)
				if m != nil || !errors.Is(err, io.ErrUnexpectedEOF) {
					t.Fatalf("%s cut to %d of %d bytes: Decode = %v, %v, want io.ErrUnexpectedEOF", name, n, len(data), m, err)
				}
			}
		}
	}
}

// A sequential picture is whole without its last marker.
func TestNoEOI(t *testing.T) {
	data := read(t, "testdata/photo420.jpg")
	if _, err := Decode(data[:len(data)-2], 0, 0); err != nil {
		t.Error(err)
	}
}

func TestErrors(t *testing.T) {
	plain, late := read(t, "testdata/extended.jpg"), read(t, "testdata/progressive420.jpg")
	edit := func(data []byte, after string, at int, to ...byte) []byte {
		data = slices.Clone(data)
		copy(data[strings.Index(string(data), after)+at:], to)
		return data
	}
	for _, tt := range []struct {
		name string
		data []byte
		err  string
	}{
		{"nothing", nil, "picture is cut off: unexpected EOF"},
		{"text", []byte("hello"), "no SOI marker at the start"},
		{"only ends", []byte("\xff\xd8\xff\xd9"), "no frame header"},
		{"arithmetic", edit(plain, "\xff\xc1", 1, 0xc9), "coding process 9 is not one of those read, 0 to 2"},
		{"lossless", edit(plain, "\xff\xc1", 1, 0xc3), "coding process 3 is not one of those read, 0 to 2"},
		{"12 bits", edit(plain, "\xff\xc1", 4, 12), "samples of 12 bits, want 8"},
		{"no height", edit(plain, "\xff\xc1", 5, 0, 0), "zero size: 33x0 pixels"},
		{"sampling 5", edit(plain, "\xff\xc1", 11, 0x51), "component 1: sampling factors 5 and 1, quantisation table 0"},
		{"sampling 3:2", edit(plain, "\xff\xc1", 11, 0x31, 0, 2, 0x21), "sampling factors 2x1 do not divide 3x1"},
		{"no table", edit(plain, "\xff\xc1", 12, 3), "component 1 without quantisation table 3"},
		{"numbers alike", edit(plain, "\xff\xc1", 13, 1), "two components numbered 1"},
		{"unknown component", edit(plain, "\xff\xda", 5, 9), "scan of component 9, which is not in the frame"},
		{"twice", edit(plain, "\xff\xda", 7, 1), "scan with component 1 twice"},
		{"no Huffman table", edit(plain, "\xff\xda", 6, 0x11), "scan of component 1 without a Huffman table"},
		{"too many codes", edit(plain, "\xff\xc4", 5, 3, 0, 0, 9), "a Huffman table with too many codes"},
		{"DC of 16 bits", edit(plain, "\xff\xc4", 5+16, 16), "a Huffman table with DC differences of 16 bits"},
		{"spectrum", edit(late, "\xff\xda", 11, 0, 64), "scan of coefficients 0 to 64 of 3 components, bits 0 to 1"},
		{"large", edit(plain, "\xff\xc1", 5, 0x40, 0, 0x40, 0), "picture is cut off: unexpected EOF"},
	} {
		if _, err := Decode(tt.data, 0, 0); err == nil || err.Error() != tt.err {
			t.Errorf("%s: Decode = %v, want %q", tt.name, err, tt.err)
		}
	}
}

// Scans that bring the same coefficients over and over are refused, not decoded.
func TestManyScans(t *testing.T) {
	data := read(t, "testdata/progressivegray.jpg")
	from := strings.Index(string(data), "\xff\xda\x00\x08\x01\x01\x00\x00\x00\x10") // refines DC values
	refine := data[from : from+strings.Index(string(data[from+2:]), "\xff\xda")+2]
	last := data[strings.LastIndex(string(data), "\xff\xda") : len(data)-2]
	for name, scan := range map[string][]byte{"DC": refine, "an eighth": last} {
		many := slices.Concat(data[:len(data)-2], slices.Repeat(scan, maxScans), data[len(data)-2:])
		if _, err := Decode(many, 1, 1); !errors.Is(err, errScans) {
			t.Errorf("%s: Decode = %v, want %v", name, err, errScans)
		}
	}
}
