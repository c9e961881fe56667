package encoder

import (
	"math"

	"showtell/tensor"
)

// moments are the means and the products, two by two, of the values that a
// layer's weights are multiplied with. Values are in groups: all that one weight
// of a depthwise layer sees; of a convolution all, or as many channels as stay
// within mostTogether.
type moments struct {
	depthwise     bool
	groups, width int       // width values in a group
	sums          []float64 // (groups, width)
	products      []float64 // (groups, width, width)
	count         int
}

// mostTogether keeps the products of wide layers small; channels far apart have
// little to do with each other.
const mostTogether = 1280

func newMoments(l layer) moments {
	if !l.weighted() {
		return moments{}
	}
	m := moments{groups: 1, depthwise: l.kind == depthwise}
	if m.depthwise {
		m.groups = l.in
	}
	for m.groups < l.in && l.in*l.taps()/m.groups > mostTogether || l.in%m.groups > 0 {
		m.groups++
	}
	m.width = l.in * l.taps() / m.groups
	m.sums = make([]float64, m.groups*m.width)
	m.products = make([]float64, m.groups*m.width*m.width)
	return m
}

// patchesPerPicture is at how many places a layer's input is looked at;
// depthwise layers see much at each.
const (
	patchesPerPicture  = 64
	depthwiseInPicture = 16
)

// patches are what layer l sees of x at some places, as (place, in, tap).
func patches(l layer, e extent, x tensor.Image, number int) []float32 {
	h, w := e.h, e.w
	places := patchesPerPicture
	if l.kind == depthwise {
		places = depthwiseInPicture
	}
	places = min(places, h*w)
	taps := l.taps()
	all := make([]float32, places*x.C*taps)
	for i := range places {
		at := (i*h*w/places + number*7) % (h * w)
		y0, x0 := at/w*l.stride-e.top, at%w*l.stride-e.left
		patch := all[i*x.C*taps:]
		for tap := range taps {
			y, col := y0+tap/l.kernel, x0+tap%l.kernel
			if y < 0 || y >= x.H || col < 0 || col >= x.W {
				continue
			}
			for c, v := range x.Row(y, col, 1) {
				patch[c*taps+tap] = v
			}
		}
	}
	return all
}

// add counts patches in.
func (m *moments) add(patches []float32) {
	if m.groups == 0 {
		return
	}
	step := m.groups * m.width
	n := len(patches) / step
	for p := range n {
		for k, v := range patches[p*step : (p+1)*step] {
			m.sums[k] += float64(v)
		}
	}
	m.count += n
	for g := range m.groups {
		if m.depthwise {
			m.addSmall(g, patches, n)
		} else {
			m.addLarge(g, patches, n)
		}
	}
}

// addLarge adds the products of a group by a matrix product.
func (m *moments) addLarge(g int, patches []float32, n int) {
	x := make([]float32, n*m.width)
	for p := range n {
		copy(x[p*m.width:(p+1)*m.width], patches[(p*m.groups+g)*m.width:])
	}
	product := make([]float32, m.width*m.width)
	rows := tensor.Mat(x, n, m.width)
	tensor.MatMul(tensor.Mat(product, m.width, m.width), rows.T(), rows)
	to := m.products[g*m.width*m.width:]
	for k, v := range product {
		to[k] += float64(v)
	}
}

// addSmall adds them one by one.
func (m *moments) addSmall(g int, patches []float32, n int) {
	to := m.products[g*m.width*m.width:]
	for p := range n {
		x := patches[(p*m.groups+g)*m.width:][:m.width]
		for i, v := range x {
			if v == 0 {
				continue
			}
			row := to[i*m.width:][:m.width]
			for j, u := range x {
				row[j] += float64(v) * float64(u)
			}
		}
	}
}

