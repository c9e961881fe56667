package meteor

import (
	"strings"
	"unicode/utf8"
)

// split returns the words that METEOR sees in a text: its normaliser (option -norm) separates
// punctuation, splits at dashes and apostrophes, and lowers all letters.
func (m *Meteor) split(text string) []string {
	if plain(text) {
		return strings.Fields(text)
	}
	line := " " + strings.TrimFunc(strings.ToValidUTF8(text, "\uFFFD"), control) + " "
	line = separateSigns(line)
	line = holdDots(line)
	for _, p := range commas {
		line = p.over(line)
	}
	for _, r := range quotesAndDashes {
		line = r.Replace(line)
	}
	for _, p := range dashAndApostrophes {
		line = p.over(line)
	}
	line = strings.Join(m.splitDots(strings.FieldsFunc(line, space)), " ")
	line = lower(strings.ReplaceAll(line, dot, "."))
	return strings.FieldsFunc(strings.TrimFunc(line, control), blank)
}

// plain says if a text is small letters, digits and blanks, which split only
// separates.
func plain(text string) bool {
	for i := range len(text) {
		if c := text[i]; c != ' ' && (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}

// dot stands for each dot of a run of several, which is a word of its own. As in
// the official program, text that holds the name means a dot.
const dot = "DOTMULTI"

func control(r rune) bool { return r <= ' ' }
func space(r rune) bool   { return r == ' ' || '\t' <= r && r <= '\r' }

// blank are the characters between words in the end.
func blank(r rune) bool {
	switch r {
	case ' ', '\t', '\n', '\f', '\r', 0xA0, 0x202F, 0x205F, 0x3000:
		return true
	}
	return 0x2000 <= r && r <= 0x200A
}

func digit(r rune) bool        { return '0' <= r && r <= '9' }
func alphanumeric(r rune) bool { return letter(r) || digit(r) }

func letter(r rune) bool {
	if r < utf8.RuneSelf {
		return 'a' <= r|0x20 && r|0x20 <= 'z'
	}
	for _, x := range letters {
		if x[0] <= r && r <= x[1] {
			return true
		}
	}
	return false
}

// letters beyond A to Z, as ranges.
var letters = [][2]rune{
	{'Š', 'Š'}, {'Ž', 'Ž'}, {'š', 'š'}, {'ž', 'ž'}, {'Ÿ', 'Ÿ'}, {0xC0, 0xD6}, {0xD8, 0xF6}, {0xF8, 0x17E},
	{0x400, 0x527}, {0xA640, 0xA66E}, {0xA67E, 0xA697}, {0x1D00, 0x1D7F},
}

// separateSigns puts blanks around most of what is neither letter nor digit.
func separateSigns(line string) string {
	var b strings.Builder
	b.Grow(len(line) + 8)
	for _, r := range line {
		if alphanumeric(r) || space(r) || strings.ContainsRune(".',-`‘’", r) {
			b.WriteRune(r)
		} else {
			b.WriteString(" " + string(r) + " ")
		}
	}
	return b.String()
}

// holdDots cuts runs of dots off what is around them.
func holdDots(line string) string {
	if !strings.Contains(line, "..") {
		return line
	}
	var b strings.Builder
	for line != "" {
		n := len(line) - len(strings.TrimLeft(line, "."))
		switch {
		case n > 1:
			b.WriteString(" " + strings.Repeat(dot, n) + " ")
		case n == 1:
			b.WriteByte('.')
		default:
			if n = strings.IndexByte(line, '.'); n < 0 {
				n = len(line)
			}
			b.WriteString(line[:n])
		}
		line = line[n:]
	}
	return b.String()
}

// A pass goes over a line once, from the left. A sign that stands between
// characters of two classes is replaced, and the pass goes on behind the three.
type pass struct {
	before func(rune) bool
	sign   byte
	after  func(rune) bool
	with   string
}

var commas = []pass{
	{not(digit), ',', not(digit), " , "},
	{digit, ',', not(digit), " , "},
	{not(digit), ',', digit, " , "},
}

var quotesAndDashes = []*strings.Replacer{
	strings.NewReplacer("`", "'", "‘", "'", "’", "'"),
	strings.NewReplacer("“", ` " `, "”", ` " `, "''", ` " `),
	strings.NewReplacer("–", "-"),
	strings.NewReplacer("--", "-"),
}

var dashAndApostrophes = []pass{
	{func(r rune) bool { return alphanumeric(r) || r == '.' }, '-', alphanumeric, " "},
	{not(letter), '\'', not(letter), " ' "},
	{not(alphanumeric), '\'', letter, " ' "},
	{letter, '\'', not(letter), " ' "},
	{letter, '\'', letter, " '"},
	{digit, '\'', func(r rune) bool { return r == 's' }, " '"},
}

func not(class func(rune) bool) func(rune) bool { return func(r rune) bool { return !class(r) } }

func (p pass) over(line string) string {
	if strings.IndexByte(line, p.sign) < 0 {
		return line
	}
	var b strings.Builder
	from := 0 // what is before has been written
	for at := 0; at < len(line); at++ {
		if line[at] != p.sign || at == from {
			continue
		}
		before, _ := utf8.DecodeLastRuneInString(line[from:at])
		after, size := utf8.DecodeRuneInString(line[at+1:])
		if size > 0 && p.before(before) && p.after(after) {
			b.WriteString(line[from:at])
			b.WriteString(p.with)
			from = at + 1 + size
			b.WriteString(line[at+1 : from])
			at = from - 1
		}
	}
	return b.String() + line[from:]
}

// splitDots makes a word of the full stop that ends a sentence, and takes the dots
// out of abbreviations.
func (m *Meteor) splitDots(words []string) []string {
	var out []string
	for i, word := range words {
		rest, ok := strings.CutSuffix(word, ".")
		next := ""
		if i+1 < len(words) {
			next = words[i+1]
		}
		switch {
		case !ok || rest == "":
			out = append(out, word)
		case strings.Contains(rest, ".") && strings.ContainsFunc(rest, letter):
			out = append(out, strings.ReplaceAll(word, ".", ""))
		case m.prefixes[rest] == always, next != "" && 'a' <= next[0] && next[0] <= 'z',
			m.prefixes[rest] == beforeNumber && next != "" && digit(rune(next[0])):
			out = append(out, word)
		default:
			out = append(out, rest, ".")
		}
	}
	return out
}

// lower is Java's toLowerCase, for which the dotted capital I is two characters.
func lower(line string) string {
	return strings.ToLower(strings.ReplaceAll(line, "\u0130", "i\u0307"))
}
