package wording

import (
	"bufio"
	_ "embed"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"

	"showtell/text"
)

//go:embed neutral.txt
var neutralText string

//go:embed looks.txt
var looksText string

// Neutral is the table of words for people that do not tell their sex.
var Neutral = sync.OnceValue(func() *Table { return must("neutral.txt", neutralText) })

// Looks is the table of slurs and of needless remarks on looks and origin.
var Looks = sync.OnceValue(func() *Table { return must("looks.txt", looksText) })

// Tables are the texts of the tables that come with the program, to be edited.
func Tables() map[string]string {
	return map[string]string{"neutral": neutralText, "looks": looksText}
}

func must(name, text string) *Table {
	t, err := ReadTable(name, strings.NewReader(text))
	if err != nil {
		panic(err) // a programmer's mistake, which a test finds
	}
	return t
}

// end is how a rule writes the end of a caption.
const end = "."

// maxPhrases bounds what the alternatives of one line may come to.
const maxPhrases = 20_000

// A Table says which phrases to put for which. It is safe for concurrent use.
type Table struct {
	phrases map[string]phrase // by words with one blank between them
	longest int               // words of the longest phrase
}

// A phrase is what to put, and the line of the table that says so.
type phrase struct {
	to   []string
	line int
}

// ReadTable reads the lines of a table, as neutral.txt explains them. Errors name
// the file, as name says, and the line.
func ReadTable(name string, r io.Reader) (*Table, error) {
	t := &Table{phrases: map[string]phrase{}}
	lines := bufio.NewScanner(r)
	n := 0
	for lines.Scan() {
		n++
		rule := strings.TrimSpace(lines.Text())
		if rule == "" || rule[0] == '#' {
			continue
		}
		if err := t.add(rule, n); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, n, err)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%s:%d: %w", name, n+1, err)
	}
	if len(t.phrases) == 0 {
		return nil, fmt.Errorf("%s: no line says PHRASE = PHRASE (for an example: showtell wording neutral)", name)
	}
	return t, nil
}

// add expands the alternatives of a rule.
func (t *Table) add(rule string, line int) error {
	left, right, found := strings.Cut(rule, "=")
	from, to := strings.Fields(strings.ToLower(left)), strings.Fields(strings.ToLower(right))
	if !found || len(from) == 0 {
		return fmt.Errorf("%.80q: want PHRASE = PHRASE", rule)
	}
	count := 1
	alternatives := make([][]string, len(from))
	for i, words := range from {
		alternatives[i] = strings.Split(words, "|")
		for _, w := range alternatives[i] {
			if w == "" || w == end && (i == 0 || i < len(from)-1) {
				return fmt.Errorf("%.80q: an empty alternative, or an end of the caption in its middle", rule)
			}
		}
		if count *= len(alternatives[i]); count > maxPhrases {
			return fmt.Errorf("%.80q: more than %d phrases", rule, maxPhrases)
		}
	}
	for _, w := range to {
		if k, ok := reference(w); ok && (k < 1 || k > len(from)) {
			return fmt.Errorf("%.80q: no word %s to the left", rule, w)
		}
	}
	t.longest = max(t.longest, len(from))
	for i := range count {
		words := make([]string, len(from))
		for k := len(from) - 1; k >= 0; k-- {
			words[k] = alternatives[k][i%len(alternatives[k])]
			i /= len(alternatives[k])
		}
		key := strings.Join(words, " ")
		if old, again := t.phrases[key]; again {
			return fmt.Errorf("%q stands already in line %d", key, old.line)
		}
		t.phrases[key] = phrase{fill(to, words), line}
	}
	return nil
}

// reference is the k of a word $k.
func reference(word string) (k int, ok bool) {
	if len(word) < 2 || word[0] != '$' {
		return 0, false
	}
	for _, c := range word[1:] {
		if c < '0' || c > '9' || k > 1000 {
			return 0, false
		}
		k = 10*k + int(c-'0')
	}
	return k, true
}

// fill puts the words of the left where the right refers to them.
func fill(to, words []string) []string {
	filled := make([]string, len(to))
	for i, w := range to {
		filled[i] = w
		if k, ok := reference(w); ok {
			filled[i] = words[k-1]
		}
	}
	return filled
}

// A Change is a phrase of a caption that a table changed.
type Change struct {
	From, To string
	Line     int // of the table
}

// Apply returns the words with the table's phrases in place of theirs, and what it
// changed. From left to right, the longest phrase that fits counts; what was put is
// not looked at again.
func (t *Table) Apply(words []string) (out []string, changes []Change) {
	out = make([]string, 0, len(words))
	changed := false // what the next word comes to stand behind
	for i := 0; i < len(words); {
		put, n := words[i:i+1], 1
		if p, long := t.match(words[i:]); long > 0 {
			put, n, changed = p.to, long, true
			changes = append(changes, Change{strings.Join(words[i:i+n], " "), strings.Join(p.to, " "), p.line})
		}
		i += n
		if len(put) == 0 {
			continue
		}
		if at := len(out) - 1; changed && at >= 0 && (out[at] == "a" || out[at] == "an") {
			out[at] = article(put[0])
		}
		out, changed = append(out, put...), false
	}
	return out, changes
}

// Tidy applies the table to a caption as somebody wrote it, until nothing changes or
// four times. A caption that it does not change stays as it is; one that it does is
// cleaned, and put as a sentence.
func (t *Table) Tidy(caption string) (tidied string, changes []Change) {
	words := text.Words(caption)
	for range 4 {
		out, more := t.Apply(words)
		if len(more) == 0 {
			break
		}
		words, changes = out, append(changes, more...)
	}
	if len(changes) == 0 {
		return caption, nil
	}
	return text.Sentence(strings.Join(words, " ")), changes
}

// match is the longest phrase at the start of words, and how many of them it
// takes; 0 where none fits.
func (t *Table) match(words []string) (p phrase, n int) {
	for n := min(t.longest, len(words)); n > 0; n-- {
		key := strings.Join(words[:n], " ")
		if n == len(words) {
			if p, ok := t.phrases[key+" "+end]; ok {
				return p, n
			}
		}
		if p, ok := t.phrases[key]; ok {
			return p, n
		}
	}
	return phrase{}, 0
}

// article is "an" before a word that is spoken with a vowel first, as far as its
// letters tell.
func article(word string) string {
	starts := func(some ...string) bool {
		return slices.ContainsFunc(some, func(s string) bool { return strings.HasPrefix(word, s) })
	}
	switch {
	case starts("unic", "unif", "union", "uniq", "unit", "univ", "use", "one", "once", "eu", "ukulele", "utensil"): // you, one
		return "a"
	case starts("hour", "honest", "honor", "heir", "a", "e", "i", "o", "u"):
		return "an"
	}
	return "a"
}
