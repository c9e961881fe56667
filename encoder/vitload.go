package encoder

import (
	"fmt"
	"math"
	"slices"

	"showtell/imageprep"
	"showtell/modelfile"
)

// A vitNaming is how a program calls the tensors of a vision transformer. %d is the
// number of a block. Where "weight" and "bias" follow, names end before them.
type vitNaming struct {
	prefixes               []string // before all names but the projection's; ours is the first
	class, positions       string
	classShape, placeShape []int // what stands before the width and the tokens
	see, before, after     string
	norm1, merge           string
	norm2, wide, narrow    string
	qkv                    []string // of one tensor, or of three
	projection             string
	turned                 bool // the projection is (width, output)
}

var (
	namesGoogle = vitNaming{
		prefixes: []string{"", "vit."},
		class:    "embeddings.cls_token", classShape: []int{1, 1}, positions: "embeddings.position_embeddings", placeShape: []int{1},
		see: "embeddings.patch_embeddings.projection.", after: "layernorm.",
		norm1: "encoder.layer.%d.layernorm_before.", norm2: "encoder.layer.%d.layernorm_after.",
		qkv:   []string{"encoder.layer.%d.attention.attention.query.", "encoder.layer.%d.attention.attention.key.", "encoder.layer.%d.attention.attention.value."},
		merge: "encoder.layer.%d.attention.output.dense.", wide: "encoder.layer.%d.intermediate.dense.", narrow: "encoder.layer.%d.output.dense.",
	}
	namesMemory = vitNaming{ // what saving its state_dict gives
		prefixes: []string{"", "vit."},
		class:    "embeddings.cls_token", classShape: []int{1, 1}, positions: "embeddings.position_embeddings", placeShape: []int{1},
		see: "embeddings.patch_embeddings.projection.", after: "layernorm.",
		norm1: "layers.%d.layernorm_before.", norm2: "layers.%d.layernorm_after.",
		qkv:   []string{"layers.%d.attention.q_proj.", "layers.%d.attention.k_proj.", "layers.%d.attention.v_proj."},
		merge: "layers.%d.attention.o_proj.", wide: "layers.%d.mlp.fc1.", narrow: "layers.%d.mlp.fc2.",
	}
	namesTimm = vitNaming{
		prefixes: []string{""},
		class:    "cls_token", classShape: []int{1, 1}, positions: "pos_embed", placeShape: []int{1},
		see: "patch_embed.proj.", after: "norm.",
		norm1: "blocks.%d.norm1.", qkv: []string{"blocks.%d.attn.qkv."}, merge: "blocks.%d.attn.proj.",
		norm2: "blocks.%d.norm2.", wide: "blocks.%d.mlp.fc1.", narrow: "blocks.%d.mlp.fc2.",
	}
	namesTorch = vitNaming{
		prefixes: []string{""},
		class:    "class_token", classShape: []int{1, 1}, positions: "encoder.pos_embedding", placeShape: []int{1},
		see: "conv_proj.", after: "encoder.ln.",
		norm1: "encoder.layers.encoder_layer_%d.ln_1.", norm2: "encoder.layers.encoder_layer_%d.ln_2.",
		qkv:   []string{"encoder.layers.encoder_layer_%d.self_attention.in_proj_"},
		merge: "encoder.layers.encoder_layer_%d.self_attention.out_proj.",
		wide:  "encoder.layers.encoder_layer_%d.mlp.0.", narrow: "encoder.layers.encoder_layer_%d.mlp.3.",
	}
	namesCLIP = vitNaming{
		prefixes: []string{"vision_model.", ""},
		class:    "embeddings.class_embedding", positions: "embeddings.position_embedding.weight",
		see: "embeddings.patch_embedding.", before: "pre_layrnorm.", after: "post_layernorm.",
		norm1: "encoder.layers.%d.layer_norm1.", norm2: "encoder.layers.%d.layer_norm2.",
		qkv:   []string{"encoder.layers.%d.self_attn.q_proj.", "encoder.layers.%d.self_attn.k_proj.", "encoder.layers.%d.self_attn.v_proj."},
		merge: "encoder.layers.%d.self_attn.out_proj.", wide: "encoder.layers.%d.mlp.fc1.", narrow: "encoder.layers.%d.mlp.fc2.",
		projection: "visual_projection.weight",
	}
	namesOpenAI = vitNaming{
		prefixes: []string{"visual."},
		class:    "class_embedding", positions: "positional_embedding",
		see: "conv1.", before: "ln_pre.", after: "ln_post.",
		norm1: "transformer.resblocks.%d.ln_1.", qkv: []string{"transformer.resblocks.%d.attn.in_proj_"}, merge: "transformer.resblocks.%d.attn.out_proj.",
		norm2: "transformer.resblocks.%d.ln_2.", wide: "transformer.resblocks.%d.mlp.c_fc.", narrow: "transformer.resblocks.%d.mlp.c_proj.",
		projection: "visual.proj", turned: true,
	}
)

// own is how files of our own call the tensors. What a grid does not need has
// names of its own there, so that they tell which network it is.
func (v *vit) own() vitNaming {
	n := v.namings[0]
	n.prefixes = n.prefixes[:1]
	if v.class {
		n.after = "class_norm."
	}
	n.projection = n.prefixes[0] + "class_projection.weight"
	return n
}

// forms are the namings under which the network may be found.
func (v *vit) forms() []vitNaming {
	if v.class && !v.published {
		return []vitNaming{v.own()}
	}
	return append([]vitNaming{v.own()}, v.namings...)
}

