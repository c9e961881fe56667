package results

import (
	"encoding/json"
	"path"
)

func matchKarpathy(h head) bool { return h.outline["images[].sentences"] }

// readKarpathy reads the splits of Karpathy and Fei-Fei (2015). An image goes by
// the name of its file; the numbers of COCO are other names.
func readKarpathy(c *collector) error {
	return c.arrays(map[string]func(json.RawMessage, Place) error{"images": func(raw json.RawMessage, p Place) error {
		var image struct {
			Filename  string
			Filepath  string
			COCO      json.RawMessage `json:"cocoid"`
			Split     string
			Sentences []struct {
				Raw    *string
				Tokens []string
			}
		}
		if err := json.Unmarshal(raw, &image); err != nil {
			return c.at(p, "an image: %w", err)
		}
		e := Entry{Image: image.Filename, Split: image.Split, Place: p, whole: true}
		for _, s := range image.Sentences {
			if s.Raw == nil {
				return c.at(p, "image %s: a sentence without its raw text", image.Filename)
			}
			e.References = append(e.References, *s.Raw)
		}
		if image.Filepath != "" {
			c.file.also[path.Join(image.Filepath, image.Filename)] = image.Filename
		}
		if image.COCO != nil {
			id, err := nameOf(image.COCO)
			if err != nil {
				return c.at(p, "cocoid: %w", err)
			}
			c.file.also[id] = image.Filename
		}
		return c.add(e)
	}})
}
