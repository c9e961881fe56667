package weightfile

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"showtell/hdf5"
)

// keras reads an HDF5 file: one of Keras, of either form, or another.
func (f *File) keras(name string, data []byte) error {
	h, err := hdf5.Parse(name, data)
	if err != nil {
		return err
	}
	for _, key := range []string{"keras_version", "backend", "model_config"} {
		if err := f.describe(h, key); err != nil {
			return err
		}
	}
	for _, top := range []string{"", "model_weights"} {
		g := h.Group(top)
		if g == nil {
			continue
		}
		layers, err := texts(h, g, "layer_names")
		if err != nil {
			return err
		}
		if layers != nil {
			f.Format = Keras
			return f.named(h, top, layers)
		}
	}
	return f.numbered(h)
}

// describe takes over an attribute of the root, or of the weights of a model.
func (f *File) describe(h *hdf5.File, key string) error {
	for _, path := range []string{"", "model_weights"} {
		g := h.Group(path)
		if g == nil {
			continue
		}
		value, err := g.Strings(key)
		if err != nil {
			return err
		}
		switch {
		case len(value) != 1:
		case key == "model_config":
			f.Config = []byte(value[0])
			return nil
		default:
			f.Meta[key] = value[0]
			return nil
		}
	}
	return nil
}

// texts reads an attribute that Keras cuts into key0, key1 and so on where it
// is longer than 64 KiB.
func texts(h *hdf5.File, g *hdf5.Group, key string) ([]string, error) {
	all, err := g.Strings(key)
	if err != nil || all != nil {
		return all, err
	}
	const most = 1000 // parts
	for i := range most {
		part, err := g.Strings(key + strconv.Itoa(i))
		if err != nil || part == nil {
			return all, err
		}
		all = append(all, part...)
	}
	return nil, fmt.Errorf("%s: /%.200s: attribute %s in more than %d parts", h.Name, g.Path, key, most)
}

// named reads the older form: attribute layer_names gives the layers in the
// order of the model, weight_names of each its datasets in order.
func (f *File) named(h *hdf5.File, top string, layers []string) error {
	seen := map[string]bool{}
	for _, name := range layers {
		g := h.Group(join(top, name))
		if g == nil || seen[name] {
			return fmt.Errorf("%s: layer %.80q of layer_names has no group, or is there twice", h.Name, name)
		}
		seen[name] = true
		weights, err := texts(h, g, "weight_names")
		if err != nil {
			return err
		}
		l := Layer{Name: name, Group: name}
		for _, w := range weights {
			d := h.Dataset(join(g.Path, w))
			if d == nil {
				return fmt.Errorf("%s: weight %.80q of layer %.80q is not there", h.Name, w, name)
			}
			t := f.dataset(h, d, top)
			if err := f.add(t); err != nil {
				return err
			}
			l.Tensors = append(l.Tensors, t)
		}
		if len(l.Tensors) > 0 {
			f.Layers = append(f.Layers, l)
		}
	}
	return f.rest(h, top)
}

// numbered reads the form of Keras 3: datasets 0, 1, ... in a group "vars" of
// each layer.
func (f *File) numbered(h *hdf5.File) error {
	sets := h.Datasets()
	slices.SortStableFunc(sets, func(a, b *hdf5.Dataset) int { return natural(a.Path, b.Path) })
	f.Format = HDF5
	for _, d := range sets {
		group, isVar := layerOf(d.Path)
		if !isVar || !weight(d.Path) {
			continue
		}
		f.Format = Keras3
		if n := len(f.Layers); n == 0 || f.Layers[n-1].Group != group {
			l := Layer{Group: group}
			name, err := h.Group(join(group, "vars")).Strings("name")
			if err != nil {
				return err
			}
			if len(name) == 1 {
				l.Name = name[0]
			}
			if len(l.Name) > 1<<12 {
				return fmt.Errorf("%s: layer %.80q has a name of %d bytes", h.Name, group, len(l.Name))
			}
			f.Layers = append(f.Layers, l)
		}
		t := f.dataset(h, d, "")
		if err := f.add(t); err != nil {
			return err
		}
		l := &f.Layers[len(f.Layers)-1]
		l.Tensors = append(l.Tensors, t)
	}
	return f.rest(h, "")
}

// rest takes up the datasets below top that no layer named.
func (f *File) rest(h *hdf5.File, top string) error {
	for _, d := range h.Datasets() {
		t := f.dataset(h, d, top)
		if _, known := f.index[t.Name]; known || !weight(d.Path) || top != "" && t.Name == d.Path {
			continue
		}
		if err := f.add(t); err != nil {
			return err
		}
	}
	return nil
}

// dataset is a tensor with the name that it has below top.
func (f *File) dataset(h *hdf5.File, d *hdf5.Dataset, top string) Tensor {
	name := d.Path
	if top != "" {
		name = strings.TrimPrefix(name, top+"/")
	}
	return Tensor{Name: name, DType: d.DType, Shape: d.Shape, file: h.Name, data: d.Data}
}

// weight reports whether a path is not below an optimizer's group.
func weight(path string) bool {
	top, _, _ := strings.Cut(path, "/")
	return top != "optimizer_weights" && top != "optimizer"
}

// layerOf cuts "layers/conv2d_3" off "layers/conv2d_3/vars/0".
func layerOf(path string) (group string, ok bool) {
	i := strings.LastIndexByte(path, '/')
	if i < 0 || !digits(path[i+1:]) {
		return "", false
	}
	if path[:i] == "vars" {
		return "", true
	}
	return strings.CutSuffix(path[:i], "/vars")
}

func digits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

func join(a, b string) string {
	if a == "" {
		return b
	}
	return a + "/" + b
}

// natural compares names with numbers in them, so that conv2d < conv2d_2 <
// conv2d_10.
func natural(a, b string) int {
	for a != "" && b != "" {
		m, n := len(a)-len(strings.TrimLeft(a, "0123456789")), len(b)-len(strings.TrimLeft(b, "0123456789"))
		if m > 0 && n > 0 {
			x, y := strings.TrimLeft(a[:m], "0"), strings.TrimLeft(b[:n], "0")
			if c := cmp.Or(cmp.Compare(len(x), len(y)), cmp.Compare(x, y)); c != 0 {
				return c
			}
			a, b = a[m:], b[n:]
			continue
		}
		if a[0] != b[0] {
			return cmp.Compare(order(a[0]), order(b[0]))
		}
		a, b = a[1:], b[1:]
	}
	return cmp.Compare(len(a), len(b))
}

// order puts the end of a name before what may follow in a longer one.
func order(c byte) int {
	if c == '/' {
		return -1
	}
	return int(c)
}
