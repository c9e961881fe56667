package encoder

import (
	"maps"
	"math/rand/v2"
	"strings"
)

// Thin is Random with a fraction of the channels; Lite stays as it is. A vision
// transformer is small, and known as thin_NAME from then on.
func Thin(name string, divisor int, rng *rand.Rand) (*Network, error) {
	n, err := newNetwork(name)
	if err != nil {
		return nil, err
	}
	if n.vit != nil {
		return Random(small(name), rng)
	}
	if n.anyWidth {
		for i := range n.layers {
			n.layers[i].out = max(1, n.layers[i].out/divisor)
		}
	}
	if err := n.connect(); err != nil {
		return nil, err
	}
	n.randomize(rng)
	return n, nil
}

// Empty has no weights. It counts those that learn, batch norms' too.
func Empty(name string) (n *Network, parameters int, err error) {
	if n, err = newNetwork(name); err != nil {
		return nil, 0, err
	}
	if err := n.connect(); err != nil {
		return nil, 0, err
	}
	for _, l := range n.layers {
		names, shapes := l.tensors()
		for i, shape := range shapes {
			size := 1
			for _, d := range shape {
				size *= d
			}
			if !strings.Contains(names[i], "running_") {
				parameters += size
			}
		}
	}
	return n, parameters, nil
}

// KerasSized is Keras for pictures of size x size.
func KerasSized(name string, size int, layers []KerasLayer) (*Network, error) {
	return nearest("test", kerasNames(name), func(n *Network) candidate {
		n.resize(size)
		return n.ofKeras(layers)
	})
}

// small makes a vision transformer of two blocks, 16 channels and four heads known, and
// returns its name.
func small(name string) string {
	draw, thin := networks[name], "thin_"+name
	networks[thin] = func() table {
		t := draw()
		t.vit.depth, t.vit.width, t.vit.heads, t.vit.output = 2, 16, 4, 8
		return t
	}
	return thin
}

// ReadSmall is Read of a small vision transformer.
func ReadSmall(name string, get Getter) (*Network, error) {
	return Read("test", small(name), get)
}

// Forget takes back what ReadSmall and Thin have made known.
func Forget() {
	maps.DeleteFunc(networks, func(name string, _ func() table) bool { return strings.HasPrefix(name, "thin_") })
}

// ReadSized is Read for pictures of size x size.
func ReadSized(name string, size int, get Getter) (*Network, error) {
	return nearest("test", []string{name}, func(n *Network) candidate {
		n.resize(size)
		get := n.published(n.named(get, true), true)
		return candidate{n, get, func() []string { return n.read(get, "") }}
	})
}

// resize changes the size of pictures.
func (t *table) resize(size int) {
	for i, l := range t.layers {
		if l.flat && l.kernel == t.recipe.Width/32 {
			t.layers[i].kernel = size / 32
		}
	}
	t.recipe.Short = t.recipe.Short * size / t.recipe.Width
	t.recipe.Width, t.recipe.Height = size, size
}

// Small makes n see small pictures, unless it has dense layers.
func (n *Network) Small() {
	if strings.HasSuffix(n.name, "_fc2") {
		return
	}
	if n.resize(64); strings.HasPrefix(n.name, "inception") {
		n.resize(107)
	}
}