// of are the means and the covariances of a group.
func (m *moments) of(group int) (means []float64, covariances []float32) {
	n, w := float64(m.count), m.width
	means, covariances = make([]float64, w), make([]float32, w*w)
	for i := range means {
		means[i] = m.sums[group*w+i] / n
	}
	for i := range w {
		for j := range w {
			covariances[i*w+j] = float32(m.products[(group*w+i)*w+j]/n - means[i]*means[j])
		}
	}
	spread := 0.0
	for i := range w {
		spread += float64(covariances[i*w+i]) / float64(w)
	}
	own := 0.01 + float64(w)/n // the fewer patches, the less is known of two values together
	for i := range w {
		covariances[i*w+i] += float32(own*spread + 1e-12)
	}
	return means, covariances
}

// quantize makes the weights of layer i: each channel's largest becomes 127.
// The bias makes up for the mean of what rounding changes (Nagel et al. 2019,
// "Data-free quantization through weight equalization and bias correction").
func (c *Calibration) quantize(q *Network, i int) {
	l, m := q.layers[i], &c.inputs[i]
	weights := c.folded(q, i)
	width := len(weights) / l.out
	_, shifts := c.network.fold(i)
	w := &q.layers8[i]
	w.conv, w.scale, w.bias = make([]int8, len(weights)), make([]float32, l.out), make([]float32, l.out)
	bias := make([]float64, l.out)
	for o := range l.out {
		largest := 0.0
		for _, v := range weights[o*width : (o+1)*width] {
			largest = max(largest, math.Abs(v))
		}
		bias[o] = float64(shifts[o])
		w.scale[o] = float32(max(largest/127, q.leastScale(i, bias[o])))
	}
	for g := range m.groups {
		means, covariances := m.of(g)
		round := func(o, at int) {
			channel, rounded := weights[at:at+m.width], w.conv[at:at+m.width]
			roundTogether(rounded, channel, float64(w.scale[o]), covariances)
			for k, v := range channel {
				bias[o] -= (float64(rounded[k])*float64(w.scale[o]) - v) * means[k]
			}
		}
		if m.depthwise {
			round(g, g*width)
		} else {
			tensor.Parallel(l.out, func(o int) { round(o, o*width+g*m.width) })
		}
	}
	for o, b := range bias {
		w.bias[o] = float32(b)
	}
}

// folded are the weights (out, in, taps) of layer i with its batch norm, and with
// the deviations of the recipe if its input is the picture, of which the
// bytes are taken as they are.
func (c *Calibration) folded(q *Network, i int) []float64 {
	l, source := q.layers[i], c.network.weights[i].conv
	gains, _ := c.network.fold(i)
	width := len(source) / l.out
	weights := make([]float64, len(source))
	for k, v := range source {
		weights[k] = float64(v) * float64(gains[k/width])
		if l.from[0] == picture {
			weights[k] /= float64(q.recipe.Std[k%width/l.taps()])
		}
	}
	return weights
}

// roundTogether writes weights in steps of scale. Neighbouring values of a
// picture are alike, so errors of their weights can cancel: from rounding each
// by itself, single weights move as long as that makes the variance of the
// error of the output less.
func roundTogether(dst []int8, weights []float64, scale float64, covariances []float32) {
	n := len(weights)
	slope := make([]float32, n) // half the gradient of the variance, by error
	move := func(k int, by float64) { tensor.AXPY(slope, float32(by), covariances[k*n:(k+1)*n]) }
	for k, v := range weights {
		dst[k] = int8(min(max(math.RoundToEven(v/scale), -127), 127))
		move(k, float64(dst[k])*scale-v)
	}
	for range 10 {
		moved := false
		for k := range weights {
			best := float64(dst[k]) - float64(slope[k])/(float64(covariances[k*n+k])*scale)
			to := min(max(math.RoundToEven(best), -127), 127)
			if by := to - float64(dst[k]); by != 0 {
				dst[k] = int8(to)
				move(k, by*scale)
				moved = true
			}
		}
		if !moved {
			return
		}
	}
}

// leastScale keeps the bias, in steps of the sum, within an int32, also for a
// channel of nothing but zeros.
func (n *Network) leastScale(i int, bias float64) float64 {
	const most = maxBias8 / 8
	in, _ := n.input8(i)
	out := 1e-3
	if !n.endsInFloats(i) {
		out = float64(n.layers8[i].output.scale)
	}
	return max(math.Abs(bias), 255*out) / in / most
}
