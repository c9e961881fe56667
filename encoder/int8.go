package encoder

import (
	"fmt"
	"math"
	"slices"

	"showtell/modelfile"
	"showtell/tensor"
)

// A layer8 is a layer of a quantised network. Its batch norm is folded. One
// without weights has an output alone.
type layer8 struct {
	conv        []int8    // (out, in, rows, kernel)
	scale, bias []float32 // of each output channel: a weight is scale·conv
	output      bytes8    // not if it is float32
}

// bytes8 says what the bytes of a picture between layers mean: a value is
// scale·(byte - zero). The network's own input is the pixels as they are; the
// scales and biases of the first layer have Recipe.Mean and Std in them.
type bytes8 struct {
	scale float32
	zero  uint8
}

// Quantized tells whether the network's weights are int8, as Calibration makes
// them. Such a network has a Plan but can't learn: Forward and Params are not
// for it.
func (n *Network) Quantized() bool { return n.layers8 != nil }

// int8Able says why the network can't be int8.
func (n *Network) int8Able() error {
	if n.vit != nil {
		return fmt.Errorf("%s can't be int8: it is a vision transformer", n.name)
	}
	shared := n.sharing()
	for i, l := range n.layers {
		first := n.layers[shared[i]]
		switch {
		case l.kind > concat || l.activation > tensor.Rectify6:
			return fmt.Errorf("%s can't be int8: layer %s is of a kind that has none", n.name, l.name)
		case !l.weighted() && slices.Contains(l.from, picture):
			return fmt.Errorf("%s can't be int8: layer %s reads the picture", n.name, l.name)
		case l.weighted() && l.activation != first.activation:
			return fmt.Errorf("%s can't be int8: layers %s and %s have different activations, and are read together", n.name, first.name, l.name)
		case l.out > 0 && l.out < tensor.Least8:
			return fmt.Errorf("%s can't be int8: layer %s has %d channels, at least %d are needed", n.name, l.name, l.out, tensor.Least8)
		case l.taps()*l.weightShape()[1] > mostProducts8:
			return fmt.Errorf("%s can't be int8: layer %s adds up %d products, at most %d have room", n.name, l.name, l.taps()*l.weightShape()[1], mostProducts8)
		}
	}
	return nil
}

// sharing tells for each layer the first of those whose bytes mean the same:
// pooling passes on what it reads, and what is concatenated stands side by side.
func (t table) sharing() []int {
	first := make([]int, len(t.layers))
	for i, l := range t.layers {
		first[i] = i
		if l.weighted() {
			continue
		}
		for _, from := range l.from {
			if from == picture {
				continue
			}
			a, b := min(first[i], first[from]), max(first[i], first[from])
			for k := range first[:i+1] {
				if first[k] == b {
					first[k] = a
				}
			}
		}
	}
	return first
}

// endsInFloats tells whether layer i computes float32 from its sums. Where the
// last layer can't, its bytes become float32 afterwards.
func (n *Network) endsInFloats(i int) bool {
	return i == len(n.layers)-1 && n.layers[i].kind == conv && n.layers[i].out%16 == 0
}

// isQuantized tells whether the file has this network in int8.
func (n *Network) isQuantized(f *modelfile.File, prefix string) bool {
	if n.vit != nil {
		return false
	}
	t, ok := f.Tensor(prefix + n.layers[0].conv + ".weight")
	return ok && t.DType == modelfile.I8
}

// read8 fills in int8 weights and tells what is wrong with them.
func (n *Network) read8(f *modelfile.File, prefix string) (faults []string) {
	find := func(name string) ([]int, func() ([]float32, error), bool) {
		t, ok := f.Tensor(prefix + name)
		return t.Shape, t.Copy, ok
	}
	if err := n.adopt(find); err != nil {
		return []string{err.Error()}
	}
	if err := n.int8Able(); err != nil {
		return []string{err.Error()}
	}
	get := func(name string, shape ...int) []float32 {
		data, fault := one(find, prefix, name, shape)
		if fault != "" {
			faults = append(faults, fault)
			return make([]float32, shape[0])
		}
		return data
	}
	n.layers8 = make([]layer8, len(n.layers))
	shared := n.sharing()
	for i, l := range n.layers {
		w := &n.layers8[i]
		if shared[i] < i {
			w.output = n.layers8[shared[i]].output
		} else if !n.endsInFloats(i) {
			output := get(l.name+".output", 2)
			if output[1] != float32(uint8(output[1])) {
				faults = append(faults, fmt.Sprintf("tensor %s.output has zero at %v, not a byte", prefix+l.name, output[1]))
			}
			w.output = bytes8{scale: output[0], zero: uint8(output[1])}
		}
		if !l.weighted() {
			continue
		}
		w.scale = get(l.conv+".scale", l.out)
		w.bias = get(l.conv+".bias", l.out)
		t, ok := f.Tensor(prefix + l.conv + ".weight")
		if !ok || t.DType != modelfile.I8 || !slices.Equal(t.Shape, l.storedShape()) {
			faults = append(faults, fmt.Sprintf("no int8 tensor %s.weight of shape %v", prefix+l.conv, l.storedShape()))
			continue
		}
		w.conv = make([]int8, len(t.Data))
		for k, b := range t.Data {
			w.conv[k] = int8(b)
		}
	}
	return faults
}

