package hdf5

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"hash/crc32"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"showtell/internal/testutil"
	"showtell/modelfile"
)

// golden is a file of testdata, unpacked.
func golden(t testing.TB, name string) []byte {
	t.Helper()
	return unzipped(t, filepath.Join("testdata", name+".h5.gz"))
}

func unzipped(t testing.TB, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(path, ".gz") {
		return data
	}
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if data, err = io.ReadAll(z); err != nil {
		t.Fatal(err)
	}
	return data
}

func parse(t testing.TB, name string) *File {
	t.Helper()
	f, err := Parse(name, golden(t, name))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

var plain = map[string]string{ // dataset to dtype and shape, or the error of reading it
	"compact": "F32 [2 3]", "empty": "F32 [0 4]", "null": "F32 [0]", "scalar": "F32 []",
	"numbers/deep er/big-f2": "F16 [3 5]", "numbers/deep er/big-f4": "F32 [3 5]", "numbers/deep er/big-f8": "F64 [3 5]",
	"numbers/deep er/little-f2": "F16 [3 5]", "numbers/deep er/little-f4": "F32 [3 5]", "numbers/deep er/little-f8": "F64 [3 5]",
	"again":     "F32 [3 5]",
	"long":      "I64 [2]",
	"flags":     "/flags: holds enumerations, not numbers",
	"records":   "/records: holds records, not numbers",
	"strings":   "/strings: holds variable-length lists, not numbers",
	"unwritten": "/unwritten: no values were ever stored",
}

var chunked = map[string]string{
	"plain": "F32 [7 5 3]", "gzip": "F32 [7 5 3]", "shuffled": "F32 [7 5 3]", "checked": "F32 [7 5 3]",
	"odd": "U8 [7]", "swapped": "F16 [7 5 3]", "many": "F32 [90 3]", "large chunk": "F32 [3]",
	"lzf":    "/lzf: compressed with filter lzf; this reader knows gzip, shuffle and fletcher32",
	"partly": "/partly: chunk 1 of 2 was never stored",
}

func newFile() map[string]string {
	want := maps.Clone(chunked)
	delete(want, "many")
	delete(want, "large chunk")
	maps.Copy(want, map[string]string{
		"contiguous": "F32 [3 5]", "compact": "F32 [2 3]", "in order": "F32 [5 5]",
		"single": "F32 [5 5]", "single plain": "F32 [5 5]", "pages": "F64 [2100]",
		"growing":       "/growing: chunks that can grow (index 4)",
		"growing twice": "/growing twice: chunks that can grow (index 5)",
	})
	return want
}

// The files are h5py's: testdata/make.py.
func TestGoldens(t *testing.T) {
	tests := []struct {
		name string
		want map[string]string
	}{
		{"plain", plain},
		{"userblock", plain},
		{"new108", plain},
		{"chunked", chunked},
		{"new", newFile()},
		{"wide", map[string]string{"a group with a rather long name 077/x": "F32 [3]"}},
		{"new_wide", map[string]string{"a group with a rather long name 077/x": "F32 [3]"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := parse(t, tt.name)
			got := map[string]bool{}
			for _, d := range f.Datasets() {
				got[d.Path] = true
				checkDataset(t, d, tt.want[d.Path])
			}
			for path := range tt.want {
				if !got[path] || f.Dataset(path) == nil {
					t.Errorf("no dataset %q", path)
				}
			}
		})
	}
}

func checkDataset(t *testing.T, d *Dataset, want string) {
	t.Helper()
	data, err := d.Data()
	if strings.HasPrefix(want, "/") {
		if err == nil || !strings.Contains(err.Error(), ": "+want) {
			t.Errorf("%s: error %v, want %q", d.Path, err, want)
		}
		return
	}
	if err != nil {
		t.Error(err)
		return
	}
	tensor := modelfile.Tensor{Name: d.Path, DType: d.DType, Shape: d.Shape, Data: data}
	if got := fmt.Sprint(d.DType, " ", d.Shape); got != want {
		t.Errorf("%s is %s, want %s", d.Path, got, want)
	}
	if d.DType[0] == 'I' || d.DType[0] == 'U' {
		return
	}
	x, err := tensor.Float32()
	if err != nil {
		t.Error(err)
	}
	for i, v := range x {
		if v != float32(i)/8 {
			t.Errorf("%s: value %d is %v, want %v", d.Path, i, v, float32(i)/8)
			return
		}
	}
}

func TestStrings(t *testing.T) {
	want := []struct {
		attr string
		list []string
		err  string
	}{
		{"one", []string{"a single string"}, ""},
		{"several", []string{"block1_conv1", "", "é"}, ""},
		{"fixed", []string{"conv2d", "bn", ""}, ""},
		{"spaces", []string{"ab", "abcdef"}, ""},
		{"none", []string{}, ""},
		{"missing", nil, ""},
		{"number", nil, `/: attribute "number": floats, want strings`},
	}
	for _, name := range []string{"plain", "userblock", "new", "new108"} {
		root := parse(t, name).Group("")
		for _, w := range want {
			got, err := root.Strings(w.attr)
			if w.err != "" {
				if err == nil || err.Error() != name+": "+w.err {
					t.Errorf("%s: Strings(%q) = %v, want %q", name, w.attr, err, w.err)
				}
				continue
			}
			if err != nil || !slices.Equal(got, w.list) || (got == nil) != (w.list == nil) {
				t.Errorf("%s: Strings(%q) = %q, %v, want %q", name, w.attr, got, err, w.list)
			}
		}
	}
	if got, err := parse(t, "new").Group("").Strings("more11"); err != nil || !slices.Equal(got, []string{"11"}) {
		t.Errorf("an attribute of many = %q, %v", got, err)
	}
}

// Every file that Keras wrote, and those made from them with other settings,
// against what h5py reads: testdata/sums.py.
func TestKeras(t *testing.T) {
	folder := testutil.Shared(t, "keras")
	sums, err := os.ReadFile("testdata/sums.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(sums)) {
		name := strings.Fields(line)[0]
		f, err := Parse(name, unzipped(t, filepath.Join(folder, name)))
		if err != nil {
			t.Error(err)
			continue
		}
		all := f.Datasets()
		slices.SortFunc(all, func(a, b *Dataset) int { return strings.Compare(a.Path, b.Path) })
		crc, n := crc32.NewIEEE(), 0
		for _, d := range all {
			if !strings.HasPrefix(string(d.DType), "F") {
				continue
			}
			n++
			data, err := d.Data()
			if err != nil {
				t.Error(err)
			}
			x, err := modelfile.Tensor{Name: d.Path, DType: d.DType, Shape: d.Shape, Data: data}.Float32()
			if err != nil {
				t.Error(err)
			}
			fmt.Fprint(crc, d.Path, " ", d.Shape)
			crc.Write(modelfile.Float32("", nil, x).Data)
		}
		if got := fmt.Sprintf("%s %d %08x\n", name, n, crc.Sum32()); got != line {
			t.Errorf("got %s, h5py %s", got, line)
		}
	}
}

func TestWideGroups(t *testing.T) {
	for _, name := range []string{"wide", "new_wide"} {
		f := parse(t, name)
		for i := range 600 {
			if path := fmt.Sprintf("a group with a rather long name %03d", i); f.Group(path) == nil {
				t.Errorf("%s: no group %q", name, path)
			}
		}
	}
}

func TestHostile(t *testing.T) {
	edit := func(name, old, new string) []byte {
		b := golden(t, name)
		if !bytes.Contains(b, []byte(old)) {
			t.Fatalf("%s has no %q", name, old)
		}
		return bytes.ReplaceAll(b, []byte(old), []byte(new))
	}
	tests := []struct {
		name string
		data []byte
		want string
	}{
		{"empty", nil, "f: not an HDF5 file"},
		{"a picture", []byte("\xff\xd8\xff\xe0\x00\x10JFIF"), "f: not an HDF5 file"},
		{"signature only", []byte(signature), "f: superblock is cut short"},
		{"loop", golden(t, "loop"), "f: /a/b/back: a group inside itself, or too deep"},
		{"external link", golden(t, "external"), `f: /: "other" is a link to another file`},
		{"superblock of the future", edit("plain", signature+"\x00", signature+"\x09"), "f: superblock version 9, want 0 to 3"},
		{"addresses of three bytes", edit("plain", "\x00\x08\x08\x00", "\x00\x03\x08\x00"), "f: superblock: addresses or lengths of 3 bytes"},
		{"no B-tree", edit("plain", "TREE", "TREX"), `"TREX" where "TREE" should be: the file is corrupt`},
		{"no node", edit("plain", "SNOD", "SNOX"), `"SNOX" where "SNOD" should be: the file is corrupt`},
		{"no heap", edit("plain", "HEAP", "HEAX"), `"HEAX" where "HEAP" should be: the file is corrupt`},
		{"no fractal heap", edit("new", "FRHP", "FRHX"), `"FRHX" where "FRHP" should be`},
		{"no block", edit("new_wide", "FHIB", "FHIX"), `"FHIX" where "FHIB" should be`},
		{"slash in a name", edit("plain", "scalar\x00", "sc/lar\x00"), `"sc/lar" is no name`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := Parse("f", tt.data); err == nil || !strings.HasPrefix(err.Error(), "f: ") || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Parse = %v, want %q", err, tt.want)
			}
		})
	}
}

