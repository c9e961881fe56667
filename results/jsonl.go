package results

func matchJSONL(h head) bool {
	return h.outline.any("", imageNames) &&
		(h.outline.any("", hypNames) || h.outline.any("", referenceNames) || h.outline["error"])
}

// readJSONL reads one object after the other, whatever space stands between them.
func readJSONL(c *collector) error {
	t := c.json()
	for {
		if _, ok := t.next(); !ok {
			return t.finish()
		}
		raw, line, err := c.value(t)
		if err != nil {
			return err
		}
		if err := c.addRecord(raw, Place{Line: line}); err != nil {
			return err
		}
	}
}
