package tensor

// A Training is how a convolution goes over a batch of pictures forwards and, for its gradients,
// backwards. Pictures are contiguous, without borders: N of H x W pixels give N of OutH x OutW.
type Training struct {
	ConvShape
	N, H, W    int
	OutH, OutW int
	Top, Left  int // zeros before the first row and column; behind the last are as many as are read
}

// A tileConv is a *Conv or a *Depthwise.
type tileConv interface {
	tile(dst, src, residual Image)
}

func (c *Conv) tile(dst, src, residual Image) { c.RunSerial(dst, src, residual) }

func (d *Depthwise) tile(dst, src, residual Image) {
	if residual.Data == nil {
		d.RunSerial(dst, src)
		return
	}
	sums := lend(dst.H, dst.W, dst.C)
	defer sums.giveBack()
	d.RunSerial(sums.Image, src)
	for y := range dst.H {
		Add(dst.Row(y, 0, dst.W), residual.Row(y, 0, dst.W), sums.Row(y, 0, dst.W))
	}
}

// Repack changes the weights and the bias in place. c must not be in use, and must come from NewConv.
func (c *Conv) Repack(weights, bias []float32) {
	c.check(c.KH*c.KW*c.In*c.Out, weights, bias)
	k := c.KH * c.KW * c.In
	const step = 64
	each := serially
	if len(weights) > 1<<15 {
		each = Parallel
	}
	each((k+step-1)/step, func(i int) {
		for _, g := range c.groups {
			for j := i * step; j < min(k, (i+1)*step); j++ {
				copy(c.weights[g.weights+j*g.width:], weights[j*c.Out+g.first:][:g.count])
			}
		}
	})
	for _, g := range c.groups {
		if bias == nil {
			clear(c.bias[g.bias:][:g.count])
		} else {
			copy(c.bias[g.bias:], bias[g.first:][:g.count])
		}
	}
}

// Repack changes the weights and the bias in place. d must not be in use.
func (d *Depthwise) Repack(weights, bias []float32) {
	d.check(len(d.weights), weights, bias)
	copy(d.weights, weights)
	clear(d.bias)
	copy(d.bias, bias)
}

// Forward computes dst from src and, unless it is nil, the residual.
func (t *Training) Forward(c *Conv, dst, src, residual []float32) {
	if t.point() {
		c.Run(Img(dst, 1, t.N*t.H*t.W, t.Out), Img(src, 1, t.N*t.H*t.W, t.In), t.pixels(residual, t.Out))
		return
	}
	t.forward(c, dst, src, residual)
}

// ForwardDepthwise computes dst from src.
func (t *Training) ForwardDepthwise(d *Depthwise, dst, src []float32) { t.forward(d, dst, src, nil) }

// point tells whether every output sees just its own input pixel.
func (t *Training) point() bool { return t.KH == 1 && t.KW == 1 && t.Stride == 1 }

// pixels views all pictures as one row; nil is none.
func (t *Training) pixels(data []float32, channels int) Image {
	if data == nil {
		return Image{}
	}
	return Img(data, 1, t.N*t.H*t.W, channels)
}

// gradBand is how many values of the wider side a band should have, so that it stays in the cache.
const gradBand = 1 << 16

// bands cuts each picture into bands of rows of the output.
func (t *Training) bands() (count, rows int) {
	rows = max(1, gradBand/(max(t.W*t.Stride*t.In, t.OutW*t.Out)))
	rows = evenly(t.OutH, rows)
	return (t.OutH + rows - 1) / rows, rows
}

func (t *Training) forward(c tileConv, dst, src, residual []float32) {
	bands, rows := t.bands()
	Parallel(t.N*bands, func(i int) {
		n, y := i/bands, i%bands*rows
		count := min(rows, t.OutH-y)
		x := t.input(n, y, count, src)
		defer x.giveBack()
		out := Img(dst, t.N*t.OutH, t.OutW, t.Out).Slice(n*t.OutH+y, 0, count, t.OutW)
		added := Image{}
		if residual != nil {
			added = Img(residual, t.N*t.OutH, t.OutW, t.Out).Slice(n*t.OutH+y, 0, count, t.OutW)
		}
		c.tile(out, x.Image, added)
	})
}

// A lent is an image in borrowed memory.
type lent struct {
	Image
	*buffer
}

