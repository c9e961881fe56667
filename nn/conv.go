package nn

import (
	"fmt"

	"showtell/tensor"
)

// A Window says how a convolution goes over a picture: the size of its kernel,
// the step, the zeros before the first row and column, and the size of the
// result. What the kernel reads behind the last row and column is zero.
type Window struct {
	Kernel, Stride, Top, Left, H, W int
	Rows                            int // of the kernel, where it is not square
}

func (w Window) rows() int {
	if w.Rows > 0 {
		return w.Rows
	}
	return w.Kernel
}

func (w Window) taps() int { return w.rows() * w.Kernel }

// SameWindow pads as TensorFlow's SAME does.
func SameWindow(h, w, kernel, stride int) Window {
	oh, top, _ := tensor.SamePadding(h, kernel, stride)
	ow, left, _ := tensor.SamePadding(w, kernel, stride)
	return Window{Kernel: kernel, Stride: stride, Top: top, Left: left, H: oh, W: ow}
}

// Conv convolves x (n, h, w, in) with weights (out, in, rows, kernel) into
// (n, win.H, win.W, out). A frozen batch norm behind it is Affine.
func Conv(t *Tape, x *Var, w *Param, win Window) *Var {
	c := newConvolution(x, win, w.Shape[0])
	if len(w.Shape) != 4 || w.Shape[1] != c.in || w.Shape[2] != win.rows() || w.Shape[3] != win.Kernel {
		panic(fmt.Sprintf("nn: convolution of %v with %s of %v", x.Shape, w.Name, w.Shape))
	}
	flat := tensor.Mat(w.Data, c.out, c.in*win.taps())
	cols := c.columns(t, x.Data) // (pixels, in·rows·kernel)
	y := t.New(c.n, win.H, win.W, c.out)
	tensor.MatMul(y.Mat(), cols, flat.T())
	t.record(func() {
		if y.grad == nil {
			return
		}
		dy := y.gradMat()
		tensor.MatMulAdd(tensor.Mat(w.Grad(), flat.Rows, flat.Cols), dy.T(), cols)
		if !x.WantsGrad() {
			return
		}
		if c.point() {
			x.addProduct(dy, flat)
			return
		}
		d := tensor.Mat(t.alloc(len(cols.Data)), cols.Rows, cols.Cols)
		tensor.MatMul(d, dy, flat)
		c.addColumns(x.Grad(), d)
	})
	return y
}

// convolution is the geometry of one call.
type convolution struct {
	Window
	n, h, w, in, out int
}

func newConvolution(x *Var, win Window, out int) convolution {
	if len(x.Shape) != 4 {
		panic(fmt.Sprintf("nn: convolution of %v, which is not (n, h, w, channels)", x.Shape))
	}
	return convolution{Window: win, n: x.Shape[0], h: x.Shape[1], w: x.Shape[2], in: x.Shape[3], out: out}
}

// point tells whether every output sees just its own input pixel.
func (c convolution) point() bool { return c.taps() == 1 && c.Stride == 1 }

// eachTap calls f for the taps of an output pixel that lie in the picture:
// the tap's number and where its pixel begins in the picture's values.
func (c convolution) eachTap(oy, ox int, f func(tap, pixel int)) {
	for ky := range c.rows() {
		y := oy*c.Stride + ky - c.Top
		if y < 0 || y >= c.h {
			continue
		}
		for kx := range c.Kernel {
			if x := ox*c.Stride + kx - c.Left; x >= 0 && x < c.w {
				f(ky*c.Kernel+kx, (y*c.w+x)*c.in)
			}
		}
	}
}

// columns lays out what each output pixel sees, a row a pixel, in the order of
// the weights: channel, then tap.
func (c convolution) columns(t *Tape, x []float32) tensor.Matrix {
	if c.point() {
		return tensor.Mat(x, c.n*c.h*c.w, c.in)
	}
	taps := c.taps()
	width := c.in * taps
	m := tensor.Mat(t.alloc(c.n*c.H*c.W*width), c.n*c.H*c.W, width)
	tensor.Parallel(c.n*c.H, func(row int) {
		picture := x[row/c.H*c.h*c.w*c.in:]
		for ox := range c.W {
			dst := m.Row(row*c.W + ox)
			clear(dst)
			c.eachTap(row%c.H, ox, func(tap, pixel int) {
				for i, v := range picture[pixel : pixel+c.in] {
					dst[i*taps+tap] = v
				}
			})
		}
	})
	return m
}

// addColumns is the way back of columns.
func (c convolution) addColumns(dx []float32, cols tensor.Matrix) {
	taps := c.taps()
	tensor.Parallel(c.n, func(n int) {
		picture := dx[n*c.h*c.w*c.in:]
		for o := range c.H * c.W {
			src := cols.Row(n*c.H*c.W + o)
			c.eachTap(o/c.W, o%c.W, func(tap, pixel int) {
				for i := range c.in {
					picture[pixel+i] += src[i*taps+tap]
				}
			})
		}
	})
}

// Depthwise convolves each channel of x (n, h, w, c) with a kernel of its own
// (c, 1, kernel, kernel).
func Depthwise(t *Tape, x *Var, w *Param, win Window) *Var {
	c := newConvolution(x, win, x.Cols())
	if len(w.Shape) != 4 || w.Shape[0] != c.in || w.Shape[1] != 1 || w.Shape[2] != win.Kernel {
		panic(fmt.Sprintf("nn: depthwise convolution of %v with %s of %v", x.Shape, w.Name, w.Shape))
	}
	taps := win.Kernel * win.Kernel
	kernel := t.alloc(taps * c.in) // (taps, channels)
	for i, v := range w.Data {
		kernel[i%taps*c.in+i/taps] = v
	}
	y := t.New(c.n, win.H, win.W, c.in)
	eachRow(y.Rows(), c.in*taps, func(o int) {
		picture := x.Data[o/(c.H*c.W)*c.h*c.w*c.in:]
		dst := y.Row(o)
		clear(dst)
		c.eachTap(o/c.W%c.H, o%c.W, func(tap, pixel int) {
			tensor.MulAdd(dst, picture[pixel:pixel+c.in], kernel[tap*c.in:(tap+1)*c.in])
		})
	})
	t.record(func() {
		if y.grad == nil {
			return
		}
		parts := make([][]float32, c.n)
		if x.WantsGrad() {
			x.Grad()
		}
		tensor.Parallel(c.n, func(n int) { parts[n] = c.depthwiseGrad(n, x, y, kernel) })
		dw := w.Grad()
		for _, part := range parts { // in the order of pictures
			for i, v := range part {
				dw[i%c.in*taps+i/c.in] += v
			}
		}
	})
	return y
}

// depthwiseGrad adds the gradient of picture n and returns that of the
// kernel, (taps, channels).
func (c convolution) depthwiseGrad(n int, x, y *Var, kernel []float32) []float32 {
	dw := make([]float32, len(kernel))
	base := n * c.h * c.w * c.in
	for o := range c.H * c.W {
		at := (n*c.H*c.W + o) * c.in
		dy := y.grad[at : at+c.in]
		c.eachTap(o/c.W, o%c.W, func(tap, pixel int) {
			k := tap * c.in
			tensor.MulAdd(dw[k:k+c.in], dy, x.Data[base+pixel:base+pixel+c.in])
			if x.WantsGrad() {
				tensor.MulAdd(x.grad[base+pixel:base+pixel+c.in], dy, kernel[k:k+c.in])
			}
		})
	}
	return dw
}
