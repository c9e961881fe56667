package eval

import (
	"math"
	"strings"
	"testing"

	"showtell"
)

// spoken is an item whose CIDEr-D is given.
func spoken(caption string, score float64, references ...string) Item {
	item := Item{Name: caption, References: references, Scores: Scores{{"BLEU-4", 0}, {"CIDEr-D", score}}}
	for w := range strings.FieldsSeq(caption) {
		item.Caption.Words = append(item.Caption.Words, showtell.Word{Text: w})
	}
	item.Caption.Text = caption
	return item
}

// TestBreakDown counts by hand.
func TestBreakDown(t *testing.T) {
	r := &Result{Items: []Item{
		spoken("a dog runs", 1, "A dog runs.", "The dog's ball is red, and it runs"), // 3 words; 3 and 9
		spoken("a dog dog dog", 0.5, "a cat sits", "A cat."),                         // 4; 3 and 2
		spoken("", 0, "two cats"), // 0; 2
		spoken(strings.Repeat("far ", 30), 0.25, strings.Repeat("far and ", 20)),                                                                 // 30; 40
		spoken("a dog and a cat sit on the grass in the sun by the old house with a red", 2, "a dog and a cat sit on the grass in the warm sun"), // 19; 13
	}}
	r.breakDown()
	checkBins(t, "captions", r.CaptionLengths, []LengthBin{
		{1, 2, 1, Scores{{"CIDEr-D", 0}}}, {3, 4, 2, Scores{{"CIDEr-D", 0.75}}}, {19, 20, 1, Scores{{"CIDEr-D", 2}}}, {21, 0, 1, Scores{{"CIDEr-D", 0.25}}},
	})
	checkBins(t, "references", r.ReferenceLengths, []LengthBin{ // (3+9)/2 = 6; 2.5, which is 3; 2; 40; 13
		{1, 2, 1, Scores{{"CIDEr-D", 0}}}, {3, 4, 1, Scores{{"CIDEr-D", 0.5}}}, {5, 6, 1, Scores{{"CIDEr-D", 1}}}, {13, 14, 1, Scores{{"CIDEr-D", 2}}}, {21, 0, 1, Scores{{"CIDEr-D", 0.25}}},
	})
	uses := map[string]WordUse{}
	for i, u := range r.Words {
		uses[u.Word] = u
		if i > 0 && r.Words[i-1].Said+r.Words[i-1].References < u.Said+u.References {
			t.Errorf("%v stands before %v", r.Words[i-1], u)
		}
	}
	for _, want := range []WordUse{
		{"dog", 3, 2, 2, 3, 0, (1 + 0.5 + 2) / 3},
		{"cat", 1, 2, 1, 3, 2, 2},
		{"runs", 1, 1, 1, 2, 0, 1},
		{"red", 1, 1, 0, 1, 1, 2}, // said of another picture
		{"far", 1, 1, 1, 1, 0, 0.25},
		{"cats", 0, 1, 0, 1, 1, math.NaN()},
		{"house", 1, 0, 0, 0, 0, 2},
	} {
		got := uses[want.Word]
		if math.Abs(got.CiderD-want.CiderD) > 1e-12 || math.IsNaN(got.CiderD) != math.IsNaN(want.CiderD) {
			t.Errorf("%s: CIDEr-D %v, want %v", want.Word, got.CiderD, want.CiderD)
		}
		if got.CiderD, want.CiderD = 0, 0; got != want {
			t.Errorf("%+v, want %+v", got, want)
		}
	}
	if u := uses["cat"]; u.Precision() != 1 || u.Recall() != 0.5 {
		t.Errorf("cat: precision %v, recall %v, want 1 and 0.5", u.Precision(), u.Recall())
	}
	if b, err := uses["house"].MarshalJSON(); err != nil || string(b) != `{"word":"house","said":1,"pictures":0,"right":0,"references":0,"missed":0,"precision":0,"cider_d":2}` {
		t.Errorf("%s, %v", b, err)
	}
}

func checkBins(t *testing.T, name string, got, want []LengthBin) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %v, want %v", name, got, want)
	}
	for i, w := range want {
		score, _ := w.Scores.Of("CIDEr-D")
		is, _ := got[i].Scores.Of("CIDEr-D")
		if g := got[i]; g.From != w.From || g.To != w.To || g.Pictures != w.Pictures || math.Abs(is-score) > 1e-12 {
			t.Errorf("%s: %+v, want %+v", name, g, w)
		}
	}
}
