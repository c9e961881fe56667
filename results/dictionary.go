package results

// matchDictionary takes any object that no other format wants.
func matchDictionary(h head) bool { return h.outline["{}"] }

// readDictionary reads the captions of each image under its name, as the Python
// code of the metrics has them in memory.
func readDictionary(c *collector) error {
	t := c.json()
	var captions []string
	err := t.object(func(image []byte) error {
		raw, line, err := c.value(t)
		if err != nil {
			return err
		}
		f := finding{image: image, place: Place{Line: line}, whole: true}
		if captions, _, err = c.captionsOf(raw, captions[:0]); err != nil {
			return c.at(f.place, "%q: %w", image, err)
		}
		f.captions = captions
		return c.add(f)
	})
	if err != nil {
		return err
	}
	return t.finish()
}
