package results

func matchList(h head) bool { return h.outline["[]{}"] }

// readList reads COCO's format of results, and any list of such objects.
func readList(c *collector) error {
	d := c.document()
	if err := d.array(c.addRecord); err != nil {
		return err
	}
	return d.end()
}
