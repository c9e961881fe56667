package weightfile

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/klauspost/compress/flate"
)

// An archive is a zip file in memory.
type archive struct {
	name  string
	data  []byte
	files map[string]*zip.File
	order []string
}

// zip tells the formats apart that are zip files.
func (f *File) zip(data []byte) error {
	a, err := newArchive(f.Name, data)
	if err != nil {
		return fmt.Errorf("%s: %w", f.Name, err)
	}
	pickle := slices.IndexFunc(a.order, func(name string) bool { return path.Base(name) == "data.pkl" })
	switch {
	case a.files["model.weights.h5"] != nil:
		return f.kerasZip(a)
	case pickle >= 0:
		return f.torch(a, a.order[pickle])
	case len(a.order) > 0 && !slices.ContainsFunc(a.order, func(name string) bool { return !strings.HasSuffix(name, ".npy") }):
		return f.npz(a)
	}
	return fmt.Errorf("%s: a zip file with neither model.weights.h5 (Keras) nor data.pkl (PyTorch) nor only .npy files (NumPy)", f.Name)
}

func newArchive(name string, data []byte) (*archive, error) {
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, err
	}
	z.RegisterDecompressor(zip.Deflate, func(r io.Reader) io.ReadCloser { return flate.NewReader(r) })
	a := &archive{name: name, data: data, files: map[string]*zip.File{}}
	for _, file := range z.File {
		if a.files[file.Name] != nil {
			return nil, fmt.Errorf("two members called %.80q", file.Name)
		}
		a.files[file.Name] = file
		a.order = append(a.order, file.Name)
	}
	return a, nil
}

// member returns the bytes of a member: those of the file where they are
// stored as they are, else unpacked.
func (a *archive) member(name string, checksum bool) ([]byte, error) {
	file := a.files[name]
	if file == nil {
		return nil, fmt.Errorf("%s: no member %.80q", a.name, name)
	}
	data, err := a.unpack(file, checksum)
	if err != nil {
		return nil, fmt.Errorf("%s: %.80s: %w", a.name, name, err)
	}
	return data, nil
}

func (a *archive) unpack(file *zip.File, checksum bool) ([]byte, error) {
	const ratio = 1032               // deflate's best
	const large, most = 1 << 26, 100 // bytes; how much smaller what is large may be
	packed, size := file.CompressedSize64, file.UncompressedSize64
	switch {
	case file.Flags&1 != 0:
		return nil, errors.New("encrypted")
	case file.Method != zip.Store && file.Method != zip.Deflate:
		return nil, fmt.Errorf("compressed with method %d, want stored or deflated", file.Method)
	case packed > uint64(len(a.data)) || size/ratio > packed || file.Method == zip.Store && size != packed:
		return nil, fmt.Errorf("%d bytes cannot hold %d: the file is corrupt", packed, size)
	case size > large && size/most > packed:
		return nil, fmt.Errorf("%d bytes that unpack to %d hold no weights", packed, size)
	case file.Method == zip.Store:
		at, err := file.DataOffset()
		if err != nil {
			return nil, err
		}
		if at < 0 || uint64(at) > uint64(len(a.data))-size {
			return nil, errors.New("ends behind the end of the file: it is truncated or corrupt")
		}
		data := a.data[at:][:size:size]
		if checksum && crc32.ChecksumIEEE(data) != file.CRC32 {
			return nil, zip.ErrChecksum
		}
		return data, nil
	}
	r, err := file.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	var out bytes.Buffer // grows with what comes out, not with what is promised
	out.Grow(int(min(size, 8*packed)) + bytes.MinRead)
	_, err = out.ReadFrom(r)
	return out.Bytes(), err
}

// head returns the first bytes of a member, up to limit.
func (a *archive) head(name string, limit int) ([]byte, error) {
	file := a.files[name]
	if file.Method == zip.Store {
		b, err := a.member(name, false)
		return b[:min(limit, len(b))], err
	}
	r, err := file.Open()
	if err != nil {
		return nil, fmt.Errorf("%s: %.80s: %w", a.name, name, err)
	}
	defer r.Close()
	b, err := io.ReadAll(io.LimitReader(r, int64(limit)))
	if err != nil {
		return nil, fmt.Errorf("%s: %.80s: %w", a.name, name, err)
	}
	return b, nil
}

// kerasZip reads Keras 3's .keras: weights in HDF5 and the model as JSON.
func (f *File) kerasZip(a *archive) error {
	data, err := a.member("model.weights.h5", true)
	if err != nil {
		return err
	}
	if err := f.keras(f.Name+": model.weights.h5", data); err != nil {
		return err
	}
	f.Format = KerasZip
	if a.files["config.json"] != nil {
		config, err := a.member("config.json", true)
		if err != nil {
			return err
		}
		f.Config = bytes.Clone(config)
	}
	return nil
}
