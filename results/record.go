package results

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"slices"
)

// The names that columns of a table, or keys of an object, go by; the earlier
// counts. Names of candidates say that references stand beside them.
var (
	imageNames     = []string{"image", "image_id", "file", "filename", "file_name", "image_name", "image_path", "img", "img_id", "name", "path", "id"}
	candidateNames = []string{"caption_predicted", "predicted", "prediction", "hypothesis", "hyp", "candidate", "generated"}
	captionNames   = []string{"caption", "captions", "candidates", "text", "sentence", "comment", "description"}
	referenceNames = []string{"references", "reference", "refs", "ref"}
	splitNames     = []string{"split", "subset", "set"}
)

// numbered are the columns of one reference each: caption_1, ref2.
var numbered = regexp.MustCompile(`^(?:caption|reference|ref)_?[0-9]+$`)

// hypNames are all names that a candidate goes by.
var hypNames = slices.Concat(candidateNames, captionNames)

// fields are the keys of an object that count, and fieldOf tells which is which.
var (
	fields  = slices.Concat(imageNames, hypNames, referenceNames, splitNames, []string{"error"})
	fieldOf = func() map[string]int {
		of := map[string]int{}
		for i, name := range fields {
			of[name] = i
		}
		return of
	}()
)

// The first of fields of each kind.
var (
	firstHyp       = len(imageNames)
	firstReference = firstHyp + len(hypNames)
	firstSplit     = firstReference + len(referenceNames)
	errorField     = firstSplit + len(splitNames)
)

// errSkipped marks an object that tells an error instead of a caption.
var errSkipped = errors.New("no caption")

// A record is memory for what was read of one object, used again for the next.
type record struct {
	values               [][]byte // by field; raw
	captions, references []string
}

// find is the first field from one up to another that has a value, and this.
func (r *record) find(from, to int) (field int, value []byte) {
	i, value := first(r.values[from:to])
	return from + i, value
}

// first is the first of raw values that is one.
func first(values [][]byte) (int, []byte) {
	for i, v := range values {
		if v != nil && string(v) != "null" {
			return i, v
		}
	}
	return 0, nil
}

// addRecord adds a raw object that speaks of one image.
func (c *collector) addRecord(raw []byte, p Place) error {
	f, err := c.understand(raw)
	f.place = p
	if errors.Is(err, errSkipped) {
		c.file.Skipped = append(c.file.Skipped, c.at(p, "image %s: %w", f.image, err).Error())
		return nil
	}
	if err != nil {
		return c.at(p, "%w", err)
	}
	return c.add(f)
}

// understand reads a raw object. An image without name has image nil.
func (c *collector) understand(raw []byte) (f finding, err error) {
	r := &c.record
	if err := c.readFields(raw); err != nil {
		return f, err
	}
	if i, value := r.find(0, firstHyp); value != nil {
		if f.image, err = nameOf(&c.scratch, value); err != nil {
			return f, fmt.Errorf("%q: %w", fields[i], err)
		}
	}
	if i, value := r.find(firstHyp, firstReference); value != nil {
		if f.captions, f.whole, err = c.captionsOf(value, r.captions[:0]); err != nil {
			return f, fmt.Errorf("%q: %w", fields[i], err)
		}
		r.captions = f.captions
	}
	if i, value := r.find(firstReference, firstSplit); value != nil {
		var whole bool
		if f.references, whole, err = c.captionsOf(value, r.references[:0]); err != nil {
			return f, fmt.Errorf("%q: %w", fields[i], err)
		}
		r.references, f.whole = f.references, f.whole || whole
	}
	if i, value := r.find(firstSplit, errorField); value != nil {
		if value[0] != '"' {
			return f, fmt.Errorf("%q: want a text, found %.40s", fields[i], value)
		}
		f.split = textOf(&c.scratch, value)
	}
	if len(f.captions)+len(f.references) > 0 {
		return f, nil
	}
	if message := r.values[errorField]; message != nil {
		return f, fmt.Errorf("%w: %.200s", errSkipped, message)
	}
	return f, errors.New(`no caption (want a "caption", "captions" or "references")`)
}

// readFields finds the values of an object.
func (c *collector) readFields(raw []byte) error {
	r := &c.record
	if raw[0] != '{' {
		return fmt.Errorf("want an object, found %.40s", raw)
	}
	if r.values == nil {
		*r = record{values: make([][]byte, len(fields)), captions: []string{}, references: []string{}}
	}
	clear(r.values)
	for key, value := range members(raw) {
		if i, ok := fieldOf[string(textOf(&c.scratch, key))]; ok {
			r.values[i] = value
		}
	}
	return nil
}

// nameOf reads a name, which may be a number.
func nameOf(scratch *[]byte, raw []byte) ([]byte, error) {
	switch c := raw[0]; {
	case c == '"':
		return bytes.TrimSpace(textOf(scratch, raw)), nil
	case c == '-' || hex(c) >= 0 && c <= '9':
		return raw, nil
	case c == 'n':
		return nil, nil
	}
	return nil, fmt.Errorf("want a text or a number, found %.40s", raw)
}

// captionsOf reads a caption, or a list of them, and appends them to others.
func (c *collector) captionsOf(raw []byte, captions []string) (_ []string, list bool, err error) {
	if raw[0] != '[' {
		caption, err := c.captionOf(raw)
		return append(captions, caption), false, err
	}
	for element := range elements(raw) {
		caption, err := c.captionOf(element)
		if err != nil {
			return nil, true, err
		}
		captions = append(captions, caption)
	}
	return captions, true, nil
}

// textNames are the keys of a caption's text in an object; the earlier counts.
var textNames = []string{"raw", "caption", "text"}

// captionOf reads a text, or an object that has one.
func (c *collector) captionOf(raw []byte) (string, error) {
	text := raw
	if raw[0] == '{' {
		var values [3][]byte
		c.valuesOf(raw, textNames, values[:])
		_, text = first(values[:])
	}
	if text == nil || text[0] != '"' {
		return "", fmt.Errorf("want a caption, found %.40s", raw)
	}
	return c.keep(text), nil
}

// objectOf finds the values of keys in an object, and takes null for none.
func (c *collector) objectOf(raw []byte, keys []string, values [][]byte) error {
	if raw[0] == 'n' {
		raw = []byte("{}")
	}
	if raw[0] != '{' {
		return fmt.Errorf("want an object, found %.40s", raw)
	}
	c.valuesOf(raw, keys, values)
	for i, v := range values {
		if string(v) == "null" {
			values[i] = nil
		}
	}
	return nil
}

// alias notes another name of an image.
func (c *collector) alias(name, image []byte) {
	if c.role == References {
		c.file.also.set(c.copy(name), c.copy(image))
	}
}

// unquoted is what a raw text says, nil if there is none.
func unquoted(scratch *[]byte, raw []byte) []byte {
	if raw == nil {
		return nil
	}
	return textOf(scratch, raw)
}

// valuesOf finds the raw values of keys in an object, nil for those that it has
// not. Of a key that stands twice the last counts.
func (c *collector) valuesOf(raw []byte, keys []string, values [][]byte) {
	clear(values)
	for key, value := range members(raw) {
		if i := slices.Index(keys, string(textOf(&c.scratch, key))); i >= 0 {
			values[i] = value
		}
	}
}

// keep keeps a raw text.
func (c *collector) keep(raw []byte) string {
	return c.copy(textOf(&c.scratch, raw))
}
