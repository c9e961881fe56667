package dataset

import (
	"errors"
	"io"
	"regexp"
	"strings"
)

// The captions of Flickr8k and Flickr30k as published (Hodosh et al. 2013):
// the picture's name, # and a number, a tab, the caption.
var flickrLine = regexp.MustCompile(`^[^\t#]+#[0-9]+\t`)

func matchFlickr(base, head string) bool {
	base = strings.ToLower(base)
	if strings.Contains(base, "lemma") { // the same captions with their words in base form
		return false
	}
	return flickrLine.MatchString(head) || strings.HasSuffix(base, ".token.txt") || strings.HasSuffix(base, ".token")
}

func readFlickr(text *gathered, r io.Reader) error {
	for n, line := range text.lines(r) {
		id, caption, ok := strings.Cut(line, "\t")
		if !ok {
			text.bad(n, "", errors.New("no tab after the picture's name"))
			continue
		}
		name := id
		if i := strings.LastIndexByte(id, '#'); i >= 0 {
			name = id[:i]
		}
		text.add(row{line: n, name: name, caption: caption})
	}
	return nil
}
