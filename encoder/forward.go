package encoder

import (
	"showtell/nn"
	"showtell/tensor"
)

// Forward encodes pictures (n, height, width, 3) into grids (n, h, w,
// channels), on a tape if the network is to learn. Params holds the weights;
// the batch norms stay as they are.
func (n *Network) Forward(t *nn.Tape, x *nn.Var, params []*nn.Param) *nn.Var {
	outs := make([]*nn.Var, len(n.layers))
	for i, l := range n.layers {
		win := nn.SameWindow(x.Shape[1], x.Shape[2], l.kernel, l.stride)
		if l.depthwise {
			x = nn.Depthwise(t, x, params[i], win)
		} else {
			x = nn.Conv(t, x, params[i], win)
		}
		scale, shift := n.fold(i)
		x = nn.Affine(t, x, scale, shift)
		if l.add >= 0 {
			x = nn.Add(t, x, outs[l.add])
		}
		switch l.activation {
		case tensor.Rectify:
			x = nn.ReLU(t, x)
		case tensor.Rectify6:
			x = nn.ReLU6(t, x)
		}
		outs[i] = x
	}
	return x
}

// Params are copies of the convolutions' weights, for Forward. It panics if the
// network is Quantized.
func (n *Network) Params() []*nn.Param {
	if n.Quantized() {
		panic("encoder: an int8 network can't learn")
	}
	var params []*nn.Param
	for i, l := range n.layers {
		p := nn.NewParam(l.name+".conv.weight", l.weightShape()...)
		copy(p.Data, n.weights[i].conv)
		params = append(params, p)
	}
	return params
}
