package weightfile

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// A strided array is a view of elements: the element at index i, j, ... is
// number offset + i·strides[0] + j·strides[1] + ... of data.
type strided struct {
	size    int // bytes of an element
	shape   []int
	strides []int // in elements
	offset  int
}

// elements is the product of a shape, or an error if it is over limit.
func elements(shape []int, limit int) (int, error) {
	if i := slices.IndexFunc(shape, func(d int) bool { return d < 0 }); i >= 0 {
		return 0, fmt.Errorf("negative dimension %d", shape[i])
	}
	if slices.Contains(shape, 0) {
		return 0, nil
	}
	n := 1
	for _, d := range shape {
		if n > limit/d {
			return 0, fmt.Errorf("shape %v has more than the %d elements that are stored", shape, limit)
		}
		n *= d
	}
	if n > limit { // a scalar without its element
		return 0, fmt.Errorf("shape %v has more than the %d elements that are stored", shape, limit)
	}
	return n, nil
}

// check makes sure that the array has no more elements than there are, and
// that each of them is inside.
func (s strided) check(stored int) error {
	n, err := elements(s.shape, stored)
	if err != nil {
		return err
	}
	if len(s.strides) != len(s.shape) || s.offset < 0 || s.offset > stored {
		return fmt.Errorf("strides %v at %d do not fit shape %v", s.strides, s.offset, s.shape)
	}
	if n == 0 {
		return nil
	}
	last := s.offset
	for i, d := range s.shape {
		if d == 1 {
			continue
		}
		step := s.strides[i]
		if step < 0 || step > math.MaxInt/d || last > math.MaxInt-(d-1)*step {
			return errors.New("strides are negative or too large")
		}
		last += (d - 1) * step
	}
	if last >= stored {
		return fmt.Errorf("shape %v with strides %v at %d ends behind the %d elements that are stored", s.shape, s.strides, s.offset, stored)
	}
	return nil
}

// rowMajor returns the bytes of the array in row-major order: those of data
// themselves where they stand in that order. The array has been checked.
func (s strided) rowMajor(data []byte) []byte {
	n := 1
	inOrder := true
	for i := len(s.shape) - 1; i >= 0; i-- {
		inOrder = inOrder && (s.shape[i] == 1 || s.strides[i] == n)
		n *= s.shape[i]
	}
	data = data[s.offset*s.size:]
	if n == 0 || inOrder {
		return data[: n*s.size : n*s.size]
	}
	dst := make([]byte, 0, n*s.size)
	rank := len(s.shape)
	at, from := make([]int, rank), 0
	for range n {
		dst = append(dst, data[from*s.size:][:s.size]...)
		for k := rank - 1; k >= 0; k-- {
			from += s.strides[k]
			if at[k]++; at[k] < s.shape[k] {
				break
			}
			from -= at[k] * s.strides[k]
			at[k] = 0
		}
	}
	return dst
}

// swapped returns the bytes of elements turned round, from big-endian.
func swapped(data []byte, size int) []byte {
	data = slices.Clone(data)
	for element := range slices.Chunk(data, size) {
		slices.Reverse(element)
	}
	return data
}
