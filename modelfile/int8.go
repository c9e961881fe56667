package modelfile

import (
	"fmt"
	"math"
	"slices"
)

// scaleSuffix ends the name of the scales of an int8 matrix.
const scaleSuffix = ".scale"

// Int8 makes an I8 tensor of a matrix, and an F32 tensor name.scale of one
// scale for each index of the first dimension: a value is scale·int8. The
// largest of a row becomes 127. Decode takes it back.
func Int8(name string, shape []int, data []float32) []Tensor {
	rows := shape[0]
	width := len(data) / max(rows, 1)
	bytes, scales := make([]byte, len(data)), make([]float32, rows)
	for r := range rows {
		row := data[r*width : (r+1)*width]
		largest := float32(0)
		for _, v := range row {
			largest = max(largest, v, -v)
		}
		scales[r] = largest / 127
		if scales[r] == 0 {
			continue
		}
		for i, v := range row {
			bytes[r*width+i] = byte(int8(math.RoundToEven(float64(v) / float64(scales[r]))))
		}
	}
	return []Tensor{
		{Name: name, DType: I8, Shape: slices.Clone(shape), Data: bytes},
		Float32(name+scaleSuffix, []int{rows}, scales),
	}
}

// Decode returns the values of a tensor of f, in memory of their own: those of
// Tensor.Copy, or of an I8 tensor that Int8 made.
func (f *File) Decode(t Tensor) ([]float32, error) {
	if t.DType != I8 {
		return t.Copy()
	}
	if err := t.check(); err != nil {
		return nil, err
	}
	s, ok := f.Tensor(t.Name + scaleSuffix)
	if !ok || len(t.Shape) == 0 || !slices.Equal(s.Shape, t.Shape[:1]) {
		return nil, fmt.Errorf("tensor %.80q: int8 without a scale for each row", t.Name)
	}
	scales, err := s.Float32()
	if err != nil {
		return nil, err
	}
	dst := make([]float32, len(t.Data))
	width := len(dst) / max(len(scales), 1)
	for i, b := range t.Data {
		dst[i] = float32(int8(b)) * scales[i/width]
	}
	return dst, nil
}
