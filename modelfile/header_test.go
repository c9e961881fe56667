package modelfile

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"strings"
	"testing"
)

// file puts a header length before header and n zero bytes after it.
func file(header string, n int) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(b, header...), make([]byte, n)...)
}

func one(dtype, shape, offsets string) string {
	return fmt.Sprintf(`{"x":{"dtype":%q,"shape":%s,"data_offsets":%s}}`, dtype, shape, offsets)
}

func TestParse(t *testing.T) {
	two := `{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":%s}}`
	tests := []struct {
		name string
		data []byte
		err  string // the end of the message, "" for none
	}{
		{"no tensors", file(`{}`, 0), ""},
		{"padded", file(`{}   `, 0), ""},
		{"scalar", file(one("F32", "[]", "[0,4]"), 4), ""},
		{"unknown member", file(`{"x":{"dtype":"U8","more":[{}],"shape":[1],"data_offsets":[0,1]}}`, 1), ""},
		{"empty", nil, "0 bytes are too few for a safetensors file"},
		{"short", []byte("1234567"), "7 bytes are too few for a safetensors file"},
		{"no header", file("", 0), "not a safetensors file"},
		{"a picture", []byte("\xff\xd8\xff\xe0\x00\x10JFIF"), "not a safetensors file"},
		{"100 GB declared", append([]byte{0, 0xe8, 0x76, 0x48, 0x17, 0, 0, 0}, "{}"...), "header of 100000000000 bytes is over the limit of 100000000"},
		{"negative length", append(bytes.Repeat([]byte{255}, 8), "{}"...), "header of 18446744073709551615 bytes is over the limit of 100000000"},
		{"header cut", file(`{"x":{}}`, 0)[:12], "header of 8 bytes in a file of 12: the file is truncated"},
		{"data cut", file(one("F32", "[2]", "[0,8]"), 7), `tensor "x": ends at byte 8 of 7: the file is truncated`},
		{"data left over", file(one("F32", "[2]", "[0,8]"), 9), "1 bytes after the last tensor"},
		{"overlap", file(fmt.Sprintf(two, "[2,6]"), 6), `tensor "b": overlaps tensor "a"`},
		{"same bytes", file(fmt.Sprintf(two, "[0,4]"), 4), `tensor "b": overlaps tensor "a"`},
		{"gap", file(fmt.Sprintf(two, "[5,9]"), 9), `tensor "b": begins at byte 5, leaving a gap after byte 4`},
		{"huge offset", file(one("U8", "[1]", "[0,99999999999999999999]"), 1), `tensor "x": data_offsets: 99999999999999999999 is not a whole number from 0 to 9223372036854775807`},
		{"offset beyond the file", file(one("U8", "[1]", "[0,9223372036854775807]"), 1), `tensor "x": ends at byte 9223372036854775807 of 1: the file is truncated`},
		{"negative offset", file(one("U8", "[1]", "[-1,0]"), 1), `tensor "x": data_offsets: -1 is not a whole number from 0 to 9223372036854775807`},
		{"fraction", file(one("U8", "[1.5]", "[0,1]"), 1), `tensor "x": shape: 1.5 is not a whole number from 0 to 9223372036854775807`},
		{"backwards", file(one("U8", "[1]", "[1,0]"), 1), `tensor "x": data_offsets end at 0 before they begin at 1`},
		{"three offsets", file(one("U8", "[1]", "[0,1,2]"), 1), `tensor "x": data_offsets: 3 numbers, want 2`},
		{"wrong size", file(one("F32", "[3]", "[0,8]"), 8), `tensor "x": shape [3] of F32 needs 12 bytes, there are 8`},
		{"negative dimension", file(one("U8", "[-1]", "[0,1]"), 1), `tensor "x": shape: -1 is not a whole number from 0 to 9223372036854775807`},
		{"shape overflow", file(one("F32", "[4611686018427387904,4]", "[0,0]"), 0), `tensor "x": shape is too large for this machine`},
		{"shape overflow with a zero", file(one("F32", "[4611686018427387904,4,0]", "[0,0]"), 0), `tensor "x": shape is too large for this machine`},
		{"unknown dtype", file(one("F31", "[1]", "[0,4]"), 4), `tensor "x": unknown dtype "F31"`},
		{"no dtype", file(`{"x":{"shape":[1],"data_offsets":[0,1]}}`, 1), `header: tensor "x": no dtype`},
		{"no shape", file(`{"x":{"dtype":"U8","data_offsets":[0,1]}}`, 1), `header: tensor "x": no shape`},
		{"capitals", file(`{"x":{"DType":"U8","shape":[1],"data_offsets":[0,1]}}`, 1), `header: tensor "x": no dtype`},
		{"not JSON", file(`{"x":}`, 0), `invalid character '}' looking for beginning of value`},
		{"JSON cut", file(`{"x":{"dtype":`, 0), `tensor "x": dtype: JSON ends too early`},
		{"two objects", file(`{}{}`, 0), "something follows the JSON object"},
		{"a list", file(`{"x":[1]}`, 0), `tensor "x": at byte 6: want "{"`},
		{"dtype is a number", file(`{"x":{"dtype":8}}`, 0), `tensor "x": dtype: at byte 15: want a string`},
		{"duplicate name", file(`{"x":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"x":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}`, 2), `duplicate name "x"`},
		{"duplicate by escape", file(`{"x":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"\u0078":{}}`, 2), `duplicate name "x"`},
		{"duplicate member", file(`{"x":{"shape":[],"shape":[]}}`, 2), `tensor "x": duplicate name "shape"`},
		{"duplicate metadata", file(`{"__metadata__":{"a":"1","a":"2"}}`, 0), `duplicate name "a"`},
		{"metadata not a string", file(`{"__metadata__":{"a":1}}`, 0), `a: at byte 22: want a string`},
		{"not UTF-8", file("{\"\xff\":{}}", 0), "header: not UTF-8"},
		{"deep", file(`{"x":{"more":`+strings.Repeat("[", 1e6), 0), "exceeded max depth"},
	}
	for _, tt := range tests {
		_, err := Parse("m.safetensors", tt.data)
		if got := message(err); tt.err == "" && err != nil || !strings.HasSuffix(got, tt.err) {
			t.Errorf("%s: Parse = %v, want %q", tt.name, err, tt.err)
		}
		if err != nil && !strings.HasPrefix(err.Error(), "m.safetensors: ") {
			t.Errorf("%s: Parse = %v, want the file's name first", tt.name, err)
		}
	}
}

