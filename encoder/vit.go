package encoder

import (
	"fmt"
	"math"
	"math/rand/v2"
	"sync"

	"showtell/imageprep"
	"showtell/nn"
)

// Vision transformers (Dosovitskiy et al. 2021): squares of the picture become
// tokens, and blocks of attention let these see each other. The grid is the tokens
// of the squares after the last norm. A network whose name ends in _class gives the
// class token instead, which stands before them, as a single cell.

// A vit is the architecture of a vision transformer.
type vit struct {
	vitSize
	epsilon   float64 // of the norms
	activate  func(t *nn.Tape, x *nn.Var) *nn.Var
	clip      bool // a norm before the first block, and squares without a bias
	class     bool // the class token is the result
	project   bool // and is projected
	namings   []vitNaming
	published bool // look for what a grid does not need under its published names too
	open      bool // a trunk: the result is the tokens, as the next block has them
}

// vitSize is a size of the family.
type vitSize struct {
	patch  int // side of a square, pixels
	width  int
	depth  int // blocks
	heads  int
	output int // channels of CLIP's projection
}

var (
	vitS16 = vitSize{16, 384, 12, 6, 0}
	vitB16 = vitSize{16, 768, 12, 12, 0}
	vitB32 = vitSize{32, 768, 12, 12, 0}
	vitL16 = vitSize{16, 1024, 24, 16, 0}
)

// half scales pixels to between -1 and 1.
var half = [3]float32{127.5, 127.5, 127.5}

// vitGoogle is the edition of Hugging Face.
func vitGoogle(size vitSize) table {
	return table{
		vit:    &vit{vitSize: size, epsilon: 1e-12, activate: nn.GELU, namings: []vitNaming{namesGoogle, namesMemory}},
		recipe: imageprep.Recipe{Width: 224, Height: 224, Filter: imageprep.Bilinear, Fit: imageprep.Squash, Channels: imageprep.OrderRGB, Mean: half, Std: half},
	}
}

func vitTimm(size vitSize) table {
	return table{
		vit: &vit{vitSize: size, epsilon: 1e-6, activate: nn.GELU, namings: []vitNaming{namesTimm}},
		recipe: imageprep.Recipe{
			Width: 224, Height: 224, Filter: imageprep.Bicubic, Fit: imageprep.Crop, Short: 248, Channels: imageprep.OrderRGB, Mean: half, Std: half,
		},
	}
}

func vitTorch(size vitSize) table {
	t := table{vit: &vit{vitSize: size, epsilon: 1e-6, activate: nn.GELU, namings: []vitNaming{namesTorch}}, recipe: torch.recipe()}
	if size == vitL16 {
		t.recipe.Short = 242
	}
	return t
}

// classToken makes the class token the result.
func classToken(t table) table {
	t.vit.class = true
	return t
}

// tokens is how many there are for pictures of the recipe's size.
func (t table) tokens() int {
	return 1 + (t.recipe.Height/t.vit.patch)*(t.recipe.Width/t.vit.patch)
}

// vitGrid is the size of the result.
func (t table) vitGrid() (h, w, c int) {
	v := t.vit
	switch {
	case v.open:
		return 1, t.tokens(), v.width
	case v.project:
		return 1, 1, v.output
	case v.class:
		return 1, 1, v.width
	}
	return t.recipe.Height / v.patch, t.recipe.Width / v.patch, v.width
}

// vitOperations is how many floating-point operations a picture takes.
func (t table) vitOperations() int64 {
	v, n := t.vit, int64(t.tokens())
	w := int64(v.width)
	block := n*w*(3*w+w+2*int64(v.inner())) + 2*n*n*w
	sum := (n-1)*int64(3*v.patch*v.patch)*w + int64(v.depth)*block
	if v.project {
		sum += w * int64(v.output)
	}
	return 2 * sum
}

// inner is how many values there are in the middle of a block.
func (v *vit) inner() int { return 4 * v.width }

// A tower is a vit with its weights.
type tower struct {
	*vit
	first     *nn.Param  // (width): the class token; nil if tokens are read, not pictures
	positions *nn.Param  // (tokens, width)
	see       *nn.Linear // squares to tokens
	before    *nn.LayerNorm
	blocks    []*nn.Block
	after     *nn.LayerNorm // nil if the tokens are the result
	projected *nn.Param     // (output, width)
}

// params are new weights, all zero, in the order that tower takes them in.
func (t table) params() []*nn.Param {
	v := t.vit
	positions := nn.NewParam("positions", t.tokens(), v.width)
	positions.Table = true
	all := []*nn.Param{nn.NewParam("class", v.width), positions, nn.NewParam("see.weight", v.width, 3*v.patch*v.patch)}
	if !v.clip {
		all = append(all, nn.NewParam("see.bias", v.width))
		all[3].Bias = true
	} else {
		all = append(all, nn.NewLayerNorm("before", v.width).Params()...)
	}
	for i := range v.depth {
		all = append(all, nn.NewBlock(nil, fmt.Sprintf("blocks.%d.", i), v.width, v.inner(), v.heads, v.activate).Params()...)
	}
	if v.open {
		return all
	}
	all = append(all, nn.NewLayerNorm("after", v.width).Params()...)
	if v.project {
		all = append(all, nn.NewParam("projection", v.output, v.width))
	}
	return all
}

