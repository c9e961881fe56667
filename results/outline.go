package results

import (
	"errors"
	"strings"
)

// An outline is the keys that JSON begins with, each with the keys around it:
// "images[].sentences" is true if elements of images have sentences.
type outline map[string]bool

// deepest is how many keys and arrays may stand around a key of an outline.
const deepest = 5

// many is how many elements of an array make its outline.
const many = 100

var errEnough = errors.New("the outline is known")

// outlineOf makes the outline of the first value of a text, which may be cut off.
func outlineOf(text string) outline {
	o := outline{}
	if start := strings.TrimLeft(text, " \t\r\n"); strings.HasPrefix(start, "{") || strings.HasPrefix(start, "[") {
		o.walk(newJSONText("", strings.NewReader(text)), nil, 0)
	}
	return o
}

// walk adds a value, up to the end of what can be read.
func (o outline) walk(t *jsonText, path []byte, depth int) error {
	c, _ := t.next()
	switch {
	case depth > deepest || c != '{' && c != '[':
		return t.skip()
	case c == '[':
		path = append(path, "[]"...)
		o.add(path)
		n := 0
		return t.elements(func() error {
			if n++; n <= many {
				return o.walk(t, path, depth+1)
			} else if depth == 0 {
				return errEnough
			}
			return t.skip()
		})
	}
	o.add(append(path, "{}"...))
	if len(path) > 0 {
		path = append(path, '.')
	}
	return t.object(func(key []byte) error {
		inner := append(path, key...)
		o.add(inner)
		return o.walk(t, inner, depth+1)
	})
}

func (o outline) add(path []byte) {
	if !o[string(path)] {
		o[string(path)] = true
	}
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
