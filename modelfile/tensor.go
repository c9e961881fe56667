package modelfile

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/bits"
	"slices"
	"unsafe"

	"showtell/tensor"
)

// A DType is the type of a tensor's elements, by its safetensors name.
type DType string

// The types that models here use. Files may hold further ones (BOOL, I16, U64,
// F8_E4M3 and so on): those pass through unread.
const (
	F64  DType = "F64"
	F32  DType = "F32"
	F16  DType = "F16"
	BF16 DType = "BF16"
	I64  DType = "I64"
	I32  DType = "I32"
	I8   DType = "I8"
	U8   DType = "U8"
)

// sizes holds the bytes of one element. Types of less than a byte (F4, F6) are
// left out: nothing here reads them.
var sizes = map[DType]int{
	F64: 8, I64: 8, "U64": 8, "C64": 8,
	F32: 4, I32: 4, "U32": 4,
	F16: 2, BF16: 2, "I16": 2, "U16": 2,
	I8: 1, U8: 1, "BOOL": 1,
	"F8_E4M3": 1, "F8_E5M2": 1, "F8_E8M0": 1, "F8_E4M3FNUZ": 1, "F8_E5M2FNUZ": 1,
}

// Size is the bytes of one element, 0 for an unknown type.
func (d DType) Size() int { return sizes[d] }

// A Tensor is a named array. Data is little-endian, row-major, and read-only
// where it came from a file: a write to mapped memory kills the process.
type Tensor struct {
	Name  string
	DType DType
	Shape []int
	Data  []byte
}

// Float32 makes an F32 tensor of data, which it shares on little-endian machines.
func Float32(name string, shape []int, data []float32) Tensor {
	t := Tensor{Name: name, DType: F32, Shape: slices.Clone(shape)}
	if littleEndian {
		t.Data = bytesOf(data)
		return t
	}
	t.Data = make([]byte, 0, 4*len(data))
	for _, x := range data {
		t.Data = binary.LittleEndian.AppendUint32(t.Data, math.Float32bits(x))
	}
	return t
}

// Float16 makes an F16 tensor of data, rounded to the nearest, ties to even.
// What is too large becomes an infinity.
func Float16(name string, shape []int, data []float32) Tensor {
	t := Tensor{Name: name, DType: F16, Shape: slices.Clone(shape), Data: make([]byte, 0, 2*len(data))}
	var halves [4096]uint16
	for part := range slices.Chunk(data, len(halves)) {
		tensor.FloatToHalf(halves[:len(part)], part)
		for _, h := range halves[:len(part)] {
			t.Data = binary.LittleEndian.AppendUint16(t.Data, h)
		}
	}
	return t
}

// Len is the number of elements that the shape asks for; 1 for a scalar.
func (t Tensor) Len() int {
	n := 1
	for _, d := range t.Shape {
		n *= d
	}
	return n
}

// Float32 returns the values of an F32, F16, BF16 or F64 tensor, row-major. For
// F32 data that are aligned to four bytes, on little-endian machines, the slice
// shares them, so treat it as read-only.
func (t Tensor) Float32() ([]float32, error) {
	if err := t.check(); err != nil {
		return nil, err
	}
	switch t.DType {
	case F32:
		if x, ok := shared(t.Data); ok {
			return x, nil
		}
		if littleEndian {
			x := make([]float32, len(t.Data)/4)
			copy(bytesOf(x), t.Data)
			return x, nil
		}
		return decode(t.Data, 4, func(b []byte) float32 { return math.Float32frombits(binary.LittleEndian.Uint32(b)) }), nil
	case F64:
		return decode(t.Data, 8, func(b []byte) float32 {
			return float32(math.Float64frombits(binary.LittleEndian.Uint64(b)))
		}), nil
	case BF16:
		return decode(t.Data, 2, func(b []byte) float32 {
			return math.Float32frombits(uint32(binary.LittleEndian.Uint16(b)) << 16)
		}), nil
	case F16:
		return fromHalf(t.Data), nil
	}
	return nil, fmt.Errorf("tensor %.80q: %s elements are not floats", t.Name, t.DType)
}

// Copy is Float32 with values in memory of their own.
func (t Tensor) Copy() ([]float32, error) {
	data, err := t.Float32()
	if t.DType == F32 {
		data = slices.Clone(data)
	}
	return data, err
}

// check says what keeps t from being stored.
func (t Tensor) check() error {
	n, err := byteSize(t.DType, t.Shape)
	if err == nil && n != len(t.Data) {
		err = fmt.Errorf("shape %v of %s needs %d bytes, there are %d", t.Shape, t.DType, n, len(t.Data))
	}
	if err != nil {
		return fmt.Errorf("tensor %.80q: %w", t.Name, err)
	}
	return nil
}

// byteSize is the bytes that a tensor of this type and shape takes.
func byteSize(d DType, shape []int) (int, error) {
	size := d.Size()
	if size == 0 {
		return 0, fmt.Errorf("unknown dtype %.20q", string(d))
	}
	n, empty := uint64(size), false
	for _, dim := range shape {
		if dim < 0 {
			return 0, fmt.Errorf("negative dimension %d", dim)
		}
		if dim == 0 {
			empty = true
			continue
		}
		hi, lo := bits.Mul64(n, uint64(dim))
		if hi != 0 || lo > math.MaxInt {
			return 0, errors.New("shape is too large for this machine")
		}
		n = lo
	}
	if empty {
		n = 0
	}
	return int(n), nil
}

// fromHalf widens binary16 numbers on all cores.
func fromHalf(data []byte) []float32 {
	const tile = 1 << 16
	dst := make([]float32, len(data)/2)
	tensor.Parallel((len(dst)+tile-1)/tile, func(i int) {
		var halves [4096]uint16
		from, to := i*tile, min((i+1)*tile, len(dst))
		for ; from < to; from += len(halves) {
			part := dst[from:min(from+len(halves), to)]
			for j := range part {
				halves[j] = binary.LittleEndian.Uint16(data[2*(from+j):])
			}
			tensor.HalfToFloat(part, halves[:len(part)])
		}
	})
	return dst
}

var littleEndian = binary.NativeEndian.Uint16([]byte{1, 0}) == 1

func bytesOf(x []float32) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(x))), 4*len(x))
}

// shared views data as float32s, where machine and alignment allow.
func shared(data []byte) ([]float32, bool) {
	p := unsafe.Pointer(unsafe.SliceData(data))
	if !littleEndian || uintptr(p)%4 != 0 {
		return nil, false
	}
	return unsafe.Slice((*float32)(p), len(data)/4), true
}

func decode(data []byte, size int, read func([]byte) float32) []float32 {
	dst := make([]float32, len(data)/size)
	for i := range dst {
		dst[i] = read(data[i*size:])
	}
	return dst
}
