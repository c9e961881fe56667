package results

func matchEval(h head) bool { return h.outline["pictures_per_second"] }

// readEval reads captions and references.
func readEval(c *collector) error {
	return c.arrays(map[string]reader{"items": c.addRecord})
}
