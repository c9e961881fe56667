package results

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
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

// errSkipped marks an object that tells an error instead of a caption.
var errSkipped = errors.New("no caption")

// record understands a JSON object that speaks of one image. An image without
// name has Image "".
func record(raw json.RawMessage) (Entry, error) {
	var object map[string]json.RawMessage
	if err := json.Unmarshal(raw, &object); err != nil || object == nil {
		return Entry{}, fmt.Errorf("want an object, found %.40s", raw)
	}
	var e Entry
	var err error
	if key, value, ok := first(object, imageNames); ok {
		if e.Image, err = nameOf(value); err != nil {
			return e, fmt.Errorf("%q: %w", key, err)
		}
	}
	if key, value, ok := first(object, hypNames); ok {
		if e.Captions, e.whole, err = captionsOf(value); err != nil {
			return e, fmt.Errorf("%q: %w", key, err)
		}
	}
	if key, value, ok := first(object, referenceNames); ok {
		var whole bool
		if e.References, whole, err = captionsOf(value); err != nil {
			return e, fmt.Errorf("%q: %w", key, err)
		}
		e.whole = e.whole || whole
	}
	if key, value, ok := first(object, splitNames); ok {
		if json.Unmarshal(value, &e.Split) != nil {
			return e, fmt.Errorf("%q: want a text, found %.40s", key, value)
		}
	}
	if len(e.Captions)+len(e.References) > 0 {
		return e, nil
	}
	if message, ok := object["error"]; ok {
		return e, fmt.Errorf("%w: %.200s", errSkipped, message)
	}
	return e, errors.New(`no caption (want a "caption", "captions" or "references")`)
}

// first is the value of the first of names that an object has.
func first(object map[string]json.RawMessage, names []string) (string, json.RawMessage, bool) {
	for _, name := range names {
		if value, ok := object[name]; ok && string(value) != "null" {
			return name, value, true
		}
	}
	return "", nil, false
}

// nameOf reads a name, which may be a number.
func nameOf(raw json.RawMessage) (string, error) {
	var name string
	if json.Unmarshal(raw, &name) == nil {
		return strings.TrimSpace(name), nil
	}
	var number json.Number
	if json.Unmarshal(raw, &number) == nil {
		return number.String(), nil
	}
	return "", fmt.Errorf("want a text or a number, found %.40s", raw)
}

// captionsOf reads a caption, or a list of them.
func captionsOf(raw json.RawMessage) (captions []string, list bool, err error) {
	var many []json.RawMessage
	if json.Unmarshal(raw, &many) != nil || many == nil {
		one, err := captionOf(raw)
		return []string{one}, false, err
	}
	captions = []string{}
	for _, raw := range many {
		caption, err := captionOf(raw)
		if err != nil {
			return nil, true, err
		}
		captions = append(captions, caption)
	}
	return captions, true, nil
}

// captionOf reads a text, or an object that has one.
func captionOf(raw json.RawMessage) (string, error) {
	var text string
	if string(raw) != "null" && json.Unmarshal(raw, &text) == nil {
		return text, nil
	}
	var object map[string]json.RawMessage
	if json.Unmarshal(raw, &object) == nil {
		if _, value, ok := first(object, []string{"raw", "caption", "text"}); ok && json.Unmarshal(value, &text) == nil {
			return text, nil
		}
	}
	return "", fmt.Errorf("want a caption, found %.40s", raw)
}

// addRecord adds an object that speaks of one image.
func (c *collector) addRecord(raw json.RawMessage, p Place) error {
	e, err := record(raw)
	e.Place = p
	if errors.Is(err, errSkipped) {
		c.file.Skipped = append(c.file.Skipped, c.at(p, "image %s: %w", e.Image, err).Error())
		return nil
	}
	if err != nil {
		return c.at(p, "%w", err)
	}
	return c.add(e)
}
