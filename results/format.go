package results

import (
	"fmt"
	"strings"
)

// A format is one way to write captions down.
type format struct {
	name  string
	about string // for the message that none was recognised
	match func(head) bool
	read  func(*collector) error
}

// formats are asked in this order.
var formats = []format{
	{"coco", `COCO annotations, {"images": [...], "annotations": [{"image_id": 1, "caption": "..."}]}`, matchCOCO, readCOCO},
	{"karpathy", `Karpathy's splits, {"images": [{"filename": "...", "split": "...", "sentences": [{"raw": "..."}]}]}`, matchKarpathy, readKarpathy},
	{"eval", "what showtell eval --json prints", matchEval, readEval},
	{"lists", `lists in the same order, {"images": [...], "hyp": [...], "refs": [[...]]}`, matchLists, readLists},
	{"jsonl", `JSON lines, {"image": "...", "caption": "..."} or with a list "captions"`, matchJSONL, readJSONL},
	{"dictionary", `{"image": ["caption", ...]}`, matchDictionary, readDictionary},
	{"list", `COCO results, [{"image_id": 1, "caption": "..."}]`, matchList, readList},
	{"flickr", "image#number, tab, caption (Flickr8k.token.txt)", matchFlickr, readFlickr},
	{"table", "CSV or TSV with columns image and caption, or caption_1, caption_2, ...", matchTable, readTable},
	{"text", "plain text, one caption a line", matchText, readText},
}

// Formats lists the names of the formats.
func Formats() []string {
	names := make([]string, len(formats))
	for i, f := range formats {
		names[i] = f.name
	}
	return names
}

// recognise finds the format of a file by its beginning.
func recognise(h head) (format, error) {
	if strings.TrimSpace(h.text) == "" {
		return format{}, fmt.Errorf("the file is empty")
	}
	for _, f := range formats {
		if f.match(h) {
			return f, nil
		}
	}
	var about strings.Builder
	for _, f := range formats {
		fmt.Fprintf(&about, "\n  %-10s  %s", f.name, f.about)
	}
	return format{}, fmt.Errorf("none of the formats that can be read:%s", about.String())
}
