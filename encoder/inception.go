package encoder

import (
	"strings"

	"showtell/imageprep"
	"showtell/tensor"
)

// Inception v3 (Szegedy et al. 2016). Keras's batch norms have no gain, and its
// average pooling divides by the cells inside of the picture; torchvision's by
// nine. Both want pixels from -1 to 1: torchvision's transform_input makes them
// so of what was normalised before.

type inceptionDrawing struct {
	drawing
	origin
	block string
}

func inceptionV3(o origin) table {
	recipe := imageprep.Recipe{Width: 299, Height: 299, Filter: imageprep.Bilinear, Fit: imageprep.Crop, Short: 342}
	if o == keras {
		recipe = imageprep.Recipe{Width: 299, Height: 299, Filter: imageprep.Nearest, Fit: imageprep.Squash}
	}
	d := inceptionDrawing{drawing{table{recipe: plusMinusOne(recipe), epsilon: 1e-3, anyWidth: true}}, o, ""}
	d.begin("stem")
	d.stem()
	for i, block := range []string{"Mixed_5b", "Mixed_5c", "Mixed_5d"} {
		d.enter(block)
		d.a([]int{32, 64, 64}[i])
	}
	d.enter("Mixed_6a")
	d.b()
	for i, block := range []string{"Mixed_6b", "Mixed_6c", "Mixed_6d", "Mixed_6e"} {
		d.enter(block)
		d.c([]int{128, 160, 160, 192}[i])
	}
	d.enter("Mixed_7a")
	d.d()
	for _, block := range []string{"Mixed_7b", "Mixed_7c"} {
		d.enter(block)
		d.e()
	}
	return d.table
}

// enter begins a block whose name its layers have, too.
func (d *inceptionDrawing) enter(block string) {
	d.block = block
	d.begin(d.cased(block))
}

// conv puts a convolution of rows x columns on layer from. The letter case of
// its name tells whose it is.
func (d *inceptionDrawing) conv(from int, name string, out, rows, columns int) int {
	if d.block != "" {
		name = d.block + "." + name
	}
	name = d.cased(name)
	return d.put(layer{
		name: name, conv: name + ".conv", norm: name + ".bn", noGain: d.origin == keras,
		kernel: columns, rows: rows, out: out, from: []int{from}, add: -1, activation: tensor.Rectify,
	})
}

// cased is a name in the letter case of its origin.
func (o origin) cased(name string) string {
	if o == keras {
		return strings.ToLower(name)
	}
	return name
}

// valid takes the padding of a layer away.
func (d *inceptionDrawing) valid(l, stride int) int {
	d.layers[l].pad, d.layers[l].stride = valid, stride
	return l
}

func (d *inceptionDrawing) concat(name string, from ...int) int {
	return d.pool(concat, d.block+name, 1, 1, valid, from...)
}

// pooled puts the branch that averages before it convolves.
func (d *inceptionDrawing) pooled(from, out int) int {
	k := averageZeros
	if d.origin == keras {
		k = average
	}
	return d.conv(d.pool(k, d.block+".pool", 3, 1, same, from), "branch_pool", out, 1, 1)
}

func (d *inceptionDrawing) stem() {
	x := d.valid(d.conv(picture, "Conv2d_1a_3x3", 32, 3, 3), 2)
	x = d.valid(d.conv(x, "Conv2d_2a_3x3", 32, 3, 3), 1)
	x = d.conv(x, "Conv2d_2b_3x3", 64, 3, 3)
	x = d.conv(d.pool(maxPool, "maxpool1", 3, 2, valid, x), "Conv2d_3b_1x1", 80, 1, 1)
	x = d.valid(d.conv(x, "Conv2d_4a_3x3", 192, 3, 3), 1)
	d.pool(maxPool, "maxpool2", 3, 2, valid, x)
}

// last is the layer that was put last.
func (d *inceptionDrawing) last() int { return len(d.layers) - 1 }

func (d *inceptionDrawing) a(out int) {
	x := d.last()
	one := d.conv(x, "branch1x1", 64, 1, 1)
	five := d.conv(d.conv(x, "branch5x5_1", 48, 1, 1), "branch5x5_2", 64, 5, 5)
	three := d.conv(d.conv(x, "branch3x3dbl_1", 64, 1, 1), "branch3x3dbl_2", 96, 3, 3)
	three = d.conv(three, "branch3x3dbl_3", 96, 3, 3)
	d.concat("", one, five, three, d.pooled(x, out))
}

func (d *inceptionDrawing) b() {
	x := d.last()
	three := d.valid(d.conv(x, "branch3x3", 384, 3, 3), 2)
	double := d.conv(d.conv(x, "branch3x3dbl_1", 64, 1, 1), "branch3x3dbl_2", 96, 3, 3)
	double = d.valid(d.conv(double, "branch3x3dbl_3", 96, 3, 3), 2)
	d.concat("", three, double, d.pool(maxPool, d.block+".pool", 3, 2, valid, x))
}

func (d *inceptionDrawing) c(width int) {
	x := d.last()
	one := d.conv(x, "branch1x1", 192, 1, 1)
	seven := d.conv(d.conv(x, "branch7x7_1", width, 1, 1), "branch7x7_2", width, 1, 7)
	seven = d.conv(seven, "branch7x7_3", 192, 7, 1)
	double := d.conv(d.conv(x, "branch7x7dbl_1", width, 1, 1), "branch7x7dbl_2", width, 7, 1)
	double = d.conv(d.conv(double, "branch7x7dbl_3", width, 1, 7), "branch7x7dbl_4", width, 7, 1)
	double = d.conv(double, "branch7x7dbl_5", 192, 1, 7)
	d.concat("", one, seven, double, d.pooled(x, 192))
}

func (d *inceptionDrawing) d() {
	x := d.last()
	three := d.valid(d.conv(d.conv(x, "branch3x3_1", 192, 1, 1), "branch3x3_2", 320, 3, 3), 2)
	seven := d.conv(d.conv(x, "branch7x7x3_1", 192, 1, 1), "branch7x7x3_2", 192, 1, 7)
	seven = d.valid(d.conv(d.conv(seven, "branch7x7x3_3", 192, 7, 1), "branch7x7x3_4", 192, 3, 3), 2)
	d.concat("", three, seven, d.pool(maxPool, d.block+".pool", 3, 2, valid, x))
}

func (d *inceptionDrawing) e() {
	x := d.last()
	one := d.conv(x, "branch1x1", 320, 1, 1)
	y := d.conv(x, "branch3x3_1", 384, 1, 1)
	three := d.concat(".3x3", d.conv(y, "branch3x3_2a", 384, 1, 3), d.conv(y, "branch3x3_2b", 384, 3, 1))
	y = d.conv(d.conv(x, "branch3x3dbl_1", 448, 1, 1), "branch3x3dbl_2", 384, 3, 3)
	double := d.concat(".3x3dbl", d.conv(y, "branch3x3dbl_3a", 384, 1, 3), d.conv(y, "branch3x3dbl_3b", 384, 3, 1))
	d.concat("", one, three, double, d.pooled(x, 192))
}