func TestTruncated(t *testing.T) {
	for _, name := range []string{"plain", "chunked", "new", "wide"} {
		data := golden(t, name)
		for n := 0; n < len(data); n += 1 + n/50 {
			if _, err := Parse("f", data[:n]); err == nil {
				t.Errorf("the first %d bytes of %d of %s gave no error", n, len(data), name)
			}
		}
	}
}

// One byte of a compressed and checked chunk differs.
func TestCorruptChunks(t *testing.T) {
	for _, path := range []string{"checked", "gzip"} {
		data := golden(t, "chunked")
		f, err := Parse("f", data)
		if err != nil {
			t.Fatal(err)
		}
		d := f.Dataset(path)
		chunks, err := d.fromTree(f.walker(), []int{4, 2, 2}[:3], 16)
		if path == "checked" {
			chunks, err = d.fromTree(f.walker(), []int{2, 1, 1}, 2)
		}
		if err != nil {
			t.Fatal(err)
		}
		data[chunks[0].address+chunks[0].size/2] ^= 1
		if _, err := d.Data(); err == nil || !strings.HasPrefix(err.Error(), "f: /"+path+": chunk 0 of ") {
			t.Errorf("Data = %v, want an error of chunk 0 of %s", err, path)
		}
	}
}

func TestScalarInChunks(t *testing.T) {
	f := &File{offset: 8, width: 8}
	d := &Dataset{typ: datatype{size: 4}, size: 4}
	layout := []byte{3, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0} // version 3, chunks of no dimensions
	if err := d.readLayout(f.in("layout", layout)); err == nil || !strings.Contains(err.Error(), "chunks of 0 dimensions") {
		t.Errorf("a scalar in chunks gave error %v", err)
	}
}

