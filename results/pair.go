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
	all := newFile()
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
		for k, name := range f.also.names {
			all.also.set(name, f.also.images[k])
		}
	}
	all.Name = strings.Join(names, ", ")
	all.merge(files)
	return all, nil
}

// merge gives an empty file the entries of others.
func (f *File) merge(files []*File) {
	var counts []int // of references, by entry
	total := 0
	for _, other := range files {
		f.Entries = slices.Grow(f.Entries, max(0, len(other.Entries)-len(f.Entries)))
		for _, e := range other.Entries {
			i, again := f.index.add([]byte(e.Image))
			if !again {
				f.Entries, counts = append(f.Entries, e), append(counts, 0)
			}
			counts[i] += len(e.References)
			total += len(e.References)
		}
	}
	texts := make([]string, total)
	for i, n := range counts {
		f.Entries[i].References, texts = texts[:0:n], texts[n:]
	}
	for _, other := range files {
		for _, e := range other.Entries {
			i, _ := f.entry(e.Image)
			f.Entries[i].References = append(f.Entries[i].References, e.References...)
		}
	}
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
	part := newFile()
	part.Name, part.Format, part.ByLine, part.Skipped, part.also = f.Name, f.Format, f.ByLine, f.Skipped, f.also
	for _, e := range f.Entries {
		if slices.Contains(splits, e.Split) {
			part.index.add([]byte(e.Image))
			part.Entries = append(part.Entries, e)
		}
	}
	return part
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
	places := make([][]int32, len(systems)) // by system and entry of the references: entry of the system, plus 1
	for k, s := range systems {
		found, some := p.places(refs, s)
		if !some {
			return nil, fmt.Errorf("no image is in both %s (%s, ...) and %s (%s, ...)", s.Name, s.Entries[0].Image, refs.Name, refs.Entries[0].Image)
		}
		places[k] = found
	}
	p.collect(refs, systems, places)
	if len(p.Images) == 0 {
		return nil, fmt.Errorf("no image of %s is in all files of captions", refs.Name)
	}
	return p, nil
}

// places finds the entries of a system among the references, and notes those that
// are in one file only. some is false if there are no others.
func (p *Pairs) places(refs, system *File) (found []int32, some bool) {
	found, alone := places(refs, system, func(image string) (int, bool) {
		if i, ok := refs.entry(image); ok {
			return i, true
		}
		return refs.entry(refs.also.of(image))
	})
	if len(alone) == len(system.Entries) {
		if short, ok := baseNames(refs); ok {
			found, alone = places(refs, system, func(image string) (int, bool) { return short.find([]byte(base(image))) })
			p.BaseNames = p.BaseNames || len(alone) < len(system.Entries)
		}
	}
	if len(alone) > 0 {
		p.Unmatched = append(p.Unmatched, Unmatched{system.Name, refs.Name, "captions", alone})
	}
	var others []string
	for i, e := range refs.Entries {
		if found[i] == 0 {
			others = append(others, e.Image)
		}
	}
	if len(others) > 0 {
		p.Unmatched = append(p.Unmatched, Unmatched{refs.Name, system.Name, "references", others})
	}
	return found, len(alone) < len(system.Entries)
}

// places finds entries; alone are the images that look does not find, or found for
// an image before.
func places(refs, system *File, look func(image string) (int, bool)) (found []int32, alone []string) {
	found = make([]int32, len(refs.Entries))
	for k, e := range system.Entries {
		i, ok := look(e.Image)
		if !ok || found[i] > 0 {
			alone = append(alone, e.Image)
			continue
		}
		found[i] = int32(k + 1)
	}
	return found, alone
}

// base is a name without its folder, of Unix or Windows.
func base(image string) string { return path.Base(strings.ReplaceAll(image, `\`, "/")) }

// baseNames are the entries by names without folders; false if two are the same.
func baseNames(f *File) (*index, bool) {
	names := newIndex(func(i int) string { return base(f.Entries[i].Image) })
	for _, e := range f.Entries {
		if _, again := names.add([]byte(base(e.Image))); again {
			return nil, false
		}
	}
	return names, true
}

// collect takes the images that have a place everywhere, in the order of the first
// system.
func (p *Pairs) collect(refs *File, systems []*File, places [][]int32) {
	at := make([]int32, len(systems[0].Entries)) // entry of references, plus 1
	n := 0
	for i, k := range places[0] {
		everywhere := k > 0
		for _, found := range places[1:] {
			everywhere = everywhere && found[i] > 0
		}
		if everywhere {
			at[k-1] = int32(i + 1)
			n++
		}
	}
	p.Images, p.References = make([]string, 0, n), make([][]string, 0, n)
	for s := range systems {
		p.Captions[s] = make([][]string, 0, n)
	}
	for k, e := range systems[0].Entries {
		i := at[k] - 1
		if i < 0 {
			continue
		}
		p.Images = append(p.Images, e.Image)
		p.References = append(p.References, refs.Entries[i].References)
		for s := range systems {
			p.Captions[s] = append(p.Captions[s], systems[s].Entries[places[s][i]-1].Captions)
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
