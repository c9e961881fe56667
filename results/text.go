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
	var number []byte
	for p, line := range c.lines() {
		if line.err != nil {
			return line.err
		}
		number = strconv.AppendInt(number[:0], int64(p.Line), 10)
		if err := c.add(finding{image: number, captions: c.one(line.text), place: p}); err != nil {
			return err
		}
	}
	return nil
}
