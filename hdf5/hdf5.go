// Package hdf5 reads the HDF5 files that Keras and h5py write for weights.
//
// Parse walks the groups of a file that is in memory, best mapped. Then
// Dataset.Data gives values and Strings the text of an attribute.
//
// It knows superblocks 0 to 3, groups of both kinds, values stored in one
// piece, in the header or in chunks (indexed by B-tree, fixed array or single),
// the filters shuffle, deflate and fletcher32, and attributes of strings.
// The layout is that of the HDF5 File Format Specification 3.0, whose section
// numbers (III.A.1) stand in the comments.
//
// Whatever a file says of offsets, sizes and links, parsing takes memory and
// time in proportion to its length, and errors name the file and the object.
package hdf5

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// A File is a parsed file. It is safe for concurrent use.
type File struct {
	// Name is what errors begin with.
	Name string

	data          []byte // from the superblock on
	offset, width int    // bytes of an address, of a length
	groups        map[string]*Group
	datasets      []*Dataset // in the order of the walk
	index         map[string]*Dataset
	heaps         globalHeaps
}

// A Group is a folder of datasets and further groups.
type Group struct {
	// Path is the names from the root, joined by slashes; "" for the root itself.
	Path string
	attributes
}

// Parse reads the structure of a file, but no values; those share data.
// Every error begins with name.
func Parse(name string, data []byte) (*File, error) {
	f := &File{Name: name, data: data, groups: map[string]*Group{}, index: map[string]*Dataset{}}
	f.heaps.objects = map[uint64]map[int][]byte{}
	root, err := f.superblock()
	if err == nil {
		w := f.walker()
		err = w.object("", root, 0)
	}
	if err == nil && f.groups[""] == nil {
		err = errors.New("the root is no group: the file is corrupt")
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return f, nil
}

// Group returns the group at path, "" being the root, and nil if there is none.
func (f *File) Group(path string) *Group { return f.groups[path] }

// Dataset returns the dataset at path and nil if there is none.
func (f *File) Dataset(path string) *Dataset { return f.index[path] }

// Datasets returns all datasets, group by group, those of a group by name.
func (f *File) Datasets() []*Dataset { return slices.Clone(f.datasets) }

const signature = "\x89HDF\r\n\x1a\n"

// Is reports whether data begin as an HDF5 file, with or without a user block.
func Is(data []byte) bool { return start(data) >= 0 }

// start is where the superblock is: at 0, or at 512 and its doubles after a
// user block (II.A); -1 for nowhere.
func start(data []byte) int {
	for at := 0; at+len(signature) <= len(data); at = max(512, 2*at) {
		if string(data[at:at+len(signature)]) == signature {
			return at
		}
	}
	return -1
}

// superblock reads the widths of addresses and returns the root group's (II.A).
func (f *File) superblock() (root uint64, err error) {
	at := start(f.data)
	if at < 0 {
		return 0, errors.New("not an HDF5 file")
	}
	f.data = f.data[at:]
	c := f.from("superblock", 0)
	c.take(len(signature))
	version := c.byte()
	switch version {
	case 0, 1:
		c.take(4)
		f.offset, f.width = c.byte(), c.byte()
		c.take(9)
		if version == 1 {
			c.take(4)
		}
	case 2, 3:
		f.offset, f.width = c.byte(), c.byte()
		c.take(1)
	default:
		return 0, fmt.Errorf("superblock version %d, want 0 to 3", version)
	}
	for _, n := range []int{f.offset, f.width} {
		if c.err == nil && n != 2 && n != 4 && n != 8 {
			return 0, fmt.Errorf("superblock: addresses or lengths of %d bytes", n)
		}
	}
	c.address() // base
	c.address() // free space, or the superblock's extension
	end := c.address()
	if version < 2 {
		c.address() // driver
		c.address() // name of the root group
	}
	root = c.address()
	if c.err == nil && end != undefined && end > uint64(at+len(f.data)) {
		return 0, fmt.Errorf("%d bytes of %d: the file is truncated", at+len(f.data), end)
	}
	return root, c.err
}

// A walker follows the references of a file. Each byte it reads or makes
// counts against a budget of the file's length, so that neither loops nor many
// references to one large part get far.
type walker struct {
	*File
	budget int
	seen   map[uint64]bool // groups
}

func (f *File) walker() *walker {
	const some = 1 << 16
	return &walker{File: f, budget: min(len(f.data), math.MaxInt/4)*2 + some, seen: map[uint64]bool{}}
}

func (w *walker) spend(n int) error {
	if n < 0 || n > w.budget {
		return errors.New("the same bytes are referred to again and again: the file is corrupt")
	}
	w.budget -= n
	return nil
}

const maxDepth = 64 // of groups in groups

// object adds the group or dataset at an address, and what is below it.
func (w *walker) object(path string, address uint64, depth int) error {
	messages, err := w.header(address)
	if err != nil {
		return named(path, err)
	}
	a, err := w.attributes(path, messages)
	if err != nil {
		return named(path, err)
	}
	switch {
	case w.groups[path] != nil || w.index[path] != nil:
		return named(path, errors.New("two objects of this name"))
	case has(messages, layoutMessage):
		d, err := w.dataset(path, messages)
		if err != nil {
			return named(path, err)
		}
		d.attributes = a
		w.index[path] = d
		w.datasets = append(w.datasets, d)
		return nil
	case !has(messages, symbolsMessage) && !has(messages, linkInfoMessage):
		return nil // a type with a name
	case w.seen[address] || depth > maxDepth:
		return named(path, errors.New("a group inside itself, or too deep"))
	}
	w.seen[address] = true
	w.groups[path] = &Group{Path: path, attributes: a}
	links, err := w.links(messages)
	if err != nil {
		return named(path, err)
	}
	for _, l := range links {
		below := l.name
		if path != "" {
			below = path + "/" + l.name
		}
		if err := w.spend(len(below)); err != nil {
			return named(path, err)
		}
		if err := w.object(below, l.address, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// named puts the path of an object before an error.
func named(path string, err error) error { return fmt.Errorf("/%.200s: %w", path, err) }
