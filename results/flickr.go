package results

import (
	"regexp"
	"strings"
)

var flickrLine = regexp.MustCompile(`^[^\t]+#[0-9]+\t`)

func matchFlickr(h head) bool { return flickrLine.MatchString(h.first) }

// readFlickr reads lines of image#number, tab, caption.
func readFlickr(c *collector) error {
	for p, line := range c.lines() {
		if line.err != nil {
			return line.err
		}
		if strings.TrimSpace(line.text) == "" {
			continue
		}
		if !flickrLine.MatchString(line.text) {
			return c.at(p, "want an image, #, a number, a tab and a caption, found %.80q", line.text)
		}
		name, caption, _ := strings.Cut(line.text, "\t")
		image := name[:strings.LastIndexByte(name, '#')]
		if err := c.add(Entry{Image: image, Captions: []string{caption}, Place: p}); err != nil {
			return err
		}
	}
	return nil
}
