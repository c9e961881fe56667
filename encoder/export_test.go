package encoder

import (
	"math/rand/v2"
	"strings"
)

// Thin is Random with a fraction of the channels; Lite stays as it is.
func Thin(name string, divisor int, rng *rand.Rand) (*Network, error) {
	n, err := newNetwork(name)
	if err != nil {
		return nil, err
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

// KerasSized is Keras for pictures of size x size.
func KerasSized(name string, size int, layers []KerasLayer) (*Network, error) {
	return nearest("test", kerasNames(name), func(n *Network) candidate {
		n.resize(size)
		return n.ofKeras(layers)
	})
}

// ReadSized is Read for pictures of size x size.
func ReadSized(name string, size int, get Getter) (*Network, error) {
	return nearest("test", []string{name}, func(n *Network) candidate {
		n.resize(size)
		get := n.published(n.named(get, true))
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
