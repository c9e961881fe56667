package encoder

import (
	"fmt"
	"math"

	"showtell/imageprep"
	"showtell/tensor"
)

// EfficientNet (Tan and Le 2019): inverted residuals with squeeze-and-excite and
// swish, a small network scaled in width and depth. torchvision pads
// symmetrically; Keras, and what timm calls tf_, as TensorFlow does, with another
// epsilon. Tensors have the same names in both kinds of timm's networks, so they
// are read only if it is told which one they are of.

// efficient is a size of the family.
type efficient struct {
	width, depth float64
	size         int    // of the square picture
	torch        [2]int // in torchvision: the short side, of which the middle is cut out; the size
	timm         int    // the short side in timm
}

var (
	efficientB0 = efficient{1.0, 1.0, 224, [2]int{256, 224}, 256}
	efficientB1 = efficient{1.0, 1.1, 240, [2]int{256, 240}, 272}
	efficientB2 = efficient{1.1, 1.2, 260, [2]int{288, 288}, 292}
	efficientB3 = efficient{1.2, 1.4, 300, [2]int{320, 300}, 331}
)

// efficientStages are those of B0.
var efficientStages = [7]struct{ kernel, stride, expand, out, repeats int }{
	{3, 1, 1, 16, 1}, {3, 2, 6, 24, 2}, {5, 2, 6, 40, 2}, {3, 2, 6, 80, 3}, {5, 1, 6, 112, 3}, {5, 2, 6, 192, 4}, {3, 1, 6, 320, 1},
}

// channels are n times the width, as the nearest multiple of 8 that is not less
// by a tenth.
func (e efficient) channels(n int) int {
	exact := float64(n) * e.width
	rounded := max(8, int(exact+4)/8*8)
	if float64(rounded) < 0.9*exact {
		rounded += 8
	}
	return rounded
}

// recipe is what an edition does to pictures.
func (e efficient) recipe(o origin) imageprep.Recipe {
	r := torch.recipe()
	r.Width, r.Height, r.Filter, r.Short = e.size, e.size, imageprep.Bicubic, e.timm
	switch o {
	case torch:
		r.Short, r.Width, r.Height = e.torch[0], e.torch[1], e.torch[1]
	case keras:
		r.Filter, r.Fit, r.Short = imageprep.Nearest, imageprep.Squash, 0
	}
	return r
}

// efficientNet may have any width, except B2, which only its channels tell from B1.
func efficientNet(o origin, e efficient) table {
	d := efficientDrawing{origin: o}
	d.table = table{recipe: e.recipe(o), epsilon: 1e-3, anyWidth: e != efficientB2, normalized: o == keras, aliased: o == keras}
	if o == torch {
		d.epsilon = 1e-5
	}
	in := e.channels(32)
	d.conv(o.efficientEnds(0), layer{kernel: 3, stride: 2, out: in, add: -1, activation: tensor.Swish})
	for s, stage := range efficientStages {
		out := e.channels(stage.out)
		for b := range int(math.Ceil(e.depth * float64(stage.repeats))) {
			d.stage, d.block = s, b
			d.inverted(in, out)
			d.blocks++
			in = out
		}
	}
	d.conv(o.efficientEnds(1), layer{kernel: 1, out: e.channels(1280), add: -1, activation: tensor.Swish})
	return d.table
}

type efficientDrawing struct {
	drawing
	origin
	stage, block int
	blocks       int // in all stages so far
}

// The layers of a block that have weights.
const (
	expand = iota
	filter
	reduce
	excite
	project
)

// inverted puts a block.
func (d *efficientDrawing) inverted(in, out int) {
	stage := efficientStages[d.stage]
	wide, stride, add := in*stage.expand, stage.stride, -1
	if d.block > 0 {
		stride = 1
	}
	if d.block > 0 || d.origin == keras && stride == 1 { // of a first block only if channels happen to be as many
		add = len(d.layers) - 1
	}
	if stage.expand > 1 {
		d.conv(d.names(expand), layer{kernel: 1, out: wide, add: -1, activation: tensor.Swish})
	}
	x := d.conv(d.names(filter), layer{kind: depthwise, kernel: stage.kernel, stride: stride, add: -1, activation: tensor.Swish})
	name := d.layers[x].name
	d.put(layer{kind: means, name: name + " means", add: -1})
	d.conv(d.names(reduce), layer{kernel: 1, out: max(1, in/4), add: -1, activation: tensor.Swish})
	gates := d.conv(d.names(excite), layer{kernel: 1, out: wide, add: -1, activation: tensor.Logistic})
	d.put(layer{kind: factors, name: name + " excited", from: []int{x, gates}, add: -1})
	d.conv(d.names(project), layer{kernel: 1, out: out, add: add, addIfEqual: d.block == 0 && add >= 0})
}

