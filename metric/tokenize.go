package metric

import (
	"regexp"
	"regexp/syntax"
	"strings"
	"sync"
	"unicode/utf8"
)

// Tokenize returns the words of a caption as the official code has them
// (Stanford's PTBTokenizer 3.4.1, as pycocoevalcap calls it): in lower case, with
// single blanks between them and without punctuation. A line break counts as a
// blank. It is safe for concurrent use.
func Tokenize(caption string) string {
	caption = oneLine(caption)
	if words, ok := easyWords(caption + "\n"); ok {
		return words
	}
	return dropPunctuation(lex(caption, "\n"))
}

// easyWords is what is left of a line, with its end, if that needs no look at the
// rules.
func easyWords(line string) (words string, ok bool) {
	out := make([]byte, 0, 128)
	for len(line) > 1 {
		token, used := easyToken(line)
		switch {
		case used == 0:
			return "", false
		case token != "" && letter(token[0]):
			if len(out) > 0 {
				out = append(out, ' ')
			}
			for i := range len(token) {
				c := token[i]
				if letter(c) {
					c |= 0x20
				}
				out = append(out, c)
			}
		}
		line = line[used:]
	}
	return string(out), true
}

// TokenizeAll tokenises captions as the official code does a batch, where the next
// caption may decide about the end of this one: of "vitamin C." the dot is dropped
// if "The cat" is next, and the last caption lacks a line end. Use it to reproduce
// a published number to the last digit. It works on all cores.
func TokenizeAll(captions []string) []string {
	lines := make([]string, len(captions))
	for i, caption := range captions {
		lines[i] = oneLine(caption)
	}
	words := make([]string, len(lines))
	parallel(len(lines), func(from, end int) {
		for i := from; i < end; i++ {
			words[i] = dropPunctuation(lex(lines[i], following(lines[i+1:])))
		}
	})
	return words
}

// following is as much of the text after a line as a rule may look at: up to a
// line that is not blank.
func following(lines []string) string {
	var b strings.Builder
	for _, line := range lines {
		b.WriteString("\n" + line)
		if strings.TrimSpace(line) != "" {
			b.WriteString("\n")
			break
		}
	}
	return b.String()
}

// lineBreaks are the characters that would end a caption for the official code
// and move all later captions by one.
var lineBreaks = strings.NewReplacer("\n", " ", "\r", " ", "\v", " ", "\f", " ", "\u0085", " ", "\u2028", " ", "\u2029", " ")

func oneLine(caption string) string {
	if plain(caption) {
		return caption
	}
	return strings.ToValidUTF8(lineBreaks.Replace(caption), "\uFFFD")
}

// punctuation tells what coco-caption drops. Bracket names stay: its list has them
// in capitals, and tokens are lower case.
func punctuation(token string) bool {
	switch token {
	case "''", "'", "``", "`", ".", "?", "!", ",", ":", "-", "--", "...", ";":
		return true
	}
	return false
}

// dropPunctuation joins the tokens that count.
func dropPunctuation(tokens []string) string {
	kept := tokens[:0]
	for _, token := range tokens {
		if !punctuation(token) {
			kept = append(kept, token)
		}
	}
	return strings.Join(kept, " ")
}

// lex returns all tokens of a line, in lower case, given what comes after it.
func lex(text, after string) []string {
	end := len(after)
	text += after
	tokens := make([]string, 0, len(text)/4)
	for len(text) > end {
		token, used := easyToken(text)
		if used == 0 {
			token, used = lexer().next(text)
		}
		if token != "" {
			tokens = append(tokens, lower(token))
		}
		text = text[used:]
	}
	return tokens
}

// easyToken returns the first token of a text, or "", and how many bytes it takes,
// where that needs no look at the rules; otherwise 0 bytes. Most of a caption is
// such: words with a blank, a comma or the last dot behind them.
func easyToken(text string) (token string, used int) {
	next := func(n int) byte {
		if n < len(text) {
			return text[n]
		}
		return 0
	}
	n := 0
	switch text[0] {
	case '.':
		if next(1) == '\n' {
			return ".", 1
		}
		return "", 0
	case ',':
		if next(1) == ' ' {
			return ",", 1
		}
		return "", 0
	case ' ':
		for next(n) == ' ' {
			n++
		}
		if '!' <= next(n) && next(n) <= '~' {
			return "", n
		}
		return "", 0
	}
	hyphens := false
	for letter(next(n)) || n > 0 && next(n) == '-' && letter(next(n+1)) {
		hyphens = hyphens || text[n] == '-'
		n++
	}
	if n == 0 || !hyphens && n >= 5 && n <= 6 && splits(text[:n]) {
		return "", 0
	}
	switch next(n) {
	case ' ', '\n':
		return text[:n], n + 1 // and the blank
	case ',':
		if !hyphens && next(n+1) == ' ' {
			return text[:n], n
		}
	case '.':
		if !hyphens && n > 1 && next(n+1) == '\n' && !abbreviations()[strings.ToLower(text[:n])] {
			return text[:n], n
		}
	}
	return "", 0
}

