package hdf5

import (
	"fmt"
	"strings"
)

// A link is a member of a group.
type link struct {
	name    string
	address uint64 // of the object's header
}

// links reads the members of a group by either of the two ways to keep them.
func (w *walker) links(messages []message) ([]link, error) {
	if has(messages, symbolsMessage) {
		return w.symbols(messages)
	}
	var all []link
	add := func(body []byte) error {
		l, err := w.link(body)
		if err != nil || l.address == undefined {
			return err
		}
		all = append(all, l)
		return w.spend(len(l.name))
	}
	for _, m := range messages {
		if m.kind == linkMessage {
			if err := add(m.body); err != nil {
				return nil, err
			}
		}
	}
	c := w.body(messages, linkInfoMessage, "link info")
	c.version(0)
	if c.byte()&1 != 0 {
		c.take(8)
	}
	heap, tree := c.address(), c.address()
	if c.err != nil || heap == undefined {
		return all, c.err
	}
	return all, w.dense(heap, tree, linkNames, add)
}

// link reads a link message (IV.A.2.g); a soft link has no address.
func (w *walker) link(body []byte) (link, error) {
	c := w.in("link", body)
	c.version(1)
	flags, kind := c.byte(), 0
	if flags&8 != 0 {
		kind = c.byte()
	}
	if flags&4 != 0 {
		c.take(8) // order of creation
	}
	if flags&16 != 0 {
		c.take(1) // character set
	}
	l := link{name: string(c.sized(c.uint(1 << (flags & 3)))), address: undefined}
	switch kind {
	case 0:
		l.address = c.address()
	case 1: // soft: the object has its own name too
	default:
		return l, fmt.Errorf("%.80q is a link to another file", l.name)
	}
	if c.err != nil {
		return l, c.err
	}
	return l, checkName(l.name)
}

func checkName(name string) error {
	if name == "" || strings.ContainsAny(name, "/\x00") {
		return fmt.Errorf("%.80q is no name", name)
	}
	return nil
}

// symbols reads the members of an old group: a B-tree of nodes of symbols,
// with their names in a local heap (III.A.1, III.B, III.D).
func (w *walker) symbols(messages []message) ([]link, error) {
	c := w.body(messages, symbolsMessage, "symbol table")
	tree, heap := c.address(), c.address()
	if c.err != nil {
		return nil, c.err
	}
	names, err := w.localHeap(heap)
	if err != nil {
		return nil, err
	}
	var all []link
	err = w.tree(tree, 0, w.width, func(_ *cursor, child uint64) error {
		c := w.from("symbol table node", child)
		c.sign("SNOD")
		c.version(1)
		c.take(1)
		for range c.short() {
			at, address, kind := c.length(), c.address(), c.word()
			c.take(20)
			if c.err != nil {
				return c.err
			}
			if kind == 2 { // soft: the object has its own name too
				continue
			}
			l := link{address: address}
			if l.name, err = cString(names, at); err != nil {
				return err
			}
			all = append(all, l)
			if err := w.spend(2*w.width + 24 + len(l.name)); err != nil {
				return err
			}
		}
		return c.err
	})
	return all, err
}

// localHeap returns the bytes of a local heap.
func (w *walker) localHeap(address uint64) ([]byte, error) {
	c := w.from("local heap", address)
	c.sign("HEAP")
	c.version(0)
	c.take(3)
	size := c.length()
	c.length()
	at := c.address()
	if c.err != nil {
		return nil, c.err
	}
	data := w.from("local heap's data", at)
	return data.sized(size), data.err
}

// cString cuts a name out of a heap, where it ends with a zero.
func cString(heap []byte, at uint64) (string, error) {
	const longest = 1 << 12
	if at < uint64(len(heap)) {
		part := heap[at:min(uint64(len(heap)), at+longest)]
		for i, b := range part {
			if b == 0 {
				name := string(part[:i])
				return name, checkName(name)
			}
		}
	}
	return "", fmt.Errorf("name at byte %d of a heap of %d has no end", at, len(heap))
}

// tree calls leaf for each child of the lowest level of a B-tree of version 1,
// in order, with the key before it.
func (w *walker) tree(address uint64, kind, keySize int, leaf func(key *cursor, child uint64) error) error {
	return w.treeNode(address, kind, keySize, -1, leaf)
}

// treeNode visits a node that must have the given level; -1 is any.
func (w *walker) treeNode(address uint64, kind, keySize, level int, leaf func(key *cursor, child uint64) error) error {
	c := w.from("B-tree node", address)
	c.sign("TREE")
	got, l, n := c.byte(), c.byte(), c.short()
	c.address()
	c.address()
	if c.err == nil && (got != kind || level >= 0 && l != level || l > 32) {
		return fmt.Errorf("the B-tree node at byte %d is of kind %d and level %d: the file is corrupt", address, got, l)
	}
	if err := w.spend(len("TREE") + 4 + n*(keySize+w.offset)); err != nil {
		return err
	}
	for range n {
		key := c.part(uint64(keySize))
		child := c.address()
		if c.err != nil {
			return c.err
		}
		var err error
		if l > 0 {
			err = w.treeNode(child, kind, keySize, l-1, leaf)
		} else {
			err = leaf(key, child)
		}
		if err != nil {
			return err
		}
	}
	return c.err
}
