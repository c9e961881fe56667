//go:build linux || darwin

// Package mapfile maps a file into memory. Call Open.
package mapfile

import (
	"errors"
	"math"
	"os"

	"golang.org/x/sys/unix"
)

// Open maps the file at path, read-only, and returns its bytes and how to undo
// it. On systems other than linux and darwin it reads the file instead. Errors
// leave the path to the caller.
//
// Until then, the file may be renamed over or removed, but not shortened in
// place: reading a page that is gone kills the process, and Go cannot catch it.
func Open(path string) (data []byte, unmap func() error, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, cause(err)
	}
	defer f.Close() // the mapping outlives it
	info, err := f.Stat()
	if err != nil {
		return nil, nil, cause(err)
	}
	switch size := info.Size(); {
	case !info.Mode().IsRegular():
		return nil, nil, errors.New("not a regular file")
	case size == 0: // which cannot be mapped
		return nil, func() error { return nil }, nil
	case size > math.MaxInt:
		return nil, nil, errors.New("too large to map on this machine")
	}
	data, err = unix.Mmap(int(f.Fd()), 0, int(info.Size()), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return nil, nil, err
	}
	return data, func() error { return unix.Munmap(data) }, nil
}