// random fills in weights such that tokens see each other.
func (v *vit) random(params []*nn.Param, rng *rand.Rand) []*nn.Param {
	for _, p := range params {
		switch {
		case p.Table || p.Name == "class":
			p.Normal(rng, 0.1)
		case len(p.Shape) == 2:
			p.Normal(rng, 1/math.Sqrt(float64(p.Shape[1])))
		default: // norms and biases, around what they are
			for i, x := range normal(rng, len(p.Data), 0.1) {
				p.Data[i] += x
			}
		}
	}
	return params
}

// tower is the network with the weights params, from a block on as vitBlocks
// counts them.
func (v *vit) tower(params []*nn.Param, from int) *tower {
	next := func() *nn.Param {
		p := params[0]
		params = params[1:]
		return p
	}
	norm := func() *nn.LayerNorm { return &nn.LayerNorm{Gain: next(), Shift: next(), Epsilon: v.epsilon} }
	linear := func() *nn.Linear { return &nn.Linear{W: next(), B: next()} }
	w := &tower{vit: v}
	if from == 0 {
		w.first, w.positions = next(), next()
		if v.clip {
			w.see, w.before = &nn.Linear{W: next()}, norm()
		} else {
			w.see = linear()
		}
	}
	for range v.depth - max(from-1, 0) {
		w.blocks = append(w.blocks, &nn.Block{
			Norm1: norm(), QKV: linear(), Merge: linear(), Norm2: norm(), Wide: linear(), Narrow: linear(), Heads: v.heads, Activate: v.activate,
		})
	}
	if v.open {
		return w
	}
	w.after = norm()
	if v.project {
		w.projected = next()
	}
	return w
}

// Forward encodes pictures (n, height, width, 3), or tokens (n, 1, tokens, width),
// into grids (n, h, w, channels).
func (w *tower) Forward(t *nn.Tape, x *nn.Var) *nn.Var {
	n := x.Shape[0]
	h, cols := x.Shape[1]/w.patch, x.Shape[2]/w.patch
	if w.first == nil { // pictures are square
		h = int(math.Sqrt(float64(x.Shape[2] - 1)))
		cols = h
	} else {
		x = w.tokens(t, x, h*cols)
	}
	for _, b := range w.blocks {
		x = t.Spend(b.Forward(t, x, h*cols+1), x) // (n·tokens, width)
	}
	if w.open {
		x.Shape = []int{n, 1, h*cols + 1, w.width}
		return x
	}
	x = w.result(t, x, h*cols+1)
	if w.class {
		h, cols = 1, 1
	}
	x.Shape = []int{n, h, cols, x.Cols()}
	return x
}

// tokens are what the first block reads of pictures of so many squares.
func (w *tower) tokens(t *nn.Tape, pictures *nn.Var, cells int) *nn.Var {
	patches := nn.Patches(t, pictures, w.patch)          // (n·cells, 3·patch·patch)
	seen := w.see.Forward(t, patches)                    // (n·cells, width)
	x := nn.Tokens(t, seen, w.first, w.positions, cells) // (n·(cells+1), width)
	x = t.Spend(x, t.Spend(seen, patches))
	if w.before != nil {
		x = t.Spend(w.before.Forward(t, x), x)
	}
	return x
}

// result is what the last block's tokens become: those of the squares, or the
// class token.
func (w *tower) result(t *nn.Tape, x *nn.Var, tokens int) *nn.Var {
	var index []int
	for i := range x.Rows() {
		if w.class == (i%tokens == 0) {
			index = append(index, i)
		}
	}
	x = w.after.Forward(t, t.Spend(nn.Gather(t, x, index), x)) // (n·cells, width)
	if w.project {
		x = nn.Product(t, x, w.projected, nil)
	}
	return x
}

// A vitPlan is a tower made ready for captioning. It is safe for concurrent use.
type vitPlan struct {
	tower *tower
	tapes sync.Pool
}

// vitPlan packs the weights.
func (n *Network) vitPlan() *vitPlan {
	frozen := make([]*nn.Param, len(n.params))
	for i, p := range n.params {
		frozen[i] = &nn.Param{Name: p.Name, Table: p.Table, Var: nn.Var{Shape: p.Shape, Data: p.Data}}
		frozen[i].Freeze()
	}
	return &vitPlan{tower: n.vit.tower(frozen, 0)}
}

// run encodes pixels (height, width, 3) into dst.
func (p *vitPlan) run(dst, pixels []float32, height, width int) {
	t, ok := p.tapes.Get().(*nn.Tape)
	if !ok {
		t = nn.NewScratch()
	}
	defer p.tapes.Put(t)
	t.Reset()
	copy(dst, p.tower.Forward(t, nn.Const(pixels, 1, height, width, 3)).Data)
}
