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
	"efficientnet_b0":       func() table { return efficientNet(torch, efficientB0) },
	"efficientnet_b0_keras": func() table { return efficientNet(keras, efficientB0) },
	"efficientnet_b1":       func() table { return efficientNet(torch, efficientB1) },
	"efficientnet_b1_keras": func() table { return efficientNet(keras, efficientB1) },
	"efficientnet_b2":       func() table { return efficientNet(torch, efficientB2) },
	"efficientnet_b2_keras": func() table { return efficientNet(keras, efficientB2) },
	"efficientnet_b3":       func() table { return efficientNet(torch, efficientB3) },
	"efficientnet_b3_keras": func() table { return efficientNet(keras, efficientB3) },
	"efficientnet_lite0":    func() table { return efficientNetLite(lite0) },
	"efficientnet_lite1":    func() table { return efficientNetLite(lite1) },
	"efficientnet_lite2":    func() table { return efficientNetLite(lite2) },
	"efficientnet_lite3":    func() table { return efficientNetLite(lite3) },
	"efficientnet_lite4":    func() table { return efficientNetLite(lite4) },
	"inception_v3":          func() table { return inceptionV3(torch) },
	"inception_v3_keras":    func() table { return inceptionV3(keras) },
	"mobilenet_v2":          func() table { return mobileNetV2(torch) },
	"mobilenet_v2_keras":    func() table { return mobileNetV2(keras) },
	"mobilenet_v2_tf":       func() table { return mobileNetV2TF() },
	"resnet101":             func() table { return resNet(torch, resnet101) },
	"resnet101_keras":       func() table { return resNet(keras, resnet101) },
	"resnet152":             func() table { return resNet(torch, resnet152) },
	"resnet152_keras":       func() table { return resNet(keras, resnet152) },
	"resnet18":              func() table { return resNet(torch, resnet18) },
	"resnet34":              func() table { return resNet(torch, resnet34) },
	"resnet50":              func() table { return resNet(torch, resnet50) },
	"resnet50_keras":        func() table { return resNet(keras, resnet50) },
	"tf_efficientnet_b0":    func() table { return efficientNet(timm, efficientB0) },
	"tf_efficientnet_b1":    func() table { return efficientNet(timm, efficientB1) },
	"tf_efficientnet_b2":    func() table { return efficientNet(timm, efficientB2) },
	"tf_efficientnet_b3":    func() table { return efficientNet(timm, efficientB3) },
	"vgg16":                 func() table { return vgg(torch, vgg16) },
	"vgg16_fc2":             func() table { return withDense(vgg(torch, vgg16)) },
	"vgg16_keras":           func() table { return vgg(keras, vgg16) },
	"vgg16_keras_fc2":       func() table { return withDense(vgg(keras, vgg16)) },
	"vgg19":                 func() table { return vgg(torch, vgg19) },
	"vgg19_fc2":             func() table { return withDense(vgg(torch, vgg19)) },
	"vgg19_keras":           func() table { return vgg(keras, vgg19) },
	"vgg19_keras_fc2":       func() table { return withDense(vgg(keras, vgg19)) },
}

// Names lists the networks.
func Names() []string { return slices.Sorted(maps.Keys(networks)) }

// norms are the four vectors of a batch norm, in the order of weights.norm.
var norms = []string{"weight", "bias", "running_mean", "running_var"}

// weights of a layer, as trained; of a layer without weights, empty.
type weights struct {
	conv []float32    // (out, in, rows, kernel)
	bias []float32    // (out); nil if there is a batch norm
	norm [4][]float32 // each (out); the first nil if the batch norm has no gain
}

// A Network is an architecture with its weights. It does not change and is
// safe for concurrent use.
type Network struct {
	name string
	table
	weights []weights // of each layer
	layers8 []layer8  // instead of them, if the network is quantised
	pixels  *normalization
}

