package results

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// Merge puts files of references together. Files without names of images must
// have the same number of lines.
func Merge(files ...*File) (*File, error) {
	if len(files) == 1 {
		return files[0], nil
	}
	all := &File{also: map[string]string{}, index: map[string]int{}}
	var names []string
	for i, f := range files {
		if err := alike(files[0], f); err != nil {
			return nil, err
		}
		all.Format, all.ByLine = f.Format, f.ByLine
		all.Skipped = append(all.Skipped, f.Skipped...)
		if names = append(names, f.Name); slices.Contains(names[:i], f.Name) {
			return nil, fmt.Errorf("%s is named twice", f.Name)
		}
		for name, image := range f.also {
			all.also[name] = image
		}
		for _, e := range f.Entries {
			k, ok := all.index[e.Image]
			if !ok {
				all.index[e.Image] = len(all.Entries)
				all.Entries = append(all.Entries, e)
				continue
			}
			all.Entries[k].References = slices.Concat(all.Entries[k].References, e.References)
		}
	}
	all.Name = strings.Join(names, ", ")
	return all, nil
}

// alike is an error if one of two files names its images and the other does not,
// or if neither does and one is longer.
func alike(a, b *File) error {
	switch {
	case a.ByLine && !b.ByLine:
		return fmt.Errorf("%s has no names of images, which %s has; they cannot be put together", a.Name, b.Name)
	case b.ByLine && !a.ByLine:
		return alike(b, a)
	case a.ByLine && len(a.Entries) != len(b.Entries):
		return fmt.Errorf("%s has %d lines of captions, but %s has %d", a.Name, len(a.Entries), b.Name, len(b.Entries))
	}
	return nil
}

// Splits lists the splits that a file tells of.
func (f *File) Splits() []string {
	var names []string
	for _, e := range f.Entries {
		if e.Split != "" && !slices.Contains(names, e.Split) {
			names = append(names, e.Split)
		}
	}
	return names
}

// Of is the part of a file in some splits.
func (f *File) Of(splits ...string) *File {
	part := *f
	part.Entries, part.index = nil, map[string]int{}
	for _, e := range f.Entries {
		if slices.Contains(splits, e.Split) {
			part.index[e.Image] = len(part.Entries)
			part.Entries = append(part.Entries, e)
		}
	}
	return &part
}

// Pairs are images with what systems and people say of them, in the order of the
// first system's file.
type Pairs struct {
	Images     []string
	Captions   [][][]string // by system and image, the best first
	References [][]string   // by image

	Unmatched []Unmatched
	BaseNames bool // folders in names were left out, since nothing matched with them
}

// An Unmatched is images of a file that are not in another, so that they are not
// scored.
type Unmatched struct {
	File    string   `json:"file"`
	Missing string   `json:"not_in"` // the other file
	What    string   `json:"what"`   // that they have in File: "captions" or "references"
	Images  []string `json:"images"`
}

// String tells how many images there are, and the first five.
func (u Unmatched) String() string {
	few, more := u.Images, ""
	if len(few) > 5 {
		few, more = few[:5], ", ..."
	}
	images := "images"
	if len(u.Images) == 1 {
		images = "image"
	}
	return fmt.Sprintf("%d %s with %s in %s, but not in %s: %s%s", len(u.Images), images, u.What, u.File, u.Missing, strings.Join(few, ", "), more)
}

// Pair finds the references of the images of one or more systems; only images of
// all systems stay. References may be nil if the only system's file has them too.
// Names are compared as they stand, or by the other names that COCO's and
// Karpathy's files have; if none is the same, without their folders. No image in
// common is an error.
func Pair(refs *File, systems ...*File) (*Pairs, error) {
	if refs == nil {
		return within(systems)
	}
	p := &Pairs{Captions: make([][][]string, len(systems))}
	for _, s := range systems {
		if err := alike(s, refs); err != nil {
			return nil, err
		}
	}
	places := make([]map[int]int, len(systems)) // entry of references to entry of a system
	for k, s := range systems {
		places[k] = p.places(refs, s)
		if len(places[k]) == 0 {
			return nil, fmt.Errorf("no image is in both %s (%s, ...) and %s (%s, ...)", s.Name, s.Entries[0].Image, refs.Name, refs.Entries[0].Image)
		}
	}
	p.collect(refs, systems, places)
	if len(p.Images) == 0 {
		return nil, fmt.Errorf("no image of %s is in all files of captions", refs.Name)
	}
	return p, nil
}

