package modelfile

import (
	"bytes"
	"math"
	"strings"
	"testing"
)

func TestInt8(t *testing.T) {
	want := []float32{0.5, -1, 0.25, 0, 0, 0, 100, 1, -50}
	var buf bytes.Buffer
	if err := Encode(&buf, nil, Int8("m", []int{3, 3}, want)); err != nil {
		t.Fatal(err)
	}
	f, err := Parse("test", buf.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	m, _ := f.Tensor("m")
	got, err := f.Decode(m)
	if err != nil {
		t.Fatal(err)
	}
	for i, half := range []float64{1.0 / 254, 0, 100.0 / 254} { // half a step of each row
		for j := range 3 {
			if d := math.Abs(float64(got[3*i+j] - want[3*i+j])); d > half*1.0001 {
				t.Errorf("row %d: %v became %v", i, want[3*i+j], got[3*i+j])
			}
		}
	}
	again := Int8("m", []int{3, 3}, got)
	if !bytes.Equal(again[0].Data, m.Data) {
		t.Errorf("what was int8 once became %v, was %v", again[0].Data, m.Data)
	}
}

func TestDecodeWithoutScales(t *testing.T) {
	for name, tensors := range map[string][]Tensor{
		"no scales":        {{Name: "m", DType: I8, Shape: []int{2, 1}, Data: []byte{1, 2}}},
		"too few scales":   {{Name: "m", DType: I8, Shape: []int{2, 1}, Data: []byte{1, 2}}, Float32("m.scale", []int{1}, []float32{1})},
		"scales of a kind": {{Name: "m", DType: I8, Shape: []int{2, 1}, Data: []byte{1, 2}}, {Name: "m.scale", DType: I8, Shape: []int{2}, Data: []byte{1, 2}}},
		"no rows":          {{Name: "m", DType: I8, Shape: []int{}, Data: []byte{1}}, Float32("m.scale", []int{}, []float32{1})},
	} {
		var buf bytes.Buffer
		if err := Encode(&buf, nil, tensors); err != nil {
			t.Fatal(err)
		}
		f, err := Parse("test", buf.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		m, _ := f.Tensor("m")
		if _, err := f.Decode(m); err == nil || !strings.Contains(err.Error(), `"m`) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
