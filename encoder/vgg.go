package encoder

import (
	"fmt"

	"showtell/imageprep"
	"showtell/tensor"
)

// VGG (Simonyan and Zisserman 2015): convolutions of 3x3 with biases, without
// batch norms. The grid is what comes out of the last pooling.

var (
	vgg16 = [5]int{2, 2, 3, 3, 3} // convolutions of each block
	vgg19 = [5]int{2, 2, 4, 4, 4}
)

// An origin is whose edition of a network it is. They differ in more than names,
// and tensors have their origin's names, so that weights don't get into the
// wrong one.
type origin uint8

const (
	torch origin = iota // torchvision
	keras
	timm // its tf_ networks
)

// recipe is what both do to pictures before VGG and ResNet.
func (o origin) recipe() imageprep.Recipe {
	if o == keras {
		return imageprep.Recipe{
			Width: 224, Height: 224, Filter: imageprep.Nearest, Fit: imageprep.Squash, Channels: imageprep.OrderBGR,
			Mean: [3]float32{103.939, 116.779, 123.68}, Std: [3]float32{1, 1, 1},
		}
	}
	return imageprep.Recipe{
		Width: 224, Height: 224, Filter: imageprep.Bilinear, Fit: imageprep.Crop, Short: 256, Channels: imageprep.OrderRGB,
		Mean: [3]float32{255 * 0.485, 255 * 0.456, 255 * 0.406}, Std: [3]float32{255 * 0.229, 255 * 0.224, 255 * 0.225},
	}
}

func vgg(o origin, blocks [5]int) table {
	d := drawing{table{recipe: o.recipe(), anyWidth: true}}
	index := 0 // in torchvision's list, where ReLU and pooling count
	for b, count := range blocks {
		for c := range count {
			name := fmt.Sprintf("features.%d", index)
			if o == keras {
				name = fmt.Sprintf("block%d_conv%d", b+1, c+1)
			}
			d.put(layer{conv: name, kernel: 3, out: min(64<<b, 512), add: -1, activation: tensor.Rectify})
			index += 2
		}
		d.pool(maxPool, fmt.Sprintf("block%d_pool", b+1), 2, 2, valid)
		index++
	}
	return d.table
}

// withDense adds VGG's two dense layers, of which older captioners use the
// second. A grid is then a single cell.
func withDense(t table) table {
	d := drawing{t}
	size := t.recipe.Width / 32
	d.put(layer{conv: "fc1", flat: true, kernel: size, pad: valid, out: 4096, add: -1, activation: tensor.Rectify})
	d.put(layer{conv: "fc2", flat: true, kernel: 1, out: 4096, add: -1, activation: tensor.Rectify})
	return d.table
}
