package metric

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

// golden is a line of the official tokenizer: its own output, what is left of it,
// and both again where a line "A man ." that follows changes them.
type golden struct {
	In, Lexed, Out string
	LexedNext      *string `json:"lexed_next"`
	OutNext        *string `json:"out_next"`
}

func goldens(t *testing.T, path string) []golden {
	t.Helper()
	var all []golden
	for line := range bytes.Lines(read(t, path)) {
		var g golden
		if err := json.Unmarshal(line, &g); err != nil {
			t.Fatal(err)
		}
		all = append(all, g)
	}
	return all
}

func TestTokenizeGoldens(t *testing.T) {
	for _, file := range []string{"ptb_adversarial.jsonl.gz", "ptb_flickr8k.jsonl.gz"} {
		t.Run(file, func(t *testing.T) {
			for _, want := range goldens(t, "testdata/"+file) {
				if got := strings.Join(lex(want.In, "\n"), " "); got != want.Lexed {
					t.Errorf("lex(%q) = %q, want %q", want.In, got, want.Lexed)
				}
				if got := Tokenize(want.In); got != want.Out {
					t.Errorf("Tokenize(%q) = %q, want %q", want.In, got, want.Out)
				}
			}
		})
	}
}

func TestTokenizeBeforeAnother(t *testing.T) {
	differ := 0
	for _, want := range goldens(t, "testdata/ptb_adversarial.jsonl.gz") {
		lexed, out := want.Lexed, want.Out
		if want.LexedNext != nil {
			lexed = *want.LexedNext
			differ++
		}
		if want.OutNext != nil {
			out = *want.OutNext
		}
		if got := strings.Join(lex(want.In, "\nA man .\n"), " "); got != lexed {
			t.Errorf("lex(%q) before A man . = %q, want %q", want.In, got, lexed)
		}
		if got := TokenizeAll([]string{want.In, "A man ."}); got[0] != out || got[1] != "a man" {
			t.Errorf("TokenizeAll(%q, A man .) = %q, want %q", want.In, got, out)
		}
	}
	if differ == 0 {
		t.Error("no line depends on the next")
	}
}

// TestTokenizeFlickr8k goes over all captions: 205 of them are goldens, and of the
// others the official result is the words between blanks, full stops and commas.
func TestTokenizeFlickr8k(t *testing.T) {
	special := map[string]string{}
	for _, g := range goldens(t, "testdata/ptb_flickr8k.jsonl.gz") {
		special[g.In] = g.Out
	}
	var captions []string
	for line := range bytes.Lines(read(t, flickr8k+"/Flickr8k.token.txt")) {
		if _, caption, ok := bytes.Cut(bytes.TrimRight(line, "\r\n"), []byte("\t")); ok {
			captions = append(captions, string(caption))
		}
	}
	together := TokenizeAll(captions)
	plain := strings.NewReplacer(".", " ", ",", " ")
	for i, caption := range captions {
		want, ok := special[caption]
		if !ok {
			want = strings.Join(strings.Fields(plain.Replace(strings.ToLower(caption))), " ")
		}
		if got := Tokenize(caption); got != want {
			t.Errorf("Tokenize(%q) = %q, want %q", caption, got, want)
		}
		if together[i] != want {
			t.Errorf("TokenizeAll: %q = %q, want %q", caption, together[i], want)
		}
	}
}

func TestTokenizeByHand(t *testing.T) {
	for _, test := range []struct{ name, in, want string }{
		{"empty", "", ""},
		{"blank", " \t ", ""},
		{"line breaks are blanks", "a dog\nruns\r\nfar\u2028away", "a dog runs far away"},
		{"no UTF-8", "a \xff dog\xfe", "a dog"},
		{"final sigma", "ΟΔΟΣ ΣΑΣ.", "οδος σας"},          // as Java's toLowerCase
		{"brackets stay", "a (dog)", "a -lrb- dog -rrb-"}, // RULES.md 1.1.3
		{"emoji", "a dog😀runs", "a dog runs"},
	} {
		if got := Tokenize(test.in); got != test.want {
			t.Errorf("%s: Tokenize(%q) = %q, want %q", test.name, test.in, got, test.want)
		}
	}
	got := TokenizeAll([]string{"vitamin C.", "The cat", "they're", "", "", "the '90"})
	want := []string{"vitamin c", "the cat", "they 're", "", "", "the 90"} // RULES.md 1.1.4
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("TokenizeAll: line %d is %q, want %q", i, got[i], want[i])
		}
	}
}

func FuzzTokenize(f *testing.F) {
	for _, seed := range []string{"They're a.b, U.S. The don't", "<a href=\"x\">\xff ’tis", "5 1/2 (555) 555-1234 :) a@b.co", "&amp;&eacute;\u00ad"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, caption string) {
		got := Tokenize(caption)
		if !utf8.ValidString(got) || strings.Contains(got, "\n") || strings.Contains(got, "  ") {
			t.Errorf("Tokenize(%q) = %q", caption, got)
		}
		if all := TokenizeAll([]string{caption, ""}); len(all) != 2 || all[1] != "" {
			t.Errorf("TokenizeAll(%q) = %q", caption, all)
		}
	})
}

func BenchmarkTokenize(b *testing.B) {
	for b.Loop() {
		Tokenize("A brown dog 's owner is running on the green grass , and it jumps .")
	}
}

// FuzzEasyToken compares what needs no look at the rules with them.
func FuzzEasyToken(f *testing.F) {
	for _, s := range []string{"A t-shirt, which cannot fit.", "the end", "a b.", "St.", "Mr. T, of course ,", "one-two.", "wanna-be", "x , y", "ends mtg."} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) { compareEasyTokens(t, s) })
}

func TestEasyTokenGoldens(t *testing.T) {
	for _, file := range []string{"ptb_adversarial.jsonl.gz", "ptb_flickr8k.jsonl.gz"} {
		for _, want := range goldens(t, "testdata/"+file) {
			compareEasyTokens(t, want.In)
		}
	}
}

func compareEasyTokens(t *testing.T, caption string) {
	t.Helper()
	text := oneLine(caption) + "\n"
	for text != "" {
		want, used := lexer().next(text)
		token, easy := easyToken(text)
		blank := easy == used+1 && (text[used] == ' ' || text[used] == '\n')
		if easy > 0 && (token != want || easy != used && !blank) {
			t.Fatalf("easyToken(%q) = %q, %d, the rules say %q, %d", text, token, easy, want, used)
		}
		text = text[used:]
	}
}
