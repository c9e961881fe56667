package wording

import (
	"strings"
	"testing"
	"unicode/utf8"

	"showtell/text"
)

func TestNeutral(t *testing.T) {
	for from, want := range map[string]string{
		"a man in a red shirt":                    "a person in a red shirt",
		"an old woman and her dog":                "an old person and their dog",
		"a boy and a girl play":                   "two children play",
		"a man and woman kiss":                    "two people kiss",
		"two men and a woman sit":                 "three people sit",
		"a mother with her son behind her":        "a parent with their child behind them",
		"a dog runs beside her and him":           "a dog runs beside them and them",
		"a woman 's hat":                          "a person 's hat",
		"a female skier jumps as he smiles":       "a skier jumps as the person smiles",
		"a male athlete":                          "an athlete",
		"an actress waves":                        "an actor waves",
		"a female dog":                            "a female dog",
		"a girl":                                  "a child",
		"":                                        "",
		"a snowman":                               "a snowman",
		"a man and a dog":                         "a person and a dog",
		"men and women dance while he is singing": "people dance while they are singing",
		"a policeman talks to another man and a woman": "a police officer talks to another person and a person",
	} {
		words, changes := Neutral().Apply(strings.Fields(from))
		if got := strings.Join(words, " "); got != want {
			t.Errorf("%q became %q, want %q", from, got, want)
		}
		if (len(changes) > 0) != (from != want) {
			t.Errorf("%q: changes %v", from, changes)
		}
	}
}

func TestLooks(t *testing.T) {
	for from, want := range map[string]string{
		"a black man runs":                  "a man runs",
		"an asian woman smiles":             "a woman smiles",
		"a brown colored dog":               "a brown colored dog",
		"a black dog":                       "a black dog",
		"an african american boy":           "a boy",
		"two dark skinned children":         "two children",
		"a fat lady and a skinny boy":       "a lady and a boy",
		"a man in black pants":              "a man in black pants",
		"an asian with an umbrella":         "a person with an umbrella",
		"a dog beside an asian":             "a dog beside a person",
		"an asian market":                   "an asian market",
		"a chinese restaurant":              "a chinese restaurant",
		"an ugly overweight heavy set man":  "an ugly overweight man", // one remark at a time: the next goes when it is applied again
		"a hot dog and a pretty white bird": "a hot dog and a pretty white bird",
	} {
		words, _ := Looks().Apply(strings.Fields(from))
		if got := strings.Join(words, " "); got != want {
			t.Errorf("%q became %q, want %q", from, got, want)
		}
	}
}

func TestTidy(t *testing.T) {
	for from, want := range map[string]string{
		"An ugly , overweight , heavy set man , smoking .": "A man smoking.",
		"A dog ; it 's BIG .":                              "A dog ; it 's BIG .",
	} {
		if got, changes := Looks().Tidy(from); got != want {
			t.Errorf("%q became %q, want %q (%v)", from, got, want, changes)
		}
	}
	grows, _ := ReadTable("t", strings.NewReader("x = x x"))
	if got, changes := grows.Tidy("X"); got != "X"+strings.Repeat(" x", 15)+"." || len(changes) != 15 {
		t.Errorf("%q after %d changes", got, len(changes))
	}
}

func TestTableErrors(t *testing.T) {
	for lines, want := range map[string]string{
		"man = person\n\n# x\nwoman person": `t:4: "woman person": want PHRASE = PHRASE`,
		"# nothing\n":                       `t: no line says PHRASE = PHRASE`,
		" = person":                         `t:1: "= person": want PHRASE = PHRASE`,
		"man = person\nlady|man = person":   `t:2: "man" stands already in line 1`,
		"a man = $3":                        `t:1: "a man = $3": no word $3 to the left`,
		"a man = $0":                        `t:1: "a man = $0": no word $0 to the left`,
		"a|| man = b":                       `t:1: "a|| man = b": an empty alternative, or an end of the caption in its middle`,
		". man = b":                         `t:1: ". man = b": an empty alternative, or an end of the caption in its middle`,
		strings.Repeat("a|b ", 15) + "= b":  `more than 20000 phrases`,
		strings.Repeat("a", 100_000):        `t:1: bufio.Scanner: token too long`,
	} {
		if _, err := ReadTable("t", strings.NewReader(lines)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: error %v, want %s", lines, err, want)
		}
	}
}

func TestSentence(t *testing.T) {
	table, err := ReadTable("t", strings.NewReader("Cat = dog\nred =\n"))
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		style         Style
		caption, want string
	}{
		{Style{}, "a cat runs", "A cat runs."},
		{Style{Raw: true}, "a cat does n't run", "a cat does n't run"},
		{Style{Neutral: table}, "a red apple and a cat", "An apple and a dog."},
		{Style{NoLead: true}, "an image of a cat", "A cat."},
		{Style{NoLead: true}, "this is a black and white photo of a cat", "A cat."},
		{Style{NoLead: true}, "a close up of a cat", "A cat."},
		{Style{NoLead: true}, "a picture of", "A picture of."},
		{Style{NoLead: true}, "a black and white cat", "A black and white cat."},
		{Style{NoLead: true}, "a group of people", "A group of people."},
		{Style{MaxLetters: 22}, "a man climbs up the side of a mountain", "A man climbs up."},
		{Style{MaxLetters: 39}, "a man climbs up the side of a mountain", "A man climbs up the side of a mountain."},
		{Style{MaxLetters: 3}, "umbrellas", "Umb"},
	} {
		if got := test.style.Sentence(test.caption); got != test.want {
			t.Errorf("%v of %q: %q, want %q", test.style.Names(), test.caption, got, test.want)
		}
	}
}

// FuzzTable holds what is true of any table and caption: no panic, no sentence that
// is too long, and as many words changed as it says.
func FuzzTable(f *testing.F) {
	f.Add("a man|woman = $2\nred =\nhim . = them", "a man sees him", 20)
	f.Add("a|an b|c d = $3 $1", "an c d a b", 3)
	f.Fuzz(func(t *testing.T, lines, caption string, most int) {
		table, err := ReadTable("t", strings.NewReader(lines))
		if err != nil {
			return
		}
		caption = text.Clean(caption)
		words, changes := table.Apply(strings.Fields(caption))
		if len(changes) == 0 && strings.Join(words, " ") != caption {
			t.Errorf("%q became %q without a change", caption, words)
		}
		s := Style{Neutral: table, NoLead: true, MaxLetters: max(most, 0)}.Sentence(caption)
		if most > 0 && utf8.RuneCountInString(s) > most {
			t.Errorf("%q has more than %d letters", s, most)
		}
	})
}
