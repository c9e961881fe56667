package encoder

import (
	"slices"

	"showtell/nn"
	"showtell/tensor"
)

// Forward encodes pictures (n, height, width, 3) into grids (n, h, w,
// channels), on a tape if the network is to learn. Params holds the weights, of
// which those that are Fixed don't learn; the batch norms and biases stay as
// they are.
func (n *Network) Forward(t *nn.Tape, x *nn.Var, params []*nn.Param) *nn.Var {
	outs, until := make([]*nn.Var, len(n.layers)), n.lastReaders()
	needed := make([]bool, len(n.layers)) // for the gradient of weights
	for i, l := range n.layers {
		in := make([]*nn.Var, len(l.from))
		for k, from := range l.from {
			in[k] = x
			if from != picture {
				in[k] = outs[from]
			}
		}
		if l.weighted() {
			outs[i] = n.convolve(t, i, in[0], params[0], outs)
			params = params[1:]
			if from := l.from[0]; from != picture && outs[i].WantsGrad() {
				needed[from] = true
			}
		} else {
			outs[i] = l.forward(t, in)
			if l.kind == factors && outs[i].WantsGrad() {
				needed[l.from[0]], needed[l.from[1]] = true, true
			}
		}
		for _, k := range l.reads() { // what no gradient will need
			if until[k] == i && !needed[k] && !outs[k].WantsGrad() {
				t.Drop(outs[k])
			}
		}
	}
	return outs[len(outs)-1]
}

// reads are the earlier layers whose results the layer uses.
func (l layer) reads() (all []int) {
	for _, k := range append(slices.Clone(l.from), l.add) {
		if k >= 0 {
			all = append(all, k)
		}
	}
	return all
}

// lastReaders tells of each layer which is the last that reads it.
func (n *Network) lastReaders() []int {
	last := make([]int, len(n.layers))
	for i, l := range n.layers {
		last[i] = len(n.layers) // nobody
		for _, k := range l.reads() {
			last[k] = i
		}
	}
	return last
}

// convolve is what layer i, which has weights, does with x.
func (n *Network) convolve(t *nn.Tape, i int, x *nn.Var, w *nn.Param, outs []*nn.Var) *nn.Var {
	l := n.layers[i]
	win := l.window(x.Shape[1], x.Shape[2])
	scale, shift := n.fold(i)
	end := nn.Ending{Scale: scale, Shift: shift, Activation: l.activation}
	if l.add >= 0 {
		end.Add = outs[l.add]
	}
	if l.kind == depthwise {
		return nn.Depthwise(t, x, w, win, end)
	}
	return nn.Conv(t, x, w, win, end)
}

// forward is what a layer without weights does.
func (l layer) forward(t *nn.Tape, in []*nn.Var) *nn.Var {
	x := in[0]
	switch l.kind {
	case concat:
		y := nn.Concat(t, in...)
		y.Shape = []int{x.Shape[0], x.Shape[1], x.Shape[2], y.Cols()}
		return y
	case means:
		return nn.ChannelMeans(t, x)
	case factors:
		return nn.ScaleChannels(t, x, in[1])
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