func lend(h, w, c int) lent {
	b := borrow(h * w * c)
	return lent{Img(b.data[:h*w*c], h, w, c), b}
}

// input is what count rows of outputs from y on of picture n see, with its border.
func (t *Training) input(n, y, count int, src []float32) lent {
	x := lend((count-1)*t.Stride+t.KH, (t.OutW-1)*t.Stride+t.KW, t.In)
	picture := Img(src, t.N*t.H, t.W, t.In).Slice(n*t.H, 0, t.H, t.W)
	spread(x.Image, picture, y*t.Stride-t.Top, -t.Left, 1, func(dst []float32, at int) { copy(dst, picture.Data[at:]) })
	return x
}

// spread fills dst from (y, x) of a picture whose pixels lie step apart, with zeros between and
// around them; x is at most 0. Fill gets a run of pixels and where it begins in the picture's values.
func spread(dst, picture Image, y, x, step int, fill func(dst []float32, at int)) {
	for r := range dst.H {
		row := dst.Row(r, 0, dst.W)
		if y+r < 0 || (y+r)%step != 0 || (y+r)/step >= picture.H {
			clear(row)
			continue
		}
		at := (y + r) / step * picture.Stride
		if step == 1 {
			end := min(dst.W, picture.W-x) * dst.C
			clear(row[:-x*dst.C])
			fill(row[-x*dst.C:end], at)
			clear(row[end:])
			continue
		}
		clear(row)
		for q := 0; q < picture.W && q*step-x < dst.W; q++ {
			fill(row[(q*step-x)*dst.C:][:dst.C], at+q*dst.C)
		}
	}
}

// A Gradient is what goes back through a convolution, and what it is to give. What is nil is not
// computed.
type Gradient struct {
	Grad, Out []float32 // gradient of the output, and the output, (N, OutH, OutW, Out)
	Src       []float32 // the input, (N, H, W, In)

	// Weights gets the gradient of the weights: (KH, KW, In, Out), depthwise (KH, KW, Out), pointwise (Out, In).
	Weights []float32
	SrcGrad []float32 // gets the gradient of the input, (N, H, W, In)
	Add     bool      // SrcGrad holds something already, to add to
	// SrcActivation made the input and is gone back through at once, while it is in the cache.
	// Not of a pointwise convolution.
	SrcActivation Activation
}

// Backward computes gradients, back through the activation of t too. turned is the convolution of
// gradients: weights (KH, KW, Out, In) with the taps in reverse order, stride 1, no activation. Grad
// of a pointwise convolution is changed.
func (t *Training) Backward(turned *Conv, g Gradient) {
	if t.point() {
		t.backwardPoint(turned, g)
		return
	}
	across := t.KW * t.In // values that lie side by side under a row of taps
	t.backward(turned, g, func(sums []float32, x, grad Image) {
		rows, pixels := grad.H, t.OutW
		if t.Stride == 1 && grad.Stride == x.W*t.Out { // as one row: the gradients between the rows are zero
			rows, pixels = 1, (grad.H-1)*x.W+t.OutW
		}
		for y := range rows {
			dy := Matrix{Data: grad.Data[y*grad.Stride:], Rows: pixels, Cols: t.Out, RowStride: t.Stride * t.Out, ColStride: 1}
			for ky := range t.KH {
				seen := Matrix{Data: x.Data[(y*t.Stride+ky)*x.Stride:], Rows: pixels, Cols: across, RowStride: t.Stride * t.In, ColStride: 1}
				MatMulAdd(Mat(sums[ky*across*t.Out:][:across*t.Out], across, t.Out), seen.T(), dy)
			}
		}
	})
}

func (t *Training) backwardPoint(turned *Conv, g Gradient) {
	pixels := t.N * t.H * t.W
	if t.Activation != Identity {
		Parallel(chunks(pixels*t.Out), func(i int) {
			lo, hi := i*chunk, min((i+1)*chunk, pixels*t.Out)
			MaskGrad(g.Grad[lo:hi], g.Grad[lo:hi], g.Out[lo:hi], t.Activation)
		})
	}
	if g.Weights != nil {
		MatMul(Mat(g.Weights, t.Out, t.In), Mat(g.Grad, pixels, t.Out).T(), Mat(g.Src, pixels, t.In))
	}
	if g.SrcGrad == nil {
		return
	}
	dx, before := t.pixels(g.SrcGrad, t.In), Image{}
	if g.Add {
		before = dx
	}
	turned.Run(dx, t.pixels(g.Grad, t.Out), before)
}

