// Package features keeps what an encoder saw in the pictures of a data set, so
// that it needs to look only once. Extract makes or completes a file, Open
// reads one, WriteNPZ makes arrays for NumPy of it.
//
// A file is good for one encoder with one recipe, and each grid in it for one
// picture's bytes; whatever does not fit is refused or made again. It is a
// safetensors file: "grids" and, if asked for, "mirrored", float16 (pictures,
// rows, columns, channels); "digests", the SHA-256 of each picture's file, all
// zero where the picture could not be read; the names in the metadata.
package features

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"showtell/encoder"
	"showtell/modelfile"
	"showtell/tensor"
)

// metaKey is where a file keeps its manifest.
const metaKey = "showtell.features"

// Names of the tensors.
const (
	gridsName    = "grids"
	mirroredName = "mirrored"
	digestsName  = "digests"
	sumsName     = "sums" // CRC-32C of a picture's grids, to find the torn row of a crash
)

const (
	digestSize = 32
	sumSize    = 4
)

// manifest is what a file says of itself.
type manifest struct {
	Encoder     string          `json:"encoder"`
	Fingerprint string          `json:"fingerprint"` // of the encoder's weights and recipe
	Recipe      json.RawMessage `json:"recipe"`
	Names       []string        `json:"names"` // of the pictures, in the order of the rows
	Mirror      bool            `json:"mirror"`
}

// A Store is an open file of features. It is safe for concurrent use, except
// Close.
type Store struct {
	file     *modelfile.File
	manifest manifest
	rows     map[string]int
	size     int // values of a grid
	grids    []byte
	mirrored []byte // nil without mirror images
	digests  []byte
	sums     []byte
}

// Open reads a file of features, made by the given encoder.
func Open(path string, n *encoder.Network) (*Store, error) {
	f, err := modelfile.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if err != nil {
		return nil, fmt.Errorf("%w; %s", err, advice)
	}
	s, err := read(f)
	if err == nil {
		err = s.fits(n)
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("%s: %w; %s", path, err, advice)
	}
	return s, nil
}

// A Summary is what a file of features says of itself.
type Summary struct {
	Encoder     string `json:"encoder"`
	Fingerprint string `json:"fingerprint"` // of its weights and recipe
	Pictures    int    `json:"pictures"`
	Done        int    `json:"done"` // pictures that could be read
	Grid        []int  `json:"grid"` // rows, columns, channels
	Mirror      bool   `json:"mirror"`
}

// Describe tells what a file of features holds, and whether it is one.
func Describe(f *modelfile.File) (s Summary, ok bool, err error) {
	if _, ok := f.Meta[metaKey]; !ok {
		return s, false, nil
	}
	store, err := read(f)
	if err != nil {
		return s, true, fmt.Errorf("%s: %w", f.Name, err)
	}
	grids, _ := f.Tensor(gridsName)
	m := store.manifest
	return Summary{m.Encoder, m.Fingerprint, len(m.Names), store.Len(), grids.Shape[1:], m.Mirror}, true, nil
}

// advice ends the refusal of a file.
const advice = "delete it or name another file"

// read finds the parts of a file, which may be anything.
func read(f *modelfile.File) (*Store, error) {
	raw, ok := f.Meta[metaKey]
	if !ok {
		return nil, errors.New("not a file of features")
	}
	s := &Store{file: f, rows: map[string]int{}}
	if err := json.Unmarshal([]byte(raw), &s.manifest); err != nil {
		return nil, fmt.Errorf("manifest of the features: %w", err)
	}
	for i, name := range s.manifest.Names {
		if _, ok := s.rows[name]; ok {
			return nil, fmt.Errorf("picture %q stands twice in the manifest", name)
		}
		s.rows[name] = i
	}
	grids, ok := f.Tensor(gridsName)
	if !ok || grids.DType != modelfile.F16 || len(grids.Shape) != 4 || grids.Shape[0] != len(s.manifest.Names) {
		return nil, fmt.Errorf("tensor %s is missing or of another shape than the manifest says", gridsName)
	}
	s.size = grids.Shape[1] * grids.Shape[2] * grids.Shape[3]
	s.grids = grids.Data
	for _, part := range []struct {
		name  string
		dtype modelfile.DType
		shape []int
		data  *[]byte
		want  bool
	}{
		{mirroredName, modelfile.F16, grids.Shape, &s.mirrored, s.manifest.Mirror},
		{digestsName, modelfile.U8, []int{grids.Shape[0], digestSize}, &s.digests, true},
		{sumsName, modelfile.U8, []int{grids.Shape[0], sumSize}, &s.sums, true},
	} {
		if !part.want {
			continue
		}
		t, ok := f.Tensor(part.name)
		if !ok || t.DType != part.dtype || !slices.Equal(t.Shape, part.shape) {
			return nil, fmt.Errorf("tensor %s is missing or of another shape than the manifest says", part.name)
		}
		*part.data = t.Data
	}
	return s, nil
}

// fits tells why the features are not those of n, if so.
func (s *Store) fits(n *encoder.Network) error {
	recipe, err := json.Marshal(n.Recipe())
	if err != nil {
		return err
	}
	switch m := s.manifest; {
	case m.Encoder != n.Name():
		return fmt.Errorf("features of another encoder: %.40q, not %q", m.Encoder, n.Name())
	case !bytes.Equal(m.Recipe, recipe):
		return fmt.Errorf("features of another encoder: its recipe is %.300s, not %s", m.Recipe, recipe)
	case m.Fingerprint != n.Fingerprint():
		return fmt.Errorf("features of another encoder: other weights of %s, fingerprint %.12s, not %.12s", m.Encoder, m.Fingerprint, n.Fingerprint())
	}
	h, w, c := n.Grid()
	if s.size != h*w*c {
		return fmt.Errorf("grids of %d values, not %d x %d x %d", s.size, h, w, c)
	}
	return nil
}

// Close gives the file back. Grids must not be asked for afterwards.
func (s *Store) Close() error { return s.file.Close() }

// Len is the number of pictures that have features.
func (s *Store) Len() int {
	n := 0
	for _, row := range s.rows {
		if s.done(row) {
			n++
		}
	}
	return n
}

// Has tells whether there are features of a picture.
func (s *Store) Has(name string) bool {
	row, ok := s.rows[name]
	return ok && s.done(row)
}

// Grid writes the grid (rows, columns, channels) of a picture, or of its
// mirror image, and tells whether there is one.
func (s *Store) Grid(dst []float32, name string, mirror bool) bool {
	row, ok := s.rows[name]
	data := s.grids
	if mirror {
		data = s.mirrored
	}
	if !ok || !s.done(row) || data == nil {
		return false
	}
	s.values(dst, data, row)
	return true
}

// values writes a row of grids.
func (s *Store) values(dst []float32, grids []byte, row int) {
	halves := make([]uint16, s.size)
	for i := range halves {
		halves[i] = binary.LittleEndian.Uint16(grids[2*(row*s.size+i):])
	}
	tensor.HalfToFloat(dst[:s.size], halves)
}

// done tells whether a row is filled: its digest is not zero.
func (s *Store) done(row int) bool {
	return s.digest(row) != [digestSize]byte{}
}

func (s *Store) digest(row int) [digestSize]byte {
	return [digestSize]byte(s.digests[row*digestSize:])
}
