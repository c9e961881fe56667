// Package modelfile keeps named tensors and their metadata in one safetensors file.
//
// Open maps a file into memory, Parse reads one that is in memory already
// (an embedded model), Write makes one beside its final name and renames it.
// The format is that of https://github.com/huggingface/safetensors: eight bytes
// of header length, a JSON header, the data. Metadata are strings;
// structured parts are JSON inside such a string.
package modelfile

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"showtell/internal/mapfile"
)

// A File is an open model file. It is safe for concurrent use, except Close.
type File struct {
	// Name is the path or the name that errors carry.
	Name string
	// Meta holds the file's metadata; it is never nil.
	Meta map[string]string

	tensors []Tensor // by name
	index   map[string]int
	close   func() error
}

// Open maps the file at path into memory and checks its header. On systems
// other than linux and darwin it reads the file instead.
//
// Until Close, the file may be renamed over or removed, but not shortened in
// place: reading a page that is gone kills the process, and Go cannot catch it.
func Open(path string) (*File, error) {
	data, unmap, err := mapfile.Open(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	f, err := Parse(path, data)
	if err != nil {
		unmap()
		return nil, err
	}
	f.close = sync.OnceValue(unmap)
	return f, nil
}

// Parse checks the header of a file that is in memory. The tensors share data.
// Every error begins with name.
func Parse(name string, data []byte) (*File, error) {
	meta, tensors, err := parse(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	slices.SortFunc(tensors, func(a, b Tensor) int { return strings.Compare(a.Name, b.Name) })
	f := &File{Name: name, Meta: meta, tensors: tensors, index: make(map[string]int, len(tensors))}
	for i, t := range tensors {
		f.index[t.Name] = i
	}
	return f, nil
}

// Tensors returns all tensors, sorted by name. The slice is the caller's, the
// shapes and the data are not.
func (f *File) Tensors() []Tensor { return slices.Clone(f.tensors) }

// Tensor returns the tensor called name, and whether there is one.
func (f *File) Tensor(name string) (Tensor, bool) {
	i, ok := f.index[name]
	if !ok {
		return Tensor{}, false
	}
	return f.tensors[i], true
}

// Float32 returns the values of the tensor called name, which must have the
// given shape. They are read-only and valid until Close. The error names the
// file and the tensor.
func (f *File) Float32(name string, shape ...int) ([]float32, error) {
	t, ok := f.Tensor(name)
	if !ok {
		return nil, fmt.Errorf("%s: no tensor %q", f.Name, name)
	}
	if !slices.Equal(t.Shape, shape) {
		return nil, fmt.Errorf("%s: tensor %q has shape %v, want %v", f.Name, name, t.Shape, shape)
	}
	x, err := t.Float32()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.Name, err)
	}
	return x, nil
}

// Close gives the mapping back. Afterwards the data of the file's tensors, and
// float32 slices that share it, must not be touched. A second call does nothing.
func (f *File) Close() error {
	if f.close == nil {
		return nil
	}
	return f.close()
}
