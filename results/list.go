package results

func matchList(h head) bool { return h.outline["[]{}"] }

// readList reads COCO's format of results, and any list of such objects.
func readList(c *collector) error {
	t := c.json()
	if err := c.array(t, c.addRecord); err != nil {
		return err
	}
	return t.finish()
}
