package results

import (
	"fmt"
	"path"
)

func matchKarpathy(h head) bool { return h.outline["images[].sentences"] }

// karpathyKeys are the keys of an image that count.
var karpathyKeys = []string{"filename", "filepath", "cocoid", "split", "sentences"}

// readKarpathy reads the splits of Karpathy and Fei-Fei (2015). An image goes by
// the name of its file; the numbers of COCO are other names.
func readKarpathy(c *collector) error {
	return c.arrays(map[string]reader{"images": func(raw []byte, p Place) error {
		var v [5][]byte
		if err := c.objectOf(raw, karpathyKeys, v[:]); err != nil {
			return c.at(p, "an image: %w", err)
		}
		name, folder, id, split := v[0], v[1], v[2], v[3]
		for i, value := range v[:4] {
			if i != 2 && value != nil && value[0] != '"' {
				return c.at(p, "an image: %q: want a text, found %.40s", karpathyKeys[i], value)
			}
		}
		scratch := &c.scratch
		f := finding{image: unquoted(scratch, name), split: unquoted(scratch, split), whole: true, place: p}
		var err error
		if f.references, err = c.sentences(v[4]); err != nil {
			return c.at(p, "image %s: %w", f.image, err)
		}
		if folder != nil {
			c.alias([]byte(path.Join(string(unquoted(scratch, folder)), string(f.image))), f.image)
		}
		if id != nil {
			id, err := nameOf(scratch, id)
			if err != nil {
				return c.at(p, "cocoid: %w", err)
			}
			c.alias(id, f.image)
		}
		return c.add(f)
	}})
}

// sentences are the raw texts of an image.
func (c *collector) sentences(raw []byte) ([]string, error) {
	texts := c.record.references[:0]
	if raw == nil {
		return nil, nil
	}
	if raw[0] != '[' {
		return nil, fmt.Errorf("sentences: want a list, found %.40s", raw)
	}
	for sentence := range elements(raw) {
		var v [1][]byte
		if err := c.objectOf(sentence, []string{"raw"}, v[:]); err != nil {
			return nil, err
		}
		if v[0] == nil {
			return nil, fmt.Errorf("a sentence without its raw text")
		}
		if v[0][0] != '"' {
			return nil, fmt.Errorf("a sentence: %q: want a text, found %.40s", "raw", v[0])
		}
		texts = append(texts, c.keep(v[0]))
	}
	c.record.references = texts
	return texts, nil
}
