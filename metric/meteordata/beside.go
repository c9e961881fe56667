//go:build nometeor

package meteordata

import (
	"io/fs"
	"os"
	"path/filepath"
)

// files is the folder beside the program, nil if the program has no place.
func files() fs.FS {
	program, err := os.Executable()
	if err != nil {
		return nil
	}
	if real, err := filepath.EvalSymlinks(program); err == nil {
		program = real
	}
	return os.DirFS(filepath.Join(filepath.Dir(program), "meteordata"))
}
