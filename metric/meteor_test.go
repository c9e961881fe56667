package metric

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"showtell/metric/meteor"
	"showtell/metric/meteordata"
)

func TestMeteorWithoutData(t *testing.T) {
	c, err := FromTokens([]string{"a dog runs", "a ||| cat"}, [][]string{{"the dog ran", "a dog ||| runs"}, {"a cat"}})
	if err != nil {
		t.Fatal(err)
	}
	results, err := Compute(c, "METEOR")
	if err != nil {
		t.Fatal(err)
	}
	got := results[0]
	if want := "METEOR (no paraphrases, synonyms, function words, abbreviations)"; got.Name != want {
		t.Errorf("name %q, want %q", got.Name, want)
	}
	if want := 1.0; got.PerImage[1] != want {
		t.Errorf("score of a cat = %v, want %v", got.PerImage[1], want)
	}
	want := "[METEOR is computed without paraphrases, synonyms, function words, abbreviations, so it cannot be compared with scores of METEOR 1.5" +
		" image 0: METEOR makes two references of reference 1 at |||, as the official code does" +
		" image 1: METEOR leaves ||| out of the hypothesis, as the official code does]"
	if fmt.Sprint(got.Warnings) != want {
		t.Errorf("warnings %v, want %v", got.Warnings, want)
	}
}

// TestMeteorDamaged scores with a table that is cut off behind its index, which is
// noticed when words need a block.
func TestMeteorDamaged(t *testing.T) {
	table, err := os.ReadFile("meteordata/paraphrase-en.pack")
	if err != nil {
		t.Fatal(err)
	}
	clear(table[len(table)/20:])
	c, err := FromTokens([]string{"a dog runs"}, [][]string{{"a dog ran"}})
	if err != nil {
		t.Fatal(err)
	}
	if c.Meteor, err = meteor.New(fstest.MapFS{"paraphrase-en.pack": {Data: table}}); err != nil {
		t.Fatal(err)
	}
	got := All(c)[4]
	if want := "METEOR (no paraphrases, synonyms, function words, abbreviations)"; got.Name != want || !(got.Corpus > 0) {
		t.Errorf("%s: %v, want %s", got.Name, got.Corpus, want)
	}
	if len(got.Warnings) != 2 || !strings.HasPrefix(got.Warnings[0].Text, "METEOR data paraphrase-en.pack: block ") {
		t.Errorf("warnings %v", got.Warnings)
	}
}

func TestMeteorWithData(t *testing.T) {
	m, err := meteordata.Open()
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Missing()) > 0 {
		t.Skipf("without %v", m.Missing())
	}
	c, err := FromTokens([]string{"a dog runs on grass", "a cat"}, [][]string{{"a dog runs", "a hound is running on the lawn"}, {"the cat"}})
	if err != nil {
		t.Fatal(err)
	}
	c.Meteor = m
	got := All(c)[4]
	if got.Name != "METEOR" || len(got.Warnings) > 0 {
		t.Errorf("%s, warnings %v", got.Name, got.Warnings)
	}
	if mean := (got.PerImage[0] + got.PerImage[1]) / 2; got.Corpus == mean {
		t.Errorf("corpus score %v is the mean", mean)
	}
}
