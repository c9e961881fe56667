package dataset

import "strings"

// matchKaggle knows Flickr8k as on Kaggle: captions.txt is a table with the
// columns image and caption. Some of its captions hold commas or quotes that
// are not quoted; see splitRecord.
func matchKaggle(base, head string) bool {
	if !strings.EqualFold(base, "captions.txt") {
		return false
	}
	if head == "" {
		return true
	}
	first, _, _ := strings.Cut(head, "\n")
	_, ok := headerOf(strings.TrimRight(first, "\r"))
	return ok
}
