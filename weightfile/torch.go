package weightfile

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"showtell/modelfile"
)

// torch reads what torch.save writes: a pickle, and the elements of each
// storage in a member of its own.
func (f *File) torch(a *archive, pickle string) error {
	f.Format = Torch
	t := &torch{archive: a, folder: strings.TrimSuffix(pickle, "data.pkl")}
	if a.files[t.folder+"constants.pkl"] != nil {
		return fmt.Errorf("%s: a TorchScript program: store its weights, in Python with torch.save(torch.jit.load(FILE).state_dict(), NEW)", f.Name)
	}
	if a.files[t.folder+"byteorder"] != nil {
		order, err := a.member(t.folder+"byteorder", false)
		if err != nil {
			return err
		}
		if string(order) != "little" {
			return fmt.Errorf("%s: %.20s-endian elements, want little", f.Name, order)
		}
	}
	data, err := a.member(pickle, true)
	if err != nil {
		return err
	}
	root, err := unpickle(data, t.storage)
	if err == nil {
		err = f.stateDict(root)
	}
	if err != nil {
		return fmt.Errorf("%s: %.80s: %w", f.Name, pickle, err)
	}
	return nil
}

// torch resolves references into an archive.
type torch struct {
	archive *archive
	folder  string // of the archive's members, with its slash
}

// A torchStorage is a member with the elements of one or several tensors.
type torchStorage struct {
	archive *archive
	member  string
	dtype   modelfile.DType
	n       int // elements
}

// A torchTensor is a view of a storage.
type torchTensor struct {
	torchStorage
	view strided
}

var storages = map[global]modelfile.DType{
	"torch.DoubleStorage": modelfile.F64, "torch.FloatStorage": modelfile.F32,
	"torch.HalfStorage": modelfile.F16, "torch.BFloat16Storage": modelfile.BF16,
	"torch.LongStorage": modelfile.I64, "torch.IntStorage": modelfile.I32, "torch.ShortStorage": "I16",
	"torch.CharStorage": modelfile.I8, "torch.ByteStorage": modelfile.U8, "torch.BoolStorage": "BOOL",
}

// The functions that a pickle may call.
const (
	orderedDict  global = "collections.OrderedDict"
	rebuild      global = "torch._utils._rebuild_tensor_v2"
	parameter    global = "torch._utils._rebuild_parameter"
	parameterOld global = "torch.nn.parameter._rebuild_parameter"
)

// global pushes a name, if it is one of those known.
func (p *pickle) global(op int) error {
	var module, name string
	if op == 'c' {
		var err error
		if module, err = p.line(); err != nil {
			return err
		}
		if name, err = p.line(); err != nil {
			return err
		}
	} else {
		items, err := p.last(2)
		if err != nil {
			return err
		}
		var ok1, ok2 bool
		module, ok1 = items[0].(string)
		name, ok2 = items[1].(string)
		if !ok1 || !ok2 {
			return errors.New("a global without a name")
		}
	}
	g := global(module + "." + name)
	if _, ok := storages[g]; ok || g == orderedDict || g == rebuild || g == parameter || g == parameterOld {
		return p.push(g, nil)
	}
	return fmt.Errorf("%.80q is refused: only tensors are read and no code is run; "+
		"store a plain state dict, in Python with torch.save(model.state_dict(), FILE)", string(g))
}

// call does what one of the known functions would.
func (p *pickle) call() error {
	items, err := p.last(2)
	if err != nil {
		return err
	}
	function, ok := items[0].(global)
	args, tupled := items[1].(tuple)
	if !ok || !tupled {
		return errors.New("a call of what is no function")
	}
	switch {
	case function == orderedDict && len(args) == 0:
		return p.push(newDict(), nil)
	case function == orderedDict && len(args) == 1:
		d, err := p.pairs(args[0])
		return p.push(d, err)
	case function == rebuild && len(args) >= 4:
		t, err := rebuilt(args)
		return p.push(t, err)
	case (function == parameter || function == parameterOld) && len(args) > 0:
		return p.push(args[0], nil)
	}
	return fmt.Errorf("a call of %s with %d arguments is refused", function, len(args))
}

