package modelfile

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// content is what testdata/make.py stores, made with this package.
func content(t testing.TB) (map[string]string, []Tensor) {
	t.Helper()
	halves := []byte{0, 0, 0, 0x80, 1, 0, 0xff, 3, 0, 4, 0, 0x3c, 0, 0xbc, 0xff, 0x7b, 0, 0x7c, 0, 0xfc, 0, 0x7e}
	meta := map[string]string{"format": "np", "json": `{"words": ["a", "<b>", "\u00fc"]}`, "ü": "line\nline\u2028"}
	return meta, []Tensor{
		{`ü "quoted" <&>`, U8, []int{3}, []byte{1, 2, 3}},
		Float32("a.float", []int{2, 3}, []float32{0, .25, .5, .75, 1, 1.25}),
		{"b.half", F16, []int{11}, halves},
		{"c.double", F64, []int{2}, []byte{0, 0, 0, 0, 0, 0, 0xf8, 0x3f, 0, 0, 0, 0, 0, 0, 2, 0xc0}},
		{"d.bytes", U8, []int{3, 1}, []byte{1, 2, 255}},
		{"e.long", I64, []int{2}, []byte{255, 255, 255, 255, 255, 255, 255, 255, 0, 0, 0, 0, 0, 1, 0, 0}},
		{"f.int", I32, []int{1}, []byte{0xf9, 255, 255, 255}},
		{"g.int8", I8, []int{2}, []byte{0x80, 0x7f}},
		Float32("h.scalar", nil, []float32{3.5}),
		Float32("i.empty", []int{0, 4}, nil),
	}
}

func same(t *testing.T, got *File, meta map[string]string, tensors []Tensor) {
	t.Helper()
	if len(got.Meta) != len(meta) {
		t.Errorf("Meta = %q, want %q", got.Meta, meta)
	}
	for key, want := range meta {
		if got.Meta[key] != want {
			t.Errorf("Meta[%q] = %q, want %q", key, got.Meta[key], want)
		}
	}
	if n := len(got.Tensors()); n != len(tensors) {
		t.Errorf("%d tensors, want %d", n, len(tensors))
	}
	for _, want := range tensors {
		x, ok := got.Tensor(want.Name)
		if !ok || x.DType != want.DType || !slices.Equal(x.Shape, want.Shape) || !bytes.Equal(x.Data, want.Data) {
			t.Errorf("Tensor(%q) = %v %v, want %v", want.Name, x, ok, want)
		}
	}
}

func TestOpenWrittenByPython(t *testing.T) {
	f, err := Open("testdata/python.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	meta, tensors := content(t)
	same(t, f, meta, tensors)
}

// The golden is a file that the reference implementation has opened:
//
//	go test ./modelfile -run Golden -update && python3 modelfile/testdata/make.py modelfile/testdata/go.safetensors
func TestWriteGolden(t *testing.T) {
	meta, tensors := content(t)
	path := filepath.Join(t.TempDir(), "go.safetensors")
	if err := Write(path, meta, tensors); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	const golden = "testdata/go.safetensors"
	if *update {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("Write made %q, want %q", got, want)
	}
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	same(t, f, meta, tensors)
}

func TestEncodeIgnoresOrder(t *testing.T) {
	meta, tensors := content(t)
	var a, b bytes.Buffer
	if err := Encode(&a, meta, tensors); err != nil {
		t.Fatal(err)
	}
	slices.Reverse(tensors)
	if err := Encode(&b, meta, tensors); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(a.Bytes(), b.Bytes()) {
		t.Error("the order of the tensors changes the bytes")
	}
}

func TestWriteOverMapped(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m.safetensors")
	if err := Write(path, nil, []Tensor{Float32("x", []int{2}, []float32{1, 2})}); err != nil {
		t.Fatal(err)
	}
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := Write(path, map[string]string{"more": "yes"}, f.Tensors()); err != nil {
		t.Fatal(err)
	}
	old, err := f.Float32("x", 2)
	if err != nil || !slices.Equal(old, []float32{1, 2}) {
		t.Errorf("the old file now holds %v, %v", old, err)
	}
	for range 2 {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
	f, err = Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if x, err := f.Float32("x", 2); err != nil || !slices.Equal(x, []float32{1, 2}) || f.Meta["more"] != "yes" {
		t.Errorf("the new file holds %v, %v, %v", x, f.Meta, err)
	}
}

func TestOpenErrors(t *testing.T) {
	dir := t.TempDir()
	empty := filepath.Join(dir, "empty.safetensors")
	if err := os.WriteFile(empty, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{filepath.Join(dir, "none.safetensors"), dir, empty} {
		_, err := Open(path)
		if err == nil || strings.Count(err.Error(), path) != 1 {
			t.Errorf("Open(%q) = %v, want an error that names it once", path, err)
		}
	}
	path := filepath.Join(dir, "no", "such", "folder")
	if err := Write(path, nil, nil); err == nil || !strings.HasPrefix(err.Error(), path) {
		t.Errorf("Write(%q) = %v, want an error that names it", path, err)
	}
}

func TestFileFloat32(t *testing.T) {
	f, err := Open("testdata/python.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	inf := float32(math.Inf(1))
	tests := []struct {
		name  string
		shape []int
		want  []float32
		err   string
	}{
		{"a.float", []int{2, 3}, []float32{0, .25, .5, .75, 1, 1.25}, ""},
		{"b.half", []int{11}, []float32{0, 0, 0x1p-24, 0x3ffp-24, 0x1p-14, 1, -1, 65504, inf, -inf, float32(math.NaN())}, ""},
		{"c.double", []int{2}, []float32{1.5, -2.25}, ""},
		{"h.scalar", nil, []float32{3.5}, ""},
		{"i.empty", []int{0, 4}, []float32{}, ""},
		{"a.float", []int{3, 2}, nil, `testdata/python.safetensors: tensor "a.float" has shape [2 3], want [3 2]`},
		{"none", nil, nil, `testdata/python.safetensors: no tensor "none"`},
		{"d.bytes", []int{3, 1}, nil, `testdata/python.safetensors: tensor "d.bytes": U8 elements are not floats`},
	}
	for _, tt := range tests {
		got, err := f.Float32(tt.name, tt.shape...)
		if message(err) != tt.err {
			t.Errorf("Float32(%q) = %v, want %q", tt.name, err, tt.err)
		}
		equal := func(a, b float32) bool { return a == b || a != a && b != b }
		if !slices.EqualFunc(got, tt.want, equal) {
			t.Errorf("Float32(%q) = %v, want %v", tt.name, got, tt.want)
		}
	}
}

func message(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
