package encoder

import (
	"fmt"

	"showtell/imageprep"
	"showtell/tensor"
)

// EfficientNet-Lite (Tan and Le 2019, in the version of the TensorFlow release
// for small devices): inverted residuals without squeeze-and-excite, ReLU6.

// lite is a size of the family.
type lite struct {
	size    int // of the square picture
	widths  [7]int
	repeats [7]int
}

var (
	lite0 = lite{size: 224, widths: [7]int{16, 24, 40, 80, 112, 192, 320}, repeats: [7]int{1, 2, 2, 3, 3, 4, 1}}
	lite2 = lite{size: 260, widths: [7]int{16, 24, 48, 88, 120, 208, 352}, repeats: [7]int{1, 3, 3, 4, 4, 5, 1}}
)

// liteStages are alike in all sizes.
var liteStages = [7]struct{ kernel, stride, expand int }{
	{3, 1, 1}, {3, 2, 6}, {5, 2, 6}, {3, 2, 6}, {5, 1, 6}, {5, 2, 6}, {3, 1, 6},
}

func efficientNetLite(size lite) table {
	t := table{
		recipe: imageprep.Recipe{
			Width: size.size, Height: size.size, Filter: imageprep.Bicubic, Fit: imageprep.Squash, Channels: imageprep.OrderRGB,
			Mean: [3]float32{127, 127, 127}, Std: [3]float32{128, 128, 128},
		},
		epsilon: 1e-3,
	}
	put := func(l layer) { t.layers = append(t.layers, l) }
	put(layer{name: "stem", kernel: 3, stride: 2, in: 3, out: 32, add: -1, activation: tensor.Rectify6})
	in := 32
	for s, stage := range liteStages {
		for b := range size.repeats[s] {
			name, stride, out := fmt.Sprintf("stages.%d.%d.", s, b), 1, size.widths[s]
			if b == 0 {
				stride = stage.stride
			}
			from, wide := len(t.layers)-1, in*stage.expand
			if stage.expand > 1 {
				put(layer{name: name + "expand", kernel: 1, stride: 1, in: in, out: wide, add: -1, activation: tensor.Rectify6})
			}
			put(layer{name: name + "depthwise", depthwise: true, kernel: stage.kernel, stride: stride, in: wide, out: wide, add: -1, activation: tensor.Rectify6})
			if stride > 1 || in != out {
				from = -1
			}
			put(layer{name: name + "project", kernel: 1, stride: 1, in: wide, out: out, add: from})
			in = out
		}
	}
	put(layer{name: "head", kernel: 1, stride: 1, in: in, out: 1280, add: -1, activation: tensor.Rectify6})
	return t
}
