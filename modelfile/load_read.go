//go:build !linux && !darwin

package modelfile

import "os"

// load reads the file at path; there is nothing to undo.
func load(path string) ([]byte, func() error, error) {
	data, err := os.ReadFile(path)
	return data, func() error { return nil }, err
}
