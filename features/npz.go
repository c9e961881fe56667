package features

import (
	"archive/zip"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"unicode/utf8"

	"showtell/encoder"
	"showtell/internal/atomicfile"
)

// WriteNPZ writes the features as arrays that numpy.load reads, each with one row
// for each picture that could be read, in the order of the data set: "names"
// (pictures) of strings; "grids" and, if the store has them, "mirrored", float16
// (pictures, rows, columns, channels); "pooled", float32 (pictures, channels), the
// mean of the grid over its cells. "encoder" is the name of the network. It writes row by
// row, beside path, and renames.
func (s *Store) WriteNPZ(ctx context.Context, path string) error {
	x := npzWriter{Store: s, ctx: ctx}
	for row := range s.manifest.Names {
		if s.done(row) {
			x.done = append(x.done, row)
		}
	}
	grids, _ := s.file.Tensor(gridsName)
	shape := append([]int{len(x.done)}, grids.Shape[1:]...)
	letters := 1
	for _, row := range x.done {
		letters = max(letters, utf8.RuneCountInString(s.manifest.Names[row]))
	}
	channels := shape[3]
	err := atomicfile.Write(path, func(w io.Writer) error {
		x.zip = zip.NewWriter(w)
		x.array("encoder", fmt.Sprintf("<U%d", max(1, utf8.RuneCountInString(s.manifest.Encoder))), nil, []int{0}, func(int) []byte {
			return utf32(s.manifest.Encoder, max(1, utf8.RuneCountInString(s.manifest.Encoder)))
		})
		x.array("names", fmt.Sprintf("<U%d", letters), shape[:1], x.done, func(row int) []byte { return utf32(s.manifest.Names[row], letters) })
		x.array(gridsName, "<f2", shape, x.done, func(row int) []byte { grid, _ := s.row(row); return grid })
		if s.mirrored != nil {
			x.array(mirroredName, "<f2", shape, x.done, func(row int) []byte { _, grid := s.row(row); return grid })
		}
		grid, mean := make([]float32, s.size), make([]float32, channels)
		x.array("pooled", "<f4", []int{shape[0], channels}, x.done, func(row int) []byte {
			s.values(grid, s.grids, row)
			encoder.Pool(mean, grid, s.size/channels, channels)
			var b []byte
			for _, v := range mean {
				b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
			}
			return b
		})
		if x.err != nil {
			return x.err
		}
		return x.zip.Close()
	})
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// An npzWriter keeps the first error.
type npzWriter struct {
	*Store
	ctx  context.Context
	zip  *zip.Writer
	done []int // rows with features
	err  error
}

// array adds a member in the format of NumPy
// (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html), of the
// bytes that each row has.
func (x *npzWriter) array(name, dtype string, shape, rows []int, bytes func(row int) []byte) {
	if x.err != nil {
		return
	}
	w, err := x.zip.CreateHeader(&zip.FileHeader{Name: name + ".npy", Method: zip.Store})
	if err == nil {
		_, err = w.Write(npyHeader(dtype, shape))
	}
	for i := 0; i < len(rows) && err == nil; i++ {
		if err = x.ctx.Err(); err == nil {
			_, err = w.Write(bytes(rows[i]))
		}
	}
	x.err = err
}

// npyHeader is that of version 1, filled up with blanks to a multiple of 64 bytes.
func npyHeader(dtype string, shape []int) []byte {
	dims := ""
	for _, d := range shape {
		dims += fmt.Sprintf("%d, ", d)
	}
	dict := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", dtype, dims)
	const before = 10 // bytes: magic, version, length
	length := (before+len(dict)+1+63)/64*64 - before
	b := binary.LittleEndian.AppendUint16([]byte("\x93NUMPY\x01\x00"), uint16(length))
	return fmt.Appendf(b, "%-*s\n", length-1, dict)
}

// utf32 is a string of NumPy: letters of four bytes, filled up with zeros.
func utf32(s string, letters int) []byte {
	b := make([]byte, 0, 4*letters)
	for _, c := range s {
		b = binary.LittleEndian.AppendUint32(b, uint32(c))
	}
	return b[:4*letters]
}
