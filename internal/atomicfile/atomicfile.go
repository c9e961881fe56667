// Package atomicfile writes a file beside its final name and renames it, so that
// a reader sees the old content or the new, never a part. Call Write.
package atomicfile

import (
	"io"
	"os"
	"path/filepath"
)

// Write calls fill with a new file in the folder of path, and renames it to
// path once fill has returned nil and the content is on disk. On any error
// the new file is removed and path is left as it was.
func Write(path string, fill func(w io.Writer) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	if err = fill(f); err != nil {
		return err
	}
	if err = f.Sync(); err != nil {
		return err
	}
	if err = f.Chmod(mode(path)); err != nil {
		return err
	}
	if err = f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// mode is the permission that path has, or 0644 where there is no such file.
func mode(path string) os.FileMode {
	if info, err := os.Stat(path); err == nil {
		return info.Mode().Perm()
	}
	return 0o644
}
