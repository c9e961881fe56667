package results

import (
	"strconv"
	"strings"
)

// matchText takes what looks neither like JSON nor like the bytes of a picture.
func matchText(h head) bool {
	start := strings.TrimSpace(h.text)
	return !strings.HasPrefix(start, "{") && !strings.HasPrefix(start, "[") && !strings.Contains(h.text, "\x00")
}

// readText reads one caption a line; an empty line is an empty caption.
func readText(c *collector) error {
	c.file.ByLine = true
	for p, line := range c.lines() {
		if line.err != nil {
			return line.err
		}
		if err := c.add(Entry{Image: strconv.Itoa(p.Line), Captions: []string{line.text}, Place: p}); err != nil {
			return err
		}
	}
	return nil
}