func letter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

// splits tells if a rule makes two tokens of a word.
func splits(word string) bool {
	switch strings.ToLower(word) {
	case "cannot", "gonna", "gotta", "lemme", "gimme", "wanna":
		return true
	}
	return false
}

// abbreviations are the words that may keep a dot, in lower case.
var abbreviations = sync.OnceValue(func() map[string]bool {
	words := map[string]bool{"mtg": true, "mfg": true}
	for _, w := range strings.Fields(abbreviations1 + " " + abbreviations2) {
		words[strings.ToLower(strings.TrimPrefix(w, "^"))] = true
	}
	return words
})

// lower is Java's toLowerCase. Two letters need more than strings.ToLower: the
// dotted capital I becomes two characters, and a capital sigma at the end of a
// word has a form of its own.
func lower(token string) string {
	if plain(token) {
		return strings.ToLower(token)
	}
	token = strings.ReplaceAll(token, "\u0130", "i\u0307")
	if strings.Contains(token, "\u03A3") {
		token = finalSigma(token)
	}
	return strings.ToLower(token)
}

// A compiledRule is a rule ready to match at the beginning of a text.
type compiledRule struct {
	tokenRule
	re    *regexp.Regexp // of the token and what is ahead
	first [utf8.RuneSelf]bool
}

type ruleLexer struct{ rules []compiledRule }

// lexer compiles the rules when they are first wanted.
var lexer = sync.OnceValue(func() *ruleLexer {
	classes, ascii, err := classRanges()
	if err != nil {
		panic(err) // the file is part of the program
	}
	x := &ruleLexer{}
	for _, r := range tokenRules {
		pattern := "^(?:" + expand(r.pattern, classes) + ")"
		if r.ahead != "" {
			pattern = "^(" + expand(r.pattern, classes) + ")(?:" + expand(r.ahead, classes) + ")"
		}
		re := regexp.MustCompile(pattern)
		re.Longest()
		x.rules = append(x.rules, compiledRule{tokenRule: r, re: re, first: firstBytes("^(?:" + expand(r.pattern, ascii) + ")")})
	}
	return x
})

// window is how far rules look at first, in bytes, so that no text makes them slow;
// further only for a token that fills half of it.
const window = 1 << 10

// next returns the first token of a text, "" where there is none, and how many
// bytes were used for it, at least one.
func (x *ruleLexer) next(text string) (token string, used int) {
	if len(text) > window {
		if token, used = x.next(text[:window]); used < window/2 {
			return token, used
		}
	}
	var best *compiledRule
	longest := 0
	for i := range x.rules {
		r := &x.rules[i]
		if text[0] < utf8.RuneSelf && !r.first[text[0]] {
			continue
		}
		if at := r.re.FindStringIndex(text); at != nil && at[1] > longest {
			best, longest = r, at[1]
		}
	}
	if best == nil {
		_, n := utf8.DecodeRuneInString(text)
		return "", n
	}
	used = longest
	if best.ahead != "" {
		used = best.re.FindStringSubmatchIndex(text)[3]
	}
	token = text[:used]
	if best.token != nil {
		token = best.token(token)
	}
	return token, used - best.back
}

// firstBytes tells which ASCII characters a pattern may begin with.
func firstBytes(pattern string) (first [utf8.RuneSelf]bool) {
	parsed, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		panic(err)
	}
	prog, err := syntax.Compile(parsed.Simplify())
	if err != nil {
		panic(err)
	}
	seen := make([]bool, len(prog.Inst))
	var walk func(pc uint32)
	walk = func(pc uint32) {
		if seen[pc] {
			return
		}
		seen[pc] = true
		switch in := &prog.Inst[pc]; in.Op {
		case syntax.InstAlt, syntax.InstAltMatch:
			walk(in.Out)
			walk(in.Arg)
		case syntax.InstCapture, syntax.InstEmptyWidth, syntax.InstNop:
			walk(in.Out)
		case syntax.InstRune, syntax.InstRune1, syntax.InstRuneAny, syntax.InstRuneAnyNotNL:
			for c := range first {
				first[c] = first[c] || in.MatchRune(rune(c))
			}
		}
	}
	walk(uint32(prog.Start))
	return first
}
