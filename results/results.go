// Package results reads captions and references of pictures from files in the
// formats that are common. Call [ReadFile] for the captions that a system gave,
// again for the references, [Merge] if these are in several files, and then [Pair].
//
// A format is recognised by what a file holds, never by its name; it may be
// packed with gzip or zstd. A format is a row of a table and a file of its own.
// Every error says in which file and line.
package results

import (
	"fmt"
	"io"
	"os"
)

// A Role is what the captions of a file are.
type Role int

const (
	Candidates Role = iota // of a system: an image stands in the file once
	References             // of people: an image may stand in several lines
)

// A File is what a file says of images.
type File struct {
	Name    string
	Format  string // of Formats
	ByLine  bool   // images have no names; the number of the line or row, from 1, is the name
	Entries []Entry
	Skipped []string // lines that hold an error instead of a caption

	also  map[string]string // other names of images
	index map[string]int    // entry of an image
}

// An Entry is what a file says of one image.
type Entry struct {
	Image      string
	Captions   []string // in a file of candidates: the best first, at least one
	References []string // in a file of references: at least one; in one of candidates: if it has them too
	Split      string   // if the file says
	Place      Place

	whole bool // its references stand in one place
}

// A Place is where in a file an entry stands.
type Place struct {
	Line  int // from 1
	Entry int // in a list, from 1; else 0
}

func (p Place) String() string {
	if p.Entry > 0 {
		return fmt.Sprintf("line %d, entry %d", p.Line, p.Entry)
	}
	return fmt.Sprintf("line %d", p.Line)
}

// ReadFile reads a file.
func ReadFile(path string, role Role) (*File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return Read(path, f, role)
}

// Read reads text that errors shall call name. An image that stands twice among
// candidates is an error that names both lines. So is one among references that
// has a list of them in one place and more in another.
func Read(name string, r io.Reader, role Role) (*File, error) {
	in, err := open(name, r)
	if err != nil {
		return nil, err
	}
	f, err := recognise(in.head)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return f.file(in, role)
}

func (f format) file(in *input, role Role) (*File, error) {
	c := &collector{input: in, role: role, file: &File{Name: in.name, Format: f.name, also: map[string]string{}, index: map[string]int{}}}
	if err := f.read(c); err != nil {
		return nil, err
	}
	if len(c.file.Entries) == 0 {
		return nil, fmt.Errorf("%s: no caption in it (read as %s)", in.name, f.name)
	}
	return c.file, nil
}

// A collector puts what a reader finds into a file.
type collector struct {
	*input
	role Role
	file *File
}

// at is an error at a place of the input.
func (c *collector) at(p Place, format string, args ...any) error {
	where := fmt.Sprintf("%s:%d: ", c.name, p.Line)
	if p.Entry > 0 {
		where += fmt.Sprintf("entry %d: ", p.Entry)
	}
	return fmt.Errorf(where+"%w", fmt.Errorf(format, args...))
}

// add takes an entry with captions, with references, or with both.
func (c *collector) add(e Entry) error {
	f := c.file
	if e.Image == "" {
		return c.at(e.Place, "no name of an image")
	}
	switch {
	case c.role == References && e.References == nil:
		e.References, e.Captions = e.Captions, nil
	case c.role == References:
		e.Captions = nil
	case e.Captions == nil:
		e.Captions, e.References = e.References, nil
	}
	if len(e.Captions)+len(e.References) == 0 {
		return c.at(e.Place, "no caption of image %s", e.Image)
	}
	i, again := f.index[e.Image]
	if !again {
		f.index[e.Image] = len(f.Entries)
		f.Entries = append(f.Entries, e)
		return nil
	}
	old := &f.Entries[i]
	if c.role == Candidates {
		return c.at(e.Place, "image %s has a caption already, in %s (are these references?)", e.Image, old.Place)
	}
	if e.whole || old.whole {
		return c.at(e.Place, "image %s has references already, in %s", e.Image, old.Place)
	}
	old.References = append(old.References, e.References...)
	return nil
}