// tensors8 are the weights of a quantised network.
func (n *Network) tensors8(prefix string) []modelfile.Tensor {
	var all []modelfile.Tensor
	shared := n.sharing()
	for i, l := range n.layers {
		w := n.layers8[i]
		if l.weighted() {
			bytes := make([]byte, len(w.conv))
			for k, v := range w.conv {
				bytes[k] = byte(v)
			}
			all = append(all,
				modelfile.Tensor{Name: prefix + l.conv + ".weight", DType: modelfile.I8, Shape: l.storedShape(), Data: bytes},
				modelfile.Float32(prefix+l.conv+".scale", []int{l.out}, w.scale),
				modelfile.Float32(prefix+l.conv+".bias", []int{l.out}, w.bias))
		}
		if shared[i] == i && !n.endsInFloats(i) {
			all = append(all, modelfile.Float32(prefix+l.name+".output", []int{2}, []float32{w.output.scale, float32(w.output.zero)}))
		}
	}
	return all
}

// input8 is what the input of layer i is like: its scale, and the byte that
// stands for zero in each of the first channels, the last of them for all that
// follow.
func (n *Network) input8(i int) (scale float64, zeros []float64) {
	if from := n.layers[i].from[0]; from != picture {
		in := n.layers8[from].output
		return float64(in.scale), []float64{float64(in.zero)}
	}
	for _, m := range n.recipe.Mean {
		zeros = append(zeros, float64(m))
	}
	return 1, zeros
}

// integers are the numbers with which package tensor computes a layer, and the
// factor of its residual. For a layer that ends in bytes,
//
//	byte = Σ weights·in · scale_in·scale/scale_out + ...
//
// and all that does not depend on the picture is in Weights8.Bias: the bias of
// the layer, and the zeros of its input, output and residual.
func (n *Network) integers(i int) (w tensor.Weights8, residual float32, err error) {
	l, q := n.layers[i], n.layers8[i]
	scaleIn, zeros := n.input8(i)
	out := bytes8{scale: 1}
	if !n.endsInFloats(i) {
		out = q.output
		if err := n.checkOutput(i); err != nil {
			return w, 0, err
		}
	}
	offset := float64(out.zero)
	if l.add >= 0 {
		r := n.layers8[l.add].output
		residual = r.scale / out.scale
		offset -= float64(r.zero) * float64(residual)
		if !(residual < 1<<20) {
			return w, 0, fmt.Errorf("layer %s: output scale %g is too small for what is added", l.name, out.scale)
		}
	}
	taps, in := l.taps(), l.weightShape()[1]
	w = tensor.Weights8{Weights: make([]int8, len(q.conv)), Bias: make([]int32, l.out), Scale: make([]float32, l.out)}
	for o := range l.out {
		unit := scaleIn * float64(q.scale[o]) // what one step of the sum is worth
		factor := unit / float64(out.scale)
		if !(factor > 0 && float32(factor) < 0.25) {
			return w, 0, fmt.Errorf("layer %s: channel %d has a scale of %g beside inputs of %g and outputs of %g", l.name, o, q.scale[o], scaleIn, out.scale)
		}
		bias := float64(q.bias[o])/unit + offset/factor
		for c := range in {
			zero := zeros[min(c, len(zeros)-1)]
			for tap := range taps {
				v := q.conv[(o*in+c)*taps+tap]
				bias -= float64(v) * zero
				w.Weights[(tap*in+c)*l.out+o] = v
			}
		}
		if !(math.Abs(bias) < maxBias8) {
			return w, 0, fmt.Errorf("layer %s: channel %d has a bias of %g, too large for its scale", l.name, o, q.bias[o])
		}
		w.Bias[o], w.Scale[o] = int32(math.RoundToEven(bias)), float32(factor)
	}
	return w, residual, nil
}

// maxBias8 leaves room in 32 bits for the sum of mostProducts8.
const (
	maxBias8      = 1 << 30
	mostProducts8 = 1 << 15
)

// checkOutput makes sure that rounding to bytes does what the activation of
// layer i is to do: below zero nothing is left, and six is the end.
func (n *Network) checkOutput(i int) error {
	l, out := n.layers[i], n.layers8[i].output
	switch {
	case !(out.scale > 0):
		return fmt.Errorf("layer %s: output scale %g", l.name, out.scale)
	case l.activation != tensor.Identity && out.zero != 0:
		return fmt.Errorf("layer %s: output has zero at %d, not at 0", l.name, out.zero)
	case l.activation == tensor.Rectify6 && out.scale > 6.0/255*(1+1e-6):
		return fmt.Errorf("layer %s: output goes up to %g, not to 6", l.name, 255*out.scale)
	}
	return nil
}
