package eval

import (
	"reflect"
	"strings"
	"testing"
)

// wordRuns are two models of which the second says "tall" where the first says "red".
func wordRuns(t *testing.T) []Named {
	t.Helper()
	one := &Result{Items: []Item{
		spoken("a red dog", 1, "a dog", "the brown dog", "a dog barks"), spoken("a red cat", 0.5, "a cat", "a brown cat"), spoken("a red house", 0.2, "a red house"),
	}}
	two := &Result{Items: []Item{
		spoken("a tall dog", 0.8, "a dog", "the brown dog", "a dog barks"), spoken("a red cat", 0.5, "a cat", "a brown cat"), spoken("a house", 0.1, "a red house"),
	}}
	one.breakDown()
	two.breakDown()
	runs := []Named{{Name: "one", Result: one}, {Name: "two", Result: two}}
	runs[0].Model.Words = []string{"a", "red", "dog", "cat", "house", "brown"}
	return runs
}

func TestWordsOf(t *testing.T) {
	words := wordsOf(wordRuns(t))
	for _, c := range []struct {
		name string
		got  []wordRow
		want []wordRow
	}{
		{"wrong of one", words[0].Lists[0].Rows, []wordRow{{"red", []string{"3", "2", "33 %"}}}},
		{"missed by one", words[0].Lists[1].Rows, []wordRow{{"brown", []string{"2", "0", "0 %"}}, {"barks", []string{"1", "0", "0 %"}}}},
		{"wrong of two", words[1].Lists[0].Rows, []wordRow{{"red", []string{"1", "1", "0 %"}}, {"tall", []string{"1", "1", "0 %"}}}},
		{"two against one", words[1].Lists[2].Rows, []wordRow{{"red", []string{"3", "1", "-2"}}, {"tall", []string{"0", "1", "+1"}}}},
	} {
		if !reflect.DeepEqual(c.got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, c.got, c.want)
		}
	}
	// Of a, dog, the, brown, barks, cat, red and house, "the", brown and barks.
	want := neverSaid{Said: 5, Written: 8, Never: 3, Once: 2, Unknown: 2, Words: []neverWord{{"brown", "2", false}, {"barks", "1", true}, {"the", "1", true}}}
	if got := words[0].Never; !reflect.DeepEqual(got, want) {
		t.Errorf("never said: %+v, want %+v", got, want)
	}
	if got := words[1].Never; got.Unknown != 0 {
		t.Errorf("%d words are not in a vocabulary that is not known", got.Unknown)
	}
}

func TestAllWords(t *testing.T) {
	rows := map[string][]string{}
	for _, row := range allWords(wordRuns(t)) {
		rows[row.Word] = row.Cells
	}
	for word, want := range map[string][]string{
		"red":   {"1", "3", "33 %", "100 %", "56.7", "1", "0 %", "0 %", "50.0"}, // (1 + .5 + .2) / 3
		"tall":  {"0", "0", "–", "–", "–", "1", "0 %", "–", "80.0"},
		"brown": {"2", "0", "–", "0 %", "–", "0", "–", "0 %", "–"},
	} {
		if got := rows[word]; !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %q, want %q", word, got, want)
		}
	}
}

func TestLengthTables(t *testing.T) {
	runs := wordRuns(t)
	runs[1].Result.Items[0] = spoken(strings.Repeat("dog ", 25), 3, "a dog", "a dog")
	for range 5 {
		runs[0].Result.Items = append(runs[0].Result.Items, spoken("a dog", 0.4, "a dog runs"))
	}
	for _, run := range runs {
		run.Result.breakDown()
	}
	tables := lengthTables(runs, "CIDEr-D")
	if len(tables) != 2 {
		t.Fatalf("%d tables, want 2", len(tables))
	}
	want := []lengthRow{
		{"1–2", []lengthCell{{"m0", "5", "40.0", "100", false}, {"m1", "1", "10.0", "25", true}}},
		{"3–4", []lengthCell{{"m0", "3", "56.7", "100", true}, {"m1", "1", "50.0", "100", true}}}, // no longer than the highest mean of five
		{"21 or more", []lengthCell{{Class: "m0"}, {"m1", "1", "300.0", "100", true}}},
	}
	if got := tables[0].Rows; !reflect.DeepEqual(got, want) {
		t.Errorf("lengths of captions: %+v, want %+v", got, want)
	}
	if got := lengthTables(runs, "METEOR"); len(got) != 0 {
		t.Errorf("lengths by a metric that was not computed: %+v", got)
	}
}

// Without CIDEr-D another metric stands in the tables.
func TestTablesOfBLEU(t *testing.T) {
	r, err := run(t.Context(), sayings(nil), testItems, &Options{Metrics: []string{"BLEU-4"}})
	if err != nil {
		t.Fatal(err)
	}
	page := writeReport(t, "x", []Named{{Name: "x", Result: r}}, nil)
	for _, want := range []string{`<th scope="col">BLEU-4</th>`, "Said where no reference does", "16 different words said.", "are never said"} {
		if !strings.Contains(page, want) {
			t.Errorf("the report lacks %q", want)
		}
	}
	if strings.Contains(page, ">NaN") || strings.Contains(page, "not in the model’s vocabulary") {
		t.Error("the report tells of NaN, or of a vocabulary that is not known")
	}
}
