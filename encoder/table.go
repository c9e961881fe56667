package encoder

import (
	"fmt"

	"showtell/imageprep"
	"showtell/tensor"
)

// A table is the architecture of a network.
type table struct {
	recipe     imageprep.Recipe
	epsilon    float64 // of the batch norms
	layers     []layer
	anyWidth   bool   // how many channels layers have is for the weights to say
	normalized bool   // the weights may say what is done to pixels
	aliased    bool   // its layers' aliases are found without its name being told
	prefix     string // that published files have before its names, or not
}

// A layer is an operation with what follows it: the batch norm, the sum with an
// earlier layer, the activation.
type layer struct {
	kind       kind
	name       string    // in messages
	conv       string    // of its tensors: conv.weight and, without batch norm, conv.bias
	norm       string    // norm.weight, norm.bias, ...; "": no batch norm
	noGain     bool      // its batch norm has no weight
	flat       bool      // conv.weight is (out, in·rows·kernel): a dense layer over a whole map
	alias      [2]string // conv and norm, as published files call them where we don't
	kernel     int       // columns of the kernel
	rows       int       // its rows, where it is not square
	stride     int
	pad        padding
	in, out    int   // channels; connect knows those of layers without weights
	from       []int // layers that it reads; put makes nil the one before
	add        int   // index of the layer whose output is added; -1: none
	addIfEqual bool  // only if that has as many channels
	activation tensor.Activation
}

// A kind of operation.
type kind uint8

const (
	conv         kind = iota
	depthwise         // a kernel for each channel
	maxPool           // what is outside of the picture does not count
	average           // likewise
	averageZeros      // zeros outside of the picture count
	concat            // the channels of several layers, one behind the other
	means             // of each channel, over the whole picture
	factors           // the channels of one layer times those of another, which is a single pixel
)

// A padding is how far a kernel reaches over the edges.
type padding uint8

const (
	same      padding = iota // TensorFlow's: the output has size/stride pixels; an odd zero goes after
	symmetric                // PyTorch's (kernel-1)/2 on every side
	valid                    // none
)

// picture is the index of the network's input among the layers.
const picture = -1

// height is how many rows the kernel has.
func (l layer) height() int {
	if l.rows > 0 {
		return l.rows
	}
	return l.kernel
}

func (l layer) taps() int { return l.height() * l.kernel }

// weighted tells whether the layer has weights.
func (l layer) weighted() bool { return l.kind == conv || l.kind == depthwise }

// weightShape is that of the convolution: (out, in, rows, kernel).
func (l layer) weightShape() []int {
	if l.kind == depthwise {
		return []int{l.out, 1, l.height(), l.kernel}
	}
	return []int{l.out, l.in, l.height(), l.kernel}
}

// storedShape is weightShape as files have it.
func (l layer) storedShape() []int {
	if l.flat {
		return []int{l.out, l.in * l.taps()}
	}
	return l.weightShape()
}

// An extent is what a layer makes of the size of its input.
type extent struct {
	h, w      int // of the output
	top, left int // zeros before the input
	bottom    int // and behind it; negative: rows that no kernel reaches
	right     int
}

// over is what l makes of h x w pixels.
func (l layer) over(h, w int) extent {
	switch l.kind {
	case concat, factors:
		return extent{h: h, w: w}
	case means:
		return extent{h: 1, w: 1}
	}
	var e extent
	e.h, e.top, e.bottom = l.along(h, l.height())
	e.w, e.left, e.right = l.along(w, l.kernel)
	return e
}

func (l layer) along(size, kernel int) (out, before, after int) {
	switch l.pad {
	case same:
		return tensor.SamePadding(size, kernel, l.stride)
	case symmetric:
		before = (kernel - 1) / 2
	}
	out = (size+2*before-kernel)/l.stride + 1
	return out, before, (out-1)*l.stride + kernel - before - size
}

// extents are those of all layers.
func (t table) extents() []extent {
	all := make([]extent, len(t.layers))
	for i, l := range t.layers {
		h, w := t.recipe.Height, t.recipe.Width
		if from := l.from[0]; from != picture {
			h, w = all[from].h, all[from].w
		}
		all[i] = l.over(h, w)
	}
	return all
}

// connect fills in the channels that follow from those of others.
func (t table) connect() error {
	for i := range t.layers {
		l := &t.layers[i]
		l.in = 0
		for _, from := range l.from {
			l.in += t.width(from)
		}
		if l.kind == factors {
			if l.in = t.width(l.from[0]); t.width(l.from[1]) != l.in {
				return fmt.Errorf("layer %s has %d channels, and %d factors", l.name, l.in, t.width(l.from[1]))
			}
		}
		if l.kind != conv {
			l.out = l.in
		}
		if l.addIfEqual && t.layers[l.add].out != l.out {
			l.add = -1
		}
		if l.add >= 0 && t.layers[l.add].out != l.out {
			return fmt.Errorf("layer %s has %d channels, what is added has %d", l.name, l.out, t.layers[l.add].out)
		}
	}
	return nil
}

// width is how many channels come out of a layer, or the picture.
func (t table) width(i int) int {
	if i == picture {
		return 3
	}
	return t.layers[i].out
}

// maxWidth keeps what a file may make of the buffers of a plan in bounds.
const maxWidth = 8192

// adopt takes the channels of convolutions from the weights.
func (t table) adopt(get Getter) error {
	if t.anyWidth {
		for i, l := range t.layers {
			if l.kind != conv {
				continue
			}
			shape, _, ok := get(l.conv + ".weight")
			if !ok || len(shape) != len(l.storedShape()) {
				continue // for read to tell
			}
			if t.layers[i].out = shape[0]; shape[0] < 1 || shape[0] > maxWidth {
				return fmt.Errorf("tensor %s.weight has shape %v, of more than %d channels or none", l.conv, shape, maxWidth)
			}
		}
	}
	return t.connect()
}

// tensors are the names and shapes of the weights, as they are trained.
func (l layer) tensors() (names []string, shapes [][]int) {
	if !l.weighted() {
		return nil, nil
	}
	names, shapes = []string{l.conv + ".weight"}, [][]int{l.storedShape()}
	if l.norm == "" {
		return append(names, l.conv+".bias"), append(shapes, []int{l.out})
	}
	for k, norm := range norms {
		if k > 0 || !l.noGain {
			names, shapes = append(names, l.norm+"."+norm), append(shapes, []int{l.out})
		}
	}
	return names, shapes
}

// A drawing is a table that is being made.
type drawing struct{ table }

// put appends a layer, and returns its index.
func (d *drawing) put(l layer) int {
	if l.name == "" {
		l.name = l.conv
	}
	if l.stride == 0 {
		l.stride = 1
	}
	if l.from == nil {
		l.from = []int{len(d.layers) - 1}
	}
	d.layers = append(d.layers, l)
	return len(d.layers) - 1
}

// pool appends a layer without weights.
func (d *drawing) pool(k kind, name string, size, stride int, pad padding, from ...int) int {
	return d.put(layer{kind: k, name: name, kernel: size, stride: stride, pad: pad, from: from, add: -1})
}
