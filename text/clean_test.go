package text

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

func TestClean(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"flickr8k", "A child in a pink dress is climbing up a set of stairs in an entry way .", "a child in a pink dress is climbing up a set of stairs in an entry way"},
		{"final dot", "Two dogs run.", "two dogs run"},
		{"blanks", "  a \t dog\n\nruns\u00a0 ", "a dog runs"},
		{"nothing", "", ""},
		{"only punctuation", `. , " ' - -- ; : ! ? ( ) & # ...`, ""},
		{"possessive kept apart, as in the metrics' tokens", "the dog's tail", "the dog 's tail"},
		{"possessive already apart", "the dog 's tail", "the dog 's tail"},
		{"curly apostrophe", "the dog’s tail", "the dog 's tail"},
		{"plural possessive", "the dogs' tails", "the dogs tails"},
		{"contractions", "He doesn't; they're, I'd've", "he does n't they 're i 'd 've"},
		{"apostrophe in a word", "O'Neil's rock'n'roll", "o'neil 's rock'n'roll"},
		{"lone quotes", `a "red" 'ball' 'n' a ` + "``hat''", "a red ball n a hat"},
		{"quoted letter is no clitic", "the letter 's' here", "the letter s here"},
		{"ending of no word", "'ve 's a dog", "a dog"},
		{"hyphens", "a T-shirt -- snow-covered - merry-go-round- -x", "a t-shirt snow-covered merry-go-round x"},
		{"dashes part words", "a dog—black–runs", "a dog black runs"},
		{"missing blank", "a dog runs.It barks,loudly", "a dog runs it barks loudly"},
		{"numbers", "2 men, 3.5 miles at 12:30, 1,000 dogs, No. 23.", "2 men 3.5 miles at 12:30 1,000 dogs no 23"},
		{"html", "black &amp; white &quot;dog&quot;&#39;s &lt;b&gt;tail", "black white dog 's tail"},
		{"escaped twice", "a &amp;quot;dog&amp;quot;", "a dog"},
		{"no entity", "left&center; a&b", "left center a b"},
		{"strays", "<start> startseq a <unk> dog<br /></s> endseq <end>", "a dog"},
		{"less than", "1 < 2 and 3 > 2", "1 2 and 3 2"},
		{"german", "Ein Mann fährt über die STRASSE, groß.", "ein mann fährt über die strasse groß"},
		{"decomposed", "cafe\u0301", "caf\u00e9"},
		{"russian", "Собака бежит.", "собака бежит"},
		{"chinese", "一只狗在跑。", "一只狗在跑"},
		{"arabic", "كلبٌ يجري؟", "كلبٌ يجري"},
		{"hindi keeps its vowel signs", "कुत्ता दौड़ता है।", "कुत्ता दौड\u093cता है"},
		{"persian keeps its joiner", "می\u200cدود", "می\u200cدود"},
		{"emoji", "a dog 🐕 runs ⛷️ 1️⃣", "a dog runs 1\u20e3"},
		{"soft hyphen and byte order mark", "\ufeffsnow\u00adboard", "snowboard"},
		{"lone mark", "\u0301 a \u0301dog", "a dog"},
		{"invalid bytes", "a caf\xe9 dog\xff", "a caf dog"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := Clean(tt.in); got != tt.want {
				t.Errorf("Clean(%q) = %q, want %q", tt.in, got, tt.want)
			}
			check(t, tt.in)
		})
	}
}

// check holds what is true of every caption.
func check(t *testing.T, in string) {
	t.Helper()
	got := Clean(in)
	switch {
	case Clean(got) != got:
		t.Errorf("Clean(%q) = %q, and cleaned again %q", in, got, Clean(got))
	case !utf8.ValidString(got) || !norm.NFC.IsNormalString(got):
		t.Errorf("Clean(%q) = %q, not UTF-8 or not NFC", in, got)
	case strings.Join(strings.Fields(got), " ") != got:
		t.Errorf("Clean(%q) = %q, blanks not single", in, got)
	case got != strings.ToLower(got):
		t.Errorf("Clean(%q) = %q, not lower case", in, got)
	}
	if words := Words(in); !slices.Equal(Words(Join(words)), words) {
		t.Errorf("Words(%q) = %q, but once joined %q", in, words, Words(Join(words)))
	}
}

func TestCleanEveryRune(t *testing.T) {
	for r := rune(0); r < 0x20000; r++ {
		s := string(r)
		check(t, s+" a"+s+" a"+s+"b "+s+"\u0301")
	}
}

func FuzzClean(f *testing.F) {
	for _, s := range []string{"A dog's <unk> &amp; it n't've -'s 3.5 startseq's", "e\u0301\u200dx\u0345\u0308", "<<a>b>'s\xff"} {
		f.Add(s)
	}
	f.Fuzz(check)
}

func TestSentence(t *testing.T) {
	tests := []struct{ in, want string }{
		{"a dog runs", "A dog runs."},
		{"the dog 's tail does n't move", "The dog's tail doesn't move."},
		{"A dog runs.", "A dog runs."},
		{"ein hund läuft !", "Ein hund läuft !"},
		{"élan", "Élan."},
		{"2 men", "2 men."},
		{"", ""},
		{"  ", ""},
	}
	for _, tt := range tests {
		if got := Sentence(tt.in); got != tt.want {
			t.Errorf("Sentence(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}
