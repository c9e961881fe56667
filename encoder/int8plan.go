package encoder

import (
	"math"
	"slices"

	"showtell/imageprep"
	"showtell/tensor"
)

// A step8 is one layer of a quantised network, ready to run. Poolings have
// step.window.
type step8 struct {
	conv      *tensor.Conv8
	depthwise *tensor.Depthwise8
	residual  float32 // factor of what is added
	output    bytes8
	zeros     []uint8 // a pixel of the border around the layer's output
	widths    []int   // channels of what is concatenated
	floats    bool    // the output is float32
}

// compile8 packs the weights of a layer.
func (n *Network) compile8(i int, l layer) (step, error) {
	s := step8{output: n.layers8[i].output, floats: n.endsInFloats(i)}
	s.zeros = slices.Repeat([]uint8{s.output.zero}, tensor.Pad8(l.out))
	if !l.weighted() {
		for _, from := range l.from {
			s.widths = append(s.widths, n.layers[from].out)
		}
		e := n.extents()[i]
		return step{add: -1, int8: &s, window: tensor.Window{H: l.height(), W: l.kernel, Stride: l.stride, Top: e.top, Left: e.left}}, nil
	}
	w, residual, err := n.integers(i)
	if err != nil {
		return step{}, err
	}
	s.residual = residual
	shape := tensor.ConvShape{KH: l.height(), KW: l.kernel, In: l.in, Out: l.out, Stride: l.stride, Activation: l.activation}
	if l.kind == depthwise {
		s.depthwise = tensor.NewDepthwise8(shape, w)
	} else {
		s.conv = tensor.NewConv8(shape, w)
	}
	return step{add: l.add, shape: shape, int8: &s}, nil
}

// run8 encodes the bytes of a picture (height, width, 3) into dst.
func (p *Plan) run8(dst []float32, pixels []uint8) {
	buffers := p.borrow8()
	defer p.buffers.Put(buffers)
	mean := p.recipe.Mean
	r := running8{Plan: p, wholes: make([]tensor.Image8, len(p.steps)), outs: make([]tensor.Image8, len(p.steps))}
	var inside tensor.Image8
	r.picture, inside = p.input.place8((*buffers)[0], []uint8{clampByte(mean[0]), clampByte(mean[1]), clampByte(mean[2]), 0})
	for y := range inside.H {
		widen(inside.Row(y, 0, inside.W), pixels[y*p.width*3:])
	}
	for i, s := range p.steps {
		if s.int8.floats {
			s.int8.conv.RunFloat(tensor.Img(dst, s.out.h, s.out.w, len(dst)/(s.out.h*s.out.w)), r.view(s), r.added(s), s.int8.residual)
			return
		}
		r.wholes[i], r.outs[i] = s.out.place8((*buffers)[s.slot], s.int8.zeros)
		switch {
		case s.int8.depthwise != nil:
			s.int8.depthwise.Run(r.outs[i], r.view(s))
		case s.int8.conv != nil:
			s.int8.conv.Run(r.outs[i], r.view(s), r.added(s), s.int8.residual)
		default:
			r.other(i)
		}
	}
	last := len(p.steps) - 1
	p.steps[last].int8.output.values(dst, r.outs[last])
}

// running8 is one run of a quantised plan.
type running8 struct {
	*Plan
	picture      tensor.Image8
	wholes, outs []tensor.Image8 // of each step, with and without border
}

// view is what the kernel of a step sees of its input.
func (r *running8) view(s step) tensor.Image8 {
	from := s.from[0]
	if from == picture {
		return r.input.view8(r.picture, s.extent)
	}
	return r.steps[from].out.view8(r.wholes[from], s.extent)
}

// added is what a step adds, or nothing.
func (r *running8) added(s step) tensor.Image8 {
	if s.add < 0 {
		return tensor.Image8{}
	}
	return r.outs[s.add]
}

