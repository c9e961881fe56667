package results

// matchDictionary takes any object that no other format wants.
func matchDictionary(h head) bool { return h.outline["{}"] }

// readDictionary reads the captions of each image under its name, as the Python
// code of the metrics has them in memory.
func readDictionary(c *collector) error {
	d := c.document()
	err := d.object(func(image string) error {
		raw, line, err := d.value()
		if err != nil {
			return err
		}
		e := Entry{Image: image, Place: Place{Line: line}, whole: true}
		if e.Captions, _, err = captionsOf(raw); err != nil {
			return c.at(e.Place, "%q: %w", image, err)
		}
		return c.add(e)
	})
	if err != nil {
		return err
	}
	return d.end()
}
