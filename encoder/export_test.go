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
