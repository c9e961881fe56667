// Package weightfile reads the weights of networks from the files that people
// have: Keras .h5 and .keras, PyTorch .pt and .bin, safetensors, NumPy .npz.
//
// Open tells them apart by content and gives named tensors in one form, with
// the names and layouts of the file; Tensor.Float32 reads one when it is
// needed. File.Layers has the order of the layers where the file tells it.
//
// A file is mapped, not read. Opening one takes memory in proportion to its
// headers, reading a tensor in proportion to that tensor; no code in a file is run.
package weightfile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync"

	"showtell/hdf5"
	"showtell/internal/mapfile"
	"showtell/modelfile"
)

// The formats, as File.Format says them.
const (
	Keras       = "Keras weights (HDF5)"          // Keras 1 and 2, and Keras 3's model.save("x.h5")
	Keras3      = "Keras 3 weights (HDF5)"        // .weights.h5
	KerasZip    = "Keras 3 model (zip)"           // .keras
	HDF5        = "HDF5"                          // of another program
	Safetensors = "safetensors"                   // of any program
	Torch       = "PyTorch state dict (zip)"      // .pt, .pth, .bin
	NumPy       = "NumPy arrays (zip)"            // .npz
	Sharded     = "several files under one index" // model.safetensors.index.json
)

// A File is an open weight file. It is safe for concurrent use, except Close.
type File struct {
	// Name is the path, with which errors begin.
	Name string
	// Format is one of the constants above.
	Format string
	// Layers are those with weights: in Keras files in the order of the model, in
	// Keras3 and KerasZip files class by class, nil in all others.
	Layers []Layer
	// Config is the JSON in which Keras describes a whole model; nil where a
	// file holds weights alone.
	Config []byte
	// Meta holds what else the file says of itself: the metadata of safetensors,
	// keras_version and backend of Keras, and as "part" the key below which
	// a PyTorch checkpoint has its tensors. It is never nil.
	Meta map[string]string

	tensors []Tensor
	index   map[string]int
	close   []func() error
}

// A Layer of a Keras file. Its weights come in Keras's order, as kernel, bias.
type Layer struct {
	// Name is the layer's own name; "" if the file does not tell it, as Keras
	// 2.15's .weights.h5 do not.
	Name string
	// Group is where the file has it: the name again in Keras files, in Keras 3
	// files a class and a number ("layers/conv2d_3"), counted over the layers of
	// that class in model.layers.
	Group string
	// Tensors are its weights.
	Tensors []Tensor
}

// A Tensor is a named array in a file.
type Tensor struct {
	Name string
	// DType is as the file has it; "" if the elements are no numbers.
	DType modelfile.DType
	// Shape is empty for a scalar.
	Shape []int

	file string
	data func() ([]byte, error) // little-endian, row-major
}

// Float32 reads the values, row-major. Big float32 tensors share the mapped
// file where that is possible: treat them as read-only, and not after Close.
// The error names the file and the tensor.
func (t Tensor) Float32() ([]float32, error) {
	data, err := t.data()
	if err != nil {
		return nil, err
	}
	x, err := modelfile.Tensor{Name: t.Name, DType: t.DType, Shape: t.Shape, Data: data}.Float32()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", t.file, err)
	}
	return x, nil
}

// Open opens the weight file at path, whatever its name ends with. Until Close
// it must not be shortened in place.
func Open(path string) (*File, error) {
	f := &File{Name: path, Meta: map[string]string{}, index: map[string]int{}}
	if err := f.open(); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// Tensors returns all tensors: layer by layer from Keras, in the order of a
// PyTorch or NumPy file, by name from safetensors. The states of optimizers
// are left out.
func (f *File) Tensors() []Tensor { return slices.Clone(f.tensors) }

// Tensor returns the tensor called name, and whether there is one.
func (f *File) Tensor(name string) (Tensor, bool) {
	i, ok := f.index[name]
	if !ok {
		return Tensor{}, false
	}
	return f.tensors[i], true
}

// Close gives the mapping back. A second call does nothing.
func (f *File) Close() error {
	var errs []error
	for _, c := range f.close {
		errs = append(errs, c())
	}
	f.close = nil
	return errors.Join(errs...)
}

// add takes a tensor up; of a name there may be one.
func (f *File) add(t Tensor) error {
	if _, ok := f.index[t.Name]; ok {
		return fmt.Errorf("%s: two tensors called %.80q", f.Name, t.Name)
	}
	f.index[t.Name] = len(f.tensors)
	f.tensors = append(f.tensors, t)
	return nil
}

func (f *File) open() error {
	data, err := f.mapped(f.Name)
	if err != nil {
		return err
	}
	if data = trimmed(data); len(data) > 0 && data[0] == '{' {
		return f.sharded(data)
	}
	return f.read(data)
}

// mapped maps a file, until Close.
func (f *File) mapped(path string) ([]byte, error) {
	data, unmap, err := mapfile.Open(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	f.close = append(f.close, sync.OnceValue(unmap))
	return data, nil
}

// trimmed leaves out the white space that JSON may begin with.
func trimmed(data []byte) []byte {
	for i := range min(len(data), 16) {
		if c := data[i]; c != ' ' && c != '\n' && c != '\r' && c != '\t' {
			if c == '{' {
				return data[i:]
			}
			break
		}
	}
	return data
}

// read reads any format but an index of several files.
func (f *File) read(data []byte) error {
	switch {
	case hdf5.Is(data):
		return f.keras(f.Name, data)
	case bytes.HasPrefix(data, []byte("PK\x03\x04")):
		return f.zip(data)
	case len(data) > 8 && data[8] == '{' && binary.LittleEndian.Uint64(data) < 1<<32:
		return f.safetensors(data)
	}
	return fmt.Errorf("%s: %s", f.Name, mistaken(data))
}

// mistaken says what a file is that is none of the formats.
func mistaken(data []byte) string {
	for _, m := range []struct{ begins, is string }{
		{"\x1f\x8b", "a gzip file: unpack it first, with gunzip"},
		{"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19", "a PyTorch file of the form before version 1.6: " +
			`convert it in Python with torch.save(torch.load("FILE", map_location="cpu"), "NEW.pt")`},
		{"\x80", "a Python pickle, which could run any code: only the zip files of torch.save are read"},
		{"\x93NUMPY", "a single NumPy array: store named arrays with numpy.savez"},
		{"version https://git-lfs", "a pointer of Git LFS, not the file it stands for: run git lfs pull"},
		{"<", "a web page or XML, not a weight file: was the download refused?"},
		{"PK", "an empty or spanned zip file"},
	} {
		if bytes.HasPrefix(data, []byte(m.begins)) {
			return m.is
		}
	}
	if len(data) == 0 {
		return "an empty file"
	}
	return "not a weight file; read are Keras .h5 and .keras, safetensors, PyTorch zip files (.pt, .bin) and .npz"
}
