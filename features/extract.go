package features

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"unicode/utf8"

	"showtell/dataset"
	"showtell/encoder"
	"showtell/imageprep"
	"showtell/modelfile"
	"showtell/tensor"
)

// Options of Extract. Nil and zero fields mean the defaults.
type Options struct {
	Mirror    bool                  // also keep each picture's mirror image
	Progress  func(done, total int) // told after each batch of pictures; nil for none
	Imageprep *imageprep.Options    // how to read pictures; Least is the network's
}

// Extract encodes the pictures of the items and keeps the grids in a file. It
// begins from what a finished file at path, or the rest of an interrupted run
// beside it, already has of the same pictures. A picture that cannot be read is
// a problem, not the end. When ctx ends, what was done stays for the next call.
func Extract(ctx context.Context, path string, n *encoder.Network, items []dataset.Item, opts *Options) (*Store, []dataset.Problem, error) {
	var o Options
	if opts != nil {
		o = *opts
	}
	var read imageprep.Options
	if o.Imageprep != nil {
		read = *o.Imageprep
	}
	read.Least = n.Recipe().Least()
	o.Imageprep = &read
	old, err := Open(path, n)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, nil, err
	}
	x := &extraction{network: n, options: o, path: path, partial: path + ".partial", old: old}
	x.take(items)
	if old != nil {
		x.readDigests(ctx)
		if ctx.Err() == nil && x.complete(old) {
			return old, x.problems(), nil
		}
		defer old.Close()
	}
	if err := x.run(ctx); err != nil {
		return nil, nil, fmt.Errorf("features in %s: %w", path, err)
	}
	s, err := Open(path, n)
	return s, x.problems(), err
}

// An extraction fills a file row by row. The file is laid out whole before the
// first row; a row's digest is written after its grids, so that a row with a
// digest is a row that is done.
type extraction struct {
	network *encoder.Network
	items   []dataset.Item
	unnamed []dataset.Problem
	options Options
	path    string
	partial string
	old     *Store // may have some of the grids; or nil

	layout  modelfile.Layout
	file    *os.File
	rest    *Store // what an interrupted run left in the file, mapped; or nil
	digests [][digestSize]byte
	errs    []error // of each picture
}

// chunk is how many pictures are encoded between two looks at the clock.
const chunk = 32

// crc is the polynomial of the rows' checksums.
var crc = crc32.MakeTable(crc32.Castagnoli)

// take notes the items, except those whose name JSON would change.
func (x *extraction) take(items []dataset.Item) {
	for _, item := range items {
		if utf8.ValidString(item.Name) {
			x.items = append(x.items, item)
			continue
		}
		x.unnamed = append(x.unnamed, dataset.Problem{Kind: dataset.Unreadable, Name: item.Name, Err: errors.New("the name is not UTF-8")})
	}
}

func (x *extraction) problems() []dataset.Problem {
	all := x.unnamed
	for i, err := range x.errs {
		if err != nil {
			all = append(all, dataset.Problem{Kind: dataset.Unreadable, Name: x.items[i].Name, Err: err})
		}
	}
	return all
}

// readDigests hashes the files of all pictures.
func (x *extraction) readDigests(ctx context.Context) {
	x.digests, x.errs = make([][digestSize]byte, len(x.items)), make([]error, len(x.items))
	tensor.Parallel(len(x.items), func(i int) {
		if ctx.Err() != nil {
			return
		}
		data, err := x.read(i)
		if x.errs[i] = err; err == nil {
			x.digests[i] = sha256.Sum256(data)
		}
	})
}

// complete tells whether s has the features of all pictures as they are now,
// and nothing of those that are not readable now.
func (x *extraction) complete(s *Store) bool {
	if x.options.Mirror && !s.manifest.Mirror {
		return false
	}
	for i, item := range x.items {
		row, ok := s.rows[item.Name]
		if !ok {
			return false
		}
		if x.errs[i] == nil && !s.done(row) {
			x.errs[i] = x.decode(i)
		}
		if x.errs[i] == nil && s.digest(row) != x.digests[i] || x.errs[i] != nil && s.done(row) {
			return false
		}
	}
	return true
}

// decode tells what is wrong with picture i.
func (x *extraction) decode(i int) error {
	data, err := x.read(i)
	if err == nil {
		_, err = imageprep.Decode(data, x.options.Imageprep)
	}
	return err
}

