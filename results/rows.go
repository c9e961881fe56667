package results

import (
	"bytes"
	"encoding/csv"
	"fmt"
)

// rows hands over the rows of a table after its header, numbered from 1. The
// fields are good until f returns.
func (c *collector) rows(h header, f func(fields [][]byte, n int, p Place) error) error {
	rows := rowReader{separator: byte(h.separator), quoted: h.separator != '\t' && h.separator != '|'}
	n := 0
	if h.none {
		n = 1
	}
	for p, line := range c.lines() {
		if line.err != nil {
			return line.err
		}
		row, err := rows.read(line.text, p)
		if err != nil {
			return c.at(rows.place, "%w", err)
		}
		if row == nil {
			continue
		}
		for i := range row {
			row[i] = bytes.TrimSpace(row[i])
		}
		if n++; n == 1 {
			continue // the header
		}
		if err := f(row, n-1, rows.place); err != nil {
			return err
		}
	}
	if rows.open {
		return c.at(rows.place, "%w", csv.ErrQuote)
	}
	return nil
}

// A rowReader puts the lines of a table together to rows.
type rowReader struct {
	separator byte
	quoted    bool // as RFC 4180 has it; else a row is a line
	columns   int  // of the first row

	place  Place // where the row begins
	fields [][]byte
	buf    []byte // what quoted fields say, one behind the other
	open   bool   // the last line ended inside quotes
	start  int    // of the open field in buf
}

// read takes a line, and returns a row if it ends there. The fields are good until
// the next call.
func (r *rowReader) read(line []byte, p Place) ([][]byte, error) {
	if !r.open {
		if r.blank(line) {
			return nil, nil
		}
		r.place, r.fields, r.buf = p, r.fields[:0], r.buf[:0]
	}
	var err error
	switch {
	case !r.quoted:
		r.splitPlain(line)
	case r.open || bytes.IndexByte(line, '"') >= 0:
		if err = r.splitQuoted(line); err != nil || r.open {
			return nil, err
		}
	default:
		r.split(line)
	}
	return r.fields, r.check()
}

func (r *rowReader) blank(line []byte) bool {
	if r.quoted {
		return len(line) == 0
	}
	return len(bytes.TrimSpace(line)) == 0
}

// check is an error if a row has more or fewer fields than the first.
func (r *rowReader) check() error {
	if r.columns == 0 {
		r.columns = len(r.fields)
	}
	switch {
	case len(r.fields) == r.columns:
		return nil
	case r.quoted:
		return csv.ErrFieldCount
	}
	return fmt.Errorf("%d fields, want %d", len(r.fields), r.columns)
}

// split takes what stands between separators as it is.
func (r *rowReader) split(line []byte) {
	for {
		i := bytes.IndexByte(line, r.separator)
		if i < 0 {
			r.fields = append(r.fields, line)
			return
		}
		r.fields, line = append(r.fields, line[:i]), line[i+1:]
	}
}

// splitPlain lets quotes count only around a whole field, where those inside are
// doubled; captions hold others.
func (r *rowReader) splitPlain(line []byte) {
	r.split(line)
	for i, field := range r.fields {
		field = bytes.TrimSpace(field)
		r.fields[i] = field
		if len(field) < 2 || field[0] != '"' || field[len(field)-1] != '"' {
			continue
		}
		inner := field[1 : len(field)-1]
		if !bytes.Contains(bytes.ReplaceAll(inner, []byte(`""`), nil), []byte{'"'}) {
			r.fields[i] = bytes.ReplaceAll(inner, []byte(`""`), []byte{'"'})
		}
	}
}

// splitQuoted reads a line of RFC 4180, whose quoted fields may hold separators,
// doubled quotes and line breaks.
func (r *rowReader) splitQuoted(line []byte) error {
	for {
		if !r.open {
			r.start = len(r.buf)
			if len(line) == 0 || line[0] != '"' {
				field, rest, more := bytes.Cut(line, []byte{r.separator})
				if bytes.IndexByte(field, '"') >= 0 {
					return csv.ErrBareQuote
				}
				r.buf = append(r.buf, field...)
				r.endField()
				if !more {
					return nil
				}
				line = rest
				continue
			}
			r.open, line = true, line[1:]
		}
		i := bytes.IndexByte(line, '"')
		if i < 0 {
			r.buf = append(append(r.buf, line...), '\n')
			return nil
		}
		r.buf = append(r.buf, line[:i]...)
		line = line[i+1:]
		switch {
		case len(line) == 0:
			r.endField()
			return nil
		case line[0] == '"':
			r.buf = append(r.buf, '"')
		case line[0] == r.separator:
			r.endField()
		default:
			return csv.ErrQuote
		}
		line = line[1:]
	}
}

// endField makes a field of what stands in buf since start.
func (r *rowReader) endField() {
	r.open = false
	r.fields = append(r.fields, r.buf[r.start:len(r.buf):len(r.buf)])
}
