package encoder

import "showtell/nn"

// Forward encodes pictures (n, height, width, 3) into grids (n, h, w,
// channels), on a tape if the network is to learn. Params holds the weights,
// of which those that are Fixed don't learn; the batch norms stay as they are.
func (n *Network) Forward(t *nn.Tape, x *nn.Var, params []*nn.Param) *nn.Var {
	outs, until := make([]*nn.Var, len(n.layers)), n.lastReaders()
	for i, l := range n.layers {
		win := nn.SameWindow(x.Shape[1], x.Shape[2], l.kernel, l.stride)
		scale, shift := n.fold(i)
		end := nn.Ending{Scale: scale, Shift: shift, Activation: l.activation}
		if l.add >= 0 {
			end.Add = outs[l.add]
		}
		if l.depthwise {
			x = nn.Depthwise(t, x, params[i], win, end)
		} else {
			x = nn.Conv(t, x, params[i], win, end)
		}
		outs[i] = x
		for k := range i { // what no gradient will need
			if until[k] == i && !outs[k].WantsGrad() && !outs[k+1].WantsGrad() {
				t.Drop(outs[k])
			}
		}
	}
	return x
}

// lastReaders tells of each layer which is the last that reads it.
func (n *Network) lastReaders() []int {
	last := make([]int, len(n.layers))
	for i, l := range n.layers {
		last[i] = i + 1
		if l.add >= 0 {
			last[l.add] = i
		}
	}
	return last
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
