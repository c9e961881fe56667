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
	input         frame
	int8          bool // buffers are of bytes, steps are step8s
	steps         []step
	slots         []int // size of each buffer
	buffers       sync.Pool
}

// A step is one layer: it reads the buffers of the layers before it and writes
// its own, which has the border of zeros that its readers want.
type step struct {
	shape     tensor.ConvShape
	conv      *tensor.Conv
	depthwise *tensor.Depthwise
	int8      *step8 // instead of both
	kind      kind
	window    tensor.Window    // of a pooling
	expanded  *tensor.Expanded // the layer before and this one; that one is then skipped
	skip      bool
	from      []int // steps that are read
	extent          // of the kernel over its input
	slot      int
	out       frame
	add       int // step whose output is added; -1: none
	factors   int // step whose output are factors of the input's channels; 0: none
}

// A frame is a picture inside a border of zeros.
type frame struct{ h, w, c, top, left, bottom, right int }

func (f frame) size() int { return (f.h + f.top + f.bottom) * (f.w + f.left + f.right) * f.c }

// want makes the border as wide as the kernel of a reader needs.
func (f *frame) want(e extent) {
	f.top, f.left, f.bottom, f.right = max(f.top, e.top), max(f.left, e.left), max(f.bottom, e.bottom), max(f.right, e.right)
}

// view is the part of whole, the frame in its buffer, that a kernel sees.
func (f frame) view(whole tensor.Image, e extent) tensor.Image {
	return whole.Slice(f.top-e.top, f.left-e.left, f.h+e.top+e.bottom, f.w+e.left+e.right)
}

// Compile folds the batch norms, packs the weights and plans the buffers.
func (n *Network) Compile() (*Plan, error) { return n.plan(true) }

