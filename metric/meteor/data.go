package meteor

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
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
// that is damaged is an error. Of the paraphrases it reads the index only: Score
// reads what it needs of the rest, so data has to stay.
func New(data fs.FS) (*Meteor, error) {
	m := &Meteor{function: map[string]bool{}, prefixes: map[string]prefix{}}
	for _, part := range []struct {
		name, file string
		read       func(data fs.FS, file string) error
	}{
		{"paraphrases", "paraphrase-en.pack", m.readParaphrases},
		{"synonyms", "synonyms.txt.zst", m.readSynonyms},
		{"function words", "function.txt", m.readFunction},
		{"abbreviations", "prefixes.txt", m.readPrefixes},
	} {
		err := fs.ErrNotExist
		if data != nil {
			err = part.read(data, part.file)
		}
		if errors.Is(err, fs.ErrNotExist) {
			m.missing = append(m.missing, part.name)
		} else if err != nil {
			return nil, fmt.Errorf("METEOR data %s: %w", part.file, err)
		}
	}
	return m, nil
}

func (m *Meteor) readParaphrases(data fs.FS, file string) error {
	t, err := readTable(data, file)
	if err == nil {
		m.paraphrases = t
	}
	return err
}

func (m *Meteor) readSynonyms(data fs.FS, file string) error {
	packed, err := fs.ReadFile(data, file)
	if err == nil {
		m.thesaurus, err = readThesaurus(packed)
	}
	return err
}

func (m *Meteor) readFunction(data fs.FS, file string) error {
	text, err := fs.ReadFile(data, file)
	for word := range strings.FieldsSeq(string(text)) {
		m.function[word] = true
	}
	return err
}

func (m *Meteor) readPrefixes(data fs.FS, file string) error {
	text, err := fs.ReadFile(data, file)
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
	return err
}
