package results

import (
	"fmt"
	"slices"
)

// A collector puts what a reader finds into a file.
type collector struct {
	*input
	role Role
	file *File
	store
	refs  referenceList // of a file of references, until all is read
	first int64         // part of the input before the first entry, in bytes

	record  record
	scratch []byte // texts with escapes of the value that was read last
}

// A finding is what one place of the input says of an image. All but the texts is
// good only until the reader goes on.
type finding struct {
	image      []byte
	captions   []string // nil: none
	references []string // nil: none
	split      []byte
	whole      bool // more of the image in another place is an error
	place      Place
}

// A reader understands a raw value, good until it returns.
type reader func(raw []byte, p Place) error

func (c *collector) json() *jsonText { return newJSONText(c.name, c.text) }

// value reads the next value, good until the one after it is read, and its line.
func (c *collector) value(t *jsonText) ([]byte, int32, error) {
	c.scratch = c.scratch[:0]
	raw, line, err := t.value()
	return raw, int32(line), err
}

// array reads the elements of an array, numbered from 1.
func (c *collector) array(t *jsonText, read reader) error {
	return c.ahead(t, t.elements, read)
}

// arrays reads an object that is the whole text, and the elements of some of its
// arrays.
func (c *collector) arrays(wanted map[string]reader) error {
	t := c.json()
	err := t.object(func(key []byte) error {
		if read := wanted[string(key)]; read != nil {
			return c.array(t, read)
		}
		return t.skip()
	})
	if err != nil {
		return err
	}
	return t.finish()
}

// at is an error at a place of the input.
func (c *collector) at(p Place, format string, args ...any) error {
	where := fmt.Sprintf("%s:%d: ", c.name, p.Line)
	if p.Entry > 0 {
		where += fmt.Sprintf("entry %d: ", p.Entry)
	}
	return fmt.Errorf("%s%w", where, fmt.Errorf(format, args...))
}

// add takes a finding with captions, with references, or with both.
func (c *collector) add(f finding) error {
	if len(f.image) == 0 {
		return c.at(f.place, "no name of an image")
	}
	if c.role == References {
		if f.references == nil {
			f.references = f.captions
		}
		if len(f.references) == 0 {
			return c.at(f.place, "no caption of image %s", f.image)
		}
		return c.addReferences(f)
	}
	if f.captions == nil {
		f.captions, f.references = f.references, nil
	}
	if len(f.captions) == 0 {
		return c.at(f.place, "no caption of image %s", f.image)
	}
	i, again := c.entry(f)
	if again {
		return c.at(f.place, "image %s has a caption already, in %s (are these references?)", f.image, c.file.Entries[i].Place)
	}
	e := &c.file.Entries[i]
	e.Captions, e.References = c.list(f.captions), c.list(f.references)
	return nil
}

func (c *collector) addReferences(f finding) error {
	i, again := c.entry(f)
	if old := c.file.Entries[i]; again && (f.whole || old.whole) {
		return c.at(f.place, "image %s has references already, in %s", f.image, old.Place)
	}
	for _, text := range f.references {
		c.refs.add(text, i)
	}
	return nil
}

// entry is the number of an image's entry, a new one if there is none.
func (c *collector) entry(f finding) (i int, again bool) {
	if i, again = c.file.index.add(f.image); again {
		return i, true
	}
	c.makeRoom()
	c.file.Entries = append(c.file.Entries, Entry{Image: c.copy(f.image), Split: c.word(f.split), Place: f.place, whole: f.whole})
	return i, false
}

// one is a list of one text.
func (c *collector) one(text []byte) []string {
	c.record.captions = append(c.record.captions[:0], c.copy(text))
	return c.record.captions
}

// makeRoom makes room for as many entries as the rest of the input should have by
// what was read, so that few are moved.
func (c *collector) makeRoom() {
	entries := c.file.Entries
	n := len(entries)
	if n == 0 {
		c.first = c.packed.done.Load()
	}
	if n < cap(entries) || n < 1<<16 {
		return
	}
	more := n // if nothing is known
	done := c.packed.done.Load()
	if read := done - c.first; c.packed.size > 0 && read > 0 {
		more = int(1.1*float64(n)*float64(c.packed.size-done)/float64(read)) + n/16
	}
	c.file.Entries = slices.Grow(entries, min(more, 31*n))
}

// A referenceList holds references in the order in which they were read.
type referenceList struct {
	chunks [][]reference
	n      int
}

type reference struct {
	text  string
	entry int32
}

func (l *referenceList) add(text string, entry int) {
	k := l.n / chunkTexts
	if k == len(l.chunks) {
		l.chunks = append(l.chunks, make([]reference, 0, chunkTexts))
	}
	l.chunks[k] = append(l.chunks[k], reference{text, int32(entry)})
	l.n++
}

// share gives entries their references, and forgets them.
func (l *referenceList) share(entries []Entry) {
	counts := make([]int32, len(entries))
	for _, chunk := range l.chunks {
		for _, r := range chunk {
			counts[r.entry]++
		}
	}
	all := make([]string, l.n)
	for i, n := range counts {
		entries[i].References, all = all[:0:n], all[n:]
	}
	for k, chunk := range l.chunks {
		for _, r := range chunk {
			e := &entries[r.entry]
			e.References = append(e.References, r.text)
		}
		l.chunks[k] = nil
	}
	*l = referenceList{}
}
