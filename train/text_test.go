package train

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"showtell"
	"showtell/decoder"
	"showtell/nn"
)

// textJob is a toyJob that first learns words from a file of captions without pictures.
func textJob(t *testing.T, captions []string, settings ...string) (Job, *[]string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "text.txt")
	if err := os.WriteFile(file, []byte(strings.Join(captions, "\n")), 0o644); err != nil {
		t.Fatal(err)
	}
	job := toyJob(t, append([]string{
		"epochs=3", fmt.Sprintf("text.file=%q", file), "text.epochs=2", "text.captions=4", "text.rate=0.01", "text.warm_up=2",
	}, settings...)...)
	for i := range job.Set.Items { // dev is training pictures, so that it tells what was learned
		job.Set.Items[i].Name, job.Set.Items[i].Captions = job.Set.Items[i%8].Name, pets[i%2:i%2+1]
	}
	var notes []string
	job.Note = func(n string) { notes = append(notes, n) }
	return job, &notes
}

// pets are what the toys are this time. Text is helpful if it is alike; if it is
// harmful, it teaches to say one word for ever.
var (
	pets    = []string{"a small dog runs on grass", "two cats sleep at home"}
	helpful = []string{"a small dog runs on grass", "two cats sleep at home", "a small dog runs at home", "the two cats sleep at home"}
	harmful = []string{"home home home home home home", "home home home home home", "home home home"}
)

func stagesOf(m *showtell.Model) (all []string) {
	for _, e := range m.Origin.History {
		all = append(all, e.Stage)
	}
	return all
}

func TestTextIsKeptOrLeftOut(t *testing.T) {
	for _, kind := range decoder.Kinds() {
		// An epoch with pictures alone is too short to say anything.
		job, notes := textJob(t, helpful, "decoder.kind="+kind, "text.epochs=30", "rate=0.0001", "average=0")
		m := run(t, job)
		if want := slices.Concat([]string{""}, slices.Repeat([]string{texting}, 30), []string{"", "", ""}); !slices.Equal(stagesOf(m), want) {
			t.Errorf("%s: stages %q, want %q", kind, stagesOf(m), want)
		}
		h := m.Origin.History
		if with, without := h[31].CiderD, h[0].CiderD; with < without || with == 0 {
			t.Errorf("%s: CIDEr-D %.3f with text, %.3f without", kind, with, without)
		}
		if h[1].CiderD != 0 || h[1].Loss <= h[30].Loss {
			t.Errorf("%s: text epochs %+v to %+v", kind, h[1], h[30])
		}
		if n := *notes; len(n) < 2 || !strings.Contains(n[0], "4 of 4 captions to learn words from; 0 have") || !strings.Contains(n[1], "text.txt: kept: dev CIDEr-D after") {
			t.Errorf("%s: notes %q", kind, n)
		}
	}
}

// weightsOf are those of the decoder, one behind the other.
func weightsOf(m *showtell.Model) (all []float32) {
	for _, p := range m.Params() {
		all = append(all, p.Data...)
	}
	return all
}

// Left out, text changes nothing: the weights are those of a training without.
func TestTextLeftOutLeavesNoTrace(t *testing.T) {
	for _, patience := range []string{"patience=0", "patience=2"} {
		settings := []string{"text.rate=1", "text.warm_up=0", "clip=0", "epochs=8", "mirror=0.5", "pictures=1", "warm_up=1", "average=0", patience}
		job, notes := textJob(t, harmful, settings...)
		m := run(t, job)
		if n := *notes; len(n) < 2 || !strings.Contains(n[1], ": left out: dev CIDEr-D after") {
			t.Fatalf("notes %q", n)
		}
		plain := job
		plain.Recipe.Text = Text{}
		p := run(t, plain)
		if !slices.Equal(weightsOf(m), weightsOf(p)) {
			t.Errorf("%s: with text left out, other weights than without text", patience)
		}
		const text = 2 // epochs
		got, want := m.Origin.History, p.Origin.History
		if len(got) != len(want)+1+text {
			t.Fatalf("%s: %d epochs, want %d and the compared one and %d of text", patience, len(got), len(want), text)
		}
		for i := 1; i < len(want); i++ {
			if g := got[i+1+text]; g.Loss != want[i].Loss || g.CiderD != want[i].CiderD {
				t.Errorf("%s: epoch %d is %+v, want %+v", patience, i, g, want[i])
			}
		}
	}
}

