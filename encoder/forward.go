package encoder

import (
	"showtell/nn"
	"showtell/tensor"
)

// Forward encodes pictures (n, height, width, 3) into grids (n, h, w,
// channels), on a tape if the network is to learn. Params holds the weights;
// the batch norms and biases stay as they are.
func (n *Network) Forward(t *nn.Tape, x *nn.Var, params []*nn.Param) *nn.Var {
	outs := make([]*nn.Var, len(n.layers))
	for i, l := range n.layers {
		in := make([]*nn.Var, len(l.from))
		for k, from := range l.from {
			in[k] = x
			if from != picture {
				in[k] = outs[from]
			}
		}
		if !l.weighted() {
			outs[i] = l.forward(t, in)
			continue
		}
		y, param := in[0], params[0]
		params = params[1:]
		if win := l.window(y.Shape[1], y.Shape[2]); l.kind == depthwise {
			y = nn.Depthwise(t, y, param, win)
		} else {
			y = nn.Conv(t, y, param, win)
		}
		scale, shift := n.fold(i)
		y = nn.Affine(t, y, scale, shift)
		if l.add >= 0 {
			y = nn.Add(t, y, outs[l.add])
		}
		switch l.activation {
		case tensor.Rectify:
			y = nn.ReLU(t, y)
		case tensor.Rectify6:
			y = nn.ReLU6(t, y)
		}
		outs[i] = y
	}
	return outs[len(outs)-1]
}

// forward is what a layer without weights does.
func (l layer) forward(t *nn.Tape, in []*nn.Var) *nn.Var {
	x := in[0]
	if l.kind == concat {
		y := nn.Concat(t, in...)
		y.Shape = []int{x.Shape[0], x.Shape[1], x.Shape[2], y.Cols()}
		return y
	}
	e := l.over(x.Shape[1], x.Shape[2])
	win := tensor.Window{H: l.height(), W: l.kernel, Stride: l.stride, Top: e.top, Left: e.left}
	if l.kind == maxPool {
		return nn.MaxPool(t, x, win, e.h, e.w)
	}
	return nn.AveragePool(t, x, win, e.h, e.w, l.kind == averageZeros)
}

// window is how the layer's kernel goes over h x w pixels.
func (l layer) window(h, w int) nn.Window {
	e := l.over(h, w)
	return nn.Window{Kernel: l.kernel, Rows: l.rows, Stride: l.stride, Top: e.top, Left: e.left, H: e.h, W: e.w}
}

// Params are copies of the convolutions' weights, for Forward. It panics if the
// network is Quantized.
func (n *Network) Params() []*nn.Param {
	if n.Quantized() {
		panic("encoder: an int8 network can't learn")
	}
	var params []*nn.Param
	for i, l := range n.layers {
		if !l.weighted() {
			continue
		}
		p := nn.NewParam(l.conv+".weight", l.weightShape()...)
		copy(p.Data, n.weights[i].conv)
		params = append(params, p)
	}
	return params
}
