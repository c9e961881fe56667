package tensor

import "fmt"

// What squeeze-and-excite wants (Hu et al. 2018, "Squeeze-and-excitation networks"): the means of
// channels, and channels times a factor each.

// curve does a Curved activation to count channels from first on of every pixel of m.
func (a Activation) curve(m Image, first, count int) {
	if count == m.C {
		for y := range m.H {
			a.apply(m.Row(y, 0, m.W))
		}
		return
	}
	for y := range m.H {
		for x := range m.W {
			a.apply(m.Data[y*m.Stride+x*m.C+first:][:count])
		}
	}
}

// meanBand is how many values of a picture are added up by themselves: sums don't depend on the
// number of workers.
const meanBand = 1 << 15

// ChannelMeans writes the mean of each channel of src to dst (C).
func ChannelMeans(dst []float32, src Image) {
	src.check()
	if len(dst) != src.C || src.H < 1 || src.W < 1 {
		panic(fmt.Sprintf("tensor: %d means of a %dx%dx%d image", len(dst), src.H, src.W, src.C))
	}
	rows := evenly(src.H, max(1, meanBand/(src.W*src.C)))
	bands := (src.H + rows - 1) / rows
	sums := borrow(bands * src.C)
	defer sums.giveBack()
	Parallel(bands, func(i int) {
		band := src.Slice(i*rows, 0, min(rows, src.H-i*rows), src.W)
		a := &poolArgs{rows: band.H, cols: band.W, rowStride: 4 * band.Stride, pixelStride: 4 * band.C, scale: 1}
		poolPixel(cpuLevel, poolAll, a, sums.data[i*src.C:][:src.C], band.Data)
	})
	copy(dst, sums.data[:src.C])
	for i := 1; i < bands; i++ {
		Add(dst, dst, sums.data[i*src.C:][:src.C])
	}
	Scale(dst, dst, 1/float32(src.H*src.W))
}

// ScaleChannels writes the values of src times those of scale (C), one for each channel, to dst,
// which may be src.
func ScaleChannels(dst, src Image, scale []float32) {
	dst.check()
	src.check()
	if dst.H != src.H || dst.W != src.W || dst.C != src.C || len(scale) != src.C {
		panic(fmt.Sprintf("tensor: a %dx%dx%d image times %d factors into %dx%dx%d", src.H, src.W, src.C, len(scale), dst.H, dst.W, dst.C))
	}
	rows := evenly(max(src.H, 1), max(1, meanBand/max(1, src.W*src.C)))
	Parallel((src.H+rows-1)/rows, func(i int) {
		for y := i * rows; y < min((i+1)*rows, src.H); y++ {
			for x := range src.W {
				Mul(dst.Row(y, x, 1), src.Row(y, x, 1), scale)
			}
		}
	})
}

// RunScaled is Run of a pointwise convolution, with stride 1, of ScaleChannels(src, scale): either
// the picture or, if those are fewer, the weights are scaled.
func (c *Conv) RunScaled(dst, src, residual Image, scale []float32) {
	if c.KH*c.KW*c.Stride != 1 || len(scale) != c.In || src.C != c.In {
		panic(fmt.Sprintf("tensor: convolution of shape %+v with %d channels times %d factors", c.ConvShape, src.C, len(scale)))
	}
	if dst.H*dst.W < c.Out {
		b := borrow(src.H * src.W * src.C)
		defer b.giveBack()
		scaled := Img(b.data[:src.H*src.W*src.C], src.H, src.W, src.C)
		ScaleChannels(scaled, src, scale)
		c.Run(dst, scaled, residual)
		return
	}
	b := borrow(len(c.weights))
	defer b.giveBack()
	const step = 32 // input channels
	Parallel((c.In+step-1)/step, func(i int) {
		for _, g := range c.groups {
			for k := i * step; k < min(c.In, (i+1)*step); k++ {
				at := g.weights + k*g.width
				kern.scale(b.data[at:at+g.width], c.weights[at:at+g.width], scale[k])
			}
		}
	})
	scaled := *c
	scaled.weights = b.data[:len(c.weights)]
	scaled.Run(dst, src, residual)
}
