package dataset

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// splitName gives a split its name here, if it is one.
func splitName(s string) (name string, ok bool) {
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "train", "training":
		return "train", true
	case "dev", "val", "valid", "validation":
		return "dev", true
	case "test":
		return "test", true
	}
	return "", false
}

// A list names the pictures of one split, one on a line.
var listName = regexp.MustCompile(`(?i)(?:^|[._-])(train|training|dev|val|valid|validation|test)_?images\.txt$`)

// readLists reads the lists of splits beside the captions: Flickr_8k.trainImages.txt
// and its like. Each row has the split of its list.
func readLists(src *source) ([]*gathered, error) {
	var lists []*gathered
	for _, path := range src.texts {
		m := listName.FindStringSubmatch(filepath.Base(path))
		if m == nil || path == src.captions {
			continue
		}
		g := &gathered{file: path, where: src.short(path)}
		err := readText(g, path, func(g *gathered, r io.Reader) error {
			for n, line := range g.lines(r) {
				g.rows = append(g.rows, row{line: n, name: strings.TrimSpace(line), split: m[1]})
			}
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("list of a split: %w", err)
		}
		lists = append(lists, g)
	}
	return lists, nil
}

// assign splits a set that has no splits: one picture in ten for test, one in
// ten for dev, and the rest for train (80/10/10, as is usual for sets of some
// thousand pictures); with three pictures or more each has at least one.
//
// It orders pictures by a hash of the seed and the picture's content and cuts
// there. So the names and the order of files make no difference, copies of
// a picture stay on one side, and a few more pictures move few others.
func assign(items []Item, digests [][32]byte, seed uint64) {
	type group struct{ key, digest [32]byte }
	var groups []group
	splits := map[[32]byte]string{}
	for _, d := range digests {
		if _, ok := splits[d]; !ok {
			splits[d] = "train"
			groups = append(groups, group{sha256.Sum256(binary.LittleEndian.AppendUint64(d[:len(d):len(d)], seed)), d})
		}
	}
	slices.SortFunc(groups, func(a, b group) int {
		return cmp.Or(bytes.Compare(a.key[:], b.key[:]), bytes.Compare(a.digest[:], b.digest[:]))
	})
	tenth := len(groups) / 10
	if len(groups) >= 3 {
		tenth = max(tenth, 1)
	}
	for i, g := range groups[:2*tenth] {
		splits[g.digest] = []string{"test", "dev"}[i/tenth]
	}
	for i := range items {
		items[i].Split = splits[digests[i]]
	}
}
