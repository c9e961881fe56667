package encoder

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A naming is how a program calls the layers of a family of networks that we call
// otherwise. It belongs to the networks all of whose layers it names.
type naming struct {
	prefix string // that names may begin with, or not
	names  []rename
}

// A rename has our name of a convolution or a batch norm, in which # is any
// number, and theirs, in which # or #-1 are these numbers, in order, or one less.
type rename struct{ ours, theirs string }

// namings that Read tries. Names that torchvision and timm share need none: those
// of ResNet, of Inception v3, and of VGG's convolutions.
var namings = []naming{
	{prefix: "resnet.", names: []rename{ // Hugging Face
		{"conv1", "embedder.embedder.convolution"},
		{"bn1", "embedder.embedder.normalization"},
		{"layer#.#.conv#", "encoder.stages.#-1.layers.#.layer.#-1.convolution"},
		{"layer#.#.bn#", "encoder.stages.#-1.layers.#.layer.#-1.normalization"},
		{"layer#.#.downsample.0", "encoder.stages.#-1.layers.#.shortcut.convolution"},
		{"layer#.#.downsample.1", "encoder.stages.#-1.layers.#.shortcut.normalization"},
	}},
	{names: []rename{ // VGG of torchvision
		{"features.#", "features.#"},
		{"fc1", "classifier.0"},
		{"fc2", "classifier.3"},
	}},
	{names: []rename{ // and of timm
		{"features.#", "features.#"},
		{"fc1", "pre_logits.fc1"},
		{"fc2", "pre_logits.fc2"},
	}},
	{names: timmMobileNetV2()},
}

// mobileTF are the names of Hugging Face's MobileNetV2. It is Keras's network with
// pictures of its own (mobileNetV2), so it has them in our files too.
var mobileTF = naming{prefix: "mobilenet_v2.", names: []rename{
	{"Conv1", "conv_stem.first_conv.convolution"},
	{"bn_Conv1", "conv_stem.first_conv.normalization"},
	{"expanded_conv_depthwise", "conv_stem.conv_3x3.convolution"},
	{"expanded_conv_depthwise_BN", "conv_stem.conv_3x3.normalization"},
	{"expanded_conv_project", "conv_stem.reduce_1x1.convolution"},
	{"expanded_conv_project_BN", "conv_stem.reduce_1x1.normalization"},
	{"block_#_expand", "layer.#-1.expand_1x1.convolution"},
	{"block_#_expand_BN", "layer.#-1.expand_1x1.normalization"},
	{"block_#_depthwise", "layer.#-1.conv_3x3.convolution"},
	{"block_#_depthwise_BN", "layer.#-1.conv_3x3.normalization"},
	{"block_#_project", "layer.#-1.reduce_1x1.convolution"},
	{"block_#_project_BN", "layer.#-1.reduce_1x1.normalization"},
	{"Conv_1", "conv_1x1.convolution"},
	{"Conv_1_bn", "conv_1x1.normalization"},
}}

// timmMobileNetV2 counts blocks stage by stage, where torchvision counts through.
func timmMobileNetV2() []rename {
	all := []rename{{"features.0.0", "conv_stem"}, {"features.0.1", "bn1"}, {"features.18.0", "conv_head"}, {"features.18.1", "bn2"}}
	d, block := mobileDrawing{origin: torch}, 0
	for s, stage := range mobileStages {
		for r := range stage.repeats {
			for k, theirs := range timmNames(fmt.Sprintf("blocks.%d.%d.", s, r), stage.expand > 1) {
				if theirs[0] != "" {
					ours := d.names(block, k)
					all = append(all, rename{ours[0], theirs[0]}, rename{ours[1], theirs[1]})
				}
			}
			block++
		}
	}
	return all
}

// named is get for our names of tensors in a file that has another program's, of
// those that fit the network the one that the file has the most tensors of.
// Dense layers, which most files have for their classifier, are taken only if asked
// for.
func (n *Network) named(get Getter, asked bool) Getter {
	if !asked && slices.ContainsFunc(n.layers, func(l layer) bool { return l.flat }) {
		return get
	}
	best, most := get, n.present(get)
	for _, m := range append([]naming{{prefix: n.prefix}}, namings...) {
		theirs, ok := m.of(n)
		if !ok {
			continue
		}
		other := m.getter(theirs, get)
		if count := n.present(other); count > most {
			best, most = other, count
		}
	}
	return n.flattened(best)
}

// flattened gives the weights of dense layers as matrices, which timm has as
// convolutions of a whole map.
func (n *Network) flattened(get Getter) Getter {
	flat := map[string]bool{}
	for _, l := range n.layers {
		flat[l.conv+".weight"] = l.flat
	}
	return func(name string) ([]int, func() ([]float32, error), bool) {
		shape, values, ok := get(name)
		if flat[name] && len(shape) == 4 {
			shape = []int{shape[0], shape[1] * shape[2] * shape[3]}
		}
		return shape, values, ok
	}
}

// of maps the names of the network's layers to theirs.
func (m naming) of(n *Network) (theirs map[string]string, ok bool) {
	theirs = map[string]string{}
	for _, l := range n.layers {
		if !l.weighted() {
			continue
		}
		for _, name := range []string{l.conv, l.norm} {
			if name == "" {
				continue
			}
			if theirs[name], ok = m.rename(name); !ok {
				return nil, false
			}
		}
	}
	return theirs, len(theirs) > 0
}

// getter finds tensors by our names.
func (m naming) getter(theirs map[string]string, get Getter) Getter {
	return func(name string) ([]int, func() ([]float32, error), bool) {
		dot := strings.LastIndexByte(name, '.')
		name = theirs[name[:dot]] + name[dot:]
		if shape, values, ok := get(m.prefix + name); ok {
			return shape, values, ok
		}
		return get(name)
	}
}

// rename is their name of a layer.
func (m naming) rename(name string) (theirs string, ok bool) {
	if len(m.names) == 0 {
		return name, true
	}
	for _, r := range m.names {
		if numbers, ok := match(r.ours, name); ok {
			return filled(r.theirs, numbers), true
		}
	}
	return "", false
}

// match finds the numbers of a name that stand where the pattern has #.
func match(pattern, name string) (numbers []int, ok bool) {
	for i, fixed := range strings.Split(pattern, "#") {
		if i > 0 {
			rest := strings.TrimLeft(name, "0123456789")
			n, err := strconv.Atoi(name[:len(name)-len(rest)])
			if err != nil {
				return nil, false
			}
			numbers, name = append(numbers, n), rest
		}
		if name, ok = strings.CutPrefix(name, fixed); !ok {
			return nil, false
		}
	}
	return numbers, name == ""
}

// filled writes numbers where the pattern has # or #-1.
func filled(pattern string, numbers []int) string {
	parts := strings.Split(pattern, "#")
	name := parts[0]
	for i, part := range parts[1:] {
		n := numbers[i]
		if rest, ok := strings.CutPrefix(part, "-1"); ok {
			n, part = n-1, rest
		}
		name += strconv.Itoa(n) + part
	}
	return name
}
