package encoder

import (
	"fmt"
	"slices"
	"strings"

	"showtell/modelfile"
	"showtell/tensor"
)

// A Getter finds a tensor by name: its shape, and its values, which become the
// network's. Where only Name, Recipe, Grid and Operations will be asked for, values
// may return nil.
type Getter func(name string) (shape []int, values func() ([]float32, error), ok bool)

// Load finds out which network the tensors under prefix belong to, by our names
// for them or Hugging Face's, and reads them. A classifier is left alone.
func Load(f *modelfile.File, prefix string) (*Network, error) {
	return load(f, prefix, modelfile.Tensor.Copy)
}

// Map is Load of weights that share the mapped file where it has them in float32.
// The file must stay open as long as the network is in use.
func Map(f *modelfile.File, prefix string) (*Network, error) {
	return load(f, prefix, modelfile.Tensor.Float32)
}

func load(f *modelfile.File, prefix string, values func(modelfile.Tensor) ([]float32, error)) (*Network, error) {
	get := func(name string) ([]int, func() ([]float32, error), bool) {
		t, ok := f.Tensor(prefix + name)
		return t.Shape, func() ([]float32, error) { return values(t) }, ok
	}
	n, err := nearest(f.Name, Names(), func(n *Network) candidate {
		get := n.published(n.named(get, false), false)
		c := candidate{n, get, func() []string { return n.read(get, prefix) }}
		if n.isQuantized(f, prefix) {
			c.read = func() []string { return n.read8(f, prefix) }
		}
		return c
	})
	return n, orTell(f.Name, get, err)
}

// Read takes the weights of the network called name from any file, under the
// names that torchvision, timm or Hugging Face give them (namings). With name ""
// it finds out which network they belong to, as Load does, but for those that share
// their names in timm. Errors begin with source.
func Read(source, name string, get Getter) (*Network, error) {
	names := Names()
	if name != "" {
		names = []string{name}
	}
	n, err := nearest(source, names, func(n *Network) candidate {
		get := n.published(n.named(get, name != ""), name != "")
		return candidate{n, get, func() []string { return n.read(get, "") }}
	})
	if name == "" {
		err = orTell(source, get, err)
	}
	return n, err
}

// orTell is err, or which networks have their aliases for all of their tensors in a
// file that is not recognised.
func orTell(source string, get Getter, err error) error {
	if err == nil {
		return nil
	}
	var may []string
	most := 0
	for _, name := range Names() {
		n, err := newNetwork(name)
		if err != nil {
			continue
		}
		count := n.present(n.published(get, true))
		if count < n.tensorCount() || count < most || n.present(get) == count {
			continue
		}
		if count > most {
			may, most = nil, count
		}
		may = append(may, name)
	}
	if len(may) == 0 {
		return err
	}
	return fmt.Errorf("%s: may be %s; convert it as the one that it is", source, strings.Join(may, " or "))
}

// published looks for tensors under the aliases of their layers as well, where
// the network is named or the aliases are no other's.
func (n *Network) published(get Getter, named bool) Getter {
	if !named && !n.aliased {
		return get
	}
	alias := map[string]string{}
	for _, l := range n.layers {
		alias[l.conv], alias[l.norm] = l.alias[0], l.alias[1]
	}
	return func(name string) ([]int, func() ([]float32, error), bool) {
		dot := strings.LastIndexByte(name, '.')
		if shape, values, ok := get(name); ok || alias[name[:dot]] == "" {
			return shape, values, ok
		}
		return get(alias[name[:dot]] + name[dot:])
	}
}

// A candidate is a network that a file may hold.
type candidate struct {
	*Network
	get  Getter
	read func() (faults []string)
}

