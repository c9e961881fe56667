package encoder

import (
	"fmt"
	"math"

	"showtell/imageprep"
	"showtell/tensor"
)

// A step8 is one layer of a quantised network, ready to run.
type step8 struct {
	conv      *tensor.Conv8
	depthwise *tensor.Depthwise8
	residual  float32 // factor of what is added
	zeros     []uint8 // a pixel of the border around the layer's output
}

// compile8 packs the weights of a layer.
func (n *Network) compile8(i int, l layer) (step, error) {
	if i == len(n.layers)-1 && (l.kind == depthwise || l.add >= 0 || l.out%16 != 0) {
		return step{}, fmt.Errorf("layer %s can't end a quantised network", l.name)
	}
	w, residual, err := n.integers(i)
	if err != nil {
		return step{}, err
	}
	shape := tensor.ConvShape{KH: l.kernel, KW: l.kernel, In: l.in, Out: l.out, Stride: l.stride, Activation: l.activation}
	s := step8{residual: residual, zeros: make([]uint8, tensor.Pad8(l.out))}
	for c := range l.out {
		s.zeros[c] = n.layers8[i].output.zero
	}
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
	src, inside := p.input.place8((*buffers)[0], []uint8{clampByte(mean[0]), clampByte(mean[1]), clampByte(mean[2]), 0})
	for y := range inside.H {
		widen(inside.Row(y, 0, inside.W), pixels[y*p.width*3:])
	}
	outs := make([]tensor.Image8, len(p.steps))
	for i, s := range p.steps {
		if i == len(p.steps)-1 {
			s.int8.conv.RunFloat(tensor.Img(dst, s.out.h, s.out.w, len(dst)/(s.out.h*s.out.w)), src)
			return
		}
		whole, out := s.out.place8((*buffers)[s.slot], s.int8.zeros)
		switch {
		case s.int8.depthwise != nil:
			s.int8.depthwise.Run(out, src)
		case s.add >= 0:
			s.int8.conv.Run(out, src, outs[s.add], s.int8.residual)
		default:
			s.int8.conv.Run(out, src, tensor.Image8{}, 0)
		}
		src, outs[i] = whole, out
	}
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

// fill repeats a pixel.
func fill(dst, pixel []uint8) {
	for n := copy(dst, pixel); n > 0 && n < len(dst); n *= 2 {
		copy(dst[n:], dst[:n])
	}
}
