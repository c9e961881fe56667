package hdf5

import (
	"fmt"
	"slices"
)

// The messages of an object header that matter here (IV.A.2).
const (
	spaceMessage        = 0x01
	linkInfoMessage     = 0x02
	typeMessage         = 0x03
	linkMessage         = 0x06
	externalMessage     = 0x07
	layoutMessage       = 0x08
	filterMessage       = 0x0B
	attributeMessage    = 0x0C
	continuationMessage = 0x10
	symbolsMessage      = 0x11
	attrInfoMessage     = 0x15
)

type message struct {
	kind, flags int
	body        []byte
}

func has(messages []message, kind int) bool {
	return slices.ContainsFunc(messages, func(m message) bool { return m.kind == kind })
}

// body returns a cursor over the one message of a kind that an object needs.
func (w *walker) body(messages []message, kind int, what string) *cursor {
	for _, m := range messages {
		if m.kind != kind {
			continue
		}
		c := w.in(what, m.body)
		if m.flags&2 != 0 {
			c.err = fmt.Errorf("%s is shared with other objects, which this reader does not know", what)
		}
		return c
	}
	c := w.in(what, nil)
	c.err = fmt.Errorf("no %s", what)
	return c
}

// header reads the messages of the object at an address (IV.A.1).
func (w *walker) header(address uint64) ([]message, error) {
	c := w.from("object header", address)
	if len(c.b) >= 4 && string(c.b[:4]) == "OHDR" {
		return w.header2(c)
	}
	c.version(1)
	c.take(7)
	size := c.word()
	c.take(4)
	return w.chunks(c.part(size), "", 8, func(c *cursor) message {
		m := message{kind: c.short()}
		size := c.short()
		m.flags = c.byte()
		c.take(3)
		m.body = c.take(size)
		return m
	})
}

// header2 reads a header of version 2.
func (w *walker) header2(c *cursor) ([]message, error) {
	c.take(4)
	c.version(2)
	flags := c.byte()
	if flags&0x20 != 0 {
		c.take(16) // times
	}
	if flags&0x10 != 0 {
		c.take(4) // limits of compact attributes
	}
	size := c.uint(1 << (flags & 3))
	head := 4
	if flags&4 != 0 {
		head += 2
	}
	return w.chunks(c.part(size), "OCHK", head, func(c *cursor) message {
		m := message{kind: c.byte()}
		size := c.short()
		m.flags = c.byte()
		if flags&4 != 0 {
			c.take(2) // order of creation
		}
		m.body = c.take(size)
		return m
	})
}

// chunks reads messages with next, through all continuations, which open with
// a signature and close with a checksum if sign is not "". Fewer bytes than
// the head of a message are a gap.
func (w *walker) chunks(c *cursor, sign string, head int, next func(*cursor) message) ([]message, error) {
	var all []message
	todo := []*cursor{c}
	for len(todo) > 0 {
		c, todo = todo[0], todo[1:]
		if err := w.spend(len(c.b)); err != nil {
			return nil, err
		}
		for c.err == nil && len(c.b) >= head {
			m := next(c)
			if c.err != nil {
				break
			}
			if m.kind != continuationMessage {
				all = append(all, m)
				continue
			}
			body := w.in("continuation", m.body)
			address, size := body.address(), body.length()
			part := w.from("object header's continuation", address).part(size)
			if body.err != nil {
				return nil, body.err
			}
			if sign != "" {
				part.sign(sign)
				part.b = part.b[:max(0, len(part.b)-4)] // without the checksum
			}
			todo = append(todo, part)
		}
		if c.err != nil {
			return nil, c.err
		}
	}
	return all, nil
}
