package mapfile

import "os"

// cause strips the operation and the path that package os puts before an error.
func cause(err error) error {
	if p, ok := err.(*os.PathError); ok {
		return p.Err
	}
	return err
}
