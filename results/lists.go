package results

import (
	"fmt"
	"strconv"
)

// matchLists wants lists of names, candidates or references, not what is said of
// one image.
func matchLists(h head) bool {
	return !h.outline.any("", imageNames) &&
		(h.outline["images[]"] && !h.outline["images[]{}"] || h.outline.any("", bracketed(hypNames)) || h.outline.any("", doubled(referenceNames)))
}

func bracketed(names []string) []string {
	list := make([]string, len(names))
	for i, name := range names {
		list[i] = name + "[]"
	}
	return list
}

func doubled(names []string) []string { return bracketed(bracketed(names)) }

// A series is a list of names, candidates or references: the texts of each element.
type series struct {
	name   string
	texts  []string
	ends   []int32 // in texts, of each element
	places []Place
}

func newSeries(name string) *series { return &series{name: name, texts: []string{}} }

// at is the texts of an element.
func (l *series) at(i int) []string {
	start := int32(0)
	if i > 0 {
		start = l.ends[i-1]
	}
	return l.texts[start:l.ends[i]]
}

// readLists reads lists of names, candidates and references, in any order.
func readLists(c *collector) error {
	images, hyps, refs := newSeries("images"), newSeries("captions"), newSeries("references")
	lists := map[string]*series{"images": images}
	for _, name := range hypNames {
		lists[name] = hyps
	}
	for _, name := range referenceNames {
		lists[name] = refs
	}
	t := c.json()
	err := t.object(func(key []byte) error {
		list := lists[string(key)]
		switch {
		case list == nil:
			return t.skip()
		case list.ends != nil:
			return t.wrong("%q: a second list of its kind", key)
		}
		list.ends = []int32{}
		return c.array(t, func(raw []byte, p Place) error { return c.addElement(list, raw, p) })
	})
	if err != nil {
		return err
	}
	if err := t.finish(); err != nil {
		return err
	}
	return c.addLists(images, hyps, refs)
}

// addElement adds an element to a list.
func (c *collector) addElement(list *series, raw []byte, p Place) (err error) {
	if list.name == "images" {
		var name []byte
		name, err = nameOf(&c.scratch, raw)
		list.texts = append(list.texts, c.copy(name))
	} else {
		list.texts, _, err = c.captionsOf(raw, list.texts)
	}
	if err != nil {
		return c.at(p, "%w", err)
	}
	list.ends, list.places = append(list.ends, int32(len(list.texts))), append(list.places, p)
	return nil
}

func (c *collector) addLists(images, hyps, refs *series) error {
	n := max(len(hyps.ends), len(refs.ends))
	places := hyps.places
	for _, list := range []*series{images, hyps, refs} {
		if list.ends != nil && len(list.ends) != n {
			return fmt.Errorf("%s: the list of %s has %d elements, another %d", c.name, list.name, len(list.ends), n)
		}
		if list.ends != nil {
			places = list.places
		}
	}
	c.file.ByLine = images.ends == nil
	var name []byte
	for i := range n {
		f := finding{place: places[i], whole: true}
		if c.file.ByLine {
			name = strconv.AppendInt(name[:0], int64(i+1), 10)
		} else {
			name = append(name[:0], images.at(i)[0]...)
		}
		f.image = name
		if hyps.ends != nil {
			f.captions = hyps.at(i)
		}
		if refs.ends != nil {
			f.references = refs.at(i)
		}
		if err := c.add(f); err != nil {
			return err
		}
	}
	return nil
}
