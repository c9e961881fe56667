package main

import (
	"log"

	"showtell/tensor"
)

// A node is one operation of a network, as encoders_nets.py makes it.
type node struct {
	Op      string
	Src     []int
	KH, KW  int
	Stride  int
	Pads    [4]int // top, left, bottom, right
	H, W, C int    // of its output
	Act     tensor.Activation
	Add     int // node whose output is added; -1: none
}

// A frame is the output of a node inside the border of zeros that its readers want.
type frame struct {
	top, left, bottom, right int
	slot                     int
	inside                   tensor.Image
	whole                    tensor.Image
}

// A graph is a network ready to run: the outputs lie in buffers that are used again.
type graph struct {
	nodes  []node
	frames []frame
	steps  []func()
	input  []float32
}

// newGraph takes weights as (tap, in, out) and then the bias, layer after layer.
func newGraph(nodes []node, weights, input []float32) *graph {
	g := &graph{nodes: nodes, frames: make([]frame, len(nodes)), input: input}
	for _, n := range nodes {
		if n.Op == "conv" || n.Op == "depthwise" {
			src, f := nodes[n.Src[0]], &g.frames[n.Src[0]]
			f.top, f.left = max(f.top, n.Pads[0]), max(f.left, n.Pads[1])
			f.bottom = max(f.bottom, (n.H-1)*n.Stride+n.KH-n.Pads[0]-src.H)
			f.right = max(f.right, (n.W-1)*n.Stride+n.KW-n.Pads[1]-src.W)
		}
	}
	g.place()
	for i, n := range nodes {
		switch n.Op {
		case "conv", "depthwise":
			in := nodes[n.Src[0]].C
			if n.Op == "depthwise" {
				in = 1
			}
			size := n.KH * n.KW * in * n.C
			g.steps = append(g.steps, g.convolution(i, n, weights[:size], weights[size:size+n.C]))
			weights = weights[size+n.C:]
		default:
			g.steps = append(g.steps, g.other(i, n))
		}
	}
	return g
}

// place gives each node a buffer that no later node reads any more, of all such the smallest that is
// large enough.
func (g *graph) place() {
	last := make([]int, len(g.nodes))
	for i, n := range g.nodes {
		last[i] = i
		for _, s := range n.Src {
			last[s] = i
		}
		if n.Op == "conv" && n.Add >= 0 {
			last[n.Add] = i
		}
	}
	var sizes, busy []int
	for i, n := range g.nodes {
		f := &g.frames[i]
		size, best := (n.H+f.top+f.bottom)*(n.W+f.left+f.right)*n.C, -1
		for s := range sizes {
			if busy[s] < i && (best < 0 || abs(sizes[s]-size) < abs(sizes[best]-size)) {
				best = s
			}
		}
		if best < 0 {
			best = len(sizes)
			sizes, busy = append(sizes, 0), append(busy, 0)
		}
		sizes[best], busy[best], f.slot = max(sizes[best], size), last[i], best
	}
	slots := make([][]float32, len(sizes))
	for i := range slots {
		slots[i] = make([]float32, sizes[i])
	}
	for i, n := range g.nodes {
		f := &g.frames[i]
		h, w := n.H+f.top+f.bottom, n.W+f.left+f.right
		f.whole = tensor.Img(slots[f.slot][:h*w*n.C], h, w, n.C)
		f.inside = f.whole.Slice(f.top, f.left, n.H, n.W)
	}
}

func abs(x int) int { return max(x, -x) }

// clearBorder makes the border zero.
func (f frame) clearBorder() {
	for y := range f.whole.H {
		if y < f.top || y >= f.top+f.inside.H {
			clear(f.whole.Row(y, 0, f.whole.W))
			continue
		}
		clear(f.whole.Row(y, 0, f.left))
		clear(f.whole.Row(y, f.left+f.inside.W, f.right))
	}
}

func (g *graph) convolution(i int, n node, weights, bias []float32) func() {
	from, src := g.frames[n.Src[0]], g.nodes[n.Src[0]]
	view := from.whole.Slice(from.top-n.Pads[0], from.left-n.Pads[1], (n.H-1)*n.Stride+n.KH, (n.W-1)*n.Stride+n.KW)
	shape := tensor.ConvShape{KH: n.KH, KW: n.KW, In: src.C, Out: n.C, Stride: n.Stride, Activation: n.Act}
	to := g.frames[i]
	if n.Op == "depthwise" {
		d := tensor.NewDepthwise(shape, weights, bias)
		return func() { to.clearBorder(); d.Run(to.inside, view) }
	}
	var add tensor.Image
	if n.Add >= 0 {
		add = g.frames[n.Add].inside
	}
	c := tensor.NewConvFor(n.H, n.W, shape, weights, bias)
	return func() { to.clearBorder(); c.Run(to.inside, view, add) }
}

// other is a step that has no weights.
func (g *graph) other(i int, n node) func() {
	to := g.frames[i]
	window := tensor.Window{H: n.KH, W: n.KW, Stride: n.Stride, Top: n.Pads[0], Left: n.Pads[1]}
	switch n.Op {
	case "input":
		picture := tensor.Img(g.input[:n.H*n.W*n.C], n.H, n.W, n.C)
		g.input = g.input[n.H*n.W*n.C:]
		return func() { to.clearBorder(); to.inside.Copy(0, 0, picture) }
	case "max":
		return func() { to.clearBorder(); window.Max(to.inside, g.frames[n.Src[0]].inside) }
	case "average":
		return func() { to.clearBorder(); window.AveragePadded(to.inside, g.frames[n.Src[0]].inside) }
	case "concat":
		return func() { to.clearBorder(); g.concat(to.inside, n.Src) }
	}
	log.Fatalf("no operation %q", n.Op)
	return nil
}

func (g *graph) concat(dst tensor.Image, src []int) {
	tensor.Parallel(dst.H, func(y int) {
		at := 0
		for _, s := range src {
			m := g.frames[s].inside
			for x := range m.W {
				copy(dst.Row(y, x, 1)[at:], m.Row(y, x, 1))
			}
			at += m.C
		}
	})
}

func (g *graph) run() {
	for _, step := range g.steps {
		step()
	}
}

// output is a copy of what the last node gave.
func (g *graph) output() []float32 {
	m := g.frames[len(g.frames)-1].inside
	var out []float32
	for y := range m.H {
		out = append(out, m.Row(y, 0, m.W)...)
	}
	return out
}
