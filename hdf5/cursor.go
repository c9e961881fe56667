package hdf5

import "fmt"

const undefined = 1<<64 - 1 // the address of what is not there

// A cursor reads a part of a file. After its first error, which it keeps,
// it gives zeros.
type cursor struct {
	b    []byte
	f    *File
	what string
	at   uint64 // address of the part, for errors
	err  error
}

// from is a cursor from an address to the end of the file.
func (f *File) from(what string, address uint64) *cursor {
	c := &cursor{f: f, what: what, at: address}
	if address > uint64(len(f.data)) {
		c.err = fmt.Errorf("%s at byte %d of a file of %d", what, address, len(f.data))
		return c
	}
	c.b = f.data[address:]
	return c
}

// in is a cursor over the body of a message.
func (f *File) in(what string, body []byte) *cursor { return &cursor{b: body, f: f, what: what} }

// part takes the next n bytes as a cursor of their own.
func (c *cursor) part(n uint64) *cursor {
	s := *c
	s.b = c.sized(n)
	s.err = c.err
	return &s
}

// take returns the next n bytes, nil if there are not so many.
func (c *cursor) take(n int) []byte {
	if c.err == nil && (n < 0 || n > len(c.b)) {
		if c.at != 0 {
			c.err = fmt.Errorf("%s at byte %d is cut short", c.what, c.at)
		} else {
			c.err = fmt.Errorf("%s is cut short", c.what)
		}
	}
	if c.err != nil {
		c.b = nil
		return nil
	}
	b := c.b[:n:n]
	c.b = c.b[n:]
	return b
}

// uint reads a little-endian number of n bytes, 8 at most.
func (c *cursor) uint(n int) uint64 {
	var x uint64
	for i, v := range c.take(n) {
		x |= uint64(v) << (8 * i)
	}
	return x
}

func (c *cursor) byte() int       { return int(c.uint(1)) }
func (c *cursor) short() int      { return int(c.uint(2)) }
func (c *cursor) word() uint64    { return c.uint(4) }
func (c *cursor) length() uint64  { return c.uint(c.f.width) }
func (c *cursor) address() uint64 { return c.f.orUndefined(c.uint(c.f.offset)) }

// orUndefined widens an address of all ones.
func (f *File) orUndefined(x uint64) uint64 {
	if f.offset < 8 && x == 1<<(8*f.offset)-1 {
		return undefined
	}
	return x
}

// sized is take for a length that the file tells.
func (c *cursor) sized(n uint64) []byte {
	if n > uint64(len(c.b)) {
		return c.take(-1)
	}
	return c.take(int(n))
}

// sign wants a signature.
func (c *cursor) sign(s string) {
	if got := c.take(len(s)); c.err == nil && string(got) != s {
		c.err = fmt.Errorf("%s at byte %d: %q where %q should be: the file is corrupt", c.what, c.at, got, s)
	}
}

// version wants one of a few version numbers, and returns it.
func (c *cursor) version(want ...int) int {
	v := c.byte()
	for _, w := range want {
		if v == w {
			return v
		}
	}
	if c.err == nil {
		c.err = fmt.Errorf("%s has version %d, which this reader does not know: save the file again with h5py's or Keras's defaults", c.what, v)
	}
	return v
}
