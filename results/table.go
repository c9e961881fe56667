package results

import (
	"encoding/csv"
	"path"
	"slices"
	"strconv"
	"strings"
)

// separators are tried in this order on the first line.
const separators = "\t,;|"

// A header tells where the columns of a table are; -1 is nowhere.
type header struct {
	separator         rune
	image, hyp, split int
	references        []int
	none              bool // the first line is a row already: image, caption
}

func matchTable(h head) bool {
	_, ok := headerOf(h.first)
	return ok
}

// headerOf understands the first line of a table.
func headerOf(line string) (header, bool) {
	for _, sep := range separators {
		names := lower(split(line, sep))
		h := header{separator: sep, image: column(names, imageNames), hyp: column(names, hypNames), split: column(names, splitNames)}
		for i, name := range names {
			if numbered.MatchString(name) || slices.Contains(referenceNames, name) {
				h.references = append(h.references, i)
			}
		}
		if h.hyp >= 0 && (len(names) > 1 || names[0] == "caption") || len(h.references) > 0 && len(names) > 1 {
			return h, true
		}
	}
	for _, sep := range separators {
		if names := lower(split(line, sep)); len(names) > 1 && isPicture(names[0]) {
			return header{separator: sep, hyp: 1, split: -1, none: true}, true
		}
	}
	return header{}, false
}

// split is the fields of a first line.
func split(line string, sep rune) []string {
	r := csv.NewReader(strings.NewReader(line))
	r.Comma, r.LazyQuotes = sep, true
	names, err := r.Read()
	if err != nil {
		return []string{""}
	}
	for i := range names {
		names[i] = strings.TrimSpace(names[i])
	}
	return names
}

func lower(names []string) []string {
	list := make([]string, len(names))
	for i, name := range names {
		list[i] = strings.ToLower(name)
	}
	return list
}

func column(names, wanted []string) int {
	for _, name := range wanted {
		if i := slices.Index(names, name); i >= 0 {
			return i
		}
	}
	return -1
}

func isPicture(name string) bool {
	return slices.Contains([]string{".jpg", ".jpeg", ".png", ".gif", ".webp", ".bmp", ".tif", ".tiff"}, path.Ext(name))
}

// readTable reads one caption a row, or a caption and references. Without a column
// of images the number of the row is the name.
func readTable(c *collector) error {
	h, _ := headerOf(c.head.first)
	if h.hyp < 0 && len(h.references) == 0 {
		return c.at(Place{Line: 1}, "no column caption in %.80q", c.head.first)
	}
	c.file.ByLine = h.image < 0
	var number []byte
	references := []string{}
	return c.rows(h, func(fields [][]byte, n int, p Place) error {
		f := finding{place: p, whole: len(h.references) > 1}
		if h.image >= 0 {
			f.image = fields[h.image]
		} else {
			number = strconv.AppendInt(number[:0], int64(n), 10)
			f.image = number
		}
		if h.split >= 0 {
			f.split = fields[h.split]
		}
		if h.hyp >= 0 {
			f.captions = c.one(fields[h.hyp])
		}
		if len(h.references) > 0 {
			references = references[:0]
			for _, i := range h.references {
				if len(fields[i]) > 0 {
					references = append(references, c.copy(fields[i]))
				}
			}
			f.references = references
		}
		return c.add(f)
	})
}
