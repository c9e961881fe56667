// Package encoder turns a picture into a grid of features, by a convolutional
// network without its classifier. Load a Network, Compile it, and Run the plan.
//
// A network is a table of layers. Two executors go through it: Forward, on a
// tape, for training; and the Plan, with batch norms folded into the weights
// and everything packed, for captioning.
package encoder

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"showtell/imageprep"
	"showtell/modelfile"
	"showtell/tensor"
)

// networks by name. A new one is a file and a line here.
var networks = map[string]func() table{
	"efficientnet_lite0": func() table { return efficientNetLite(lite0) },
	"efficientnet_lite2": func() table { return efficientNetLite(lite2) },
}

// Names lists the networks.
func Names() []string { return slices.Sorted(maps.Keys(networks)) }

// A table is the architecture of a network.
type table struct {
	recipe  imageprep.Recipe
	epsilon float64 // of the batch norms
	layers  []layer // each reads the one before
}

// A layer is a convolution with its batch norm, "same" padding as TensorFlow
// has it, and what follows: the sum with an earlier layer, an activation.
type layer struct {
	name       string // of its tensors: name.conv.weight, name.bn.weight, ...
	depthwise  bool
	kernel     int
	stride     int
	in, out    int
	add        int // index of the layer whose output is added; -1: none
	activation tensor.Activation
}

// weightShape is that of the convolution: (out, in, kernel, kernel).
func (l layer) weightShape() []int {
	if l.depthwise {
		return []int{l.out, 1, l.kernel, l.kernel}
	}
	return []int{l.out, l.in, l.kernel, l.kernel}
}

// norms are the four vectors of a batch norm, in the order of weights.norm.
var norms = []string{"weight", "bias", "running_mean", "running_var"}

// weights of a layer, as trained.
type weights struct {
	conv []float32    // (out, in, kernel, kernel)
	norm [4][]float32 // each (out)
}

// A Network is an architecture with its weights. It does not change and is
// safe for concurrent use.
type Network struct {
	name string
	table
	weights []weights // of each layer
	layers8 []layer8  // instead of them, if the network is quantised
}

// Load finds out which network the tensors under prefix belong to, and reads
// them. A classifier is left alone.
func Load(f *modelfile.File, prefix string) (*Network, error) {
	var best *Network
	var faults []string
	for _, name := range Names() {
		n := &Network{name: name, table: networks[name]()}
		wrong := n.read(f, prefix)
		if len(wrong) == 0 {
			return n, nil
		}
		if best == nil || len(wrong) < len(faults) {
			best, faults = n, wrong
		}
	}
	if len(faults) == best.tensorCount() {
		return nil, fmt.Errorf("%s: holds no encoder that is known (%s)", f.Name, strings.Join(Names(), ", "))
	}
	return nil, fmt.Errorf("%s: nearly %s, but %s", f.Name, best.name, summary(faults))
}

// summary names the first few faults.
func summary(faults []string) string {
	const few = 5
	if len(faults) <= few {
		return strings.Join(faults, "; ")
	}
	return fmt.Sprintf("%s; and %d more", strings.Join(faults[:few], "; "), len(faults)-few)
}

func (n *Network) tensorCount() int { return len(n.layers) * (1 + len(norms)) }

// read fills in the weights and tells what is wrong with them.
func (n *Network) read(f *modelfile.File, prefix string) (faults []string) {
	get := func(name string, shape ...int) []float32 {
		data, fault := n.tensor(f, prefix+name, shape)
		if fault != "" {
			faults = append(faults, fault)
		}
		return data
	}
	if n.isQuantized(f, prefix) {
		return n.read8(f, prefix)
	}
	n.weights = make([]weights, len(n.layers))
	for i, l := range n.layers {
		w := &n.weights[i]
		w.conv = get(l.name+".conv.weight", l.weightShape()...)
		for k, norm := range norms {
			w.norm[k] = get(l.name+".bn."+norm, l.out)
		}
	}
	return faults
}