// nearest reads the network of which the file has the most tensors, so that one
// that lacks a tensor is not taken for a smaller one; of several such, one that
// needs no more.
func nearest(source string, names []string, of func(n *Network) candidate) (*Network, error) {
	var best []candidate
	most, all := 0, 0
	for _, name := range names {
		n, err := newNetwork(name)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", source, err)
		}
		c := of(n)
		if !n.begins(c.get) {
			continue
		}
		count, total := n.present(c.get), n.tensorCount()
		if count > most || count == most && total < all {
			best, most, all = nil, count, total
		}
		if count == most && total == all {
			best = append(best, c)
		}
	}
	if 10*most <= all {
		wanted := "encoder that is known"
		if len(names) == 1 {
			wanted = names[0]
		}
		if most == 0 {
			return nil, fmt.Errorf("%s: holds no %s", source, wanted)
		}
		return nil, fmt.Errorf("%s: holds no %s: at most %d of the %d tensors of %s", source, wanted, most, all, best[0].name)
	}
	slices.SortStableFunc(best, wantsCertainChannels)
	var nearly *Network
	var least []string
	for _, c := range best {
		faults := c.read()
		if len(faults) == 0 {
			return c.Network, nil
		}
		if nearly == nil || len(faults) < len(least) {
			nearly, least = c.Network, faults
		}
	}
	return nil, fmt.Errorf("%s: nearly %s, but %s", source, nearly.name, summary(least))
}

// wantsCertainChannels puts networks that do before those of any width.
func wantsCertainChannels(a, b candidate) int {
	switch {
	case a.anyWidth == b.anyWidth:
		return 0
	case a.anyWidth:
		return 1
	}
	return -1
}

// summary names the first few faults.
func summary(faults []string) string {
	const few = 5
	if len(faults) <= few {
		return strings.Join(faults, "; ")
	}
	return fmt.Sprintf("%s; and %d more", strings.Join(faults[:few], "; "), len(faults)-few)
}

// tensorCount is how many tensors the network has.
func (n *Network) tensorCount() int {
	return n.present(func(string) ([]int, func() ([]float32, error), bool) { return nil, nil, true })
}

// begins tells whether the first or the last layer with weights is there.
func (n *Network) begins(get Getter) bool {
	weighted := slices.DeleteFunc(slices.Clone(n.layers), func(l layer) bool { return !l.weighted() })
	for _, l := range []layer{weighted[0], weighted[len(weighted)-1]} {
		if _, _, ok := get(l.conv + ".weight"); ok {
			return true
		}
	}
	return false
}

// present is how many of the network's tensors there are, whatever their shapes.
func (n *Network) present(get Getter) (count int) {
	for _, l := range n.layers {
		names, _ := l.tensors()
		for _, name := range names {
			if _, _, ok := get(name); ok {
				count++
			}
		}
	}
	return count
}

// read fills in the weights and tells what is wrong with them.
func (n *Network) read(get Getter, prefix string) (faults []string) {
	if err := n.adopt(get); err != nil {
		return []string{err.Error()}
	}
	n.weights = make([]weights, len(n.layers))
	for i, l := range n.layers {
		names, shapes := l.tensors()
		if len(names) == 0 {
			continue
		}
		values := n.weights[i].values(l)
		for k, name := range names {
			data, fault := one(get, prefix, name, shapes[k])
			if fault != "" {
				faults = append(faults, fault)
			}
			*values[k] = data
		}
	}
	return append(faults, n.readNormalization(get, prefix)...)
}

// one reads a tensor of the shape.
func one(get Getter, prefix, name string, shape []int) (data []float32, fault string) {
	found, values, ok := get(name)
	name = prefix + name
	if !ok {
		return nil, "no tensor " + name
	}
	if !slices.Equal(found, shape) {
		return nil, fmt.Sprintf("tensor %s has shape %v, not %v", name, found, shape)
	}
	data, err := values()
	if err != nil {
		return nil, fmt.Sprintf("tensor %s: %v", name, err)
	}
	if sum := tensor.SumSquares(data); sum-sum != 0 { // NaN or infinite
		i := slices.IndexFunc(data, func(v float32) bool { return v-v != 0 })
		return nil, fmt.Sprintf("tensor %s holds %v", name, data[i])
	}
	return data, ""
}
