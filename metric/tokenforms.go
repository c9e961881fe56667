package metric

import (
	"regexp"
	"strings"
	"unicode"
)

// What rules make of the text that they match.

func always(token string) func(string) string { return func(string) string { return token } }

// cut leaves out the last n bytes.
func cut(n int) func(string) string { return func(s string) string { return s[:len(s)-n] } }

// soft removes soft hyphens.
func soft(s string) string {
	if s = strings.ReplaceAll(s, "\u00AD", ""); s == "" {
		return "-"
	}
	return s
}

// solid makes blanks no-break spaces, so that the token stays one.
func solid(s string) string { return strings.ReplaceAll(s, " ", "\u00A0") }

// brackets gives brackets their names; round has only the round ones.
func brackets(s string) string { return bracketNames.Replace(s) }
func round(s string) string    { return roundNames.Replace(s) }

var bracketNames = strings.NewReplacer("(", "-LRB-", ")", "-RRB-", "[", "-LSB-", "]", "-RSB-", "{", "-LCB-", "}", "-RCB-")
var roundNames = strings.NewReplacer("(", "-LRB-", ")", "-RRB-")

// ampersand unpacks &amp;.
func ampersand(s string) string { return ampersands.ReplaceAllLiteralString(s, "&") }

var ampersands = regexp.MustCompile(fold("&amp;"))

// phone is a telephone number.
func phone(s string) string { return round(solid(s)) }

// dashes shortens three or four to two.
func dashes(s string) string {
	if n := len(s); n == 3 || n == 4 {
		return "--"
	}
	return s
}

// acronym leaves the dot out if there is one letter.
func acronym(s string) string {
	if len(s) == 2 {
		return s[:1]
	}
	return s
}

// closing makes quotes plain.
func closing(s string) string { return plainQuotes.Replace(s) }

var plainQuotes = strings.NewReplacer(
	"&apos;", "'", "\u2018", "`", "\u201B", "`", "\u2039", "`", "\u0091", "`", "\u2019", "'", "\u203A", "'", "\u0092", "'",
	"\u201C", "``", "\u00AB", "``", "\u0093", "``", "\u201D", "''", "\u00BB", "''", "\u0094", "''",
)

// finalSigma returns the lower case of a token where each capital sigma that
// follows a letter and precedes none is final.
func finalSigma(token string) string {
	runes := []rune(token)
	for i, r := range runes {
		if r == '\u03A3' && i > 0 && unicode.IsLetter(runes[i-1]) && (i+1 == len(runes) || !unicode.IsLetter(runes[i+1])) {
			runes[i] = '\u03C2'
		}
	}
	return string(runes)
}
