package hdf5

import (
	"bytes"
	"fmt"
	"strings"
)

// attributes are those of one object, read when asked for.
type attributes struct {
	f    *File
	path string
	list [][]byte // bodies of attribute messages
}

// attributes collects the attributes of an object from its messages and from
// its heap, if it has so many.
func (w *walker) attributes(path string, messages []message) (attributes, error) {
	a := attributes{f: w.File, path: path}
	for _, m := range messages {
		switch m.kind {
		case attributeMessage:
			a.list = append(a.list, m.body)
		case attrInfoMessage:
			c := w.in("attribute info", m.body)
			c.version(0)
			if c.byte()&1 != 0 {
				c.take(2)
			}
			heap, tree := c.address(), c.address()
			if c.err != nil {
				return a, c.err
			}
			if heap == undefined {
				continue
			}
			if err := w.dense(heap, tree, attrNames, func(b []byte) error {
				a.list = append(a.list, b)
				return nil
			}); err != nil {
				return a, err
			}
		}
	}
	return a, nil
}

// Strings returns the strings of the attribute called name, one for a scalar;
// nil if there is no such attribute. An attribute without elements has no
// strings, whatever its type: Keras stores an empty list as floats.
func (a attributes) Strings(name string) ([]string, error) {
	for _, body := range a.list {
		c := a.f.in("attribute", body)
		got, typ, space := attributeParts(c)
		if c.err != nil {
			return nil, a.wrap(name, c.err)
		}
		if got != name {
			continue
		}
		list, err := a.strings(typ, space, c.b)
		if err != nil {
			return nil, a.wrap(name, err)
		}
		return list, nil
	}
	return nil, nil
}

func (a attributes) wrap(name string, err error) error {
	return fmt.Errorf("%s: %w", a.f.Name, named(a.path, fmt.Errorf("attribute %.80q: %w", name, err)))
}

// attributeParts reads an attribute message up to its values (IV.A.2.m).
func attributeParts(c *cursor) (name string, typ, space *cursor) {
	version := c.version(1, 2, 3)
	if shared := c.byte(); version > 1 && shared&3 != 0 && c.err == nil {
		c.err = fmt.Errorf("a type shared with other objects, which this reader does not know")
	}
	sizes := [3]int{c.short(), c.short(), c.short()}
	if version == 3 {
		c.take(1) // character set
	}
	var parts [3][]byte
	for i, n := range sizes {
		if version == 1 {
			n = (n + 7) &^ 7
		}
		parts[i] = c.take(n)
	}
	name, _, _ = strings.Cut(string(parts[0]), "\x00")
	return name, c.f.in("attribute's type", parts[1]), c.f.in("attribute's space", parts[2])
}

func (a attributes) strings(typ, space *cursor, values []byte) ([]string, error) {
	t, err := readType(typ)
	if err != nil {
		return nil, err
	}
	shape, err := readSpace(space)
	if err != nil {
		return nil, err
	}
	size := count(t.size, shape)
	switch {
	case size == 0:
		return []string{}, nil
	case t.text == noText:
		return nil, fmt.Errorf("%s, want strings", t.what)
	case size < 0 || size > len(values):
		return nil, fmt.Errorf("%d bytes for shape %v of %d bytes each: the file is corrupt", len(values), shape, t.size)
	case t.text == variableText && t.size != 8+a.f.offset:
		return nil, fmt.Errorf("references of %d bytes: the file is corrupt", t.size)
	}
	heaps := &globalHeaps{w: a.f.walker(), objects: map[uint64]map[int][]byte{}}
	list := make([]string, 0, size/t.size)
	for at := 0; at < size; at += t.size {
		b := values[at : at+t.size]
		if t.text == variableText {
			if b, err = heaps.value(b); err != nil {
				return nil, err
			}
		}
		if i := bytes.IndexByte(b, 0); i >= 0 {
			b = b[:i]
		}
		if t.spaces {
			b = bytes.TrimRight(b, " ")
		}
		list = append(list, string(b))
	}
	return list, nil
}

// globalHeaps finds values of variable length; each collection is read once.
type globalHeaps struct {
	w       *walker
	objects map[uint64]map[int][]byte // by collection and index
}

// value returns what a reference stands for: length, collection, index.
func (g *globalHeaps) value(reference []byte) ([]byte, error) {
	c := g.w.in("reference", reference)
	length, address, index := c.word(), c.address(), int(c.word())
	if length == 0 {
		return nil, c.err
	}
	objects, ok := g.objects[address]
	if !ok {
		var err error
		if objects, err = g.collection(address); err != nil {
			return nil, err
		}
		g.objects[address] = objects
	}
	b, ok := objects[index]
	if !ok || length > uint64(len(b)) {
		return nil, fmt.Errorf("no object %d of %d bytes in the global heap at byte %d: the file is corrupt", index, length, address)
	}
	return b[:length], g.w.spend(int(length))
}

// collection reads the objects of a global heap (III.E).
func (g *globalHeaps) collection(address uint64) (map[int][]byte, error) {
	whole := g.w.from("global heap", address)
	c := *whole
	c.sign("GCOL")
	c.version(1)
	c.take(3)
	size := c.length()
	whole = whole.part(size)
	whole.take(8 + g.w.width)
	if c.err != nil || whole.err != nil {
		return nil, fmt.Errorf("global heap at byte %d of a file of %d bytes is cut short", address, len(g.w.data))
	}
	if err := g.w.spend(int(size)); err != nil {
		return nil, err
	}
	objects := map[int][]byte{}
	for len(whole.b) >= 8+g.w.width {
		index := whole.short()
		whole.take(6)
		size := whole.length()
		if index == 0 {
			break // what is free
		}
		objects[index] = whole.sized(size)
		whole.take(min(int(-size&7), len(whole.b))) // up to a multiple of eight
	}
	return objects, whole.err
}
