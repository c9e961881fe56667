package encoder

import (
	"errors"
	"fmt"
	"math"

	"showtell/tensor"
)

// A Calibration finds out what a network's numbers are like, and makes an int8
// network. Make one with NewCalibration, Add pictures, a few hundred that are
// like those to come, and call Network. It is for one goroutine.
type Calibration struct {
	network  *Network
	plan     *Plan
	outputs  [][]float32 // some of the values that each layer gave
	inputs   []moments   // of what the weights of each layer are multiplied with; empty without weights
	extents  []extent
	pictures int
}

// samplesPerPicture is how many values of each layer's output are kept.
const samplesPerPicture = 1024

// NewCalibration begins with no pictures.
func NewCalibration(n *Network) (*Calibration, error) {
	if n.Quantized() {
		return nil, fmt.Errorf("encoder %s: it is int8 already", n.name)
	}
	if err := n.int8Able(); err != nil {
		return nil, fmt.Errorf("encoder %w", err)
	}
	plan, err := n.plan(false)
	if err != nil {
		return nil, err
	}
	c := &Calibration{network: n, plan: plan, outputs: make([][]float32, len(n.layers)), extents: n.extents()}
	for _, l := range n.layers {
		c.inputs = append(c.inputs, newMoments(l))
	}
	return c, nil
}

// Add looks at pictures, each (height, width, 3) as the recipe gives them, on
// all cores. The number of cores has no part in what comes out.
func (c *Calibration) Add(pictures ...[]float32) {
	type look struct{ outputs, inputs [][]float32 }
	looks := make([]look, len(pictures))
	tensor.Parallel(len(pictures), func(i int) {
		looks[i].outputs, looks[i].inputs = c.look(pictures[i], c.pictures+i)
	})
	tensor.Parallel(len(c.inputs), func(i int) {
		for _, l := range looks {
			c.outputs[i] = append(c.outputs[i], l.outputs[i]...)
			c.inputs[i].add(l.inputs[i])
		}
	})
	c.pictures += len(pictures)
}

// look runs the network over a picture. The number of the picture says where
// to look.
func (c *Calibration) look(pixels []float32, number int) (outputs, inputs [][]float32) {
	n := c.network
	outputs, inputs = make([][]float32, len(n.layers)), make([][]float32, len(n.layers))
	read := func(from int, x tensor.Image) {
		for i, l := range n.layers {
			if l.weighted() && l.from[0] == from {
				inputs[i] = patches(l, c.extents[i], x, number)
			}
		}
	}
	read(picture, c.pixels(pixels))
	h, w, channels := n.Grid()
	c.plan.run(make([]float32, h*w*channels), pixels, func(i int, out tensor.Image) {
		if n.layers[i].weighted() { // others give no new values
			outputs[i] = sample(out, number)
		}
		read(i, out)
	})
	return outputs, inputs
}

// pixels are in the unit of an int8 network's input: 0 to 255, less the mean.
func (c *Calibration) pixels(x []float32) tensor.Image {
	r := c.network.recipe
	scaled := make([]float32, len(x))
	for i, v := range x {
		scaled[i] = v * r.Std[i%3]
	}
	return tensor.Img(scaled, r.Height, r.Width, 3)
}

// sample picks values here and there.
func sample(out tensor.Image, number int) []float32 {
	every := max(1, out.H*out.W*out.C/samplesPerPicture) | 1 // odd, for all channels to come up
	next := number * 31 % every
	var values []float32
	for y := range out.H {
		row := out.Row(y, 0, out.W)
		for ; next < len(row); next += every {
			values = append(values, row[next])
		}
		next -= len(row)
	}
	return values
}

// Network is the network in int8: weights with a scale for each output channel,
// outputs of layers with a scale and a zero for each layer.
func (c *Calibration) Network() (*Network, error) {
	if c.pictures == 0 {
		return nil, errors.New("calibration without a picture")
	}
	n := c.network
	q := &Network{name: n.name, table: n.table, layers8: make([]layer8, len(n.layers))}
	shared := n.sharing()
	tensor.Parallel(len(q.layers), func(i int) {
		if shared[i] == i && !n.endsInFloats(i) {
			q.layers8[i].output = outputBytes(c.together(shared, i), n.layers[i].activation)
		}
	})
	for i, first := range shared {
		q.layers8[i].output = q.layers8[first].output
	}
	c.widen(q, shared)
	tensor.Parallel(len(q.layers), func(i int) {
		if n.layers[i].weighted() {
			c.quantize(q, i)
		}
	})
	if _, err := q.Compile(); err != nil {
		return nil, err
	}
	return q, nil
}

// widen makes the steps of outputs coarser where a step of the sum would be more
// than package tensor takes, as that of a layer which gave nothing but zeros.
func (c *Calibration) widen(q *Network, shared []int) {
	largest := make([]float64, len(q.layers))
	tensor.Parallel(len(q.layers), func(i int) {
		if q.layers[i].weighted() {
			for _, v := range c.folded(q, i) {
				largest[i] = max(largest[i], math.Abs(v))
			}
		}
	})
	for range q.layers { // layers may read outputs that others widen later
		changed := false
		for i, w := range largest {
			in, _ := q.input8(i)
			least := float32(w / 127 * in * 4.1)
			if q.endsInFloats(i) || q.layers8[i].output.scale >= least {
				continue
			}
			for k, first := range shared {
				if first == shared[i] {
					q.layers8[k].output.scale = least
				}
			}
			changed = true
		}
		if !changed {
			return
		}
	}
}

// together are the samples of all layers whose bytes mean what those of the
// first do.
func (c *Calibration) together(shared []int, first int) (values []float32) {
	for i, x := range c.outputs {
		if shared[i] == first {
			values = append(values, x...)
		}
	}
	return values
}

// outputBytes chooses what bytes stand for, so that the mean square of the
// error is least: a wider range is coarser, a narrower one cuts more off.
func outputBytes(x []float32, a tensor.Activation) bytes8 {
	low, high := float32(0), float32(1e-6)
	for _, v := range x {
		low, high = min(low, v), max(high, v)
	}
	best, least := bytes8{}, math.Inf(1)
	const steps = 16
	for i := range steps {
		for j := range steps {
			l, h := low*(1-float32(i)/(2*steps)), high*(1-float32(j)/(2*steps))
			code := bytes8{scale: (h - l) / 255, zero: clampByte(-l / ((h - l) / 255))}
			if e := code.error(x); e < least {
				best, least = code, e
			}
		}
		if a != tensor.Identity { // low is zero
			break
		}
	}
	return best
}

// error is the sum of the squares of what rounding x to bytes changes.
func (b bytes8) error(x []float32) float64 {
	sum := float64(0)
	low, high, inverse := -float32(b.zero), 255-float32(b.zero), 1/b.scale
	const round = 3 << 22 // added and taken away, it leaves no fraction
	for _, v := range x {
		q := min(max(v*inverse, low), high)
		q = (q + round) - round
		d := float64(v - q*b.scale)
		sum += d * d
	}
	return sum
}