// newNetwork has no weights yet; how many channels layers have is for connect or
// adopt to say.
func newNetwork(name string) (*Network, error) {
	draw, ok := networks[name]
	if !ok {
		return nil, fmt.Errorf("encoder %q is not known (there are %s)", name, strings.Join(Names(), ", "))
	}
	return &Network{name: name, table: draw()}, nil
}

// Random is a network with random weights (He et al. 2015), to train from
// scratch and for tests.
func Random(name string, rng *rand.Rand) (*Network, error) {
	n, err := newNetwork(name)
	if err != nil {
		return nil, err
	}
	if err := n.connect(); err != nil {
		return nil, fmt.Errorf("encoder %s: %w", name, err)
	}
	n.randomize(rng)
	return n, nil
}

func (n *Network) randomize(rng *rand.Rand) {
	n.weights = make([]weights, len(n.layers))
	for i, l := range n.layers {
		if l.weighted() {
			n.weights[i] = l.random(rng)
		}
	}
}

func (l layer) random(rng *rand.Rand) weights {
	shape := l.weightShape()
	fanIn := shape[1] * shape[2] * shape[3]
	w := weights{conv: normal(rng, shape[0]*fanIn, math.Sqrt(2/float64(fanIn)))}
	if l.norm == "" {
		w.bias = normal(rng, l.out, 0.1)
		return w
	}
	for k := range norms {
		w.norm[k] = normal(rng, l.out, 0.1)
	}
	gain := float32(1)
	if l.add >= 0 {
		gain = 0.2 // residual branches begin small (Goyal et al. 2017)
	}
	for i := range l.out {
		w.norm[0][i] = gain * (1 + w.norm[0][i])
		w.norm[3][i] = 1 + w.norm[3][i]*w.norm[3][i]
	}
	if l.noGain {
		w.norm[0] = nil
	}
	return w
}

func normal(rng *rand.Rand, n int, deviation float64) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(rng.NormFloat64() * deviation)
	}
	return x
}

// Name is that of the architecture.
func (n *Network) Name() string { return n.name }

// Recipe says how a picture becomes the network's input.
func (n *Network) Recipe() imageprep.Recipe { return n.recipe }

// Grid is the size of the result: rows, columns, channels.
func (n *Network) Grid() (h, w, c int) {
	last := len(n.layers) - 1
	e := n.extents()[last]
	return e.h, e.w, n.layers[last].out
}

// Tensors are the weights under the names of the published files.
func (n *Network) Tensors(prefix string) []modelfile.Tensor {
	if n.Quantized() {
		return n.tensors8(prefix)
	}
	var all []modelfile.Tensor
	for i, l := range n.layers {
		names, shapes := l.tensors()
		values := n.weights[i].values(l)
		for k, name := range names {
			all = append(all, modelfile.Float32(prefix+name, shapes[k], *values[k]))
		}
	}
	return append(all, n.pixels.tensors(prefix)...)
}

// values are those that a layer has, in the order of layer.tensors.
func (w *weights) values(l layer) []*[]float32 {
	if l.norm == "" {
		return []*[]float32{&w.conv, &w.bias}
	}
	all := []*[]float32{&w.conv, &w.norm[0], &w.norm[1], &w.norm[2], &w.norm[3]}
	if l.noGain {
		return slices.Delete(all, 1, 2)
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

// fold is the batch norm of a layer, or its bias, as a scale and a shift of its
// channels.
func (n *Network) fold(i int) (scale, shift []float32) {
	w := n.weights[i]
	if w.bias != nil {
		return slices.Repeat([]float32{1}, len(w.bias)), w.bias
	}
	gain, bias, mean, variance := w.norm[0], w.norm[1], w.norm[2], w.norm[3]
	scale, shift = make([]float32, len(bias)), make([]float32, len(bias))
	for c := range bias {
		s := 1 / math.Sqrt(float64(variance[c])+n.epsilon)
		if gain != nil {
			s = float64(gain[c]) / math.Sqrt(float64(variance[c])+n.epsilon)
		}
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
