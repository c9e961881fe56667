package results

import "strconv"

func matchCOCO(h head) bool {
	return h.outline["annotations"] || h.outline["images[].id"] && !h.outline["images[].sentences"]
}

// readCOCO reads annotations, which belong together by image_id. The names of
// files are other names of the images.
func readCOCO(c *collector) error {
	seen := annotationIDs{map[int64]Place{}, map[string]Place{}}
	return c.arrays(map[string]reader{
		"images": func(raw []byte, p Place) error {
			var v [2][]byte
			if err := c.objectOf(raw, []string{"id", "file_name"}, v[:]); err != nil {
				return c.at(p, "an image: %w", err)
			}
			if v[0] == nil || v[1] == nil {
				return nil
			}
			if v[1][0] != '"' {
				return c.at(p, "an image: %q: want a text, found %.40s", "file_name", v[1])
			}
			id, err := nameOf(&c.scratch, v[0])
			if err != nil {
				return c.at(p, "an image: %w", err)
			}
			c.alias(textOf(&c.scratch, v[1]), id)
			return nil
		},
		"annotations": func(raw []byte, p Place) error {
			var v [1][]byte
			if err := c.objectOf(raw, []string{"id"}, v[:]); err == nil && v[0] != nil {
				if old, again := seen.add(v[0], p); again {
					return c.at(p, "annotation %s stands already in %s", v[0], old)
				}
			}
			return c.addRecord(raw, p)
		},
	})
}

// annotationIDs are the raw ids of annotations and where they stand. Nearly all are
// whole numbers.
type annotationIDs struct {
	numbers map[int64]Place
	others  map[string]Place
}

// add adds an id, unless it is there already.
func (ids annotationIDs) add(id []byte, p Place) (old Place, again bool) {
	n, err := strconv.ParseInt(string(id), 10, 64)
	if err != nil || id[0] == '-' {
		if old, again = ids.others[string(id)]; !again {
			ids.others[string(id)] = p
		}
		return old, again
	}
	if old, again = ids.numbers[n]; !again {
		ids.numbers[n] = p
	}
	return old, again
}
