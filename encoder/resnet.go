package encoder

import (
	"fmt"

	"showtell/tensor"
)

// ResNet (He et al. 2016). In torchvision the 3x3 convolution of a bottleneck
// has its stride, in Keras the 1x1 before it. Keras's convolutions have biases,
// which are part of the batch norms' means here.

// resnet is a size of the family.
type resnet struct {
	bottleneck bool
	blocks     [4]int
}

var (
	resnet18  = resnet{false, [4]int{2, 2, 2, 2}}
	resnet34  = resnet{false, [4]int{3, 4, 6, 3}}
	resnet50  = resnet{true, [4]int{3, 4, 6, 3}}
	resnet101 = resnet{true, [4]int{3, 4, 23, 3}}
	resnet152 = resnet{true, [4]int{3, 8, 36, 3}}
)

func resNet(o origin, size resnet) table {
	d := resnetDrawing{drawing{table{recipe: o.recipe(), epsilon: 1e-5, anyWidth: true}}, o}
	stem := layer{conv: "conv1", norm: "bn1", kernel: 7, stride: 2, pad: symmetric, out: 64, add: -1, activation: tensor.Rectify}
	if o == keras {
		d.epsilon = 1.001e-5
		stem.conv, stem.norm = "conv1_conv", "conv1_bn"
	}
	d.begin("stem")
	d.put(stem)
	d.pool(maxPool, "pool1", 3, 2, symmetric)
	for stage, blocks := range size.blocks {
		for block := range blocks {
			d.begin(d.blockName(stage, block))
			stride := 1
			if block == 0 && stage > 0 {
				stride = 2
			}
			project := block == 0 && (stage > 0 || size.bottleneck)
			if size.bottleneck {
				d.bottleneck(stage, block, stride, project)
			} else {
				d.basic(stage, block, stride, project)
			}
		}
	}
	return d.table
}

type resnetDrawing struct {
	drawing
	origin
}

func (d *resnetDrawing) blockName(stage, block int) string {
	if d.origin == keras {
		return fmt.Sprintf("conv%d_block%d", stage+2, block+1)
	}
	return fmt.Sprintf("layer%d.%d", stage+1, block)
}

func (d *resnetDrawing) basic(stage, block, stride int, project bool) {
	in, width := len(d.layers)-1, 64<<stage
	d.step(stage, block, 1, layer{kernel: 3, stride: stride, out: width})
	shortcut := in
	if project {
		shortcut = d.shortcut(stage, block, stride, width, in)
	}
	d.step(stage, block, 2, layer{kernel: 3, out: width, from: []int{in + 1}, add: shortcut})
}

func (d *resnetDrawing) bottleneck(stage, block, stride int, project bool) {
	in, width := len(d.layers)-1, 64<<stage
	first, second := 1, stride
	if d.origin == keras {
		first, second = stride, 1
	}
	d.step(stage, block, 1, layer{kernel: 1, stride: first, out: width})
	y := d.step(stage, block, 2, layer{kernel: 3, stride: second, out: width})
	shortcut := in
	if project {
		shortcut = d.shortcut(stage, block, stride, 4*width, in)
	}
	d.step(stage, block, 3, layer{kernel: 1, out: 4 * width, from: []int{y}, add: shortcut})
}

// step puts convolution k of a block; the last one has an add.
func (d *resnetDrawing) step(stage, block, k int, l layer) int {
	l.conv, l.norm = fmt.Sprintf("layer%d.%d.conv%d", stage+1, block, k), fmt.Sprintf("layer%d.%d.bn%d", stage+1, block, k)
	if d.origin == keras {
		l.conv, l.norm = fmt.Sprintf("conv%d_block%d_%d_conv", stage+2, block+1, k), fmt.Sprintf("conv%d_block%d_%d_bn", stage+2, block+1, k)
	}
	if l.from == nil {
		l.add = -1
	}
	l.pad, l.activation = symmetric, tensor.Rectify
	return d.put(l)
}

// shortcut puts the projection of a block's input.
func (d *resnetDrawing) shortcut(stage, block, stride, out, in int) int {
	l := layer{kernel: 1, stride: stride, pad: symmetric, out: out, from: []int{in}, add: -1}
	l.conv, l.norm = fmt.Sprintf("layer%d.%d.downsample.0", stage+1, block), fmt.Sprintf("layer%d.%d.downsample.1", stage+1, block)
	if d.origin == keras {
		l.conv, l.norm = fmt.Sprintf("conv%d_block%d_0_conv", stage+2, block+1), fmt.Sprintf("conv%d_block%d_0_bn", stage+2, block+1)
	}
	return d.put(l)
}
