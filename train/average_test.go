package train

import (
	"bytes"
	"context"
	"errors"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"showtell"
)

// The mean of weights that lie around good ones is better than they, and is kept.
func TestMeanOfEpochs(t *testing.T) {
	job, notes := textJob(t, helpful, "average_epochs=2", "average=0", "epochs=20", "decoder.dropout=0")
	job.Recipe.Text = Text{}
	good := run(t, job)
	tr, err := newTrainer(job)
	if err == nil {
		err = tr.enter(t.Context(), 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	var off [2][][]float32
	for k, sign := range []float32{1, -1} {
		for _, p := range good.Params() {
			w := slices.Clone(p.Data)
			for i := range w {
				w[i] += sign * float32(i%7-3) / 4
			}
			off[k] = append(off[k], w)
		}
		tr.History = append(tr.History, showtell.Epoch{Epoch: k + 1})
		tr.remember(k+1, off[k])
	}
	tr.Best, tr.best = 1, off[0]
	*notes = nil
	if err := tr.endStage(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(tr.History) != 3 || tr.Best != 3 || tr.History[2].Averaged != 2 || tr.History[2].CiderD < good.Origin.Dev["CIDEr-D"]-1e-9 || tr.History[2].CiderD == 0 {
		t.Errorf("epoch %d is the best of %+v, want the third, with %v", tr.Best, tr.History, good.Origin.Dev)
	}
	for i, p := range good.Params() {
		for k, w := range p.Data {
			if math.Abs(float64(tr.best[i][k]-w)) > 1e-6*(1+math.Abs(float64(w))) {
				t.Fatalf("%s[%d]: the mean is %v, want %v", p.Name, k, tr.best[i][k], w)
			}
		}
	}
	if n := *notes; len(n) != 1 || !strings.Contains(n[0], "epochs 1, 2: dev CIDEr-D") || !strings.Contains(n[0], "kept as epoch 3: the best had 0.0") {
		t.Errorf("notes %q", n)
	}
	if err := tr.endStage(t.Context()); err != nil || len(tr.History) != 3 {
		t.Errorf("a second end: %v, %+v", err, tr.History)
	}
	m, err := tr.model(tr.best)
	if err != nil || m.Origin.Epoch != 3 || m.Origin.Dev["CIDEr-D"] != tr.History[2].CiderD {
		t.Errorf("model of %+v, %v", m.Origin, err)
	}
}

// The best epochs are remembered, of equals the last.
func TestRememberedEpochs(t *testing.T) {
	for _, c := range []struct {
		scores []float64
		most   int
		want   []int
	}{
		{[]float64{1, 2, 3, 2}, 2, []int{3, 4}},
		{[]float64{1, 1, 1}, 2, []int{2, 3}},
		{[]float64{5, 1, 4, 3}, 3, []int{1, 3, 4}},
		{[]float64{5, 1, 4}, 0, nil},
	} {
		tr := &trainer{}
		tr.Recipe.AverageEpochs = c.most
		for i, s := range c.scores {
			tr.History = append(tr.History, showtell.Epoch{Epoch: i + 1, CiderD: s})
			tr.remember(i+1, [][]float32{{float32(i + 1)}})
		}
		if !slices.Equal(tr.Kept, c.want) {
			t.Errorf("%v: epochs %v of %v remembered, want %v", c.most, tr.Kept, c.scores, c.want)
		}
		for i, w := range tr.kept {
			if int(w[0][0]) != tr.Kept[i] {
				t.Errorf("weights %v for epochs %v", tr.kept, tr.Kept)
			}
		}
	}
}

// Stopped anywhere, and also between two stages, a training with means gives the same bytes.
func TestMeanResumesToTheSameModel(t *testing.T) {
	job := tuneJob(t, "average_epochs=2", "epochs=3", "patience=1")
	want := save(t, run(t, job))
	for _, stop := range []int{6, 11} { // 3 steps an epoch, then 2
		if !bytes.Equal(save(t, stopped(t, job, stop)), want) {
			t.Errorf("stopped after step %d and resumed, another model came out", stop)
		}
	}
	between, notes := job, 0
	between.Checkpoint = filepath.Join(t.TempDir(), "checkpoint")
	ctx, cancel := context.WithCancel(t.Context())
	between.Note = func(n string) { notes++; cancel() } // when the first stage has ended
	if _, err := Run(ctx, between); !errors.Is(err, context.Canceled) || notes != 1 {
		t.Fatalf("%v after %d notes", err, notes)
	}
	between.Note, between.Resume = nil, true
	if !bytes.Equal(save(t, run(t, between)), want) {
		t.Error("stopped between two stages and resumed, another model came out")
	}
	for setting, ok := range map[string]bool{"average_epochs=0": true, "average_epochs=3": true, "average_epochs=1": false, "average_epochs=21": false} {
		if _, err := LoadRecipe("default", setting); (err == nil) != ok {
			t.Errorf("%s: %v", setting, err)
		}
	}
	if r, _ := LoadRecipe("default"); strings.Contains(r.String(), "average_epochs") {
		t.Error("a recipe without means speaks of them")
	}
}
