package dataset

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"
)

// A format is one way to write captions down.
type format struct {
	name  string
	about string // what a file of it is, for the message that none was found

	// match reports whether a file is of this format, by its name and the
	// beginning of its text (4 KB at most; empty for an empty file).
	match func(base, head string) bool

	// read hands every caption to text, and every line that holds none.
	read func(text *gathered, r io.Reader) error
}

// formats are asked in this order.
var formats = []format{
	{"flickr", "Flickr8k.token.txt (as published: name.jpg#0, tab, caption)", matchFlickr, readFlickr},
	{"kaggle", "captions.txt with the first line image,caption (as on Kaggle)", matchKaggle, readTable},
	{"csv", "one .csv file with the columns image and caption", matchTable(".csv"), readTable},
	{"tsv", "one .tsv file with the columns image and caption", matchTable(".tsv", ".tab"), readTable},
	{"jsonl", `one .jsonl file with lines like {"image": "a.jpg", "caption": "a dog"}`, matchJSONL, readJSONL},
}

// Formats are the names that Options.Format may have.
func Formats() []string {
	names := make([]string, len(formats))
	for i, f := range formats {
		names[i] = f.name
	}
	return names
}

func formatNamed(name string) (format, error) {
	for _, f := range formats {
		if f.name == name {
			return f, nil
		}
	}
	return format{}, fmt.Errorf("no format %q; there are %s", name, strings.Join(Formats(), ", "))
}

func hasExt(base string, exts ...string) bool {
	for _, ext := range exts {
		if strings.EqualFold(filepath.Ext(base), ext) {
			return true
		}
	}
	return false
}