// A few bytes differ, as no generic fuzzer finds so soon.
func TestDamaged(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	bytes := []byte{0, 1, 2, 4, 8, 16, 127, 128, 254, 255}
	for _, name := range []string{"plain", "chunked", "new", "new108", "loop"} {
		whole := golden(t, name)
		for range 1500 {
			data := slices.Clone(whole)
			for range 1 + rng.IntN(4) {
				data[rng.IntN(len(data))] = bytes[rng.IntN(len(bytes))]
			}
			readAll(t, data)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, name := range []string{"plain", "chunked", "new", "loop", "external", "userblock", "new108"} {
		f.Add(golden(f, name))
	}
	f.Fuzz(func(t *testing.T, data []byte) { readAll(t, data) })
}

// readAll reads whatever a file gives, within bounds.
func readAll(t *testing.T, data []byte) {
	t.Helper()
	f, err := Parse("f", data)
	if err != nil {
		return
	}
	for _, name := range []string{"one", "several", "fixed", "more3"} {
		f.Group("").Strings(name)
	}
	for _, d := range f.Datasets() {
		b, err := d.Data()
		if err == nil && len(b) != count(d.DType.Size(), d.Shape) {
			t.Errorf("%s: %d bytes for %v of %s", d.Path, len(b), d.Shape, d.DType)
		}
		if len(b) > 1100*len(data) {
			t.Errorf("%s: %d bytes from a file of %d", d.Path, len(b), len(data))
		}
	}
}