// other does a step without weights.
func (r *running8) other(i int) {
	s, dst := r.steps[i], r.outs[i]
	src := r.outs[s.from[0]]
	switch s.kind {
	case concat:
		r.concat(dst, s)
	case maxPool:
		s.window.Max8(dst, src)
	case average:
		s.window.Average8(dst, src)
	case averageZeros:
		s.window.AveragePadded8(dst, src, s.int8.output.zero)
	}
}

func (r *running8) concat(dst tensor.Image8, s step) {
	tensor.Parallel(dst.H, func(y int) {
		at := 0
		for k, from := range s.from {
			src, width := r.outs[from], s.int8.widths[k]
			for x := range src.W {
				copy(dst.Row(y, x, 1)[at:], src.Row(y, x, 1)[:width])
			}
			at += width
		}
	})
}

// values writes what the bytes of src stand for.
func (b bytes8) values(dst []float32, src tensor.Image8) {
	var value [256]float32
	for v := range value {
		value[v] = b.scale * float32(v-int(b.zero))
	}
	channels := len(dst) / (src.H * src.W)
	tensor.Parallel(src.H, func(y int) {
		for x := range src.W {
			to := dst[(y*src.W+x)*channels:][:channels]
			for c, v := range src.Row(y, x, 1)[:channels] {
				to[c] = value[v]
			}
		}
	})
}

// widen copies pixels of three bytes to pixels of four.
func widen(dst, src []uint8) {
	src = src[:len(dst)/4*3]
	for len(src) >= 3 {
		dst[0], dst[1], dst[2], dst[3] = src[0], src[1], src[2], 0
		dst, src = dst[4:], src[3:]
	}
}

// bytesOf takes Recipe.Apply back.
func bytesOf(pixels []float32, r imageprep.Recipe) []uint8 {
	bytes := make([]uint8, len(pixels))
	for i := 0; i+2 < len(pixels); i += 3 {
		for c := range 3 {
			bytes[i+c] = clampByte(float32(pixels[i+c]*r.Std[c]) + r.Mean[c])
		}
	}
	return bytes
}

func clampByte(v float32) uint8 { return uint8(min(max(math.RoundToEven(float64(v)), 0), 255)) }

// frameBytes are the pixels of a frame in the order of the recipe.
func frameBytes(m *imageprep.RGB, r imageprep.Recipe) []uint8 {
	if r.Channels == imageprep.OrderRGB {
		return m.Pix
	}
	bytes := make([]uint8, len(m.Pix))
	for i := 0; i+2 < len(bytes); i += 3 {
		bytes[i], bytes[i+1], bytes[i+2] = m.Pix[i+2], m.Pix[i+1], m.Pix[i]
	}
	return bytes
}

func (p *Plan) borrow8() *[][]uint8 {
	if b, ok := p.buffers.Get().(*[][]uint8); ok {
		return b
	}
	var b [][]uint8
	for _, n := range p.slots {
		b = append(b, make([]uint8, n))
	}
	return &b
}

// place8 lays the frame over a buffer and fills its border.
func (f frame) place8(buffer, pixel []uint8) (whole, inside tensor.Image8) {
	whole = tensor.Img8(buffer[:f.size()], f.h+f.top+f.bottom, f.w+f.left+f.right, f.c)
	for y := range whole.H {
		if y < f.top || y >= f.top+f.h {
			fill(whole.Row(y, 0, whole.W), pixel)
			continue
		}
		fill(whole.Row(y, 0, f.left), pixel)
		fill(whole.Row(y, f.left+f.w, f.right), pixel)
	}
	return whole, whole.Slice(f.top, f.left, f.h, f.w)
}

// view8 is view for bytes.
func (f frame) view8(whole tensor.Image8, e extent) tensor.Image8 {
	return whole.Slice(f.top-e.top, f.left-e.left, f.h+e.top+e.bottom, f.w+e.left+e.right)
}

// fill repeats a pixel.
func fill(dst, pixel []uint8) {
	for n := copy(dst, pixel); n > 0 && n < len(dst); n *= 2 {
		copy(dst[n:], dst[:n])
	}
}
