package weightfile

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"

	"showtell/modelfile"
)

func (f *File) safetensors(data []byte) error {
	m, err := modelfile.Parse(f.Name, data)
	if err != nil {
		return err
	}
	f.Format, f.Meta = Safetensors, m.Meta
	for _, t := range m.Tensors() {
		err := f.add(Tensor{Name: t.Name, DType: t.DType, Shape: t.Shape, file: f.Name,
			data: func() ([]byte, error) { return t.Data, nil }})
		if err != nil {
			return err
		}
	}
	return nil
}

// sharded reads the index of a network that is spread over files beside it,
// safetensors or PyTorch's: {"weight_map": {"conv1.weight": "model-00001-of-00002.safetensors"}}.
func (f *File) sharded(data []byte) error {
	const most = 1 << 26
	if len(data) > most {
		return fmt.Errorf("%s: JSON of %d bytes, too long for an index of weight files", f.Name, len(data))
	}
	var index struct {
		Map map[string]string `json:"weight_map"`
	}
	if err := json.Unmarshal(data, &index); err != nil {
		return fmt.Errorf("%s: %w", f.Name, err)
	}
	if len(index.Map) == 0 {
		return fmt.Errorf("%s: JSON without a weight_map, not an index of weight files", f.Name)
	}
	f.Format = Sharded
	names := make([]string, 0, len(index.Map))
	for name := range index.Map {
		names = append(names, name)
	}
	slices.Sort(names)
	shards := map[string]*File{}
	for _, name := range names {
		shard, err := f.shard(shards, index.Map[name])
		if err != nil {
			return err
		}
		t, ok := shard.Tensor(name)
		if !ok {
			return fmt.Errorf("%s: no tensor %.80q in %s", f.Name, name, index.Map[name])
		}
		if err := f.add(t); err != nil {
			return err
		}
	}
	return nil
}

// shard opens a file that an index names, once.
func (f *File) shard(shards map[string]*File, name string) (*File, error) {
	if shard := shards[name]; shard != nil {
		return shard, nil
	}
	if name != filepath.Base(name) || !filepath.IsLocal(name) {
		return nil, fmt.Errorf("%s: %.80q is not the name of a file beside it", f.Name, name)
	}
	s := &File{Name: filepath.Join(filepath.Dir(f.Name), name), Meta: map[string]string{}, index: map[string]int{}}
	data, err := f.mapped(s.Name)
	if err == nil {
		err = s.read(data)
	}
	if err != nil {
		return nil, err
	}
	shards[name] = s
	return s, nil
}
