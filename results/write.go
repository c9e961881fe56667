package results

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

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
	".csv":     func(t *Table, w io.Writer) error { return t.writeRows(w, ',') },
	".tsv":     func(t *Table, w io.Writer) error { return t.writeRows(w, '\t') },
	".json":    (*Table).writeJSON,
	".jsonl":   (*Table).writeJSONL,
	".parquet": (*Table).writeParquet,
}

// packers of a file, by the end of its name.
var packers = map[string]func(io.Writer) (io.WriteCloser, error){
	".gz":  func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(w), nil },
	".zst": func(w io.Writer) (io.WriteCloser, error) { return zstd.NewWriter(w) },
}

// CheckName is an error if WriteFile would not know what to write to a file.
func CheckName(path string) error {
	packed := packing(path)
	ext := filepath.Ext(strings.TrimSuffix(path, packed))
	if writers[ext] == nil || ext == ".parquet" && packed != "" {
		return fmt.Errorf("%s: want a name that ends in .parquet, or in .csv, .tsv, .json or .jsonl and perhaps .gz or .zst", path)
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
// list of objects) or .jsonl, and behind it perhaps .gz or .zst, or .parquet.
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

// rows writes what each row appends to the text before it.
func (t *Table) rows(w io.Writer, row func(b []byte, i int) ([]byte, error)) error {
	out := bufio.NewWriterSize(w, 1<<16)
	for i := range t.Images {
		b, err := row(out.AvailableBuffer(), i)
		if err != nil {
			return err
		}
		if _, err := out.Write(b); err != nil {
			return err
		}
	}
	return out.Flush()
}

// writeRows writes RFC 4180.
func (t *Table) writeRows(w io.Writer, separator byte) error {
	var head []byte
	if t.System != nil {
		head = append(head, "system"+string(separator)...)
	}
	head = append(head, "image"+string(separator)+"caption"...)
	for _, column := range t.Columns {
		head = appendField(append(head, separator), column.Name, separator)
	}
	if _, err := w.Write(append(head, '\n')); err != nil {
		return err
	}
	return t.rows(w, func(b []byte, i int) ([]byte, error) {
		if t.System != nil {
			b = append(appendField(b, t.System[i], separator), separator)
		}
		b = append(appendField(b, t.Images[i], separator), separator)
		b = appendField(b, t.Caption[i], separator)
		for _, column := range t.Columns {
			b = strconv.AppendFloat(append(b, separator), column.Values[i], 'g', -1, 64)
		}
		return append(b, '\n'), nil
	})
}

// appendField appends a field of a row, in quotes where encoding/csv writes them.
func appendField(b []byte, text string, separator byte) []byte {
	first, _ := utf8.DecodeRuneInString(text)
	switch {
	case text == "":
		return b
	case text != `\.` && !unicode.IsSpace(first) && strings.IndexByte(text, separator) < 0 && !strings.ContainsAny(text, "\"\r\n"):
		return append(b, text...)
	}
	return append(append(append(b, '"'), strings.ReplaceAll(text, `"`, `""`)...), '"')
}

func (t *Table) writeJSON(w io.Writer) error {
	if _, err := io.WriteString(w, "["); err != nil {
		return err
	}
	object := t.object()
	err := t.rows(w, func(b []byte, i int) ([]byte, error) {
		if i > 0 {
			b = append(b, ',')
		}
		return object(append(b, '\n'), i)
	})
	if err != nil {
		return err
	}
	_, err = io.WriteString(w, "\n]\n")
	return err
}

func (t *Table) writeJSONL(w io.Writer) error {
	object := t.object()
	return t.rows(w, func(b []byte, i int) ([]byte, error) {
		b, err := object(b, i)
		return append(b, '\n'), err
	})
}

// object appends a row as JSON, keys in the order of the columns.
func (t *Table) object() func(b []byte, i int) ([]byte, error) {
	keys := make([][]byte, len(t.Columns))
	for k, column := range t.Columns {
		keys[k] = append(appendText([]byte{','}, column.Name), ':')
	}
	return func(b []byte, i int) ([]byte, error) {
		b = append(b, '{')
		if t.System != nil {
			b = append(appendText(append(b, `"system":`...), t.System[i]), ',')
		}
		b = appendText(append(b, `"image":`...), t.Images[i])
		b = appendText(append(b, `,"caption":`...), t.Caption[i])
		for k, column := range t.Columns {
			x := column.Values[i]
			if math.IsNaN(x) || math.IsInf(x, 0) {
				return nil, fmt.Errorf("image %s: %s is %v, which JSON cannot hold", t.Images[i], column.Name, x)
			}
			b = appendNumber(append(b, keys[k]...), x)
		}
		return append(b, '}'), nil
	}
}

// appendNumber writes a number as encoding/json does: as ECMAScript's.
func appendNumber(b []byte, x float64) []byte {
	if a := math.Abs(x); a == 0 || 1e-6 <= a && a < 1e21 {
		return strconv.AppendFloat(b, x, 'f', -1, 64)
	}
	b = strconv.AppendFloat(b, x, 'e', -1, 64)
	if n := len(b); b[n-3] == '-' && b[n-2] == '0' { // e-07 is e-7
		b = append(b[:n-2], b[n-1])
	}
	return b
}

// appendText writes a text as encoding/json does.
func appendText(b []byte, text string) []byte {
	for i := range len(text) {
		if c := text[i]; !inText[c] || c >= utf8.RuneSelf || c == '<' || c == '>' || c == '&' {
			quoted, _ := json.Marshal(text) // has no error for texts
			return append(b, quoted...)
		}
	}
	return append(append(append(b, '"'), text...), '"')
}
