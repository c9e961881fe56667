package nn

import "math/rand/v2"

// A Block is one layer of a transformer that reads whole sequences, with its
// norms before the parts (Xiong et al. 2020):
//
//	x = x + Merge(SelfAttention(QKV(Norm1(x))))
//	x = x + Narrow(Activate(Wide(Norm2(x))))
type Block struct {
	Norm1    *LayerNorm
	QKV      *Linear // width to queries, keys and values, side by side
	Merge    *Linear
	Norm2    *LayerNorm
	Wide     *Linear
	Narrow   *Linear
	Heads    int
	Activate func(t *Tape, x *Var) *Var // GELU, ...
}

// NewBlock returns a block of the given width, with inner values in the middle of
// its second part.
func NewBlock(rng *rand.Rand, name string, width, inner, heads int, activate func(t *Tape, x *Var) *Var) *Block {
	return &Block{
		Norm1:  NewLayerNorm(name+"norm1", width),
		QKV:    NewLinear(rng, name+"qkv", width, 3*width),
		Merge:  NewLinear(rng, name+"merge", width, width),
		Norm2:  NewLayerNorm(name+"norm2", width),
		Wide:   NewLinear(rng, name+"wide", width, inner),
		Narrow: NewLinear(rng, name+"narrow", inner, width),
		Heads:  heads, Activate: activate,
	}
}

// Params lists the weights in the order of their use.
func (b *Block) Params() []*Param {
	var all []*Param
	for _, l := range []interface{ Params() []*Param }{b.Norm1, b.QKV, b.Merge, b.Norm2, b.Wide, b.Narrow} {
		all = append(all, l.Params()...)
	}
	return all
}

// Forward keeps the shape of x (rows, width); each run of n rows is a sequence.
func (b *Block) Forward(t *Tape, x *Var, n int) *Var {
	h := b.Norm1.Forward(t, x)
	h = t.Spend(b.QKV.Forward(t, h), h)
	h = t.Spend(SelfAttention(t, h, n, b.Heads), h)
	h = t.Spend(b.Merge.Forward(t, h), h)
	x = t.Spend(Add(t, x, h), h)
	h = b.Norm2.Forward(t, x)
	h = t.Spend(b.Wide.Forward(t, h), h)
	h = t.Spend(b.Activate(t, h), h)
	h = t.Spend(b.Narrow.Forward(t, h), h)
	return t.Spend(Add(t, x, h), x, h)
}
