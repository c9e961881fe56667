package train

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"showtell"
)

// The length power that a model has is the best of those there are, the recipe's own if
// others are as good, and its dev scores are those.
func TestSearchIsChosen(t *testing.T) {
	changed := 0
	for _, c := range []struct {
		setting string
		powers  []float64 // the recipe's first
	}{
		{"search.length_power=0.9", []float64{0.9, 0.5, 0.7, 1.1}},
		{"search.length_power=-1", []float64{-1, 0.5, 0.7, 0.9, 1.1}},
		{"search.length_power=6", []float64{6, 0.5, 0.7, 0.9, 1.1}},
	} {
		job := toyJob(t, c.setting, "epochs=20", "patience=0", "average=0", "decoder.dropout=0", "decoder.grid_dropout=0", "mirror=0")
		for i := range job.Set.Items { // dev is training pictures, each with a long caption, a short and one of a word
			job.Set.Items[i].Name, job.Set.Items[i].Captions = job.Set.Items[i%8].Name, job.Set.Items[i%8].Captions
		}
		var notes []string
		job.Note = func(n string) { notes = append(notes, n) }
		m := run(t, job)
		tr, err := newTrainer(job)
		if err == nil {
			err = tr.enter(t.Context(), 0)
		}
		if err != nil {
			t.Fatal(err)
		}
		best, want := 0.0, 0.0
		items := tr.devItems()
		for i, p := range c.powers {
			captions, err := tr.stage.caption(t.Context(), m, items, &showtell.Options{LengthPower: p})
			if err != nil {
				t.Fatal(err)
			}
			var e showtell.Epoch
			if err := scoreCaptions(captions[0], items, &e); err != nil {
				t.Fatal(err)
			}
			if i == 0 || e.CiderD > best {
				best, want = e.CiderD, p
			}
			if i == 0 && e.CiderD != m.Origin.History[m.Origin.Epoch-1].CiderD {
				t.Errorf("%s: history has %v, want %v", c.setting, m.Origin.History[m.Origin.Epoch-1].CiderD, e.CiderD)
			}
		}
		if m.Search.LengthPower != want || m.Origin.Dev["CIDEr-D"] != best {
			t.Errorf("%s: length power %v with %v, want %v with %v", c.setting, m.Search.LengthPower, m.Origin.Dev, want, best)
		}
		told := "search: length_power " + strings.TrimPrefix(c.setting, "search.length_power=") + " stays"
		if want != c.powers[0] {
			changed++
			told = " in place of " + strings.TrimPrefix(c.setting, "search.length_power=") + ": dev CIDEr-D "
		}
		if n := notes; len(n) != 1 || !strings.Contains(n[0], told) {
			t.Errorf("%s: notes %q, want %q", c.setting, n, told)
		}
	}
	if changed == 0 {
		t.Error("nothing was ever chosen")
	}
}

// With one beam, without dev or if it is fixed, the search stays as the recipe has it.
func TestSearchStays(t *testing.T) {
	for setting, edit := range map[string]func(*Job){
		"search.beams=1":    func(*Job) {},
		"search_fixed=true": func(*Job) {},
		"search.beams=5":    func(j *Job) { j.Set.Items = j.Set.Items[:8] },
	} {
		job, notes := textJob(t, helpful, "epochs=1", "search.length_power=6", setting)
		job.Recipe.Text = Text{}
		edit(&job)
		if m := run(t, job); m.Search != job.Recipe.Search || len(*notes) != 0 {
			t.Errorf("%s: search %+v, notes %q", setting, m.Search, *notes)
		}
	}
}

// Stopped while the search is chosen, a training comes to the same end.
func TestSearchIsChosenAfterAStop(t *testing.T) {
	job := tuneJob(t, "search.length_power=6", "average_epochs=2")
	want := save(t, run(t, job))
	job.Checkpoint = filepath.Join(t.TempDir(), "checkpoint")
	ctx, cancel := context.WithCancel(t.Context())
	notes := 0
	job.Note = func(string) {
		if notes++; notes == 2 { // both stages have ended
			cancel()
		}
	}
	if _, err := Run(ctx, job); !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "after step 10 of 10") {
		t.Fatalf("%v after %d notes", err, notes)
	}
	job.Note, job.Resume = nil, true
	if !bytes.Equal(save(t, run(t, job)), want) {
		t.Error("another model came out")
	}
}
