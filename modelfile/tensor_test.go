package modelfile

import (
	"bytes"
	"encoding/binary"
	"flag"
	"math"
	"testing"
)

var update = flag.Bool("update", false, "write the goldens")

// Every binary16 number, and the float32s around and halfway between
// neighbours, against float64 arithmetic.
func TestHalf(t *testing.T) {
	src := make([]byte, 2<<16)
	for i := range 1 << 16 {
		src[2*i], src[2*i+1] = byte(i), byte(i>>8)
	}
	values := fromHalf(src)
	half := func(x float32) uint16 {
		return binary.LittleEndian.Uint16(Float16("x", nil, []float32{x}).Data)
	}
	for i, x := range values {
		exp, frac := i>>10&31, float64(i&0x3ff)
		want := math.Ldexp(1024+frac, exp-25)
		switch {
		case exp == 0:
			want = math.Ldexp(frac, -24)
		case exp == 31 && frac == 0:
			want = math.Inf(1)
		case exp == 31:
			want = math.NaN()
		}
		if i>>15 == 1 {
			want = -want
		}
		if float64(x) != want && (x == x || want == want) || math.Signbit(float64(x)) != (i>>15 == 1) {
			t.Fatalf("fromHalf(%#04x) = %v, want %v", i, x, want)
		}
		if h := half(x); int(h) != i && x == x {
			t.Fatalf("half(%v) = %#04x, want %#04x", x, h, i)
		}
	}
	if h := half(float32(math.NaN())); h&0x7fff <= 0x7c00 {
		t.Errorf("half(NaN) = %#04x, want a NaN", h)
	}
	for i := range 0x7bff {
		a, b := values[i], values[i+1]
		mid := (a + b) / 2 // exact in float32
		even := i + i&1
		for _, tt := range []struct {
			x    float32
			want int
		}{{mid, even}, {math.Nextafter32(mid, 0), i}, {math.Nextafter32(mid, 1e9), i + 1}} {
			if h := int(half(tt.x)); h != tt.want {
				t.Fatalf("half(%v) = %#04x, want %#04x", tt.x, h, tt.want)
			}
			if h := int(half(-tt.x)); h != tt.want|0x8000 {
				t.Fatalf("half(%v) = %#04x, want %#04x", -tt.x, h, tt.want|0x8000)
			}
		}
	}
	if h := half(65520); h != 0x7c00 {
		t.Errorf("half(65520) = %#04x, want an infinity", h)
	}
	if h := half(65519.99); h != 0x7bff {
		t.Errorf("half(65519.99) = %#04x, want 0x7bff", h)
	}
}

func TestFloat32Alignment(t *testing.T) {
	want := []float32{1, -2, 0.1}
	src := Float32("x", []int{3}, want).Data
	buf := make([]float32, 8)
	raw := bytesOf(buf)
	for offset := range 8 {
		data := raw[offset : offset+12]
		copy(data, src)
		got, err := Tensor{"x", F32, []int{3}, data}.Float32()
		if err != nil || got[0] != 1 || got[1] != -2 || got[2] != 0.1 {
			t.Fatalf("offset %d: Float32 = %v, %v, want %v", offset, got, err, want)
		}
		if shares := &bytesOf(got)[0] == &data[0]; shares != (offset%4 == 0) {
			t.Errorf("offset %d: shares the data: %v", offset, shares)
		}
	}
}

func TestEncodeAligns(t *testing.T) {
	for pad := range 70 {
		var b bytes.Buffer
		meta := map[string]string{"pad": string(bytes.Repeat([]byte{'x'}, pad))}
		x := Float32("z", []int{1}, []float32{1})
		if err := Encode(&b, meta, []Tensor{{"a", F16, []int{3}, make([]byte, 6)}, x}); err != nil {
			t.Fatal(err)
		}
		f, err := Parse("x", b.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		z, _ := f.Tensor("z")
		if at := bytes.Index(b.Bytes(), z.Data); at%64 != 0 {
			t.Fatalf("the data begin at byte %d", at)
		}
	}
}

func TestBfloat16(t *testing.T) {
	got, err := Tensor{"x", BF16, []int{2}, []byte{0x80, 0x3f, 0x49, 0xc0}}.Float32()
	if err != nil || got[0] != 1 || got[1] != -3.140625 {
		t.Errorf("Float32 = %v, %v, want [1 -3.140625]", got, err)
	}
}

func BenchmarkFloat16ToFloat32(b *testing.B) {
	const n = 7_000_000
	x := Float16("x", []int{n}, make([]float32, n))
	b.SetBytes(2 * n)
	for b.Loop() {
		if _, err := x.Float32(); err != nil {
			b.Fatal(err)
		}
	}
}