// pairs is an ordered dict as Python 2 stored it: a list of keys and values.
func (p *pickle) pairs(from any) (*dict, error) {
	d := newDict()
	l, ok := from.(*list)
	if !ok {
		return nil, errors.New("an OrderedDict that is not made of a list")
	}
	if p.paired += len(l.items); p.paired > len(p.data) {
		return nil, errors.New("one list makes many an OrderedDict")
	}
	for _, item := range l.items {
		var pair []any
		switch item := item.(type) {
		case *list:
			pair = item.items
		case tuple:
			pair = item
		}
		if len(pair) != 2 {
			return nil, errors.New("an OrderedDict that is not made of pairs")
		}
		d.set(pair[0], pair[1])
	}
	return d, nil
}

// storage resolves ("storage", torch.FloatStorage, "0", "cpu", 12): kind,
// type, member, device, elements.
func (t *torch) storage(id tuple) (any, error) {
	if len(id) != 5 || id[0] != "storage" {
		return nil, errors.New("a reference to what is no storage")
	}
	class, ok1 := id[1].(global)
	key, ok2 := id[2].(string)
	n, ok3 := id[4].(int)
	dtype := storages[class]
	if !ok1 || !ok2 || !ok3 || dtype == "" || n < 0 {
		return nil, errors.New("a reference to a storage of unknown form")
	}
	s := torchStorage{archive: t.archive, member: t.folder + "data/" + key, dtype: dtype, n: n}
	file := t.archive.files[s.member]
	if file == nil {
		return nil, fmt.Errorf("no member %.80q", s.member)
	}
	if size := file.UncompressedSize64; uint64(n) > size || uint64(n*dtype.Size()) > size {
		return nil, fmt.Errorf("%d elements of %s in a member of %d bytes", n, dtype, size)
	}
	return s, nil
}

// rebuilt is a tensor of storage, offset, shape and strides.
func rebuilt(args tuple) (torchTensor, error) {
	s, ok1 := args[0].(torchStorage)
	offset, ok2 := args[1].(int)
	shape, ok3 := ints(args[2])
	strides, ok4 := ints(args[3])
	if !ok1 || !ok2 || !ok3 || !ok4 {
		return torchTensor{}, errors.New("a tensor of unknown form")
	}
	t := torchTensor{s, strided{size: s.dtype.Size(), shape: shape, strides: strides, offset: offset}}
	return t, t.view.check(s.n)
}

func ints(v any) ([]int, bool) {
	items, ok := v.(tuple)
	if len(items) > 64 {
		return nil, false
	}
	list := make([]int, len(items))
	for i, item := range items {
		n, is := item.(int)
		list[i], ok = n, ok && is
	}
	return list, ok
}

// data reads a tensor. The checksum is left alone, since torch.save can be
// told not to write it.
func (t torchTensor) data() ([]byte, error) {
	data, err := t.archive.member(t.member, false)
	if err != nil {
		return nil, err
	}
	if len(data) < t.n*t.dtype.Size() {
		return nil, fmt.Errorf("%s: %.80s: %d bytes, want %d: the file is truncated", t.archive.name, t.member, len(data), t.n*t.dtype.Size())
	}
	return t.view.rowMajor(data), nil
}

// stateDict takes up the tensors of a dict, or of the one dict in it that has
// some: checkpoints keep them beside the optimizer.
func (f *File) stateDict(root any) error {
	d, ok := root.(*dict)
	if !ok {
		return errors.New("no dict of tensors at the top: store a state dict, in Python with torch.save(model.state_dict(), FILE)")
	}
	if !d.hasTensors() {
		var parts []string
		for _, key := range d.keys {
			if below, ok := d.values[key].(*dict); ok && below.hasTensors() {
				parts = append(parts, key)
			}
		}
		for _, usual := range []string{"model", "model_state_dict", "state_dict"} {
			if slices.Contains(parts, usual) {
				parts = []string{usual}
			}
		}
		switch len(parts) {
		case 0:
			return errors.New("no tensors")
		case 1:
			f.Meta["part"] = parts[0]
			d = d.values[parts[0]].(*dict)
		default:
			return fmt.Errorf("several dicts of tensors: store one of %.80q by itself", parts[:min(5, len(parts))])
		}
	}
	for _, key := range d.keys {
		t, ok := d.values[key].(torchTensor)
		if !ok {
			continue
		}
		if err := f.add(Tensor{Name: key, DType: t.dtype, Shape: t.view.shape, file: f.Name, data: t.data}); err != nil {
			return err
		}
	}
	return nil
}

func (d *dict) hasTensors() bool {
	for _, v := range d.values {
		if _, ok := v.(torchTensor); ok {
			return true
		}
	}
	return false
}
