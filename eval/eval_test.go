package eval

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"testing"

	"showtell"
	"showtell/dataset"
	"showtell/metric"
)

// say makes a caption of words with probability 1/2 each and attention over a
// grid of 2 x 3 that wanders.
// TestCompare tests a run against itself, against a worse one, and against one of
// other pictures.
func TestCompare(t *testing.T) {
	good, bad, other := testResult(t), testResult(t), testResult(t)
	for _, r := range []*Result{good, bad, other} {
		for i := range r.Items {
			r.Items[i].Scores = nil
			r.Items[i].Caption.Words = nil
			caption := r.Items[i].References[0]
			if r == bad {
				caption = "no"
			}
			for w := range strings.FieldsSeq(caption) {
				r.Items[i].Caption.Words = append(r.Items[i].Caption.Words, showtell.Word{Text: w})
			}
		}
		r.Scores = nil
		if err := r.score(&Options{Metrics: []string{"BLEU-1", "ROUGE-L"}}); err != nil {
			t.Fatal(err)
		}
	}
	runs := []Named{{Name: "good", Result: good}, {Name: "again", Result: good}, {Name: "bad", Result: bad}}
	if err := Compare(t.Context(), runs, 200, 1); err != nil {
		t.Fatal(err)
	}
	if runs[0].Versus != nil || len(runs[1].Versus) != 2 || Significant(runs[1].Versus[1]) || runs[1].Versus[1].A != runs[1].Versus[1].B {
		t.Errorf("against itself: %+v", runs[1].Versus)
	}
	if c := runs[2].Versus[1]; c.Name != "ROUGE-L" || c.A != 0 || c.B != 1 || c.Difference.High >= 0 {
		t.Errorf("the worse one: %+v", c)
	}
	page := writeReport(t, "x", runs, nil)
	for _, want := range []string{"bad, difference from good", "-100.0", "more than chance"} {
		if !strings.Contains(page, want) {
			t.Errorf("the report lacks %q", want)
		}
	}
	other.Items = other.Items[1:]
	if err := Compare(t.Context(), []Named{{Name: "good", Result: good}, {Name: "fewer", Result: other}}, 200, 1); err == nil || !strings.Contains(err.Error(), "good and fewer captioned different pictures") {
		t.Errorf("error %v", err)
	}
	if err := Compare(t.Context(), nil, 200, 1); err != nil {
		t.Error(err)
	}
}

func say(text string) showtell.Caption {
	c := showtell.Caption{Text: strings.ToUpper(text[:1]) + text[1:] + "."}
	for i, w := range strings.Fields(text) {
		attention := make([]float32, 6)
		attention[i%6] = 1
		c.Words = append(c.Words, showtell.Word{Text: w, LogProb: -0.6931471805599453, Attention: attention})
		c.LogProb -= 0.6931471805599453
	}
	c.Score = c.LogProb / 2
	return c
}

var testItems = []dataset.Item{
	{Name: "astronaut.jpg", Path: "../testdata/astronaut.jpg", Captions: []string{"a woman in an orange suit smiles", "an astronaut in front of a flag"}},
	{Name: "cat.jpg", Path: "../testdata/cat.jpg", Captions: []string{"a cat looks at the camera", "a brown cat with green eyes"}},
	{Name: "coffee.jpg", Path: "../testdata/coffee.jpg", Captions: []string{"a cup of coffee on a table", "a red cup with a spoon beside it"}},
	{Name: "rocket.jpg", Path: "../testdata/rocket.jpg", Captions: []string{"a rocket stands on its pad at night", "lights shine on a tall rocket"}},
}

var testSayings = []string{
	"a woman in an orange suit", "a cat looks at the camera", "a cup on a table", "a tower at night",
}

func sayings(bad map[int]error) iter.Seq2[showtell.Caption, error] {
	return func(yield func(showtell.Caption, error) bool) {
		for i, s := range testSayings {
			c, err := say(s), bad[i]
			if err != nil {
				c = showtell.Caption{}
			}
			if !yield(c, err) {
				return
			}
		}
	}
}

