package results

import "bytes"

func matchFlickr(h head) bool {
	_, _, ok := flickrFields([]byte(h.first))
	return ok
}

// readFlickr reads lines of image#number, tab, caption.
func readFlickr(c *collector) error {
	for p, line := range c.lines() {
		if line.err != nil {
			return line.err
		}
		if len(bytes.TrimSpace(line.text)) == 0 {
			continue
		}
		name, caption, ok := flickrFields(line.text)
		if !ok {
			return c.at(p, "want an image, #, a number, a tab and a caption, found %.80q", line.text)
		}
		if err := c.add(finding{image: name, captions: c.one(caption), place: p}); err != nil {
			return err
		}
	}
	return nil
}

// flickrFields are the image and the caption of a line.
func flickrFields(line []byte) (image, caption []byte, ok bool) {
	name, caption, ok := bytes.Cut(line, []byte{'\t'})
	i := bytes.LastIndexByte(name, '#')
	if !ok || i < 1 || i == len(name)-1 {
		return nil, nil, false
	}
	for _, c := range name[i+1:] {
		if c < '0' || c > '9' {
			return nil, nil, false
		}
	}
	return name[:i], caption, true
}
