package encoder

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"showtell/tensor"
)

// A KerasLayer is a layer of a Keras weight file, with its weights in Keras's
// order: kernel and bias, or gamma, beta, mean and variance.
type KerasLayer struct {
	// Name is the layer's; "" if the file does not tell it.
	Name string
	// Group is where a file that does not tell names has the layer: its class
	// and its number in that class, as "layers/conv2d_3".
	Group   string
	Weights []KerasWeight
}

// A KerasWeight is an array with its values.
type KerasWeight struct {
	Shape  []int
	Values func() ([]float32, error)
}

// Keras makes the network called name of the layers of a Keras file, in the
// order of the file; with name "", the one whose grid they give. Layers are found
// by name where names are Keras's own, else paired by their order. Errors begin
// with source.
func Keras(source, name string, layers []KerasLayer) (*Network, error) {
	if name != "" && !strings.Contains(name, "_keras") {
		return nil, fmt.Errorf("%s: encoder %s is not one of Keras (there are %s)", source, name, strings.Join(kerasNames(""), ", "))
	}
	return nearest(source, kerasNames(name), func(n *Network) candidate { return n.ofKeras(layers) })
}

// kerasNames are the networks that may be meant.
func kerasNames(name string) []string {
	if name != "" {
		return []string{name}
	}
	return slices.DeleteFunc(Names(), func(n string) bool { return !strings.HasSuffix(n, "_keras") })
}

// ofKeras is n with the weights of layers.
func (n *Network) ofKeras(layers []KerasLayer) candidate {
	found := map[string]kerasTensor{}
	for i, k := range n.pair(layers) {
		n.layers[i].translate(found, k)
	}
	for _, k := range layers {
		if k.normalizes() {
			k.translateNormalization(found)
		}
	}
	get := func(name string) ([]int, func() ([]float32, error), bool) {
		t, ok := found[name]
		return t.shape, t.values, ok
	}
	return candidate{n, get, func() []string { return n.read(get, "") }}
}

// A kerasPair is a layer's convolution and its batch norm, as far as there are.
type kerasPair struct{ conv, norm KerasLayer }

// pair finds what belongs to each layer.
func (n *Network) pair(layers []KerasLayer) map[int]kerasPair {
	byName := map[string]KerasLayer{}
	for _, k := range layers {
		byName[k.Name] = k
	}
	pairs := map[int]kerasPair{}
	for i, l := range n.layers {
		c, ok := byName[l.conv]
		if ok && l.weighted() {
			pairs[i] = kerasPair{c, byName[l.norm]}
		}
	}
	if len(pairs) == 0 {
		return n.pairByOrder(layers)
	}
	return pairs
}

// pairByOrder goes by the numbers in names, which count layers as they were
// made; without names by the order of Keras's model.layers, which the file has.
func (n *Network) pairByOrder(layers []KerasLayer) map[int]kerasPair {
	var files [classes][]KerasLayer
	numbered := true
	for _, k := range layers {
		c := k.class()
		files[c] = append(files[c], k)
		if _, ok := number(k.Name); !ok && (c == classConv || c == classNorm) {
			numbered = false
		}
	}
	order := n.modelOrder()
	if numbered {
		slices.Sort(order)
		for _, c := range []int{classConv, classNorm} {
			slices.SortStableFunc(files[c], func(a, b KerasLayer) int {
				i, _ := number(a.Name)
				j, _ := number(b.Name)
				return cmp.Compare(i, j)
			})
		}
	}
	pairs := map[int]kerasPair{}
	next := func(c int) (k KerasLayer) {
		if len(files[c]) > 0 {
			k, files[c] = files[c][0], files[c][1:]
		}
		return k
	}
	for _, i := range order {
		l, c := n.layers[i], classConv
		switch {
		case l.kind == depthwise:
			c = classDepthwise
		case l.flat:
			c = classDense
		}
		p := kerasPair{conv: next(c)}
		if l.norm != "" {
			p.norm = next(classNorm)
		}
		pairs[i] = p
	}
	if len(files[classConv])+len(files[classDepthwise])+len(files[classNorm]) > 0 {
		return nil // of a larger network
	}
	return pairs
}

// The classes of Keras that have weights.
const (
	classOther = iota
	classConv
	classDepthwise
	classNorm
	classDense
	classes
)

func (k KerasLayer) class() int {
	if len(k.Weights) == 0 || k.normalizes() {
		return classOther
	}
	switch len(k.Weights[0].Shape) {
	case 4:
		if strings.Contains(k.Group, "depthwise_conv2d") || strings.Contains(k.Name, "depthwise") {
			return classDepthwise
		}
		return classConv
	case 2:
		return classDense
	case 1:
		return classNorm
	}
	return classOther
}

// number is that of a layer whose name Keras made up: conv2d is 0, conv2d_1 is 1.
func number(name string) (n int, ok bool) {
	for _, class := range []string{"conv2d", "batch_normalization"} {
		rest, ok := strings.CutPrefix(name, class)
		if !ok {
			continue
		}
		if rest == "" {
			return 0, true
		}
		n, err := strconv.Atoi(strings.TrimPrefix(rest, "_"))
		return n, err == nil && rest[0] == '_'
	}
	return 0, false
}

