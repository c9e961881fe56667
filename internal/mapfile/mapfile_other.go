//go:build !linux && !darwin

// Package mapfile reads a file into memory where it cannot map it. Call Open.
package mapfile

import "os"

// Open reads the file at path; there is nothing to undo. Errors leave the path
// to the caller.
func Open(path string) (data []byte, unmap func() error, err error) {
	data, err = os.ReadFile(path)
	return data, func() error { return nil }, cause(err)
}
