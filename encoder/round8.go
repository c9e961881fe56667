package encoder

import (
	"math"

	"showtell/tensor"
)

// moments are the means and the products, two by two, of the values that a
// layer's weights are multiplied with. Weights are in groups that see the same
// values: all of a convolution, those of one channel if depthwise.
type moments struct {
	groups, width int       // width values in a group
	sums          []float64 // (groups, width)
	products      []float64 // (groups, width, width)
	count         int
}

func newMoments(l layer) moments {
	m := moments{groups: 1, width: l.in * l.kernel * l.kernel}
	if l.kind == depthwise {
		m = moments{groups: l.in, width: l.kernel * l.kernel}
	}
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
func patches(l layer, x tensor.Image, number int) []float32 {
	h, top, _ := tensor.SamePadding(x.H, l.kernel, l.stride)
	w, left, _ := tensor.SamePadding(x.W, l.kernel, l.stride)
	places := patchesPerPicture
	if l.kind == depthwise {
		places = depthwiseInPicture
	}
	places = min(places, h*w)
	taps := l.kernel * l.kernel
	all := make([]float32, places*x.C*taps)
	for i := range places {
		at := (i*h*w/places + number*7) % (h * w)
		y0, x0 := at/w*l.stride-top, at%w*l.stride-left
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
	step := m.groups * m.width
	n := len(patches) / step
	for p := range n {
		for k, v := range patches[p*step : (p+1)*step] {
			m.sums[k] += float64(v)
		}
	}
	m.count += n
	if m.groups == 1 {
		product := make([]float32, m.width*m.width)
		rows := tensor.Mat(patches, n, m.width)
		tensor.MatMul(tensor.Mat(product, m.width, m.width), rows.T(), rows)
		for k, v := range product {
			m.products[k] += float64(v)
		}
		return
	}
	for p := range n {
		for g := range m.groups {
			x := patches[p*step+g*m.width:][:m.width]
			to := m.products[g*m.width*m.width:]
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
	l, source := q.layers[i], c.network.weights[i].conv
	gains, shifts := c.network.fold(i)
	width := c.inputs[i].width
	w := &q.layers8[i]
	w.conv, w.scale, w.bias = make([]int8, len(source)), make([]float32, l.out), make([]float32, l.out)
	means, covariances := c.inputs[i].of(0)
	for o := range l.out {
		if l.kind == depthwise {
			means, covariances = c.inputs[i].of(o)
		}
		channel := make([]float64, width)
		largest := 0.0
		for k := range channel {
			channel[k] = float64(source[o*width+k]) * float64(gains[o])
			if i == 0 { // the input is pixels as they are
				channel[k] /= float64(q.recipe.Std[k/(l.kernel*l.kernel)])
			}
			largest = max(largest, math.Abs(channel[k]))
		}
		bias := float64(shifts[o])
		w.scale[o] = float32(max(largest/127, q.leastScale(i, bias)))
		rounded := w.conv[o*width : (o+1)*width]
		roundTogether(rounded, channel, float64(w.scale[o]), covariances)
		for k, v := range channel {
			bias -= (float64(rounded[k])*float64(w.scale[o]) - v) * means[k]
		}
		w.bias[o] = float32(bias)
	}
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
	if i < len(n.layers)-1 {
		out = float64(n.layers8[i].output.scale)
	}
	return max(math.Abs(bias), 255*out) / in / most
}