// run makes the partial file, or goes on with it, until all rows are tried, and
// moves it to its final name.
func (x *extraction) run(ctx context.Context) error {
	defer x.close()
	if err := x.open(); err != nil {
		return err
	}
	plan, err := x.network.Compile()
	if err != nil {
		return err
	}
	x.errs = make([]error, len(x.items))
	for lo := 0; lo < len(x.items); lo += chunk {
		if err := ctx.Err(); err != nil {
			return err
		}
		hi := min(len(x.items), lo+chunk)
		failed := make([]error, hi-lo)
		tensor.Parallel(hi-lo, func(k int) { failed[k] = x.row(lo+k, plan) })
		if err := errors.Join(failed...); err != nil {
			return err
		}
		if x.options.Progress != nil {
			x.options.Progress(hi, len(x.items))
		}
	}
	return x.finish()
}

// finish moves the file while it is locked, where the system lets an open file
// be moved.
func (x *extraction) finish() error {
	if err := x.file.Sync(); err != nil {
		return err
	}
	if os.Rename(x.partial, x.path) == nil {
		return nil
	}
	x.close()
	return os.Rename(x.partial, x.path)
}

// open lays the file out, or finds it laid out just so by an interrupted run.
func (x *extraction) open() error {
	recipe, err := json.Marshal(x.network.Recipe())
	if err != nil {
		return err
	}
	m := manifest{Encoder: x.network.Name(), Fingerprint: x.network.Fingerprint(), Recipe: recipe, Mirror: x.options.Mirror}
	seen := map[string]bool{}
	for _, item := range x.items {
		if seen[item.Name] {
			return fmt.Errorf("two pictures are called %q", item.Name)
		}
		seen[item.Name] = true
		m.Names = append(m.Names, item.Name)
	}
	raw, err := json.Marshal(m)
	if err != nil {
		return err
	}
	h, w, c := x.network.Grid()
	shape := []int{len(x.items), h, w, c}
	tensors := []modelfile.Tensor{
		{Name: gridsName, DType: modelfile.F16, Shape: shape},
		{Name: digestsName, DType: modelfile.U8, Shape: []int{len(x.items), digestSize}},
		{Name: sumsName, DType: modelfile.U8, Shape: []int{len(x.items), sumSize}},
	}
	if m.Mirror {
		tensors = append(tensors, modelfile.Tensor{Name: mirroredName, DType: modelfile.F16, Shape: shape})
	}
	if x.layout, err = modelfile.Plan(map[string]string{metaKey: string(raw)}, tensors); err != nil {
		return err
	}
	if x.file, err = os.OpenFile(x.partial, os.O_RDWR|os.O_CREATE, 0o644); err != nil {
		return err
	}
	if err := x.lock(); err != nil {
		return err
	}
	if x.resumable() {
		return x.openRest()
	}
	if err := x.replaceable(); err != nil {
		return err
	}
	return x.begin()
}

// lock keeps other processes from the file until it is closed.
func (x *extraction) lock() error {
	if err := lock(x.file); err != nil {
		return fmt.Errorf("%s is being written by another run (%w); wait for it, or name another file", x.partial, err)
	}
	mine, err := x.file.Stat()
	if err != nil {
		return err
	}
	if now, err := os.Stat(x.partial); err != nil || !os.SameFile(mine, now) {
		return fmt.Errorf("%s: another process has just finished it; try again", x.partial)
	}
	return nil
}

// replaceable tells why the file, which is not the rest of a run like this one,
// must stay. It may go if it is new, or features by the same encoder of other
// pictures.
func (x *extraction) replaceable() error {
	start := make([]byte, 8) // zero in an empty file, and where a run was stopped at its very beginning
	if _, err := x.file.ReadAt(start, 0); err != nil && err != io.EOF {
		return err
	}
	if bytes.Equal(start, make([]byte, 8)) {
		return nil
	}
	s, err := Open(x.partial, x.network)
	if err != nil {
		return err
	}
	return s.Close()
}

// begin lays out an empty file.
func (x *extraction) begin() error {
	if err := x.file.Truncate(0); err != nil {
		return err
	}
	if err := x.file.Truncate(x.layout.Size); err != nil {
		return err
	}
	return x.write(x.layout.Header, 0)
}

// resumable tells whether the file is the one that begin would lay out.
func (x *extraction) resumable() bool {
	info, err := x.file.Stat()
	if err != nil || info.Size() != x.layout.Size {
		return false
	}
	header := make([]byte, len(x.layout.Header))
	_, err = x.file.ReadAt(header, 0)
	return err == nil && bytes.Equal(header, x.layout.Header)
}

func (x *extraction) openRest() error {
	f, err := modelfile.Open(x.partial)
	if err != nil {
		return err
	}
	if x.rest, err = read(f); err != nil {
		f.Close()
	}
	return err
}

// close may be called twice.
func (x *extraction) close() {
	if x.rest != nil {
		x.rest.Close()
	}
	if x.file != nil {
		x.file.Close()
	}
}

