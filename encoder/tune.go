package encoder

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"showtell/nn"
)

// A Tuning is a network whose last layers learn. The layers before them are a
// network of their own, its Trunk, of which the others see the result alone.
// Batch norms and biases stay as they are.
type Tuning struct {
	Params []*nn.Param // the weights behind the trunk, those that are Fixed included
	First  string      // the first layer that learns

	network *Network
	cut     int // the first layer behind the trunk
}

// Tune makes the layers learn that what says: "all", "last:N", the last N of
// Blocks, or "from:NAME", those from a layer or a block on.
func (n *Network) Tune(what string) (*Tuning, error) {
	if n.Quantized() {
		return nil, fmt.Errorf("encoder %s is int8 and can't learn: take the one that it was made of", n.name)
	}
	first, err := n.firstLayer(what)
	if err != nil {
		return nil, err
	}
	if n.vit != nil {
		return n.tuneVit(first), nil
	}
	t := &Tuning{network: n, cut: n.cutBefore(first)}
	t.Params = n.paramsFrom(t.cut)
	next := 0
	for i, l := range n.layers {
		if i < t.cut || !l.weighted() {
			continue
		}
		if t.Params[next].Fixed = i < first; i >= first && t.First == "" {
			t.First = l.name
		}
		next++
	}
	if t.First == "" {
		return nil, fmt.Errorf("fine-tuning %q of %s: no layer from there on has weights", what, n.name)
	}
	return t, nil
}

// firstLayer is the index of the first layer that is to learn.
func (n *Network) firstLayer(what string) (int, error) {
	if what == "all" {
		return 0, nil
	}
	kind, arg, _ := strings.Cut(what, ":")
	switch kind {
	case "last":
		count, err := strconv.Atoi(arg)
		if err != nil || count < 1 {
			return 0, fmt.Errorf("fine-tuning %q: last: wants a number of blocks, such as last:2", what)
		}
		if count > len(n.blocks) {
			return 0, fmt.Errorf("fine-tuning %q: %s has %d blocks", what, n.name, len(n.blocks))
		}
		return n.blocks[len(n.blocks)-count].first, nil
	case "from":
		for _, b := range n.blocks {
			if b.name == arg {
				return b.first, nil
			}
		}
		if i := slices.IndexFunc(n.layers, func(l layer) bool { return l.name == arg }); i >= 0 {
			return i, nil
		}
		return 0, fmt.Errorf("fine-tuning %q: %s has no layer %q; near it are %s", what, n.name, arg, strings.Join(n.namesNear(arg), ", "))
	}
	return 0, fmt.Errorf("fine-tuning %q is none of all, last:N and from:LAYER", what)
}

// Blocks are the names of the runs of layers that last:N counts, such as the
// residual blocks of a ResNet, from the picture on.
func (n *Network) Blocks() []string {
	var names []string
	for _, b := range n.blocks {
		names = append(names, b.name)
	}
	return names
}

// namesNear are the few names of blocks and layers that are most like name.
func (n *Network) namesNear(name string) []string {
	names := n.Blocks()
	for _, l := range n.layers {
		if !slices.Contains(names, l.name) {
			names = append(names, l.name)
		}
	}
	slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(edits(a, name), edits(b, name)) })
	return names[:min(len(names), 5)]
}

// edits is how many letters must be put in, left out or replaced to make b of
// a (Levenshtein 1966).
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before := row[0] // of the row above, one to the left
		row[0] = i + 1
		for j := range len(b) {
			replace := before
			if a[i] != b[j] {
				replace++
			}
			before = row[j+1]
			row[j+1] = min(replace, before+1, row[j]+1)
		}
	}
	return row[len(b)]
}

// cutBefore is the last layer, up to layer first, from which on all layers read
// nothing of those before but the result of the one just before.
func (n *Network) cutBefore(first int) int {
	for cut := first; cut > 0; cut-- {
		if n.alone(cut) {
			return cut
		}
	}
	return 0
}

func (n *Network) alone(cut int) bool {
	for _, l := range n.layers[cut:] {
		if slices.Contains(l.from, picture) || slices.ContainsFunc(l.reads(), func(k int) bool { return k < cut-1 }) {
			return false
		}
	}
	return true
}

// Trunk is the network up to the layers of Forward, which gives what those
// read; nil where they read the picture.
func (t *Tuning) Trunk() *Network {
	if t.cut == 0 {
		return nil
	}
	if t.network.vit != nil {
		return t.network.vitTrunk(t.cut)
	}
	trunk := *t.network
	trunk.layers, trunk.weights = trunk.layers[:t.cut], trunk.weights[:t.cut]
	trunk.blocks = slices.DeleteFunc(slices.Clone(trunk.blocks), func(b block) bool { return b.first >= t.cut })
	trunk.name += " to " + trunk.layers[t.cut-1].name
	return &trunk
}

// Input is the size of what Forward reads of a picture: rows, columns, channels.
func (t *Tuning) Input() (h, w, c int) {
	if trunk := t.Trunk(); trunk != nil {
		return trunk.Grid()
	}
	r := t.network.recipe
	return r.Height, r.Width, 3
}

// Forward makes grids (n, h, w, channels) of x (n, rows, columns, channels),
// which the trunk made of pictures or, where there is no trunk, the recipe.
func (t *Tuning) Forward(tape *nn.Tape, x *nn.Var) *nn.Var {
	return t.network.forward(tape, x, t.cut, t.Params)
}

// Network is the network with the given weights, in the order of Params, in
// place of its own.
func (t *Tuning) Network(params [][]float32) *Network {
	if t.network.vit != nil {
		return t.network.withParams(t.cut, params)
	}
	changed := *t.network
	changed.weights = slices.Clone(changed.weights)
	for i := t.cut; i < len(changed.layers); i++ {
		if changed.layers[i].weighted() {
			changed.weights[i].conv, params = params[0], params[1:]
		}
	}
	return &changed
}

// Memory is about how many bytes of results a picture leaves on a tape.
func (t *Tuning) Memory() int {
	if t.network.vit != nil {
		return t.network.vitMemory(t.cut)
	}
	total := 0
	for i, e := range t.network.extents() {
		if i >= t.cut {
			total += 4 * e.h * e.w * t.network.layers[i].out
		}
	}
	return total
}
