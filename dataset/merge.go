package dataset

import (
	"cmp"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"golang.org/x/text/unicode/norm"
)

// A merger brings captions, pictures and splits together by the picture's name.
type merger struct {
	pictures *pictures
	set      *Set
	items    map[string]int  // by path: index into set.Items
	where    []string        // of each item: the line that gave it its split
	lost     map[string]int  // by name: captions without a picture
	bad      map[string]bool // names that are reported already
}

// merge makes the set. split tells if the data set has splits of its own, be
// it that no picture is in one.
func merge(format string, text *gathered, lists []*gathered, p *pictures) (set *Set, split bool) {
	m := &merger{
		pictures: p,
		set:      &Set{Format: format, Problems: text.problems},
		items:    map[string]int{},
		lost:     map[string]int{},
		bad:      map[string]bool{},
	}
	column := false
	for _, r := range text.rows {
		m.caption(r, text)
		column = column || r.split != ""
	}
	for i, p := range m.set.Problems {
		if p.Kind == NoPicture {
			m.set.Problems[i].Err = fmt.Errorf("captions: %d", m.lost[p.Name])
		}
	}
	for _, list := range lists {
		if column {
			break // the column has the say
		}
		m.set.Problems = append(m.set.Problems, list.problems...)
		for _, r := range list.rows {
			m.listed(r, list)
		}
	}
	m.uncaptioned()
	return m.set, column || len(lists) > 0
}

// resolve finds the file of a picture's name, and gives the name one spelling.
// Where there is no one file, kind is that of the problem.
func (m *merger) resolve(name string) (tidy, file, kind string, err error) {
	if tidy, err = tidyName(name); err != nil {
		return name, "", BadName, err
	}
	file, kind, err = m.pictures.file(tidy)
	return tidy, file, kind, err
}

// once notes a problem of a name, unless the name has one already.
func (m *merger) once(kind, name, where string, err error) {
	if !m.bad[name] {
		m.bad[name] = true
		m.problem(kind, name, where, err)
	}
}

func (m *merger) problem(kind, name, where string, err error) {
	m.set.Problems = append(m.set.Problems, Problem{kind, name, where, err})
}

// caption adds a row to its picture.
func (m *merger) caption(r row, g *gathered) {
	name, file, kind, err := m.resolve(r.name)
	if kind == NoPicture {
		m.lost[name]++
	}
	if kind != "" {
		m.once(kind, name, g.at(r.line), err)
		return
	}
	i, ok := m.items[file]
	if !ok {
		i = len(m.set.Items)
		m.items[file] = i
		m.set.Items = append(m.set.Items, Item{Name: name, Path: file})
		m.where = append(m.where, "")
	}
	item := &m.set.Items[i]
	if slices.Contains(item.Captions, r.caption) {
		m.problem(Duplicate, name, g.at(r.line), fmt.Errorf("%.80q", r.caption))
	}
	item.Captions = append(item.Captions, r.caption)
	if r.split != "" {
		m.split(i, r, g)
	}
}

// listed puts the picture of a row of a list into the split of that list.
func (m *merger) listed(r row, g *gathered) {
	name, file, kind, err := m.resolve(r.name)
	if i, ok := m.items[file]; ok && kind == "" {
		m.split(i, r, g)
		return
	}
	if kind == "" || kind == NoPicture {
		kind = NotHere
	}
	m.once(kind, name, g.at(r.line), err)
}

// split puts item i into a split. A picture in two splits is kept for
// measuring, not for training.
func (m *merger) split(i int, r row, g *gathered) {
	item, where := &m.set.Items[i], g.at(r.line)
	name, ok := splitName(r.split)
	if !ok {
		m.problem(BadSplit, item.Name, where, fmt.Errorf("split %.40q, want train, dev or test", r.split))
		return
	}
	if item.Split != "" && item.Split != name {
		first, keep := item.Split, honest(item.Split, name)
		m.problem(TwoSplits, item.Name, where, fmt.Errorf("%s, but %s at %s; counted as %s", name, first, m.where[i], keep))
		name = keep
	}
	item.Split, m.where[i] = name, cmp.Or(m.where[i], where)
}

// honest is the split that a picture in two must be in for honest scores.
func honest(a, b string) string {
	order := []string{"train", "dev", "test"}
	return order[max(slices.Index(order, a), slices.Index(order, b))]
}

// uncaptioned notes the pictures that no caption names.
func (m *merger) uncaptioned() {
	for _, file := range m.pictures.files {
		if _, ok := m.items[file]; !ok {
			m.problem(NoCaption, norm.NFC.String(filepath.Base(file)), "", nil)
		}
	}
}

// nothing is the error for a set whose captions and pictures don't meet.
func (s *Set) nothing(src *source, p *pictures) error {
	for _, problem := range s.Problems {
		if problem.Kind != NoCaption {
			return fmt.Errorf("%s: no caption names one of the %d pictures in %s; the first, %v", src.captions, len(p.files), src.images[0], problem)
		}
	}
	return errors.New("no pictures with captions")
}
