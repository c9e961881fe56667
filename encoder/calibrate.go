package encoder

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"showtell/tensor"
)

// A Calibration finds out what the outputs of a network's layers are like, and
// makes an int8 network. Make one with NewCalibration, Add pictures, a few
// hundred that are like those to come, and call Network.
type Calibration struct {
	network  *Network
	plan     *Plan
	layers   []seen
	pictures int
}

// seen is what the output of a layer, or of all pictures together, was like.
type seen struct {
	low, high float32
	means     []float64 // of each channel; sums while pictures are added
	samples   []float32 // some of the values
}

// samplesPerPicture is how many values of each layer's output are kept.
const samplesPerPicture = 1024

// NewCalibration begins with no pictures. It is for one goroutine.
func NewCalibration(n *Network) (*Calibration, error) {
	if n.Quantized() {
		return nil, fmt.Errorf("encoder %s: it is int8 already", n.name)
	}
	plan, err := n.Compile()
	if err != nil {
		return nil, err
	}
	return &Calibration{network: n, plan: plan, layers: make([]seen, len(n.layers))}, nil
}

// Add looks at pictures, each (height, width, 3) as the recipe gives them, on
// all cores. The order of pictures has no part in what comes out for a number
// of cores.
func (c *Calibration) Add(pictures ...[]float32) {
	looks := make([][]seen, len(pictures))
	tensor.Parallel(len(pictures), func(i int) { looks[i] = c.look(pictures[i], c.pictures+i) })
	for _, look := range looks {
		for i, s := range look {
			c.layers[i].add(s)
		}
	}
	c.pictures += len(pictures)
}

// look runs the network over a picture.
func (c *Calibration) look(pixels []float32, number int) []seen {
	all := make([]seen, len(c.network.layers))
	h, w, channels := c.network.Grid()
	c.plan.run(make([]float32, h*w*channels), pixels, func(i int, out tensor.Image) { all[i] = look(out, number) })
	return all
}

// look collects from one output.
func look(out tensor.Image, number int) seen {
	s := seen{low: out.Row(0, 0, 1)[0], means: make([]float64, out.C)}
	s.high = s.low
	sums := make([]float32, out.C)
	every := max(1, out.H*out.W*out.C/samplesPerPicture) | 1 // odd, for all channels to come up
	next := number * 31 % every
	for y := range out.H {
		row := out.Row(y, 0, out.W)
		clear(sums)
		for x := range out.W {
			tensor.AXPY(sums, 1, row[x*out.C:(x+1)*out.C])
		}
		for k, v := range sums {
			s.means[k] += float64(v) / float64(out.H*out.W)
		}
		s.low, s.high = min(s.low, slices.Min(row)), max(s.high, slices.Max(row))
		for ; next < len(row); next += every {
			s.samples = append(s.samples, row[next])
		}
		next -= len(row)
	}
	return s
}

func (s *seen) add(t seen) {
	if s.means == nil {
		*s = t
		return
	}
	s.low, s.high = min(s.low, t.low), max(s.high, t.high)
	for k, v := range t.means {
		s.means[k] += v
	}
	s.samples = append(s.samples, t.samples...)
}

// Network is the network in int8: weights with a scale for each output channel,
// outputs of layers with a scale and a zero for each layer.
func (c *Calibration) Network() (*Network, error) {
	if c.pictures == 0 {
		return nil, errors.New("calibration without a picture")
	}
	q := &Network{name: c.network.name, table: c.network.table, layers8: make([]layer8, len(c.network.layers))}
	tensor.Parallel(len(q.layers), func(i int) {
		if i < len(q.layers)-1 {
			q.layers8[i].output = c.layers[i].bytes(q.layers[i].activation != tensor.Identity)
		}
	})
	tensor.Parallel(len(q.layers), func(i int) { c.quantize(q, i) })
	if _, err := q.Compile(); err != nil {
		return nil, err
	}
	return q, nil
}

// bytes chooses what bytes stand for, so that the mean square of the error is
// least: a wider range is coarser, a narrower one cuts more off.
func (s *seen) bytes(positive bool) bytes8 {
	low, high := min(s.low, 0), max(s.high, 0)
	if positive {
		low = 0
	}
	if high-low < 1e-6 {
		high = low + 1e-6
	}
	best, least := bytes8{}, math.Inf(1)
	const steps = 16
	for a := range steps {
		for b := range steps {
			if a > 0 && low == 0 {
				break
			}
			l, h := low*(1-float32(a)/(2*steps)), high*(1-float32(b)/(2*steps))
			code := bytes8{scale: (h - l) / 255, zero: clampByte(-l / ((h - l) / 255))}
			if e := code.error(s.samples); e < least {
				best, least = code, e
			}
		}
	}
	return best
}

// error is the sum of the squares of what rounding x to bytes changes.
func (b bytes8) error(x []float32) float64 {
	sum := float64(0)
	low, high := -float32(b.zero), 255-float32(b.zero)
	inverse := 1 / b.scale
	const round = 3 << 22 // floats from here on have no fraction
	for _, v := range x {
		q := min(max(v*inverse, low), high)
		q = (q + round) - round
		d := float64(v - q*b.scale)
		sum += d * d
	}
	return sum
}

// quantize makes the weights of layer i: each channel's largest becomes 127.
// The bias makes up for the mean of what rounding changes (Nagel et al. 2019,
// "Data-free quantization through weight equalization and bias correction").
func (c *Calibration) quantize(q *Network, i int) {
	l, source := q.layers[i], c.network.weights[i].conv
	gains, shifts := c.network.fold(i)
	taps, in := l.kernel*l.kernel, l.weightShape()[1]
	w := &q.layers8[i]
	w.conv, w.scale, w.bias = make([]int8, len(source)), make([]float32, l.out), make([]float32, l.out)
	channel := make([]float64, in*taps)
	for o := range l.out {
		largest := 0.0
		bias := float64(shifts[o])
		for k := range channel {
			v := float64(source[o*in*taps+k]) * float64(gains[o])
			if i == 0 { // the input is pixels as they are
				v /= float64(q.recipe.Std[k/taps])
			}
			channel[k] = v
			largest = max(largest, math.Abs(v))
		}
		w.scale[o] = float32(max(largest/127, q.leastScale(i, bias)))
		for k, v := range channel {
			n := math.RoundToEven(v / float64(w.scale[o]))
			w.conv[o*in*taps+k] = int8(min(max(n, -127), 127))
			changed := float64(w.conv[o*in*taps+k])*float64(w.scale[o]) - v
			bias -= changed * c.mean(i, o, k/taps)
		}
		w.bias[o] = float32(bias)
	}
}

// mean is that of an input channel of layer i, the one for output o where
// depthwise.
func (c *Calibration) mean(i, o, in int) float64 {
	if c.network.layers[i].depthwise {
		in = o
	}
	if i == 0 {
		return float64(c.network.recipe.Mean[in])
	}
	return c.layers[i-1].means[in] / float64(c.pictures)
}

// leastScale keeps the bias, in steps of the sum, within an int32, also for a
// channel of nothing but zeros.
func (n *Network) leastScale(i int, bias float64) float64 {
	const most = maxBias8 / 8
	in, _ := n.input8(i)
	out := float64(n.layers8[i].output.scale)
	if i == len(n.layers)-1 {
		out = 1e-3
	}
	return max(math.Abs(bias), 255*out) / in / most
}
