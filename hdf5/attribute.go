package hdf5

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"strings"
	"sync"
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
		c.err = errors.New("a type shared with other objects, which this reader does not know")
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
	w := a.f.walker()
	list := make([]string, 0, size/t.size)
	for at := 0; at < size; at += t.size {
		b := values[at : at+t.size]
		if t.text == variableText {
			if b, err = w.variable(b); err != nil {
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

// globalHeaps keeps the collections that hold values of variable length, each
// read once.
type globalHeaps struct {
	mu      sync.Mutex
	objects map[uint64]map[int][]byte // by collection and index
	read    int                       // bytes of all collections
}

// variable returns the value that a reference stands for: length, collection,
// index.
func (w *walker) variable(reference []byte) ([]byte, error) {
	c := w.in("reference", reference)
	length, address, index := c.word(), c.address(), int(c.word())
	if length == 0 {
		return nil, c.err
	}
	objects, err := w.collection(address)
	if err != nil {
		return nil, err
	}
	b, ok := objects[index]
	if !ok || length > uint64(len(b)) {
		return nil, fmt.Errorf("no object %d of %d bytes in the global heap at byte %d: the file is corrupt", index, length, address)
	}
	return b[:length], w.spend(int(length))
}

// collection returns the objects of a global heap (III.E). All collections
// together are no longer than the file, since they do not overlap.
func (f *File) collection(address uint64) (map[int][]byte, error) {
	f.heaps.mu.Lock()
	defer f.heaps.mu.Unlock()
	if objects, ok := f.heaps.objects[address]; ok {
		return objects, nil
	}
	head := f.from("global heap", address)
	head.sign("GCOL")
	head.version(1)
	head.take(3)
	size := head.length()
	c := f.from("global heap", address).part(size)
	c.take(8 + f.width)
	if err := cmp.Or(head.err, c.err); err != nil {
		return nil, err
	}
	if f.heaps.read += int(size); f.heaps.read > len(f.data) {
		return nil, errors.New("global heaps lie upon each other: the file is corrupt")
	}
	objects := map[int][]byte{}
	for len(c.b) >= 8+f.width {
		index := c.short()
		c.take(6)
		size := c.length()
		if index == 0 {
			break // what is free
		}
		objects[index] = c.sized(size)
		c.take(min(int(-size&7), len(c.b))) // up to a multiple of eight
	}
	if c.err != nil {
		return nil, c.err
	}
	f.heaps.objects[address] = objects
	return objects, nil
}
