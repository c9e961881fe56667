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

	also  *aliases // of images
	index *index   // entry of an image
}

func newFile() *File {
	f := &File{also: newAliases()}
	f.index = newIndex(func(i int) string { return f.Entries[i].Image })
	return f
}

// entry is the number of an image's entry.
func (f *File) entry(image string) (int, bool) { return f.index.find([]byte(image)) }

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
	Line  int32 // from 1
	Entry int32 // in a list, from 1; else 0
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
	c := &collector{input: in, role: role, file: newFile()}
	c.file.Name, c.file.Format = in.name, f.name
	if err := f.read(c); err != nil {
		return nil, err
	}
	if len(c.file.Entries) == 0 {
		return nil, fmt.Errorf("%s: no caption in it (read as %s)", in.name, f.name)
	}
	if role == References {
		c.refs.share(c.file.Entries)
	}
	return c.file, nil
}
