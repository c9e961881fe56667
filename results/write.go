package results

import (
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/klauspost/compress/zstd"

	"showtell/internal/atomicfile"
)

// A Table is a row for each image and system.
type Table struct {
	System  []string // of each row; nil: there is only one
	Images  []string
	Caption []string
	Columns []Column
}

// writers of a table, by the end of the file's name.
var writers = map[string]func(*Table, io.Writer) error{
	".csv":   func(t *Table, w io.Writer) error { return t.writeRows(w, ',') },
	".tsv":   func(t *Table, w io.Writer) error { return t.writeRows(w, '\t') },
	".json":  (*Table).writeJSON,
	".jsonl": (*Table).writeJSONL,
}

// packers of a file, by the end of its name.
var packers = map[string]func(io.Writer) (io.WriteCloser, error){
	".gz":  func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(w), nil },
	".zst": func(w io.Writer) (io.WriteCloser, error) { return zstd.NewWriter(w) },
}

// CheckName is an error if WriteFile would not know what to write to a file.
func CheckName(path string) error {
	if writers[filepath.Ext(strings.TrimSuffix(path, packing(path)))] == nil {
		return fmt.Errorf("%s: want a name that ends in .csv, .tsv, .json or .jsonl, and perhaps .gz or .zst", path)
	}
	return nil
}

// packing is the end of a name that says how the file is packed, or "".
func packing(path string) string {
	if ext := filepath.Ext(path); packers[ext] != nil {
		return ext
	}
	return ""
}

// WriteFile writes the table as the end of the name says: .csv, .tsv, .json (a
// list of objects) or .jsonl, and behind it perhaps .gz or .zst.
func (t *Table) WriteFile(path string) error {
	if err := CheckName(path); err != nil {
		return err
	}
	packed := packing(path)
	write := writers[filepath.Ext(strings.TrimSuffix(path, packed))]
	return atomicfile.Write(path, func(w io.Writer) error {
		if packed == "" {
			return write(t, w)
		}
		z, err := packers[packed](w)
		if err != nil {
			return err
		}
		if err := write(t, z); err != nil {
			return err
		}
		return z.Close()
	})
}

func (t *Table) writeRows(w io.Writer, separator rune) error {
	c := csv.NewWriter(w)
	c.Comma = separator
	names := []string{"image", "caption"}
	if t.System != nil {
		names = append([]string{"system"}, names...)
	}
	for _, column := range t.Columns {
		names = append(names, column.Name)
	}
	c.Write(names)
	for i := range t.Images {
		row := []string{t.Images[i], t.Caption[i]}
		if t.System != nil {
			row = append([]string{t.System[i]}, row...)
		}
		for _, column := range t.Columns {
			row = append(row, strconv.FormatFloat(column.Values[i], 'g', -1, 64))
		}
		c.Write(row) // its error stays until the end
	}
	c.Flush()
	return c.Error()
}

func (t *Table) writeJSON(w io.Writer) error {
	for i := range t.Images {
		opening := ",\n"
		if i == 0 {
			opening = "[\n"
		}
		object, err := t.object(i)
		if err != nil {
			return err
		}
		if _, err := w.Write(append([]byte(opening), object...)); err != nil {
			return err
		}
	}
	_, err := io.WriteString(w, "\n]\n")
	return err
}

func (t *Table) writeJSONL(w io.Writer) error {
	for i := range t.Images {
		object, err := t.object(i)
		if err != nil {
			return err
		}
		if _, err := w.Write(append(object, '\n')); err != nil {
			return err
		}
	}
	return nil
}

// object is a row as JSON, keys in the order of the columns.
func (t *Table) object(i int) ([]byte, error) {
	keys, values := []string{"image", "caption"}, []any{t.Images[i], t.Caption[i]}
	if t.System != nil {
		keys, values = append([]string{"system"}, keys...), append([]any{t.System[i]}, values...)
	}
	for _, column := range t.Columns {
		keys, values = append(keys, column.Name), append(values, column.Values[i])
	}
	var b bytes.Buffer
	for k := range keys {
		key, err1 := json.Marshal(keys[k])
		value, err2 := json.Marshal(values[k])
		if err := errors.Join(err1, err2); err != nil {
			return nil, err
		}
		fmt.Fprintf(&b, ",%s:%s", key, value)
	}
	return append([]byte{'{'}, append(b.Bytes()[1:], '}')...), nil
}
