package encoder

import (
	"fmt"
	"slices"

	"showtell/nn"
)

// vitBlocks are those that learn or don't learn together: what makes tokens, then
// each block. The last has the norm behind it.
func (v *vit) vitBlocks() []block {
	all := []block{{"stem", 0}}
	for i := range v.depth {
		all = append(all, block{fmt.Sprintf("blocks.%d", i), i + 1})
	}
	return all
}

// paramsBefore is how many weights there are before a block.
func (v *vit) paramsBefore(first int) int {
	if first == 0 {
		return 0
	}
	stem, each := 4, 12
	if v.clip {
		stem = 5
	}
	return stem + each*(first-1)
}

// vitParams are copies of the weights from a block on, for forward.
func (n *Network) vitParams(first int) []*nn.Param {
	var all []*nn.Param
	for _, p := range n.params[n.vit.paramsBefore(first):] {
		c := nn.NewParam(p.Name, p.Shape...)
		c.Bias, c.Table = p.Bias, p.Table
		copy(c.Data, p.Data)
		all = append(all, c)
	}
	return all
}

// tuneVit makes the blocks from first on learn.
func (n *Network) tuneVit(first int) *Tuning {
	return &Tuning{network: n, cut: first, Params: n.vitParams(first), First: n.blocks[first].name}
}

// vitTrunk is the network up to a block, which gives the tokens that that reads.
func (n *Network) vitTrunk(cut int) *Network {
	trunk, v := *n, *n.vit
	v.depth, v.open, v.class, v.project = cut-1, true, false, false
	trunk.vit, trunk.params, trunk.blocks = &v, n.params[:n.vit.paramsBefore(cut)], n.blocks[:cut]
	trunk.name += " to " + n.blocks[cut-1].name
	return &trunk
}

// withParams is the network with the values from a block on replaced.
func (n *Network) withParams(first int, values [][]float32) *Network {
	changed := *n
	changed.params = slices.Clone(n.params)
	for i, p := range changed.params[n.vit.paramsBefore(first):] {
		c := &nn.Param{Name: p.Name, Bias: p.Bias, Table: p.Table, Var: nn.Var{Shape: p.Shape, Data: values[i]}}
		changed.params[n.vit.paramsBefore(first)+i] = c
	}
	return &changed
}

// vitMemory is about how many bytes of results a picture leaves on a tape behind
// a block: 18 rows of the width for each token, and the weights of attention.
func (n *Network) vitMemory(first int) int {
	v, tokens := n.vit, n.tokens()
	return 4 * (v.depth - max(first-1, 0)) * tokens * (18*v.width + v.heads*tokens)
}
