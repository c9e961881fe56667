package tensor

import "unsafe"

// convKernels are the kernels of one level.
type convKernels struct {
	lanes   int // of a register
	widths  int // narrowest step between kernels: channels
	byWidth map[int][]func(*convArgs)
}

// groupVectors is the most registers of channels that a kernel takes.
const groupVectors = 3

// split shares out channels among kernels as evenly as registers allow, wide groups among narrow ones.
// An even number of groups is taken only where they keep two registers each.
func (k convKernels) split(channels int, even bool) []convGroup {
	vectors := (channels + k.lanes - 1) / k.lanes
	most := groupVectors
	if k.byWidth[most*k.lanes] == nil {
		most = 1
	}
	parts := (vectors + most - 1) / most
	if even && parts > 1 && vectors >= 2*(parts+parts%2) {
		parts += parts % 2
	}
	upTo := func(part int) int { return min((part*vectors+parts-1)/parts*k.lanes, channels) }
	groups := make([]convGroup, parts)
	for i := range groups {
		first := upTo(i)
		take := upTo(i+1) - first
		width := (take + k.widths - 1) / k.widths * k.widths
		for k.byWidth[width] == nil {
			width += k.widths
		}
		groups[i] = convGroup{first: first, count: take, width: width, run: k.byWidth[width]}
	}
	return groups
}

// genericWidth is the channels of the kernel in plain Go.
const genericWidth = 8

var convGeneric = convKernels{
	lanes: genericWidth, widths: genericWidth,
	byWidth: map[int][]func(*convArgs){genericWidth: {
		func(a *convArgs) { convStripsGeneric(a, 1) },
		func(a *convArgs) { convStripsGeneric(a, 2) },
		func(a *convArgs) { convStripsGeneric(a, 3) },
		func(a *convArgs) { convStripsGeneric(a, 4) },
	}},
}

func convStripsGeneric(a *convArgs, n int) {
	for i := range n * a.strips {
		sums := *(*[genericWidth]float32)(a.bias)
		for row := range a.rows {
			src := unsafe.Slice((*float32)(unsafe.Add(a.src, row*a.rowStride+i*a.pixelStride)), a.len)
			weights := unsafe.Slice((*[genericWidth]float32)(unsafe.Add(a.weights, row*a.len*4*genericWidth)), a.len)
			addProducts(&sums, src, weights)
		}
		if a.residual != nil {
			for j, v := range (*[genericWidth]float32)(unsafe.Add(a.residual, i*a.resStride)) {
				sums[j] += v
			}
		}
		dst := (*[genericWidth]float32)(unsafe.Add(a.dst, i*a.dstStride))
		for j, v := range sums {
			dst[j] = clamp(v, a.low, a.high)
		}
	}
}

// addProducts adds Σ x[k]*w[k] to sums, which Go keeps in registers only as single variables.
func addProducts(sums *[genericWidth]float32, x []float32, w [][genericWidth]float32) {
	s0, s1, s2, s3, s4, s5, s6, s7 := sums[0], sums[1], sums[2], sums[3], sums[4], sums[5], sums[6], sums[7]
	w = w[:len(x)]
	for k, v := range x {
		u := &w[k]
		s0 += v * u[0]
		s1 += v * u[1]
		s2 += v * u[2]
		s3 += v * u[3]
		s4 += v * u[4]
		s5 += v * u[5]
		s6 += v * u[6]
		s7 += v * u[7]
	}
	*sums = [genericWidth]float32{s0, s1, s2, s3, s4, s5, s6, s7}
}

// clamp keeps a NaN.
func clamp(v, low, high float32) float32 {
	if v < low {
		return low
	}
	if v > high {
		return high
	}
	return v
}