// conv puts a layer with weights.
func (d *efficientDrawing) conv(n [2][2]string, l layer) int {
	l.conv, l.norm, l.alias = n[0][0], n[0][1], n[1]
	if d.origin == torch {
		l.pad = symmetric
	}
	return d.put(l)
}

// efficientEnds are the names of the first layer (0) and of the last (1): of its
// convolution and its batch norm, and their aliases.
func (o origin) efficientEnds(k int) [2][2]string {
	other := [][2]string{{"conv_stem", "bn1"}, {"conv_head", "bn2"}}[k]
	switch o {
	case keras:
		return [2][2]string{
			{[]string{"stem_conv", "top_conv"}[k], []string{"stem_bn", "top_bn"}[k]},
			[][2]string{{hub + "embeddings.convolution", hub + "embeddings.batchnorm"}, {hub + "encoder.top_conv", hub + "encoder.top_bn"}}[k],
		}
	case timm:
		name := []string{"stem", "head"}[k]
		return [2][2]string{{name + ".conv", name + ".bn"}, other}
	}
	name := []string{"features.0", "features.8"}[k]
	return [2][2]string{{name + ".0", name + ".1"}, other}
}

// hub is before names in Hugging Face's files, which have the weights of Keras.
const hub = "efficientnet."

// names are those of a layer of the block, as efficientEnds has them.
func (d *efficientDrawing) names(part int) [2][2]string {
	widened := efficientStages[d.stage].expand > 1
	other := timmExcited(fmt.Sprintf("blocks.%d.%d.", d.stage, d.block), widened)[part]
	switch d.origin {
	case keras:
		name := fmt.Sprintf("block%d%c_", d.stage+1, 'a'+d.block)
		own := [][2]string{{"expand_conv", "expand_bn"}, {"dwconv", "bn"}, {"se_reduce"}, {"se_expand"}, {"project_conv", "project_bn"}}[part]
		return [2][2]string{under(name, own), under(fmt.Sprintf("%sencoder.blocks.%d.", hub, d.blocks), hubBlock[part])}
	case timm:
		name := fmt.Sprintf("stages.%d.%d.%s", d.stage, d.block, []string{"expand", "depthwise", "reduce", "excite", "project"}[part])
		if part == reduce || part == excite {
			return [2][2]string{{name}, other}
		}
		return [2][2]string{{name + ".conv", name + ".bn"}, other}
	}
	k := []int{0, 1, 2, 2, 3}[part] // squeeze-and-excite is one module
	if !widened {
		k--
	}
	name := fmt.Sprintf("features.%d.%d.block.%d.", d.stage+1, d.block, k)
	own := [][2]string{{"0", "1"}, {"0", "1"}, {"fc1"}, {"fc2"}, {"0", "1"}}[part]
	return [2][2]string{under(name, own), other}
}

var hubBlock = [5][2]string{
	{"expansion.expand_conv", "expansion.expand_bn"}, {"depthwise_conv.depthwise_conv", "depthwise_conv.depthwise_norm"},
	{"squeeze_excite.reduce"}, {"squeeze_excite.expand"}, {"projection.project_conv", "projection.project_bn"},
}

// under puts a prefix before names, as far as there are.
func under(prefix string, names [2]string) [2]string {
	for i, n := range names {
		if n != "" {
			names[i] = prefix + n
		}
	}
	return names
}

// timmExcited are timm's names of the layers of a block.
func timmExcited(block string, widened bool) [5][2]string {
	three := timmNames(block, widened)
	return [5][2]string{three[0], three[1], {block + "se.conv_reduce"}, {block + "se.conv_expand"}, three[2]}
}