// modelOrder lists the layers with weights in the order of Keras's model.layers:
// by how far they are from the end, the farthest first, those at the same
// distance as they are met on the way back.
func (n *Network) modelOrder() []int {
	depth := n.kerasDepth()
	met := make([]int, len(n.layers))
	count := 0
	var visit func(i int)
	visit = func(i int) {
		if i == picture || met[i] > 0 {
			return
		}
		l := n.layers[i]
		if l.add >= 0 {
			visit(l.add)
		}
		count++
		met[i] = count
		for _, from := range l.from {
			visit(from)
		}
	}
	visit(len(n.layers) - 1)
	var order []int
	for i, l := range n.layers {
		if l.weighted() {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Or(cmp.Compare(depth[j], depth[i]), cmp.Compare(met[i], met[j])) })
	return order
}

// kerasDepth is how far convolutions are from the end, where batch norm, sum and
// activation are layers of their own.
func (n *Network) kerasDepth() []int {
	end, depth := make([]int, len(n.layers)), make([]int, len(n.layers)) // of the activation, of the convolution
	for i := len(n.layers) - 1; i >= 0; i-- {
		l := n.layers[i]
		far := end[i]
		if l.activation != tensor.Identity {
			far++
		}
		if l.add >= 0 {
			end[l.add] = max(end[l.add], far+1)
			far++
		}
		if l.norm != "" {
			far++
		}
		depth[i] = far
		for _, from := range l.from {
			if from != picture {
				end[from] = max(end[from], far+1)
			}
		}
	}
	return depth
}

// A kerasTensor is one of our tensors in a Keras file.
type kerasTensor struct {
	shape  []int
	values func() ([]float32, error)
}

// translate adds the tensors of the layer to found.
func (l layer) translate(found map[string]kerasTensor, k kerasPair) {
	if len(k.conv.Weights) == 0 {
		return
	}
	kernel := k.conv.Weights[0]
	if t, ok := l.kernelOf(kernel); ok {
		found[l.conv+".weight"] = t
	}
	var bias *KerasWeight
	if len(k.conv.Weights) > 1 {
		bias = &k.conv.Weights[1]
	}
	if l.norm == "" {
		if bias != nil {
			found[l.conv+".bias"] = kerasTensor{bias.Shape, copied(bias.Values)}
		}
		return
	}
	vectors, names := k.norm.Weights, norms
	if l.noGain {
		names = norms[1:]
	}
	if len(vectors) != len(names) {
		return
	}
	for i, name := range names {
		t := kerasTensor{vectors[i].Shape, copied(vectors[i].Values)}
		if name == "running_mean" && bias != nil {
			t.values = less(vectors[i], *bias)
		}
		found[l.norm+"."+name] = t
	}
}

// copied gives values in memory of their own: a file may share its own.
func copied(values func() ([]float32, error)) func() ([]float32, error) {
	return func() ([]float32, error) {
		x, err := values()
		return slices.Clone(x), err
	}
}

// less is a mean without the bias that was added before it is taken away.
func less(mean, bias KerasWeight) func() ([]float32, error) {
	return func() ([]float32, error) {
		m, err := mean.Values()
		if err != nil || m == nil {
			return nil, err
		}
		b, err := bias.Values()
		if err != nil {
			return nil, err
		}
		if len(m) != len(b) {
			return nil, fmt.Errorf("%d values, and %d biases before them", len(m), len(b))
		}
		x := make([]float32, len(m))
		tensor.AXPY(x, 1, m)
		tensor.AXPY(x, -1, b)
		return x, nil
	}
}

// kernelOf is a kernel (rows, columns, in, out), (rows, columns, in, 1) where
// depthwise, or (in, out), in our layout.
func (l layer) kernelOf(k KerasWeight) (kerasTensor, bool) {
	s := k.Shape
	switch {
	case l.flat && len(s) == 2: // in is (row, column, channel)
		taps := l.taps()
		return kerasTensor{[]int{s[1], s[0]}, transposed(k, taps, s[0]/taps, s[1])}, s[0]%taps == 0
	case l.kind == depthwise && len(s) == 4 && s[3] == 1:
		return kerasTensor{[]int{s[2], 1, s[0], s[1]}, transposed(k, s[0]*s[1], 1, s[2])}, true
	case l.kind == conv && !l.flat && len(s) == 4:
		return kerasTensor{[]int{s[3], s[2], s[0], s[1]}, transposed(k, s[0]*s[1], s[2], s[3])}, true
	}
	return kerasTensor{}, false
}

// transposed turns values (taps, in, out) into (out, in, taps).
func transposed(k KerasWeight, taps, in, out int) func() ([]float32, error) {
	return func() ([]float32, error) {
		src, err := k.Values()
		if err != nil || src == nil {
			return nil, err
		}
		if len(src) != taps*in*out {
			return nil, fmt.Errorf("%d values do not fill shape %v", len(src), k.Shape)
		}
		dst := make([]float32, len(src))
		tensor.Parallel(out, func(o int) {
			for i := range in * taps {
				c, tap := i/taps, i%taps
				dst[o*in*taps+i] = src[(tap*in+c)*out+o]
			}
		})
		return dst, nil
	}
}
