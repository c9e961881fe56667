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

// An Ending is what becomes of the sums of a convolution:
//
//	activation(Scale·sum + Shift + Add)
//
// Scale and Shift, of each output channel, are a frozen batch norm and do not
// learn; nil are ones and zeros. Add, of the size of the result, may be nil.
type Ending struct {
	Scale, Shift []float32
	Add          *Var
	Activation   tensor.Activation
}

// Conv convolves x (n, h, w, in) with weights (out, in, rows, kernel) into
// (n, win.H, win.W, out). Weights that are Fixed get no gradient; where nothing
// before it learns either, nor does the result want one.
func Conv(t *Tape, x *Var, w *Param, win Window, end Ending) *Var {
	c := newConvolution(t, x, w, win, end, false)
	if len(w.Shape) != 4 || w.Shape[1] != c.In || w.Shape[2] != win.rows() || w.Shape[3] != win.Kernel {
		panic(fmt.Sprintf("nn: convolution of %v with %s of %v", x.Shape, w.Name, w.Shape))
	}
	return c.apply()
}

// Depthwise is Conv with a kernel (c, 1, rows, kernel) of its own for each
// channel of x (n, h, w, c); nothing can be added to it.
func Depthwise(t *Tape, x *Var, w *Param, win Window, end Ending) *Var {
	c := newConvolution(t, x, w, win, end, true)
	if len(w.Shape) != 4 || w.Shape[0] != c.In || w.Shape[1] != 1 || w.Shape[2] != win.rows() || w.Shape[3] != win.Kernel {
		panic(fmt.Sprintf("nn: depthwise convolution of %v with %s of %v", x.Shape, w.Name, w.Shape))
	}
	if end.Add != nil {
		panic("nn: sum with a depthwise convolution")
	}
	return c.apply()
}

// convolution is one call.
type convolution struct {
	tensor.Training
	Ending
	tape      *Tape
	x, y      *Var
	w         *Param
	depthwise bool
	kernels   *convKernels
	curve     tensor.Activation // one that is Curved, done apart for its gradient
}

// convKernels are weights made ready, whose memory a tape uses again.
type convKernels struct {
	conv, turned           *tensor.Conv
	depthwise, turnedDepth *tensor.Depthwise
}

// convUse is what convKernels are for.
type convUse struct {
	w         *Param
	shape     tensor.ConvShape
	depthwise bool
}

func newConvolution(t *Tape, x *Var, w *Param, win Window, end Ending, depthwise bool) *convolution {
	if len(x.Shape) != 4 {
		panic(fmt.Sprintf("nn: convolution of %v, which is not (n, h, w, channels)", x.Shape))
	}
	c := &convolution{Ending: end, tape: t, x: x, w: w, depthwise: depthwise, kernels: &convKernels{}}
	if end.Activation.Curved() && t.learns() && c.wantsGrad() {
		c.curve, end.Activation = end.Activation, tensor.Identity
		c.Ending.Activation = tensor.Identity
	}
	c.Training = tensor.Training{
		ConvShape: tensor.ConvShape{KH: win.rows(), KW: win.Kernel, In: x.Shape[3], Out: w.Shape[0], Stride: win.Stride, Activation: end.Activation},
		N:         x.Shape[0], H: x.Shape[1], W: x.Shape[2], OutH: win.H, OutW: win.W, Top: win.Top, Left: win.Left,
	}
	if t != nil {
		use := convUse{w, c.ConvShape, depthwise}
		if known := t.convs[use]; known != nil {
			c.kernels = known
			return c
		}
		if t.convs == nil {
			t.convs = map[convUse]*convKernels{}
		}
		t.convs[use] = c.kernels
	}
	return c
}

func (c *convolution) apply() *Var {
	t := c.tape
	c.y = t.New(c.N, c.OutH, c.OutW, c.Out)
	c.y.activation = c.Ending.Activation
	c.forward()
	if !c.wantsGrad() {
		c.y.tape = nil
		return c.y
	}
	t.record(c.back)
	switch c.curve {
	case tensor.Swish:
		return SiLU(t, c.y)
	case tensor.Logistic:
		return Sigmoid(t, c.y)
	}
	return c.y
}

// wantsGrad tells whether anything that goes in does.
func (c *convolution) wantsGrad() bool {
	return !c.w.Fixed || c.x.WantsGrad() || c.Add != nil && c.Add.WantsGrad()
}

func (c *convolution) forward() {
	k, weights := c.kernels, c.folded()
	if c.depthwise {
		if k.depthwise == nil {
			k.depthwise = tensor.NewDepthwise(c.ConvShape, weights, c.Shift)
		} else {
			k.depthwise.Repack(weights, c.Shift)
		}
		c.ForwardDepthwise(k.depthwise, c.y.Data, c.x.Data)
		return
	}
	if k.conv == nil {
		k.conv = tensor.NewConv(c.ConvShape, weights, c.Shift)
	} else {
		k.conv.Repack(weights, c.Shift)
	}
	var added []float32
	if c.Add != nil {
		added = c.Add.Data
	}
	c.Forward(k.conv, c.y.Data, c.x.Data, added)
}

