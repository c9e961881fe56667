package results

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// A document reads JSON piece by piece and knows in which line it is.
type document struct {
	*json.Decoder
	name  string
	lines *lineCounter
}

func (c *collector) document() *document {
	lines := &lineCounter{r: c.text, line: 1}
	return &document{json.NewDecoder(lines), c.name, lines}
}

// wrong is an error at the end of what was read.
func (d *document) wrong(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = errors.New("the text ends too early")
	}
	return fmt.Errorf("%s:%d: %w", d.name, d.lines.at(d.InputOffset()), err)
}

// value reads the next value and the line where it begins.
func (d *document) value() (json.RawMessage, int, error) {
	var raw json.RawMessage
	if err := d.Decode(&raw); err != nil {
		return nil, 0, d.wrong(err)
	}
	line := d.lines.at(d.InputOffset() - int64(len(raw)))
	if !utf8.Valid(raw) {
		return nil, 0, fmt.Errorf("%s:%d: not UTF-8", d.name, line)
	}
	return raw, line, nil
}

// object calls f for every key of an object; f must read the value.
func (d *document) object(f func(key string) error) error {
	return d.within('{', func() error {
		t, err := d.Token()
		if err != nil {
			return d.wrong(err)
		}
		key, _ := t.(string)
		return f(key)
	})
}

// array calls f for every element, numbered from 1, of an array.
func (d *document) array(f func(raw json.RawMessage, p Place) error) error {
	n := 0
	return d.within('[', func() error {
		n++
		raw, line, err := d.value()
		if err != nil {
			return err
		}
		return f(raw, Place{line, n})
	})
}

func (d *document) within(opening json.Delim, f func() error) error {
	t, err := d.Token()
	if err != nil {
		return d.wrong(err)
	}
	if t != opening {
		return d.wrong(fmt.Errorf("found %v, want %v", t, opening))
	}
	for d.More() {
		if err := f(); err != nil {
			return err
		}
	}
	if _, err := d.Token(); err != nil {
		return d.wrong(err)
	}
	return nil
}

// skip reads over a value.
func (d *document) skip() error {
	_, _, err := d.value()
	return err
}

// end wants nothing more.
func (d *document) end() error {
	if _, err := d.Token(); err == nil {
		return d.wrong(errors.New("more text after the end of the JSON"))
	} else if err != io.EOF {
		return d.wrong(err)
	}
	return nil
}

// arrays reads an object, of which it hands the elements of some arrays over.
func (c *collector) arrays(wanted map[string]func(raw json.RawMessage, p Place) error) error {
	d := c.document()
	err := d.object(func(key string) error {
		if f := wanted[key]; f != nil {
			return d.array(f)
		}
		return d.skip()
	})
	if err != nil {
		return err
	}
	return d.end()
}

// An outline is the keys that JSON begins with, each with the keys around it:
// "images[].sentences" is true if elements of images have sentences.
type outline map[string]bool

// deepest is how many keys and arrays may stand around a key of an outline.
const deepest = 5

// outlineOf makes the outline of the first value of a text, which may be cut off.
func outlineOf(text string) outline {
	o := outline{}
	if start := strings.TrimLeft(text, " \t\r\n"); strings.HasPrefix(start, "{") || strings.HasPrefix(start, "[") {
		o.walk(json.NewDecoder(strings.NewReader(text)), "", 0)
	}
	return o
}

// walk adds a value; false at the end of what can be read.
func (o outline) walk(d *json.Decoder, path string, depth int) bool {
	t, err := d.Token()
	if err != nil || depth > deepest {
		return false
	}
	switch t {
	case json.Delim('{'):
		o[path+"{}"] = true
		for d.More() {
			key, err := d.Token()
			if err != nil {
				return false
			}
			inner := strings.TrimPrefix(fmt.Sprint(path, ".", key), ".")
			o[inner] = true
			if !o.walk(d, inner, depth+1) {
				return false
			}
		}
	case json.Delim('['):
		o[path+"[]"] = true
		for d.More() {
			if !o.walk(d, path+"[]", depth+1) {
				return false
			}
		}
	default:
		return true
	}
	_, err = d.Token()
	return err == nil
}

// any tells if the outline has one of some keys at a path.
func (o outline) any(path string, keys []string) bool {
	for _, key := range keys {
		if o[path+key] {
			return true
		}
	}
	return false
}