func TestRunScores(t *testing.T) {
	var calls []string
	o := Options{Progress: func(done, total int) { calls = append(calls, fmt.Sprint(done, "/", total)) }}
	broken := errors.New("truncated JPEG")
	r, err := run(t.Context(), sayings(map[int]error{1: broken}), testItems, &o)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := strings.Join(calls, " "), "1/4 2/4 3/4 4/4"; got != want {
		t.Errorf("progress = %s, want %s", got, want)
	}
	if len(r.Problems) != 1 || r.Problems[0].Name != "cat.jpg" || !errors.Is(r.Problems[0].Err, broken) {
		t.Errorf("problems = %v, want the cat's", r.Problems)
	}
	if len(r.Items) != 3 || r.Items[1].Name != "coffee.jpg" || r.Items[1].Caption.Raw() != testSayings[2] {
		t.Fatalf("items = %v, want the three others with their captions", r.Items)
	}
	c, err := metric.NewCorpus([]string{testSayings[0], testSayings[2], testSayings[3]},
		[][]string{testItems[0].Captions, testItems[2].Captions, testItems[3].Captions})
	if err != nil {
		t.Fatal(err)
	}
	for k, want := range metric.All(c) {
		if r.Scores[k] != (Score{want.Name, want.Corpus}) {
			t.Errorf("score %d = %v, want %s %v", k, r.Scores[k], want.Name, want.Corpus)
		}
		for i, item := range r.Items {
			if got, ok := item.Scores.Of(want.Name); !ok || got != want.PerImage[i] {
				t.Errorf("%s of %s = %v, want %v", want.Name, item.Name, got, want.PerImage[i])
			}
		}
	}
	if r.References != 6 || r.DistinctCaptions != 3 || r.WordsUsed != 12 || r.MeanWords != 5 {
		t.Errorf("counts = %d, %d, %d, %g, want 6, 3, 12, 5", r.References, r.DistinctCaptions, r.WordsUsed, r.MeanWords) // by hand
	}
}

func TestRunErrors(t *testing.T) {
	stopped, cancel := context.WithCancel(t.Context())
	cancel()
	all := map[int]error{}
	for i := range testItems {
		all[i] = errors.New("no such file")
	}
	for _, c := range []struct {
		name     string
		ctx      context.Context
		captions iter.Seq2[showtell.Caption, error]
		items    []dataset.Item
		opts     Options
		want     string
	}{
		{"no items", t.Context(), sayings(nil), nil, Options{}, "no picture with captions"},
		{"unknown metric", t.Context(), sayings(nil), testItems, Options{Metrics: []string{"BLUE"}}, `"BLUE"`},
		{"stopped", stopped, sayings(nil), testItems, Options{}, "context canceled"},
		{"all broken", t.Context(), sayings(all), testItems, Options{}, "none of 4 pictures could be captioned; the first is astronaut.jpg: no such file"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := run(c.ctx, c.captions, c.items, &c.opts)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("run = %v, %v, want an error with %q", r, err, c.want)
			}
		})
	}
}

func TestSomeMetrics(t *testing.T) {
	r, err := run(t.Context(), sayings(nil), testItems, &Options{Metrics: []string{"ROUGE-L", "BLEU-4"}})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Scores) != 2 || r.Scores[0].Name != "BLEU-4" || r.Scores[1].Name != "ROUGE-L" {
		t.Errorf("scores = %v, want BLEU-4 and ROUGE-L, in the order of metric.Names", r.Scores)
	}
}

// fakeFeatures has a grid of one value, the number of the picture.
type fakeFeatures map[string]float32

func (f fakeFeatures) Grid(dst []float32, name string, mirror bool) bool {
	v, ok := f[name]
	dst[0] = v
	return ok
}

// fakeDescriber says the value of each grid.
type fakeDescriber struct{ err error }

func (d fakeDescriber) DescribeGrids(_ context.Context, grids []float32, _ *showtell.Options, _ int) ([][]showtell.Caption, error) {
	if d.err != nil {
		return nil, d.err
	}
	var all [][]showtell.Caption
	for _, g := range grids {
		all = append(all, []showtell.Caption{say(fmt.Sprintf("picture %g", g))})
	}
	return all, nil
}

func TestFromGrids(t *testing.T) {
	var items []dataset.Item
	f := fakeFeatures{}
	for i := range 100 {
		name := fmt.Sprint(i)
		items = append(items, dataset.Item{Name: name, Captions: []string{"x"}})
		if i%7 != 3 {
			f[name] = float32(i)
		}
	}
	i := 0
	for c, err := range fromGrids(t.Context(), fakeDescriber{}, 1, items, &Options{Features: f}) {
		switch want := fmt.Sprintf("picture %d", i); {
		case i%7 == 3 && err == nil:
			t.Errorf("picture %d without features = %q, want an error", i, c.Raw())
		case i%7 != 3 && (err != nil || c.Raw() != want):
			t.Errorf("caption %d = %q, %v, want %q", i, c.Raw(), err, want)
		}
		i++
	}
	if i != len(items) {
		t.Errorf("%d captions, want %d", i, len(items))
	}
	broken := errors.New("broken decoder")
	for _, err := range fromGrids(t.Context(), fakeDescriber{broken}, 1, items[:3], &Options{Features: f}) {
		if !errors.Is(err, broken) {
			t.Errorf("error = %v, want %v", err, broken)
		}
	}
}
