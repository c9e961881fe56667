package results

import "encoding/json"

func matchCOCO(h head) bool {
	return h.outline["annotations"] || h.outline["images[].id"] && !h.outline["images[].sentences"]
}

// readCOCO reads annotations, which belong together by image_id. The names of
// files are other names of the images.
func readCOCO(c *collector) error {
	annotations := map[string]Place{}
	return c.arrays(map[string]func(json.RawMessage, Place) error{
		"images": func(raw json.RawMessage, p Place) error {
			var image struct {
				ID   json.RawMessage
				File string `json:"file_name"`
			}
			if err := json.Unmarshal(raw, &image); err != nil {
				return c.at(p, "an image: %w", err)
			}
			if image.ID == nil || image.File == "" {
				return nil
			}
			id, err := nameOf(image.ID)
			if err != nil {
				return c.at(p, "an image: %w", err)
			}
			c.file.also[image.File] = id
			return nil
		},
		"annotations": func(raw json.RawMessage, p Place) error {
			var annotation struct{ ID json.RawMessage }
			if json.Unmarshal(raw, &annotation) == nil && annotation.ID != nil {
				id := string(annotation.ID)
				if old, again := annotations[id]; again {
					return c.at(p, "annotation %s stands already in %s", id, old)
				}
				annotations[id] = p
			}
			return c.addRecord(raw, p)
		},
	})
}
