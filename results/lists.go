package results

import (
	"encoding/json"
	"fmt"
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

// readLists reads lists of names, candidates and references, in any order.
func readLists(c *collector) error {
	var images, hyps, refs []json.RawMessage
	var places []Place
	d := c.document()
	into := func(list *[]json.RawMessage) error {
		places = places[:0]
		return d.array(func(raw json.RawMessage, p Place) error {
			*list, places = append(*list, raw), append(places, p)
			return nil
		})
	}
	lists := map[string]*[]json.RawMessage{"images": &images}
	for _, name := range hypNames {
		lists[name] = &hyps
	}
	for _, name := range referenceNames {
		lists[name] = &refs
	}
	err := d.object(func(key string) error {
		if list := lists[key]; list != nil {
			if *list != nil {
				return d.wrong(fmt.Errorf("%q: a second list of its kind", key))
			}
			return into(list)
		}
		return d.skip()
	})
	if err != nil {
		return err
	}
	if err := d.end(); err != nil {
		return err
	}
	return c.addLists(images, hyps, refs, places)
}

func (c *collector) addLists(images, hyps, refs []json.RawMessage, places []Place) error {
	n := max(len(hyps), len(refs))
	for name, list := range map[string][]json.RawMessage{"images": images, "captions": hyps, "references": refs} {
		if list != nil && len(list) != n {
			return fmt.Errorf("%s: the list of %s has %d elements, another %d", c.name, name, len(list), n)
		}
	}
	c.file.ByLine = images == nil
	for i := range n {
		e := Entry{Image: fmt.Sprint(i + 1), Place: places[i], whole: true}
		var err error
		if images != nil {
			if e.Image, err = nameOf(images[i]); err != nil {
				return c.at(e.Place, "%w", err)
			}
		}
		if hyps != nil {
			if e.Captions, _, err = captionsOf(hyps[i]); err != nil {
				return c.at(e.Place, "%w", err)
			}
		}
		if refs != nil {
			if e.References, _, err = captionsOf(refs[i]); err != nil {
				return c.at(e.Place, "%w", err)
			}
		}
		if err := c.add(e); err != nil {
			return err
		}
	}
	return nil
}