// tensor reads one tensor into memory of its own.
func (n *Network) tensor(f *modelfile.File, name string, shape []int) (data []float32, fault string) {
	t, ok := f.Tensor(name)
	if !ok {
		return nil, "no tensor " + name
	}
	if !slices.Equal(t.Shape, shape) {
		return nil, fmt.Sprintf("tensor %s has shape %v, not %v", name, t.Shape, shape)
	}
	values, err := t.Copy()
	if err != nil {
		return nil, fmt.Sprintf("tensor %s: %v", name, err)
	}
	if sum := tensor.SumSquares(values); sum-sum != 0 { // NaN or infinite
		i := slices.IndexFunc(values, func(v float32) bool { return v-v != 0 })
		return nil, fmt.Sprintf("tensor %s holds %v", name, values[i])
	}
	return values, ""
}

// Random is a network with random weights (He et al. 2015), to train from
// scratch and for tests.
func Random(name string, rng *rand.Rand) (*Network, error) {
	make_, ok := networks[name]
	if !ok {
		return nil, fmt.Errorf("encoder %q is not known (there are %s)", name, strings.Join(Names(), ", "))
	}
	n := &Network{name: name, table: make_()}
	for _, l := range n.layers {
		shape := l.weightShape()
		fanIn := shape[1] * shape[2] * shape[3]
		w := weights{conv: make([]float32, shape[0]*fanIn)}
		for i := range w.conv {
			w.conv[i] = float32(rng.NormFloat64() * math.Sqrt(2/float64(fanIn)))
		}
		for k := range norms {
			w.norm[k] = make([]float32, l.out)
			for i := range w.norm[k] {
				w.norm[k][i] = float32(rng.NormFloat64() * 0.1)
			}
		}
		gain := float32(1)
		if l.add >= 0 {
			gain = 0.2 // residual branches begin small (Goyal et al. 2017)
		}
		for i := range l.out {
			w.norm[0][i] = gain * (1 + w.norm[0][i])
			w.norm[3][i] = 1 + w.norm[3][i]*w.norm[3][i]
		}
		n.weights = append(n.weights, w)
	}
	return n, nil
}

// Name is that of the architecture.
func (n *Network) Name() string { return n.name }

// Recipe says how a picture becomes the network's input.
func (n *Network) Recipe() imageprep.Recipe { return n.recipe }

// Grid is the size of the result: rows, columns, channels.
func (n *Network) Grid() (h, w, c int) {
	h, w = n.recipe.Height, n.recipe.Width
	for _, l := range n.layers {
		h, _, _ = tensor.SamePadding(h, l.kernel, l.stride)
		w, _, _ = tensor.SamePadding(w, l.kernel, l.stride)
	}
	return h, w, n.layers[len(n.layers)-1].out
}

// Tensors are the weights under the names of the published files.
func (n *Network) Tensors(prefix string) []modelfile.Tensor {
	if n.Quantized() {
		return n.tensors8(prefix)
	}
	var all []modelfile.Tensor
	for i, l := range n.layers {
		all = append(all, modelfile.Float32(prefix+l.name+".conv.weight", l.weightShape(), n.weights[i].conv))
		for k, norm := range norms {
			all = append(all, modelfile.Float32(prefix+l.name+".bn."+norm, []int{l.out}, n.weights[i].norm[k]))
		}
	}
	return all
}

// Fingerprint is a hash of the architecture, the recipe and the weights.
func (n *Network) Fingerprint() string {
	h := sha256.New()
	recipe, err := json.Marshal(n.recipe)
	if err != nil {
		panic(err) // plain fields always encode
	}
	fmt.Fprintf(h, "%s\n%s\n", n.name, recipe)
	for _, t := range n.Tensors("") {
		fmt.Fprintf(h, "%s %v\n", t.Name, t.Shape)
		h.Write(t.Data)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// fold is the batch norm of a layer as a scale and a shift of its channels.
func (n *Network) fold(i int) (scale, shift []float32) {
	gain, bias, mean, variance := n.weights[i].norm[0], n.weights[i].norm[1], n.weights[i].norm[2], n.weights[i].norm[3]
	scale, shift = make([]float32, len(gain)), make([]float32, len(gain))
	for c, g := range gain {
		s := float64(g) / math.Sqrt(float64(variance[c])+n.epsilon)
		scale[c] = float32(s)
		shift[c] = float32(float64(bias[c]) - float64(mean[c])*s)
	}
	return scale, shift
}

// Pool writes the mean over the cells of a grid (cells, channels).
func Pool(dst, grid []float32, cells, channels int) {
	clear(dst[:channels])
	for i := range cells {
		tensor.AXPY(dst[:channels], 1/float32(cells), grid[i*channels:(i+1)*channels])
	}
}
