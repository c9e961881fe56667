package encoder

import (
	"fmt"
	"strings"

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
	lite1 = lite{size: 240, widths: [7]int{16, 24, 40, 80, 112, 192, 320}, repeats: [7]int{1, 3, 3, 4, 4, 5, 1}}
	lite2 = lite{size: 260, widths: [7]int{16, 24, 48, 88, 120, 208, 352}, repeats: [7]int{1, 3, 3, 4, 4, 5, 1}}
	lite3 = lite{size: 280, widths: [7]int{24, 32, 48, 96, 136, 232, 384}, repeats: [7]int{1, 3, 3, 5, 5, 6, 1}}
	lite4 = lite{size: 300, widths: [7]int{24, 32, 56, 112, 160, 272, 448}, repeats: [7]int{1, 4, 4, 6, 6, 8, 1}}
)

// liteStages are alike in all sizes.
var liteStages = [7]struct{ kernel, stride, expand int }{
	{3, 1, 1}, {3, 2, 6}, {5, 2, 6}, {3, 2, 6}, {5, 1, 6}, {5, 2, 6}, {3, 1, 6},
}

func efficientNetLite(size lite) table {
	d := drawing{table{
		recipe: imageprep.Recipe{
			Width: size.size, Height: size.size, Filter: imageprep.Bicubic, Fit: imageprep.Squash, Channels: imageprep.OrderRGB,
			Mean: [3]float32{127, 127, 127}, Std: [3]float32{128, 128, 128},
		},
		epsilon: 1e-3,
	}}
	put := func(l layer, timm [2]string) {
		l.conv, l.norm, l.alias = l.name+".conv", l.name+".bn", timm
		d.put(l)
	}
	d.begin("stem")
	put(layer{name: "stem", kernel: 3, stride: 2, out: 32, add: -1, activation: tensor.Rectify6}, [2]string{"conv_stem", "bn1"})
	in := 32
	for s, stage := range liteStages {
		for b := range size.repeats[s] {
			name, stride, out := fmt.Sprintf("stages.%d.%d.", s, b), 1, size.widths[s]
			d.begin(strings.TrimSuffix(name, "."))
			if b == 0 {
				stride = stage.stride
			}
			from, wide := len(d.layers)-1, in*stage.expand
			timm := timmNames(fmt.Sprintf("blocks.%d.%d.", s, b), stage.expand > 1)
			if stage.expand > 1 {
				put(layer{name: name + "expand", kernel: 1, stride: 1, out: wide, add: -1, activation: tensor.Rectify6}, timm[0])
			}
			put(layer{name: name + "depthwise", kind: depthwise, kernel: stage.kernel, stride: stride, out: wide, add: -1, activation: tensor.Rectify6}, timm[1])
			if stride > 1 || in != out {
				from = -1
			}
			put(layer{name: name + "project", kernel: 1, stride: 1, out: out, add: from}, timm[2])
			in = out
		}
	}
	d.begin("head")
	put(layer{name: "head", kernel: 1, stride: 1, out: 1280, add: -1, activation: tensor.Rectify6}, [2]string{"conv_head", "bn2"})
	return d.table
}

// timmNames are those of what expands a block, filters and projects it in timm.
func timmNames(block string, expand bool) [3][2]string {
	if !expand {
		return [3][2]string{{}, {block + "conv_dw", block + "bn1"}, {block + "conv_pw", block + "bn2"}}
	}
	return [3][2]string{{block + "conv_pw", block + "bn1"}, {block + "conv_dw", block + "bn2"}, {block + "conv_pwl", block + "bn3"}}
}
