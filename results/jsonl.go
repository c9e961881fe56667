package results

import "io"

func matchJSONL(h head) bool {
	return h.outline.any("", imageNames) &&
		(h.outline.any("", hypNames) || h.outline.any("", referenceNames) || h.outline["error"])
}

// readJSONL reads one object after the other, whatever stands between them.
func readJSONL(c *collector) error {
	d := c.document()
	for {
		if !d.More() {
			if _, err := d.Token(); err != io.EOF {
				return d.wrong(err)
			}
			return nil
		}
		raw, line, err := d.value()
		if err != nil {
			return err
		}
		if err := c.addRecord(raw, Place{Line: line}); err != nil {
			return err
		}
	}
}
