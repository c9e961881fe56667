package dataset

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
)

// The names that the three columns of a table, or keys of an object, go by.
var (
	imageColumns   = []string{"image", "file", "filename", "file_name", "image_name", "image_id", "image_path", "name", "path"}
	captionColumns = []string{"caption", "captions", "text", "sentence", "comment", "description"}
	splitColumns   = []string{"split", "subset", "set"}
)

// separators are tried in this order on the first line.
const separators = "\t,;|"

// A header tells where the columns of a table are.
type header struct {
	sep                   byte
	columns               int
	image, caption, split int  // split -1: none
	isRow                 bool // the line was not a header but the first row
}

func matchTable(exts ...string) func(base, head string) bool {
	return func(base, head string) bool {
		if !hasExt(base, exts...) {
			return false
		}
		first, _, _ := strings.Cut(head, "\n")
		_, ok := headerOf(strings.TrimRight(first, "\r"))
		return ok || head == ""
	}
}

// headerOf understands the first line of a table: names of columns, or else a
// row of image, caption and perhaps split.
func headerOf(line string) (header, bool) {
	for _, sep := range []byte(separators) {
		fields, _ := splitRecord(line, sep)
		for i := range fields {
			fields[i] = strings.ToLower(strings.TrimSpace(fields[i]))
		}
		h := header{sep, len(fields), column(fields, imageColumns), column(fields, captionColumns), column(fields, splitColumns), false}
		if h.image >= 0 && h.caption >= 0 {
			return h, true
		}
	}
	for _, sep := range []byte(separators) {
		fields, _ := splitRecord(line, sep)
		if len(fields) < 2 || !isPicture(strings.TrimSpace(fields[0])) {
			continue
		}
		h := header{sep: sep, columns: 2, caption: 1, split: -1, isRow: true}
		if _, ok := splitName(fields[len(fields)-1]); ok && len(fields) > 2 {
			h.columns, h.split = 3, 2
		}
		return h, true
	}
	return header{}, false
}

// column is the place of the first of names that is among fields, or -1.
func column(fields, names []string) int {
	for _, name := range names {
		if i := slices.Index(fields, name); i >= 0 {
			return i
		}
	}
	return -1
}

// longestRecord is the most lines that one quoted field may span.
const longestRecord = 20

func readTable(text *gathered, r io.Reader) error {
	var h header
	var open []string // lines of a record whose quoted field hasn't ended
	var first int     // the line of open[0]
	alone := func() {
		for i, line := range open {
			text.record(first+i, line, h)
		}
		open = nil
	}
	for n, line := range text.lines(r) {
		if h.columns == 0 {
			var ok bool
			if h, ok = headerOf(line); !ok {
				return fmt.Errorf("%s:%d: no columns image and caption in the first line %.80q", text.file, n, line)
			}
			if !h.isRow {
				continue
			}
		}
		if open = append(open, line); len(open) == 1 {
			first = n
		}
		whole := strings.Join(open, "\n")
		switch _, state := splitRecord(whole, h.sep); {
		case state == quoteClosed:
			text.record(first, whole, h)
			open = nil
		case state == quoteLoose || len(open) == longestRecord: // that was no opening quote
			alone()
		}
	}
	alone()
	return nil
}

// record adds the row that a line holds. Fields that are too many come from
// separators in a caption that should have been quoted.
func (g *gathered) record(n int, line string, h header) {
	fields, _ := splitRecord(line, h.sep)
	if len(fields) < h.columns {
		if len(fields) <= h.caption || len(fields) <= h.image {
			g.bad(n, "", fmt.Errorf("%d fields, want %d", len(fields), h.columns))
			return
		}
		fields = append(fields, make([]string, h.columns-len(fields))...)
	}
	extra := len(fields) - h.columns
	at := func(column int) string {
		switch {
		case column < 0:
			return ""
		case column > h.caption:
			column += extra
		case column == h.caption:
			return strings.Join(fields[column:column+extra+1], string(h.sep))
		}
		return fields[column]
	}
	g.add(row{line: n, name: at(h.image), caption: at(h.caption), split: at(h.split)})
}

func matchJSONL(base, head string) bool {
	return hasExt(base, ".jsonl", ".ndjson") && (head == "" || strings.HasPrefix(strings.TrimSpace(head), "{"))
}

func readJSONL(text *gathered, r io.Reader) error {
	for n, line := range text.lines(r) {
		var object map[string]json.RawMessage
		if err := json.Unmarshal([]byte(line), &object); err != nil {
			text.bad(n, "", fmt.Errorf("not a JSON object: %w", err))
			continue
		}
		name, err1 := stringsAt(object, imageColumns)
		captions, err2 := stringsAt(object, captionColumns)
		split, err3 := stringsAt(object, splitColumns)
		if err := errors.Join(err1, err2, err3); err != nil {
			text.bad(n, "", err)
			continue
		}
		if len(name) != 1 || len(captions) == 0 || len(split) > 1 {
			text.bad(n, path.Join(name...), errors.New(`want an "image", a "caption" (one or a list) and perhaps a "split"`))
			continue
		}
		for _, c := range captions {
			text.add(row{line: n, name: name[0], caption: c, split: strings.Join(split, "")})
		}
	}
	return nil
}

// stringsAt is the string or strings at the first of keys that the object has.
func stringsAt(object map[string]json.RawMessage, keys []string) ([]string, error) {
	for _, key := range keys {
		raw, ok := object[key]
		if !ok || string(raw) == "null" {
			continue
		}
		var one string
		if json.Unmarshal(raw, &one) == nil {
			return []string{one}, nil
		}
		var many []string
		if err := json.Unmarshal(raw, &many); err != nil {
			return nil, fmt.Errorf("%q is neither a string nor a list of strings", key)
		}
		return many, nil
	}
	return nil, nil
}
