package encoder

import (
	"errors"
	"fmt"
	"image"
	"slices"
	"sync"

	"showtell/imageprep"
	"showtell/tensor"
)

// A Plan is a network made ready for captioning. It is safe for concurrent
// use.
type Plan struct {
	recipe        imageprep.Recipe
	height, width int
	int8          bool // buffers are of bytes, steps are step8s
	steps         []step
	slots         []int // size of each buffer
	buffers       sync.Pool
}

// A step is one layer: it reads the buffer of the layer before it and writes
// its own, which has the border of zeros that its reader wants.
type step struct {
	shape     tensor.ConvShape
	conv      *tensor.Conv
	depthwise *tensor.Depthwise
	int8      *step8           // instead of both
	expanded  *tensor.Expanded // the layer before and this one; that one is then skipped
	skip      bool
	slot      int
	out       frame
	add       int // step whose output is added; -1: none
}

// A frame is a picture inside a border of zeros.
type frame struct{ h, w, c, top, left, bottom, right int }

func (f frame) size() int { return (f.h + f.top + f.bottom) * (f.w + f.left + f.right) * f.c }

// Compile folds the batch norms, packs the weights and plans the buffers.
func (n *Network) Compile() (*Plan, error) { return n.plan(true) }

// plan is Compile; without fusing, every layer has an output.
func (n *Network) plan(fuse bool) (*Plan, error) {
	if err := n.recipe.Validate(); err != nil {
		return nil, fmt.Errorf("encoder %s: %w", n.name, err)
	}
	p := &Plan{recipe: n.recipe, height: n.recipe.Height, width: n.recipe.Width, int8: n.Quantized()}
	p.steps = make([]step, len(n.layers))
	h, w := p.height, p.width
	for i, l := range n.layers {
		out := &p.steps[i].out
		out.h, _, _ = tensor.SamePadding(h, l.kernel, l.stride)
		out.w, _, _ = tensor.SamePadding(w, l.kernel, l.stride)
		out.c = l.out
		if p.int8 {
			out.c = tensor.Pad8(l.out)
		}
		h, w = out.h, out.w
		if i+1 < len(n.layers) {
			next := n.layers[i+1]
			_, out.top, out.bottom = tensor.SamePadding(h, next.kernel, next.stride)
			_, out.left, out.right = tensor.SamePadding(w, next.kernel, next.stride)
		}
	}
	faults := make([]error, len(n.layers))
	tensor.Parallel(len(n.layers), func(i int) {
		s, err := n.compile(i, n.layers[i], p.steps[i].out)
		s.out = p.steps[i].out
		p.steps[i], faults[i] = s, err
	})
	if err := errors.Join(faults...); err != nil {
		return nil, fmt.Errorf("encoder %s: %w", n.name, err)
	}
	if fuse {
		p.fuse()
	}
	p.planSlots()
	return p, nil
}

// fuse does a pointwise convolution together with the depthwise one after it,
// if no one else needs what it gives.
func (p *Plan) fuse() {
	for i := 1; i+1 < len(p.steps); i++ {
		point, depth := &p.steps[i], &p.steps[i+1]
		if point.conv == nil || depth.depthwise == nil || point.add >= 0 ||
			slices.ContainsFunc(p.steps, func(s step) bool { return s.add == i }) {
			continue
		}
		if s := point.conv.ConvShape; s.KH*s.KW*s.Stride == 1 {
			depth.expanded = tensor.NewExpanded(point.conv, depth.depthwise)
			point.skip = depth.expanded != nil
		}
	}
}

// compile packs the weights of a layer, multiplied by the scale of its batch
// norm, for an output of known size.
func (n *Network) compile(i int, l layer, out frame) (step, error) {
	if n.Quantized() {
		return n.compile8(i, l)
	}
	scale, shift := n.fold(i)
	shape := tensor.ConvShape{KH: l.kernel, KW: l.kernel, In: l.in, Out: l.out, Stride: l.stride, Activation: l.activation}
	source := n.weights[i].conv // (out, in, taps)
	taps := l.kernel * l.kernel
	in := l.weightShape()[1]
	memory := borrowed(len(source)) // kernels copy what they are given
	defer spare.Put(memory)
	packed := *memory // (taps, in, out)
	const block = 16  // channels whose values share a cache line
	for first := 0; first < l.out; first += block {
		for i := range in * taps {
			c, tap := i/taps, i%taps
			for o := first; o < min(first+block, l.out); o++ {
				packed[(tap*in+c)*l.out+o] = source[(o*in+c)*taps+tap] * scale[o]
			}
		}
	}
	s := step{add: l.add, shape: shape}
	if l.depthwise {
		s.depthwise = tensor.NewDepthwise(shape, packed, shift)
	} else {
		s.conv = tensor.NewConvFor(out.h, out.w, shape, packed, shift)
	}
	return s, nil
}

