package tensor

import "fmt"

// An Image is a view of (H, W, C) float32 values: pixel (y, x) is Data[y*Stride+x*C:][:C].
type Image struct {
	Data    []float32
	H, W, C int
	Stride  int // elements from one row to the next
}

// Img views contiguous data as an (h, w, c) image.
func Img(data []float32, h, w, c int) Image {
	m := Image{Data: data, H: h, W: w, C: c, Stride: w * c}
	m.check()
	return m
}

// Slice is the view of h x w pixels that begins at (y, x).
func (m Image) Slice(y, x, h, w int) Image {
	if y < 0 || x < 0 || h < 0 || w < 0 || y+h > m.H || x+w > m.W {
		panic(fmt.Sprintf("tensor: slice at (%d, %d) of size %dx%d outside of a %dx%d image", y, x, h, w, m.H, m.W))
	}
	m.H, m.W = h, w
	if h > 0 && w > 0 {
		m.Data = m.Data[y*m.Stride+x*m.C:]
	}
	return m
}

// Row is the values of w pixels from (y, x).
func (m Image) Row(y, x, w int) []float32 { return m.Data[y*m.Stride+x*m.C:][: w*m.C : w*m.C] }

// Copy copies src to the part of m that begins at (y, x).
func (m Image) Copy(y, x int, src Image) {
	dst := m.Slice(y, x, src.H, src.W)
	for i := range src.H {
		copy(dst.Row(i, 0, src.W), src.Row(i, 0, src.W))
	}
}

// flat views a contiguous image as a single row.
func (m Image) flat() Image {
	return Image{Data: m.Data, H: 1, W: m.H * m.W, C: m.C, Stride: m.H * m.W * m.C}
}

func (m Image) contiguous() bool { return m.Stride == m.W*m.C || m.H == 1 }

// check panics unless every pixel lies within Data.
func (m Image) check() {
	if m.H < 0 || m.W < 0 || m.C < 0 || m.Stride < m.W*m.C {
		panic(fmt.Sprintf("tensor: %dx%dx%d image with stride %d", m.H, m.W, m.C, m.Stride))
	}
	if m.H > 0 && m.W*m.C > 0 && (m.H-1)*m.Stride+m.W*m.C > len(m.Data) {
		panic(fmt.Sprintf("tensor: %dx%dx%d image with stride %d over %d values", m.H, m.W, m.C, m.Stride, len(m.Data)))
	}
}

// SamePadding is TensorFlow's SAME: a convolution over size pixels gives ceil(size/stride), with
// zeros before and after; an odd one goes after.
func SamePadding(size, kernel, stride int) (out, before, after int) {
	out = (size + stride - 1) / stride
	total := max((out-1)*stride+kernel-size, 0)
	return out, total / 2, total - total/2
}

// An Activation is what a convolution does to its sums at last.
type Activation uint8

const (
	Identity Activation = iota
	Rectify             // max(x, 0)
	Rectify6            // min(max(x, 0), 6)
	Swish               // x/(1+exp(-x)), also called SiLU
	Logistic            // 1/(1+exp(-x))
)

// Curved tells whether an activation does more than clamp. It is then a pass of its own over what a
// convolution gives, while that is in the cache, and its gradient wants its input.
func (a Activation) Curved() bool { return a == Swish || a == Logistic }

// limits are the bounds to which the activation clamps, none if it is Curved.
func (a Activation) limits() (low, high float32) {
	switch a {
	case Rectify:
		return 0, infinity
	case Rectify6:
		return 0, 6
	}
	return -infinity, infinity
}

// apply changes x in place.
func (a Activation) apply(x []float32) {
	switch a {
	case Rectify:
		ReLU(x, x)
	case Rectify6:
		ReLU6(x, x)
	case Swish:
		SiLU(x, x)
	case Logistic:
		Sigmoid(x, x)
	}
}