// BackwardDepthwise is Backward of a depthwise convolution; turned has weights (KH, KW, In) with the
// taps in reverse order.
func (t *Training) BackwardDepthwise(turned *Depthwise, g Gradient) {
	t.backward(turned, g, func(sums []float32, x, grad Image) { t.depthGrad(depthGradKernelsOf(cpuLevel), sums, x, grad) })
}

const (
	partsLimit = 1 << 24 // values that all partial sums of a gradient may take
	mostParts  = 64
)

// backward lets weigh add what a band gives to the gradient of the weights: it gets what the outputs
// of the band saw, with its border, and their gradients, whose pixels lie Stride pixels apart. Bands
// are added up in their order, in parts whose number depends on the shape alone.
func (t *Training) backward(turned tileConv, g Gradient, weigh func(sums []float32, x, grad Image)) {
	bands, rows := t.bands()
	tiles, size := t.N*bands, len(g.Weights)
	each := evenly(tiles, (tiles+mostParts-1)/mostParts)
	for (tiles+each-1)/each*size > partsLimit && each < tiles {
		each *= 2
	}
	parts := (tiles + each - 1) / each
	sums := borrow(parts * size)
	defer sums.giveBack()
	Parallel(parts, func(part int) {
		sum := sums.data[part*size:][:size]
		clear(sum)
		for i := part * each; i < min(tiles, (part+1)*each); i++ {
			b := band{Training: t, g: &g, n: i / bands, y: i % bands * rows}
			b.rows = min(rows, t.OutH-b.y)
			b.run(turned, sum, weigh)
		}
	})
	clear(g.Weights)
	for part := range parts {
		Add(g.Weights, g.Weights, sums.data[part*size:][:size])
	}
}

// A band is some rows of outputs of picture n, and the rows of the input at the same place.
type band struct {
	*Training
	g       *Gradient
	n       int
	y, rows int
}

func (b band) run(turned tileConv, sums []float32, weigh func(sums []float32, x, grad Image)) {
	from, to := b.y*b.Stride, min((b.y+b.rows)*b.Stride, b.H)
	if b.y+b.rows == b.OutH {
		to = b.H
	}
	span := (b.rows-1)*b.Stride + 1 // from the first output to the last, in rows of the input
	dz := lend(max(to-from, span)+b.KH-1, max(b.W, (b.OutW-1)*b.Stride+1)+b.KW-1, b.Out)
	defer dz.giveBack()
	b.spreadGrad(dz.Image, from)
	if len(b.g.Weights) > 0 {
		x := b.input(b.n, b.y, b.rows, b.g.Src)
		defer x.giveBack()
		grad := dz.Data[(b.KH-1-b.Top)*dz.Stride+(b.KW-1-b.Left)*b.Out:]
		weigh(sums, x.Image, Image{Data: grad, H: b.rows, W: b.OutW, C: b.Out, Stride: b.Stride * dz.Stride})
	}
	if b.g.SrcGrad != nil && to > from {
		dx := Img(b.g.SrcGrad, b.N*b.H, b.W, b.In).Slice(b.n*b.H+from, 0, to-from, b.W)
		before := Image{}
		if b.g.Add {
			before = dx
		}
		turned.tile(dx, dz.Slice(0, 0, to-from+b.KH-1, b.W+b.KW-1), before)
		all := dx.flat().Row(0, 0, dx.H*dx.W)
		MaskGrad(all, all, b.g.Src[(b.n*b.H+from)*b.W*b.In:], b.g.SrcActivation)
	}
}

// spreadGrad fills dz with the gradients before the activation, a stride apart, as the rows of the
// input from from on need them.
func (b band) spreadGrad(dz Image, from int) {
	grad := Img(b.g.Grad, b.N*b.OutH, b.OutW, b.Out).Slice(b.n*b.OutH, 0, b.OutH, b.OutW)
	out := b.g.Out[b.n*b.OutH*b.OutW*b.Out:]
	spread(dz, grad, from+b.Top-(b.KH-1), b.Left-(b.KW-1), b.Stride, func(dst []float32, at int) {
		MaskGrad(dst, grad.Data[at:], out[at:], b.Activation)
	})
}
