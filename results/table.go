package results

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// separators are tried in this order on the first line.
const separators = "\t,;|"

// A header tells where the columns of a table are; -1 is nowhere.
type header struct {
	separator         rune
	image, hyp, split int
	references        []int
	none              bool // the first line is a row already: image, caption
}

func matchTable(h head) bool {
	_, ok := headerOf(h.first)
	return ok
}

// headerOf understands the first line of a table.
func headerOf(line string) (header, bool) {
	for _, sep := range separators {
		names := lower(split(line, sep))
		h := header{separator: sep, image: column(names, imageNames), hyp: column(names, hypNames), split: column(names, splitNames)}
		for i, name := range names {
			if numbered.MatchString(name) || slices.Contains(referenceNames, name) {
				h.references = append(h.references, i)
			}
		}
		if h.hyp >= 0 && (len(names) > 1 || names[0] == "caption") || len(h.references) > 0 && len(names) > 1 {
			return h, true
		}
	}
	for _, sep := range separators {
		if names := lower(split(line, sep)); len(names) > 1 && isPicture(names[0]) {
			return header{separator: sep, hyp: 1, split: -1, none: true}, true
		}
	}
	return header{}, false
}

// split is the fields of a first line.
func split(line string, sep rune) []string {
	r := csv.NewReader(strings.NewReader(line))
	r.Comma, r.LazyQuotes = sep, true
	names, err := r.Read()
	if err != nil {
		return []string{""}
	}
	for i := range names {
		names[i] = strings.TrimSpace(names[i])
	}
	return names
}

func lower(names []string) []string {
	list := make([]string, len(names))
	for i, name := range names {
		list[i] = strings.ToLower(name)
	}
	return list
}

func column(names, wanted []string) int {
	for _, name := range wanted {
		if i := slices.Index(names, name); i >= 0 {
			return i
		}
	}
	return -1
}

func isPicture(name string) bool {
	return slices.Contains([]string{".jpg", ".jpeg", ".png", ".gif", ".webp", ".bmp", ".tif", ".tiff"}, path.Ext(name))
}

// rows hands over the rows of a table after its header, numbered from 1.
func (c *collector) rows(h header, f func(fields []string, n int, p Place) error) error {
	read := c.quotedRows
	if h.separator == '\t' || h.separator == '|' {
		read = c.plainRows
	}
	n := 0
	return read(h.separator, func(fields []string, p Place) error {
		if n == 0 && !h.none {
			h.none = true
			return nil
		}
		for i := range fields {
			if fields[i] = strings.TrimSpace(fields[i]); !utf8.ValidString(fields[i]) {
				return c.at(p, "not UTF-8")
			}
		}
		n++
		return f(fields, n, p)
	})
}

// quotedRows reads rows as RFC 4180 has them, whose fields may hold line breaks.
func (c *collector) quotedRows(separator rune, f func(fields []string, p Place) error) error {
	r := csv.NewReader(c.text)
	r.Comma, r.ReuseRecord = separator, true
	for {
		fields, err := r.Read()
		var wrong *csv.ParseError
		switch {
		case err == io.EOF:
			return nil
		case errors.As(err, &wrong):
			return c.at(Place{Line: wrong.StartLine}, "%w", wrong.Err)
		case err != nil:
			return fmt.Errorf("%s: %w", c.name, err)
		}
		line, _ := r.FieldPos(0)
		if err := f(fields, Place{Line: line}); err != nil {
			return err
		}
	}
}

// plainRows reads rows of one line each. Quotes count only around a whole field,
// where those inside are doubled; captions hold others.
func (c *collector) plainRows(separator rune, f func(fields []string, p Place) error) error {
	columns := 0
	for p, line := range c.lines() {
		if line.err != nil {
			return line.err
		}
		if strings.TrimSpace(line.text) == "" {
			continue
		}
		fields := strings.Split(line.text, string(separator))
		if columns == 0 {
			columns = len(fields)
		}
		if len(fields) != columns {
			return c.at(p, "%d fields, want %d", len(fields), columns)
		}
		for i, field := range fields {
			fields[i] = unquote(strings.TrimSpace(field))
		}
		if err := f(fields, p); err != nil {
			return err
		}
	}
	return nil
}

func unquote(field string) string {
	if len(field) < 2 || field[0] != '"' || field[len(field)-1] != '"' {
		return field
	}
	inner := field[1 : len(field)-1]
	if strings.Contains(strings.ReplaceAll(inner, `""`, ""), `"`) {
		return field
	}
	return strings.ReplaceAll(inner, `""`, `"`)
}

// readTable reads one caption a row, or a caption and references. Without a column
// of images the number of the row is the name.
func readTable(c *collector) error {
	h, _ := headerOf(c.head.first)
	if h.hyp < 0 && len(h.references) == 0 {
		return c.at(Place{Line: 1}, "no column caption in %.80q", c.head.first)
	}
	c.file.ByLine = h.image < 0
	return c.rows(h, func(fields []string, n int, p Place) error {
		e := Entry{Image: strconv.Itoa(n), Place: p}
		if h.image >= 0 {
			e.Image = fields[h.image]
		}
		if h.split >= 0 {
			e.Split = fields[h.split]
		}
		if h.hyp >= 0 {
			e.Captions = []string{fields[h.hyp]}
		}
		if len(h.references) > 0 {
			e.References = []string{}
		}
		for _, i := range h.references {
			if fields[i] != "" {
				e.References = append(e.References, fields[i])
			}
		}
		e.whole = len(h.references) > 1
		return c.add(e)
	})
}
