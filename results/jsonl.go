package results

func matchJSONL(h head) bool {
	return h.outline.any("", imageNames) &&
		(h.outline.any("", hypNames) || h.outline.any("", referenceNames) || h.outline["error"])
}

// readJSONL reads one object after the other, whatever space stands between them.
func readJSONL(c *collector) error {
	t := c.json()
	each := func(f func() error) error {
		for {
			if _, ok := t.next(); !ok {
				return t.finish()
			}
			if err := f(); err != nil {
				return err
			}
		}
	}
	return c.ahead(t, each, func(raw []byte, p Place) error { return c.addRecord(raw, Place{Line: p.Line}) })
}