func TestTextResumesToTheSameModel(t *testing.T) {
	for name, c := range map[string]struct {
		captions []string
		settings []string
		stops    []int
	}{ // 3 steps to compare, 2 epochs of 1 step of text, 2 epochs of 3
		"kept": {helpful, []string{"decoder.kind=inject"}, []int{2, 4, 7}},
		// 8 steps to compare, 2 epochs of 1 step, 2 epochs of 8
		"left out": {harmful, []string{"text.rate=1", "text.warm_up=0", "clip=0", "pictures=1", "warm_up=1"}, []int{8, 9, 15, 19}},
	} {
		job, notes := textJob(t, c.captions, append(c.settings, "epochs=2")...)
		want := save(t, run(t, job))
		if !strings.Contains((*notes)[1], ": "+name+":") {
			t.Errorf("%s: notes %q", name, *notes)
		}
		for _, stop := range c.stops {
			if !bytes.Equal(save(t, stopped(t, job, stop)), want) {
				t.Errorf("%s: stopped after step %d and resumed, another model came out", name, stop)
			}
		}
	}
}

// Without a dev split nothing can be compared, and the text counts.
func TestTextWithoutDev(t *testing.T) {
	job, _ := textJob(t, helpful)
	job.Set.Items = job.Set.Items[:8]
	if got, want := stagesOf(run(t, job)), []string{texting, texting, "", "", ""}; !slices.Equal(got, want) {
		t.Errorf("stages %q, want %q", got, want)
	}
}

func TestTextMistakes(t *testing.T) {
	for _, c := range []struct {
		name, want string
		captions   []string
		edit       func(*Job)
	}{
		{"strange words", "has several words that the training captions lack", []string{"quarks repel gluons"}, nil},
		{"no file", "nowhere.txt", helpful, func(j *Job) { j.Recipe.Text.File = "nowhere.txt" }},
		{"empty", "no captions in it", []string{""}, nil},
		{"a model to start from", "has learned its own", helpful, func(j *Job) {
			j.Start = run(t, toyJob(t, "epochs=1"))
			j.Recipe.Reward = defaultReward
			j.Recipe.Reward.Epochs = 1
		}},
	} {
		job, _ := textJob(t, c.captions)
		if c.edit != nil {
			c.edit(&job)
		}
		if _, err := Run(t.Context(), job); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want an error with %q", c.name, err, c.want)
		}
	}
	job, _ := textJob(t, helpful, "epochs=1")
	job.Checkpoint = filepath.Join(t.TempDir(), "checkpoint")
	run(t, job)
	if err := os.WriteFile(job.Recipe.Text.File, []byte("two cats\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	job.Resume = true
	if _, err := Run(t.Context(), job); err == nil || !strings.Contains(err.Error(), "another text") {
		t.Errorf("resumed with another text: %v", err)
	}
	for setting, want := range map[string]string{"text.epochs=0": "text.epochs", "text.captions=0": "text.captions", "text.words=1": "text.words"} {
		if _, err := LoadRecipe("default", "text.file=a.txt", setting); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", setting, err)
		}
	}
	if r, err := LoadRecipe("default"); err != nil || r.Text != (Text{}) || strings.Contains(r.String(), "[text]") {
		t.Errorf("a recipe without text has %+v, %v", r.Text, err)
	}
}

// What a caption without a picture is said to show is the mean picture.
func TestTextBatches(t *testing.T) {
	job, _ := textJob(t, helpful)
	tr, err := newTrainer(job)
	if err == nil {
		err = tr.enter(t.Context(), 1)
	}
	if err != nil {
		t.Fatal(err)
	}
	b, err := tr.stage.batch(0, 0)
	if err != nil || len(b.Captions) != 4 || !slices.Equal(b.Picture, []int{0, 0, 0, 0}) {
		t.Fatalf("batch %+v, %v", b, err)
	}
	mean := make([]float64, len(b.Grid.Data))
	grid := make([]float32, len(mean))
	for i := range 8 {
		noise{}.Grid(grid, fmt.Sprint(i, ".jpg"), false)
		for k, v := range grid {
			mean[k] += float64(v) / 8
		}
	}
	for k, v := range b.Grid.Data {
		if d := float64(v) - mean[k]; d > 1e-6 || d < -1e-6 {
			t.Fatalf("value %d of the mean is %v, want %v", k, v, mean[k])
		}
	}
	loss, words, err := tr.learn(nn.NewTape(nil), b)
	if err != nil || words != len(b.Targets()) || loss < 1 {
		t.Errorf("loss %v of %d words, %v", loss, words, err)
	}
}