// places finds the entries of a system among the references, and notes those that
// are in one file only.
func (p *Pairs) places(refs, system *File) map[int]int {
	found, alone := places(system, func(image string) (int, bool) {
		if i, ok := refs.index[image]; ok {
			return i, true
		}
		i, ok := refs.index[refs.also[image]]
		return i, ok
	})
	if len(found) == 0 {
		if short, ok := baseNames(refs); ok {
			found, alone = places(system, func(image string) (int, bool) {
				i, ok := short[base(image)]
				return i, ok
			})
			p.BaseNames = p.BaseNames || len(found) > 0
		}
	}
	if len(alone) > 0 {
		p.Unmatched = append(p.Unmatched, Unmatched{system.Name, refs.Name, "captions", alone})
	}
	var others []string
	for i, e := range refs.Entries {
		if _, ok := found[i]; !ok {
			others = append(others, e.Image)
		}
	}
	if len(others) > 0 {
		p.Unmatched = append(p.Unmatched, Unmatched{refs.Name, system.Name, "references", others})
	}
	return found
}

// places finds entries; alone are the images that look does not find, or found for
// an image before.
func places(system *File, look func(image string) (int, bool)) (found map[int]int, alone []string) {
	found = map[int]int{}
	for k, e := range system.Entries {
		i, ok := look(e.Image)
		if _, again := found[i]; !ok || again {
			alone = append(alone, e.Image)
			continue
		}
		found[i] = k
	}
	return found, alone
}

// base is a name without its folder, of Unix or Windows.
func base(image string) string { return path.Base(strings.ReplaceAll(image, `\`, "/")) }

// baseNames are the entries by names without folders; false if two are the same.
func baseNames(f *File) (map[string]int, bool) {
	names := make(map[string]int, len(f.Entries))
	for i, e := range f.Entries {
		name := base(e.Image)
		if _, again := names[name]; again {
			return nil, false
		}
		names[name] = i
	}
	return names, true
}

func (p *Pairs) collect(refs *File, systems []*File, places []map[int]int) {
	at := make([]int, len(systems[0].Entries)) // entry of references, plus 1
	for i, k := range places[0] {
		at[k] = i + 1
	}
	for k, e := range systems[0].Entries {
		i := at[k] - 1
		everywhere := i >= 0
		for _, found := range places[1:] {
			_, ok := found[i]
			everywhere = everywhere && ok
		}
		if !everywhere {
			continue
		}
		p.Images = append(p.Images, e.Image)
		p.References = append(p.References, refs.Entries[i].References)
		for s := range systems {
			p.Captions[s] = append(p.Captions[s], systems[s].Entries[places[s][i]].Captions)
		}
	}
}

// within pairs captions with the references in the same file.
func within(systems []*File) (*Pairs, error) {
	p := &Pairs{Captions: make([][][]string, 1)}
	f := systems[0]
	var alone []string
	for _, e := range f.Entries {
		if len(e.References) == 0 {
			alone = append(alone, e.Image)
			continue
		}
		p.Images = append(p.Images, e.Image)
		p.References = append(p.References, e.References)
		p.Captions[0] = append(p.Captions[0], e.Captions)
	}
	if len(p.Images) == 0 || len(systems) > 1 {
		return nil, fmt.Errorf("%s: no references; name a file of them", f.Name)
	}
	if len(alone) > 0 {
		p.Unmatched = append(p.Unmatched, Unmatched{f.Name, "the references there", "captions", alone})
	}
	return p, nil
}