// spare is memory for weights in passing: untouched memory costs more time than
// what is done in it.
var spare sync.Pool

func borrowed(n int) *[]float32 {
	b, ok := spare.Get().(*[]float32)
	if !ok {
		b = new([]float32)
	}
	*b = slices.Grow((*b)[:0], n)[:n]
	return b
}

// planSlots gives each layer's output a buffer that no one needs any more.
// Slot 0 is the input.
func (p *Plan) planSlots() {
	lastUse := make([]int, len(p.steps))
	for i, s := range p.steps {
		if i > 0 {
			lastUse[i-1] = max(lastUse[i-1], i)
		}
		if s.expanded != nil {
			lastUse[i-2] = max(lastUse[i-2], i)
		}
		if s.add >= 0 {
			lastUse[s.add] = i
		}
	}
	p.slots = []int{p.input().size()}
	busyUntil := []int{0}
	for i := range p.steps[:len(p.steps)-1] { // the last writes to the caller's array
		s := &p.steps[i]
		if s.skip {
			continue
		}
		s.slot = -1
		for k, until := range busyUntil {
			if until < i && (s.slot < 0 || p.slots[k] > p.slots[s.slot]) {
				s.slot = k
			}
		}
		if s.slot < 0 {
			s.slot = len(p.slots)
			p.slots, busyUntil = append(p.slots, 0), append(busyUntil, 0)
		}
		p.slots[s.slot] = max(p.slots[s.slot], s.out.size())
		busyUntil[s.slot] = lastUse[i]
	}
}

// input is the frame of the picture.
func (p *Plan) input() frame {
	shape := p.steps[0].shape
	f := frame{h: p.height, w: p.width, c: 3}
	if p.int8 {
		f.c = tensor.Pad8(3)
	}
	_, f.top, f.bottom = tensor.SamePadding(f.h, shape.KH, shape.Stride)
	_, f.left, f.right = tensor.SamePadding(f.w, shape.KW, shape.Stride)
	return f
}

// Run encodes pixels (height, width, 3), as the recipe gives them, into dst
// (h, w, channels).
func (p *Plan) Run(dst, pixels []float32) {
	if len(pixels) != p.height*p.width*3 {
		panic(fmt.Sprintf("encoder: %d pixel values for a picture of %d x %d", len(pixels), p.height, p.width))
	}
	if p.int8 {
		p.run8(dst, bytesOf(pixels, p.recipe))
		return
	}
	p.run(dst, pixels, nil)
}

// See encodes a picture into dst (h, w, channels).
func (p *Plan) See(dst []float32, img image.Image) {
	if p.int8 {
		p.run8(dst, frameBytes(p.recipe.Frame(img), p.recipe))
		return
	}
	p.run(dst, p.recipe.Apply(img), nil)
}

// run tells observe, unless it is nil, the output of every layer.
func (p *Plan) run(dst, pixels []float32, observe func(i int, out tensor.Image)) {
	buffers := p.borrow()
	defer p.buffers.Put(buffers)
	at := p.input()
	src, inside := at.place((*buffers)[0])
	inside.Copy(0, 0, tensor.Img(pixels, p.height, p.width, 3))
	outs := make([]tensor.Image, len(p.steps))
	for i, s := range p.steps {
		if s.skip {
			continue
		}
		whole, out := tensor.Image{}, tensor.Image{}
		if i == len(p.steps)-1 {
			out = tensor.Img(dst, s.out.h, s.out.w, s.out.c)
		} else {
			whole, out = s.out.place((*buffers)[s.slot])
		}
		switch {
		case s.expanded != nil:
			border := p.steps[i-1].out
			s.expanded.Run(out, src, border.top, border.left)
		case s.depthwise != nil:
			s.depthwise.Run(out, src)
		case s.add >= 0:
			s.conv.Run(out, src, outs[s.add])
		default:
			s.conv.Run(out, src, tensor.Image{})
		}
		src, outs[i] = whole, out
		if observe != nil {
			observe(i, out)
		}
	}
}

func (p *Plan) borrow() *[][]float32 {
	if b, ok := p.buffers.Get().(*[][]float32); ok {
		return b
	}
	var b [][]float32
	for _, n := range p.slots {
		b = append(b, make([]float32, n))
	}
	return &b
}

// place lays the frame over a buffer and clears its border.
func (f frame) place(buffer []float32) (whole, inside tensor.Image) {
	whole = tensor.Img(buffer[:f.size()], f.h+f.top+f.bottom, f.w+f.left+f.right, f.c)
	for y := range whole.H {
		if y < f.top || y >= f.top+f.h {
			clear(whole.Row(y, 0, whole.W))
			continue
		}
		clear(whole.Row(y, 0, f.left))
		clear(whole.Row(y, f.left+f.w, f.right))
	}
	return whole, whole.Slice(f.top, f.left, f.h, f.w)
}
