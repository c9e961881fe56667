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

// mobileNetV2TF is the edition of TensorFlow's researchers, as Hugging Face has it:
// Keras's network with other names, and pictures of which the middle is cut out.
func mobileNetV2TF() table {
	t := mobileNetV2(keras)
	t.prefix = mobileTF.prefix
	t.recipe = plusMinusOne(imageprep.Recipe{Width: 224, Height: 224, Filter: imageprep.Bilinear, Fit: imageprep.Crop, Short: 256})
	names, _ := mobileTF.of(&Network{table: t}) // which has them all
	for i, l := range t.layers {
		if l.conv == "expanded_conv_project" {
			t.layers[i].add, t.layers[i].addIfEqual = -1, false // its first block adds nothing
		}
		t.layers[i].name, t.layers[i].conv, t.layers[i].norm = names[l.conv], names[l.conv], names[l.norm]
	}
	return t
}

func mobileNetV2(o origin) table {
	d := mobileDrawing{drawing{table{recipe: o.recipe(), epsilon: 1e-5, anyWidth: true}}, o}
	stem, head := [2]string{"features.0.0", "features.0.1"}, [2]string{"features.18.0", "features.18.1"}
	if o == keras {
		d.epsilon = 1e-3
		d.table.recipe = plusMinusOne(imageprep.Recipe{Width: 224, Height: 224, Filter: imageprep.Nearest, Fit: imageprep.Squash})
		stem, head = [2]string{"Conv1", "bn_Conv1"}, [2]string{"Conv_1", "Conv_1_bn"}
	}
	d.step(stem, layer{kernel: 3, stride: 2, out: 32, activation: tensor.Rectify6}, -1)
	in, block := 32, 0
	for _, stage := range mobileStages {
		for r := range stage.repeats {
			stride := 1
			if r == 0 {
				stride = stage.stride
			}
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

// names are those of the convolution and the batch norm that expand a block (0),
// filter it (1) and project it (2).
func (d *mobileDrawing) names(block, k int) [2]string {
	if d.origin == keras {
		name := fmt.Sprintf("block_%d_", block)
		if block == 0 {
			name = "expanded_conv_"
		}
		name += []string{"expand", "depthwise", "project"}[k]
		return [2]string{name, name + "_BN"}
	}
	name := fmt.Sprintf("features.%d.conv.", block+1)
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