// plan is Compile; without fusing, every layer has an output.
func (n *Network) plan(fuse bool) (*Plan, error) {
	if err := n.recipe.Validate(); err != nil {
		return nil, fmt.Errorf("encoder %s: %w", n.name, err)
	}
	p := &Plan{recipe: n.recipe, height: n.recipe.Height, width: n.recipe.Width, int8: n.Quantized()}
	p.steps = make([]step, len(n.layers))
	p.input = frame{h: p.height, w: p.width, c: 3}
	if p.int8 {
		p.input.c = tensor.Pad8(3)
	}
	extents := n.extents()
	for i, l := range n.layers {
		e := extents[i]
		p.steps[i].out = frame{h: e.h, w: e.w, c: l.out}
		if p.int8 {
			p.steps[i].out.c = tensor.Pad8(l.out)
		}
		if l.weighted() { // pooling does without a border
			p.frame(l.from[0]).want(e)
		}
	}
	faults := make([]error, len(n.layers))
	tensor.Parallel(len(n.layers), func(i int) {
		s, err := n.compile(i, n.layers[i], p.steps[i].out)
		s.out, s.extent, s.from, s.kind = p.steps[i].out, extents[i], n.layers[i].from, n.layers[i].kind
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

// frame is that of a layer's output, or of the picture.
func (p *Plan) frame(i int) *frame {
	if i == picture {
		return &p.input
	}
	return &p.steps[i].out
}

// fuse does a pointwise convolution together with the depthwise one after it,
// if no one else needs what it gives.
func (p *Plan) fuse() {
	for i := 1; i+1 < len(p.steps); i++ {
		p.fuseFactors(i)
		point, depth := &p.steps[i], &p.steps[i+1]
		if point.conv == nil || depth.depthwise == nil || depth.from[0] != i || point.add >= 0 || p.readers(i) > 1 {
			continue
		}
		if s := point.conv.ConvShape; s.KH*s.KW*s.Stride == 1 {
			depth.expanded = tensor.NewExpanded(point.conv, depth.depthwise)
			point.skip = depth.expanded != nil
		}
	}
}

// fuseFactors leaves step i, if it multiplies channels, to the pointwise convolution after it.
func (p *Plan) fuseFactors(i int) {
	scale, point := &p.steps[i], &p.steps[i+1]
	if scale.kind != factors || point.conv == nil || point.from[0] != i || p.readers(i) > 1 {
		return
	}
	if s := point.conv.ConvShape; s.KH*s.KW*s.Stride == 1 {
		point.from, point.factors, scale.skip = scale.from[:1], scale.from[1], true
	}
}

// readers is how many steps need what step i gives.
func (p *Plan) readers(i int) (count int) {
	for _, s := range p.steps {
		if s.add == i || slices.Contains(s.from, i) {
			count++
		}
	}
	return count
}

// compile packs the weights of a layer, multiplied by the scale of its batch
// norm, for an output of known size.
func (n *Network) compile(i int, l layer, out frame) (step, error) {
	if n.Quantized() {
		return n.compile8(i, l)
	}
	if !l.weighted() {
		e := n.extents()[i]
		return step{add: -1, window: tensor.Window{H: l.height(), W: l.kernel, Stride: l.stride, Top: e.top, Left: e.left}}, nil
	}
	scale, shift := n.fold(i)
	shape := tensor.ConvShape{KH: l.height(), KW: l.kernel, In: l.in, Out: l.out, Stride: l.stride, Activation: l.activation}
	source := n.weights[i].conv // (out, in, taps)
	taps := l.taps()
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
	if l.kind == depthwise {
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
		use := func(k int) {
			if k != picture {
				lastUse[k] = max(lastUse[k], i)
			}
		}
		for _, from := range s.from {
			use(from)
		}
		if s.expanded != nil {
			use(p.steps[i-1].from[0])
		}
		use(s.add)
		if s.factors > 0 {
			use(s.factors)
		}
	}
	p.slots = []int{p.input.size()}
	busyUntil := []int{0}
	for i, s := range p.steps {
		if slices.Contains(s.from, picture) {
			busyUntil[0] = i
		}
	}
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
	r := running{Plan: p, wholes: make([]tensor.Image, len(p.steps)), outs: make([]tensor.Image, len(p.steps))}
	r.picture, r.inside = p.input.place((*buffers)[0])
	r.inside.Copy(0, 0, tensor.Img(pixels, p.height, p.width, 3))
	for i, s := range p.steps {
		if s.skip {
			continue
		}
		if i == len(p.steps)-1 {
			r.outs[i] = tensor.Img(dst, s.out.h, s.out.w, s.out.c)
		} else {
			r.wholes[i], r.outs[i] = s.out.place((*buffers)[s.slot])
		}
		if s.kind == conv || s.kind == depthwise {
			r.convolve(i)
		} else {
			r.other(i)
		}
		if observe != nil {
			observe(i, r.outs[i])
		}
	}
}

// running is one run of a plan.
type running struct {
	*Plan
	picture, inside tensor.Image   // with and without border
	wholes, outs    []tensor.Image // of each step, likewise
}

// view is what the kernel of a step sees of its input.
func (r *running) view(s step) tensor.Image {
	from := s.from[0]
	if from == picture {
		return r.input.view(r.picture, s.extent)
	}
	return r.steps[from].out.view(r.wholes[from], s.extent)
}

func (r *running) convolve(i int) {
	s, out := r.steps[i], r.outs[i]
	switch {
	case s.expanded != nil:
		point := r.steps[i-1]
		s.expanded.Run(out, r.view(point), point.out.top, point.out.left)
	case s.depthwise != nil:
		s.depthwise.Run(out, r.view(s))
	case s.factors > 0:
		s.conv.RunScaled(out, r.view(s), r.residual(s), r.outs[s.factors].Row(0, 0, 1))
	default:
		s.conv.Run(out, r.view(s), r.residual(s))
	}
}

// residual is what a step adds.
func (r *running) residual(s step) tensor.Image {
	if s.add < 0 {
		return tensor.Image{}
	}
	return r.outs[s.add]
}

// other does a step without weights.
func (r *running) other(i int) {
	s, out := r.steps[i], r.outs[i]
	src := r.inside
	if s.from[0] != picture {
		src = r.outs[s.from[0]]
	}
	switch s.kind {
	case concat:
		r.concat(out, s.from)
	case means:
		tensor.ChannelMeans(out.Row(0, 0, 1), src)
	case factors:
		tensor.ScaleChannels(out, src, r.outs[s.from[1]].Row(0, 0, 1))
	case maxPool:
		s.window.Max(out, src)
	case average:
		s.window.Average(out, src)
	case averageZeros:
		s.window.AveragePadded(out, src)
	}
}

func (r *running) concat(dst tensor.Image, from []int) {
	tensor.Parallel(dst.H, func(y int) {
		at := 0
		for _, f := range from {
			src := r.outs[f]
			for x := range src.W {
				copy(dst.Row(y, x, 1)[at:], src.Row(y, x, 1))
			}
			at += src.C
		}
	})
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
