package meteor

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/kljensen/snowball/english"
)

// A prefix is a word that may keep its dot inside a sentence.
type prefix int

const (
	never prefix = iota
	always
	beforeNumber
)

// New reads the data, files as package meteordata has them. Files that are not
// there are left out and listed by Missing, all of them where data is nil; a file
// that is damaged is an error.
func New(data fs.FS) (*Meteor, error) {
	m := &Meteor{function: map[string]bool{}, prefixes: map[string]prefix{}}
	for _, part := range []struct {
		name, file string
		read       func([]byte) error
	}{
		{"paraphrases", "paraphrase-en.pack", m.readParaphrases},
		{"synonyms", "synonyms.txt.gz", m.readSynonyms},
		{"function words", "function.txt", m.readFunction},
		{"abbreviations", "prefixes.txt", m.readPrefixes},
	} {
		text, err := []byte(nil), fs.ErrNotExist
		if data != nil {
			text, err = fs.ReadFile(data, part.file)
		}
		if errors.Is(err, fs.ErrNotExist) {
			m.missing = append(m.missing, part.name)
			continue
		}
		if err == nil {
			err = part.read(text)
		}
		if err != nil {
			return nil, fmt.Errorf("METEOR data %s: %w", part.file, err)
		}
	}
	return m, nil
}

func (m *Meteor) readFunction(text []byte) error {
	for word := range strings.FieldsSeq(string(text)) {
		m.function[word] = true
	}
	return nil
}

func (m *Meteor) readPrefixes(text []byte) error {
	n := 0
	for line := range strings.Lines(string(text)) {
		n++
		switch fields := strings.Fields(line); {
		case len(fields) == 1:
			m.prefixes[fields[0]] = always
		case len(fields) == 2 && fields[1] == "number":
			m.prefixes[fields[0]] = beforeNumber
		default:
			return fmt.Errorf("line %d: %q, want a word and perhaps \"number\"", n, strings.TrimSpace(line))
		}
	}
	return nil
}

// readSynonyms reads lines of a word and its synsets and, behind an empty line,
// lines of an irregular form and its base.
func (m *Meteor) readSynonyms(packed []byte) error {
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return err
	}
	m.senses, m.bases = map[string][]int32{}, map[string][]string{}
	lines := bufio.NewScanner(z)
	n := 0
	for lines.Scan() && lines.Text() != "" {
		n++
		word, rest, _ := strings.Cut(lines.Text(), " ")
		var ids []int32
		for field := range strings.FieldsSeq(rest) {
			id, err := strconv.ParseInt(field, 10, 32)
			if err != nil {
				return fmt.Errorf("line %d: %w", n, err)
			}
			ids = append(ids, int32(id))
		}
		m.senses[word] = ids
	}
	for lines.Scan() {
		form, base, _ := strings.Cut(lines.Text(), " ")
		m.bases[form] = append(m.bases[form], base)
	}
	return lines.Err()
}

// look finds out what decides about matches of words.
func (m *Meteor) look(vocabulary []string) []word {
	stems := map[string]int32{}
	words := make([]word, len(vocabulary))
	for i, w := range vocabulary {
		root := english.Stem(w, true)
		id, ok := stems[root]
		if !ok {
			id = int32(len(stems))
			stems[root] = id
		}
		words[i] = word{stem: id, senses: m.sensesOf(w), function: m.function[w]}
	}
	return words
}

// endings of words, and what stands there in the base, as WordNet has them.
var endings = [][2]string{
	{"s", ""}, {"ses", "s"}, {"xes", "x"}, {"zes", "z"}, {"ches", "ch"}, {"shes", "sh"}, {"men", "man"}, {"ies", "y"},
	{"es", "e"}, {"es", ""}, {"ed", "e"}, {"ed", ""}, {"ing", "e"}, {"ing", ""}, {"er", ""}, {"est", ""}, {"er", "e"}, {"est", "e"},
}

// sensesOf returns the synsets of a word and of its base, ascending.
func (m *Meteor) sensesOf(w string) []int32 {
	senses := slices.Clone(m.senses[w])
	if bases := m.bases[w]; bases != nil {
		for _, base := range bases {
			senses = append(senses, m.senses[base]...)
		}
	} else if !strings.HasSuffix(w, "ss") && utf8.RuneCountInString(w) > 2 {
		for _, ending := range endings {
			if root, ok := strings.CutSuffix(w, ending[0]); ok && m.senses[root+ending[1]] != nil {
				senses = append(senses, m.senses[root+ending[1]]...)
				break
			}
		}
	}
	slices.Sort(senses)
	return slices.Compact(senses)
}
