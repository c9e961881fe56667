package encoder

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
)

// Thin is Random with a fraction of the channels; Lite stays as it is. A vision
// transformer has its heads, two blocks, and is known as thin_NAME from then on.
func Thin(name string, divisor int, rng *rand.Rand) (*Network, error) {
	n, err := newNetwork(name)
	if err != nil {
		return nil, err
	}
	if n.vit != nil {
		return Random(small(name, 4*n.vit.heads, n.vit.heads), rng)
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

// small makes a network with two blocks of a vision transformer known, and
// returns its name.
func small(name string, width, heads int) string {
	draw, thin := networks[name], fmt.Sprintf("thin_%s_%d", name, width)
	networks[thin] = func() table {
		t := draw()
		t.vit.depth, t.vit.width, t.vit.heads, t.vit.output = 2, width, heads, width/2
		return t
	}
	return thin
}

// ReadSmall is Read of a vision transformer with two blocks of 16 channels and
// four heads.
func ReadSmall(name string, get Getter) (*Network, error) {
	return Read("test", small(name, 16, 4), get)
}

// Forget takes back what ReadSmall and Thin have made known.
func Forget() {
	maps.DeleteFunc(networks, func(name string, _ func() table) bool { return strings.HasPrefix(name, "thin_") })
}

// ReadSized is Read for pictures of size x size.
func ReadSized(name string, size int, get Getter) (*Network, error) {
	return nearest("test", []string{name}, func(n *Network) candidate {
		n.resize(size)
		get := n.published(get)
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
