// Package dataset reads pictures and their captions, and tells what is wrong with them.
//
// Call Open with a folder or a file of captions; the format is recognised by
// the files. Everything that can't be used is a Problem of the Set, with its
// name and place; an error means that there is no data set at all.
package dataset

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"io"
	"slices"
	"strings"
)

// An Item is a picture with its captions.
type Item struct {
	Name     string   // as the captions name it: "1000268201_693b08cb0e.jpg", "a/b.png"
	Path     string   // where the file is
	Captions []string // as written, in the order of the file, at least one
	Split    string   // "train", "dev", "test"; "" where the data set leaves it out of all three
}

// A Set is what Open has read. It doesn't change by its methods, so it is safe to share.
type Set struct {
	Format   string // "flickr", "kaggle", "csv", "tsv", "jsonl"
	Items    []Item // in the order of the captions
	Problems []Problem
}

// Options say where things are and how to look. The zero value is the default.
type Options struct {
	Images   string // folder of the pictures; default: looked for beside the captions
	Captions string // file of the captions; default: looked for
	Format   string // one of Formats(); default: recognised
	Seed     uint64 // of the splits, where the data set has none; default 0

	// CheckImages decodes every picture, to find the broken ones, which are
	// left out, and the identical ones.
	CheckImages bool
	// Progress, if set, is told how many pictures have been read. Calls don't overlap.
	Progress func(done, total int)
}

// Open reads a data set from a folder or a file of captions.
//
// Captions and pictures are merged by the picture's name, compared in NFC.
// The splits are those of a split column or of lists such as
// Flickr_8k.trainImages.txt; where there is neither, see assign in split.go:
// every picture is then read once, to keep identical ones on one side.
func Open(ctx context.Context, dir string, opts *Options) (*Set, error) {
	if opts == nil {
		opts = &Options{}
	}
	src, err := find(dir, opts)
	if err != nil {
		return nil, err
	}
	text := &gathered{file: src.captions, where: src.short(src.captions)}
	if err := readText(text, src.captions, src.format.read); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := text.check(); err != nil {
		return nil, err
	}
	lists, err := readLists(src)
	if err != nil {
		return nil, err
	}
	pictures, err := src.pictures()
	if err != nil {
		return nil, err
	}
	set, split := merge(src.format.name, text, lists, pictures)
	if len(set.Items) == 0 {
		return nil, set.nothing(src, pictures)
	}
	if err := set.look(ctx, opts, split); err != nil {
		return nil, err
	}
	return set, nil
}

// Split returns the items of "train", "dev" or "test", or with "" those of no split.
func (s *Set) Split(name string) []Item {
	var items []Item
	for _, item := range s.Items {
		if item.Split == name {
			items = append(items, item)
		}
	}
	return items
}

// Fingerprint is a hash of the names, captions and splits. Where the files
// lie, their content and the order of the pictures make no difference.
func (s *Set) Fingerprint() string {
	items := slices.Clone(s.Items)
	slices.SortFunc(items, func(a, b Item) int { return strings.Compare(a.Name, b.Name) })
	h := sha256.New()
	for _, item := range items {
		hashString(h, item.Name)
		hashString(h, item.Split)
		binary.Write(h, binary.LittleEndian, uint64(len(item.Captions)))
		for _, c := range item.Captions {
			hashString(h, c)
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}

// hashString writes the length too: "ab", "c" is not "a", "bc".
func hashString(h hash.Hash, s string) {
	binary.Write(h, binary.LittleEndian, uint64(len(s)))
	io.WriteString(h, s)
}
