package encoder

import (
	"fmt"

	"showtell/imageprep"
	"showtell/tensor"
)

// MobileNetV2 (Sandler et al. 2018): inverted residuals.

var mobileStages = [7]struct{ expand, out, repeats, stride int }{
	{1, 16, 1, 1}, {6, 24, 2, 2}, {6, 32, 3, 2}, {6, 64, 4, 2}, {6, 96, 3, 1}, {6, 160, 3, 2}, {6, 320, 1, 1},
}

func mobileNetV2(o origin) table {
	d := mobileDrawing{drawing{table{recipe: o.recipe(), epsilon: 1e-5, anyWidth: true}}, o}
	stem, head := [2]string{"features.0.0", "features.0.1"}, [2]string{"features.18.0", "features.18.1"}
	if o == keras {
		d.epsilon = 1e-3
		d.table.recipe = plusMinusOne(imageprep.Recipe{Width: 224, Height: 224, Filter: imageprep.Nearest, Fit: imageprep.Squash})
		stem, head = [2]string{"Conv1", "bn_Conv1"}, [2]string{"Conv_1", "Conv_1_bn"}
	}
	d.begin("stem")
	d.step(stem, layer{kernel: 3, stride: 2, out: 32, activation: tensor.Rectify6}, -1)
	in, block := 32, 0
	for _, stage := range mobileStages {
		for r := range stage.repeats {
			stride := 1
			if r == 0 {
				stride = stage.stride
			}
			d.begin(d.blockName(block))
			project := layer{kernel: 1, out: stage.out}
			from := -1
			if r > 0 || o == keras && stride == 1 { // of a first block only if channels happen to be as many
				from, project.addIfEqual = len(d.layers)-1, r == 0
			}
			if stage.expand > 1 {
				d.step(d.names(block, 0), layer{kernel: 1, out: stage.expand * in, activation: tensor.Rectify6}, -1)
			}
			d.step(d.names(block, 1), layer{kind: depthwise, kernel: 3, stride: stride, activation: tensor.Rectify6}, -1)
			d.step(d.names(block, 2), project, from)
			in = stage.out
			block++
		}
	}
	d.begin("head")
	d.step(head, layer{kernel: 1, out: 1280, activation: tensor.Rectify6}, -1)
	return d.table
}

type mobileDrawing struct {
	drawing
	origin
}

func (d *mobileDrawing) step(names [2]string, l layer, add int) {
	l.conv, l.norm, l.add = names[0], names[1], add
	if d.origin == torch {
		l.pad = symmetric
	}
	d.put(l)
}

func (d *mobileDrawing) blockName(block int) string {
	switch {
	case d.origin == torch:
		return fmt.Sprintf("features.%d", block+1)
	case block == 0:
		return "expanded_conv"
	}
	return fmt.Sprintf("block_%d", block)
}

// names are those of the convolution and the batch norm that expand a block (0),
// filter it (1) and project it (2).
func (d *mobileDrawing) names(block, k int) [2]string {
	if d.origin == keras {
		name := d.blockName(block) + []string{"_expand", "_depthwise", "_project"}[k]
		return [2]string{name, name + "_BN"}
	}
	name := d.blockName(block) + ".conv."
	if block == 0 {
		k-- // nothing is expanded
	}
	if k == 2 || block == 0 && k == 1 {
		return [2]string{fmt.Sprint(name, k), fmt.Sprint(name, k+1)}
	}
	return [2]string{fmt.Sprint(name, k, ".0"), fmt.Sprint(name, k, ".1")}
}

// plusMinusOne makes pixels from -1 to 1.
func plusMinusOne(r imageprep.Recipe) imageprep.Recipe {
	r.Channels = imageprep.OrderRGB
	r.Mean, r.Std = [3]float32{127.5, 127.5, 127.5}, [3]float32{127.5, 127.5, 127.5}
	return r
}