// row fills the row of picture i. Its error is that of writing; a picture that
// cannot be read is noted in errs.
func (x *extraction) row(i int, plan *encoder.Plan) error {
	data, err := x.read(i)
	if err != nil {
		return x.giveUp(i, err)
	}
	digest := sha256.Sum256(data)
	if x.rest != nil && x.rest.sound(i, digest) {
		return nil
	}
	grid, mirrored := x.old.find(x.items[i].Name, digest)
	if grid == nil || x.options.Mirror && mirrored == nil {
		if grid, mirrored, err = x.encode(plan, data); err != nil {
			return x.giveUp(i, err)
		}
	}
	return x.save(i, digest, grid, mirrored)
}

// giveUp notes why picture i has no features, and takes away those that an
// interrupted run may have found in an earlier state of it.
func (x *extraction) giveUp(i int, why error) error {
	x.errs[i] = why
	if x.rest == nil || !x.rest.done(i) {
		return nil
	}
	return x.write(make([]byte, digestSize), x.layout.At[digestsName]+int64(i)*digestSize)
}

// maxFile is the largest file that is taken for a picture, in bytes.
const maxFile = 1 << 30

func (x *extraction) read(i int) ([]byte, error) {
	data, err := readRegular(x.items[i].Path)
	if pathError := new(fs.PathError); errors.As(err, &pathError) {
		return nil, pathError.Err
	}
	return data, err
}

func readRegular(path string) ([]byte, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, errors.New("not a regular file")
	case info.Size() > maxFile:
		return nil, fmt.Errorf("%d bytes are too many for a picture", info.Size())
	}
	return os.ReadFile(path)
}

// encode runs the network over a picture and, if asked, its mirror image. A
// decoder's panic is that picture's error.
func (x *extraction) encode(plan *encoder.Plan, data []byte) (grid, mirrored []byte, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("reading the picture: %v", r)
		}
	}()
	img, err := imageprep.Decode(data, x.options.Imageprep)
	if err != nil {
		return nil, nil, err
	}
	recipe := x.network.Recipe()
	pixels := recipe.Apply(img)
	h, w, c := x.network.Grid()
	values := make([]float32, h*w*c)
	plan.Run(values, pixels)
	grid = halves(values)
	if x.options.Mirror {
		imageprep.Mirror(pixels, recipe.Height, recipe.Width, 3)
		plan.Run(values, pixels)
		mirrored = halves(values)
	}
	return grid, mirrored, nil
}

// halves is values in float16, little-endian.
func halves(values []float32) []byte {
	h := make([]uint16, len(values))
	tensor.FloatToHalf(h, values)
	out := make([]byte, 0, 2*len(h))
	for _, v := range h {
		out = binary.LittleEndian.AppendUint16(out, v)
	}
	return out
}

// save writes a row, its digest last.
func (x *extraction) save(i int, digest [digestSize]byte, grid, mirrored []byte) error {
	at := func(name string, size int) int64 { return x.layout.At[name] + int64(i)*int64(size) }
	sum := crc32.Checksum(grid, crc)
	err := x.write(grid, at(gridsName, len(grid)))
	if err == nil && x.options.Mirror {
		sum = crc32.Update(sum, crc, mirrored)
		err = x.write(mirrored, at(mirroredName, len(mirrored)))
	}
	if err == nil {
		err = x.write(binary.LittleEndian.AppendUint32(nil, sum), at(sumsName, sumSize))
	}
	if err == nil {
		err = x.write(digest[:], at(digestsName, digestSize))
	}
	return err
}

func (x *extraction) write(data []byte, at int64) error {
	_, err := io.NewOffsetWriter(x.file, at).Write(data)
	return err
}

// sound tells whether a row is done, for this very picture, and whole.
func (s *Store) sound(row int, digest [digestSize]byte) bool {
	if s.digest(row) != digest {
		return false
	}
	grid, mirrored := s.row(row)
	return binary.LittleEndian.Uint32(s.sums[row*sumSize:]) == crc32.Update(crc32.Checksum(grid, crc), crc, mirrored)
}

func (s *Store) row(row int) (grid, mirrored []byte) {
	lo, hi := 2*row*s.size, 2*(row+1)*s.size
	if s.mirrored != nil {
		mirrored = s.mirrored[lo:hi]
	}
	return s.grids[lo:hi], mirrored
}

// find returns the grids of a picture if the store has them, and nil if not.
func (s *Store) find(name string, digest [digestSize]byte) (grid, mirrored []byte) {
	if s == nil {
		return nil, nil
	}
	row, ok := s.rows[name]
	if !ok || s.digest(row) != digest {
		return nil, nil
	}
	return s.row(row)
}