// A part is a tensor of a file: values of one of the weights.
type part struct {
	name   string
	shape  []int
	param  int // which weight
	at     int // the first value
	turned bool
}

func (p part) size() int {
	n := 1
	for _, d := range p.shape {
		n *= d
	}
	return n
}

// parts are the tensors of a file, in the order of params.
func (t table) parts(n vitNaming, prefix string) []part {
	v, d := t.vit, drawnParts{prefix: prefix}
	w := v.width
	d.put(n.class, append(slices.Clone(n.classShape), w)...)
	d.put(n.positions, append(slices.Clone(n.placeShape), t.tokens(), w)...)
	d.put(n.see+"weight", w, 3, v.patch, v.patch)
	if v.clip {
		d.pair(n.before, w)
	} else {
		d.put(n.see+"bias", w)
	}
	for i := range v.depth {
		name := func(stem string) string { return fmt.Sprintf(stem, i) }
		d.pair(name(n.norm1), w)
		d.split(n.qkv, i, "weight", w, w)
		d.split(n.qkv, i, "bias", w)
		d.pair(name(n.merge), w, w)
		d.pair(name(n.norm2), w)
		d.pair(name(n.wide), v.inner(), w)
		d.pair(name(n.narrow), w, v.inner())
	}
	if v.open {
		return d.parts
	}
	d.pair(n.after, w)
	if v.project {
		d.prefix = ""
		d.put(n.projection, v.output, w)
		if last := &d.parts[len(d.parts)-1]; n.turned {
			last.shape, last.turned = []int{w, v.output}, true
		}
	}
	return d.parts
}

// drawnParts are parts that are being listed.
type drawnParts struct {
	prefix string
	parts  []part
	params int
}

// put appends a weight that is one tensor.
func (d *drawnParts) put(name string, shape ...int) {
	d.parts = append(d.parts, part{name: d.prefix + name, shape: shape, param: d.params})
	d.params++
}

// pair appends a weight and its bias.
func (d *drawnParts) pair(stem string, shape ...int) {
	d.put(stem+"weight", shape...)
	d.put(stem+"bias", shape[0])
}

// split appends the queries, keys and values of block i, which are one weight.
func (d *drawnParts) split(stems []string, i int, what string, shape ...int) {
	shape[0] *= 3 / len(stems)
	for k, stem := range stems {
		p := part{name: d.prefix + fmt.Sprintf(stem, i) + what, shape: shape, param: d.params}
		p.at = k * p.size()
		d.parts = append(d.parts, p)
	}
	d.params++
}

// locate lists the parts under the names of which the file has the most.
func (t table) locate(get Getter) (best []part, count int) {
	for _, n := range t.vit.forms() {
		for _, prefix := range n.prefixes {
			if _, _, ok := get(prefix + n.class); !ok {
				continue
			}
			parts, found := t.parts(n, prefix), 0
			for _, p := range parts {
				if _, _, ok := get(p.name); ok {
					found++
				}
			}
			if found > count {
				best, count = parts, found
			}
		}
	}
	return best, count
}

// maxPicture keeps what a file may make of the memory of a plan in bounds.
const maxPicture = 1024 // pixels

// adoptSize takes the size of pictures from the positions.
func (n *Network) adoptSize(get Getter) (fault string) {
	parts, _ := n.locate(get)
	if parts == nil {
		return "no class token"
	}
	name := parts[1].name
	shape, _, ok := get(name)
	want := parts[1].shape
	if !ok || len(shape) != len(want) || shape[len(shape)-1] != n.vit.width {
		return "" // for the shapes to tell
	}
	tokens := shape[len(shape)-2]
	side := int(math.Sqrt(float64(max(tokens-1, 0))))
	size := side * n.vit.patch
	if side < 1 || 1+side*side != tokens || size > maxPicture {
		return fmt.Sprintf("tensor %s has %d positions, not those of a class and of a square of at most %d pixels", name, tokens, maxPicture)
	}
	if r := &n.recipe; r.Width != size { // as those are published that see other sizes
		r.Width, r.Height = size, size
		if r.Fit == imageprep.Crop {
			r.Short, r.Filter = size, imageprep.Bicubic
		}
	}
	return ""
}

// readVit fills in the weights and tells what is wrong with them. It looks at all
// shapes first, as the sizes of the family have the same names.
func (n *Network) readVit(get Getter, prefix string) (faults []string) {
	if fault := n.adoptSize(get); fault != "" {
		return []string{fault}
	}
	parts, _ := n.locate(get)
	for _, p := range parts {
		if fault := shaped(get, prefix, p.name, p.shape); fault != "" {
			faults = append(faults, fault)
		}
	}
	if len(faults) > 0 {
		return faults
	}
	n.params = n.table.params()
	for _, p := range parts {
		data, fault := one(get, prefix, p.name, p.shape)
		if fault != "" {
			faults = append(faults, fault)
			continue
		}
		to := n.params[p.param]
		switch {
		case len(data) == 0: // nobody wants the values
		case p.turned:
			for i := range to.Data {
				to.Data[i] = data[i%p.shape[0]*p.shape[1]+i/p.shape[0]]
			}
		case len(data) == len(to.Data):
			to.Data = data
		default:
			copy(to.Data[p.at:], data)
		}
	}
	return faults
}

// vitTensors are the weights under the names of our own files.
func (n *Network) vitTensors(prefix string) []modelfile.Tensor {
	var all []modelfile.Tensor
	own := n.vit.own()
	for _, p := range n.parts(own, own.prefixes[0]) {
		all = append(all, modelfile.Float32(prefix+p.name, p.shape, n.params[p.param].Data[p.at:p.at+p.size()]))
	}
	return all
}
