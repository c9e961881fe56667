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
	return dropPunctuation(lex(lineBreaks.Replace(caption), "\n"))
}

// TokenizeAll tokenises captions as the official code does a batch, where the next
// caption may decide about the end of this one: of "vitamin C." the dot is dropped
// if "The cat" is next, and the last caption lacks a line end. Use it to reproduce
// a published number to the last digit. It works on all cores.
func TokenizeAll(captions []string) []string {
	lines := make([]string, len(captions))
	for i, caption := range captions {
		lines[i] = lineBreaks.Replace(caption)
	}
	words := make([]string, len(lines))
	parallel(len(lines), func(i int) { words[i] = dropPunctuation(lex(lines[i], following(lines[i+1:]))) })
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

// punctuation is what coco-caption drops. Bracket names stay: its list has them
// in capitals, and tokens are lower case.
var punctuation = map[string]bool{
	"''": true, "'": true, "``": true, "`": true, ".": true, "?": true, "!": true, ",": true, ":": true,
	"-": true, "--": true, "...": true, ";": true,
}

// dropPunctuation joins the tokens that count.
func dropPunctuation(tokens []string) string {
	kept := tokens[:0]
	for _, token := range tokens {
		if !punctuation[token] {
			kept = append(kept, token)
		}
	}
	return strings.Join(kept, " ")
}

// lex returns all tokens of a text, in lower case, given what comes after it.
func lex(text, after string) []string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	end := len(after)
	text += after
	tokens := make([]string, 0, len(text)/4)
	for len(text) > end {
		if n := plainWord(text); n > 0 {
			tokens = append(tokens, strings.ToLower(text[:n]))
			text = text[n+1:] // and the blank
			continue
		}
		token, used := lexer().next(text)
		if token != "" {
			tokens = append(tokens, lower(token))
		}
		text = text[used:]
	}
	return tokens
}

// plainWord is the length of the run of ASCII letters that text begins with, if a
// blank follows and no rule takes it apart, otherwise 0.
func plainWord(text string) int {
	n := 0
	for n < len(text) && 'a' <= text[n]|0x20 && text[n]|0x20 <= 'z' {
		n++
	}
	if n == len(text) || text[n] != ' ' {
		return 0
	}
	if n == 5 || n == 6 {
		switch strings.ToLower(text[:n]) {
		case "cannot", "gonna", "gotta", "lemme", "gimme", "wanna":
			return 0
		}
	}
	return n
}

// lower is Java's toLowerCase. Two letters need more than strings.ToLower: the
// dotted capital I becomes two characters, and a capital sigma at the end of a
// word has a form of its own.
func lower(token string) string {
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
	classes, err := classRanges()
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
		x.rules = append(x.rules, compiledRule{tokenRule: r, re: re, first: firstBytes(pattern)})
	}
	return x
})

// next returns the first token of a text, "" where there is none, and how many
// bytes were used for it, at least one.
func (x *ruleLexer) next(text string) (token string, used int) {
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