func TestEncodeErrors(t *testing.T) {
	x := Tensor{"x", U8, []int{1}, []byte{1}}
	tests := []struct {
		name    string
		meta    map[string]string
		tensors []Tensor
		err     string
	}{
		{"duplicate", nil, []Tensor{x, x}, `tensor "x": duplicate name`},
		{"reserved", nil, []Tensor{{"__metadata__", U8, []int{1}, []byte{1}}}, `tensor "__metadata__": the name is reserved`},
		{"wrong size", nil, []Tensor{{"x", F32, []int{1}, []byte{1}}}, `tensor "x": shape [1] of F32 needs 4 bytes, there are 1`},
		{"negative", nil, []Tensor{{"x", F32, []int{-1}, nil}}, `tensor "x": negative dimension -1`},
		{"dtype", nil, []Tensor{{"x", "", nil, nil}}, `tensor "x": unknown dtype ""`},
		{"name", nil, []Tensor{{"\xff", U8, []int{1}, []byte{1}}}, `tensor "\xff": the name is not UTF-8`},
		{"metadata", map[string]string{"a": "\xff"}, nil, `metadata "a": not UTF-8`},
	}
	for _, tt := range tests {
		var b bytes.Buffer
		if err := Encode(&b, tt.meta, tt.tensors); message(err) != tt.err || b.Len() != 0 {
			t.Errorf("%s: Encode = %v after %d bytes, want %q", tt.name, err, b.Len(), tt.err)
		}
	}
}

// FuzzParse checks that no bytes bring Parse down, and that what it takes
// survives Encode.
func FuzzParse(f *testing.F) {
	for _, name := range []string{"testdata/python.safetensors", "testdata/go.safetensors"} {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add(file(one("F32", "[4611686018427387904,4]", "[0,0]"), 0))
	f.Add(file(one("F16", "[]", "[0,2]"), 2))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := Parse("fuzz", data)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "fuzz: ") {
				t.Errorf("Parse = %v, want the name first", err)
			}
			return
		}
		for _, x := range m.Tensors() {
			if values, err := x.Float32(); err == nil && len(values) != x.Len() {
				t.Errorf("%s: %d values, want %d", x.Name, len(values), x.Len())
			}
		}
		var b bytes.Buffer
		if err := Encode(&b, m.Meta, m.Tensors()); err != nil {
			t.Fatal(err)
		}
		again, err := Parse("fuzz", b.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		same(t, again, m.Meta, m.Tensors())
	})
}