func (c *convolution) back() {
	if c.y.grad == nil {
		return
	}
	g := tensor.Gradient{Grad: c.y.grad, Out: c.y.Data, Src: c.x.Data}
	if c.y.masked {
		c.Training.Activation = tensor.Identity
	}
	if c.Add != nil && c.Add.WantsGrad() {
		c.unclamp()
		addGrad(c.Add, g.Grad)
	}
	if c.x.WantsGrad() {
		g.Add = c.x.grad != nil || c.x.parent != nil
		if !g.Add {
			c.x.grad = c.x.tape.alloc(len(c.x.Data))
		}
		g.SrcGrad = c.x.Grad()
		if c.depthwise { // whoever adds more makes masked false again
			g.SrcActivation, c.x.masked = c.x.activation, true
		}
	}
	if g.SrcGrad != nil {
		c.turn()
	}
	if !c.w.Fixed {
		g.Weights = c.tape.convScratch(len(c.w.Data))
	}
	if c.depthwise {
		c.BackwardDepthwise(c.kernels.turnedDepth, g)
	} else {
		c.Backward(c.kernels.turned, g)
	}
	if !c.w.Fixed {
		c.addWeights(g.Weights)
	}
	c.tape.dropGrad(c.y)
}

// unclamp takes the activation out of the gradient of y.
func (c *convolution) unclamp() {
	dy, a := c.y.grad, c.Training.Activation
	each(len(dy), func(lo, hi int) { tensor.MaskGrad(dy[lo:hi], dy[lo:hi], c.y.Data[lo:hi], a) })
	c.Training.Activation = tensor.Identity
}

// turn makes the convolution of gradients ready.
func (c *convolution) turn() {
	k, shape, weights := c.kernels, c.ConvShape, c.turned()
	shape.In, shape.Out, shape.Stride, shape.Activation = c.Out, c.In, 1, tensor.Identity
	switch {
	case k.turned != nil:
		k.turned.Repack(weights, nil)
	case k.turnedDepth != nil:
		k.turnedDepth.Repack(weights, nil)
	case c.depthwise:
		k.turnedDepth = tensor.NewDepthwise(shape, weights, nil)
	default:
		k.turned = tensor.NewConv(shape, weights, nil)
	}
}

// scale is that of output channel o.
func (c *convolution) scale(o int) float32 {
	if c.Scale == nil {
		return 1
	}
	return c.Scale[o]
}

// inner is how many input channels an output sees, and the taps.
func (c *convolution) inner() (in, taps int) { return c.w.Shape[1], c.KH * c.KW }

// folded is the weights times Scale: (taps, in, out).
func (c *convolution) folded() []float32 {
	in, taps := c.inner()
	to := c.tape.convScratch(len(c.w.Data))
	const tile = 16 // output channels: a cache line
	tensor.Parallel((c.Out+tile-1)/tile, func(i int) {
		lo, hi := i*tile, min(c.Out, (i+1)*tile)
		var scale [tile]float32
		for o := lo; o < hi; o++ {
			scale[o-lo] = c.scale(o)
		}
		for j := range in * taps {
			row, at := to[(j%taps*in+j/taps)*c.Out:][lo:hi], lo*in*taps+j
			for o := range row {
				row[o] = c.w.Data[at] * scale[o%tile]
				at += in * taps
			}
		}
	})
	return to
}

// turned is the weights times Scale with the taps in reverse order: (taps,
// out, in).
func (c *convolution) turned() []float32 {
	in, taps := c.inner()
	to := c.tape.convScratch(len(c.w.Data))
	tensor.Parallel(c.Out, func(o int) {
		from, s := c.w.Data[o*in*taps:][:in*taps], c.scale(o)
		if taps == 1 {
			tensor.Scale(to[o*in:][:in], from, s)
			return
		}
		for j, v := range from {
			to[((taps-1-j%taps)*c.Out+o)*in+j/taps] = v * s
		}
	})
	return to
}

// addWeights adds to the gradient of w that of the folded weights.
func (c *convolution) addWeights(grad []float32) {
	in, taps := c.inner()
	dw := c.w.Grad()
	if taps == 1 && c.Stride == 1 && !c.depthwise {
		tensor.Parallel(c.Out, func(o int) { tensor.AXPY(dw[o*in:][:in], c.scale(o), grad[o*in:][:in]) })
		return
	}
	tensor.Parallel(c.Out, func(o int) {
		s := c.scale(o)
		to := dw[o*in*taps:][:in*taps]
		for j := range to {
			to[j] += s * grad[(j%taps*in+j/taps)*c.Out+o]
		}
	})
}
