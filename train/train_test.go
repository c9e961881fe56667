package train

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"showtell"
	"showtell/dataset"
	"showtell/encoder"
)

// noise is features of a picture that depend on its name alone: the same
// channels in every cell.
type noise struct{}

func (noise) Grid(dst []float32, name string, mirror bool) bool {
	if strings.HasPrefix(name, "missing") {
		return false
	}
	h := uint64(1)
	for _, c := range []byte(name) {
		h = h*31 + uint64(c)
	}
	if mirror {
		h++
	}
	rng := rand.New(rand.NewPCG(h, 1))
	const channels = 1280
	for i := range dst[:channels] {
		dst[i] = float32(rng.NormFloat64())
	}
	for i := channels; i < len(dst); i++ {
		dst[i] = dst[i-channels]
	}
	return true
}

// toys is a data set of pictures that are all described alike by their number.
func toys() *dataset.Set {
	set := &dataset.Set{Format: "toys"}
	words := strings.Fields("one two three four five six seven eight nine ten")
	for i := range 10 {
		split := "train"
		if i >= 8 {
			split = "dev"
		}
		set.Items = append(set.Items, dataset.Item{
			Name: fmt.Sprintf("%d.jpg", i), Split: split,
			Captions: []string{"a toy number " + words[i%8], "the " + words[i%8] + " toy is here", "toy"},
		})
	}
	return set
}

func toyJob(t *testing.T, settings ...string) Job {
	t.Helper()
	network, err := encoder.Random("efficientnet_lite0", rand.New(rand.NewPCG(1, 1)))
	if err != nil {
		t.Fatal(err)
	}
	settings = append([]string{
		"min_count=1", "epochs=4", "pictures=3", "warm_up=4", "rate=0.01", "average=0.5",
		"decoder.hidden=20", "decoder.embed=20", "decoder.heads=2", "decoder.feed_forward=24", "decoder.max_words=6",
	}, settings...)
	r, err := LoadRecipe("default", settings...)
	if err != nil {
		t.Fatal(err)
	}
	return Job{Recipe: r, Network: network, Set: toys(), Features: noise{}}
}

// save returns the bytes of the model's file.
func save(t *testing.T, m *showtell.Model) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "m.safetensors")
	if err := m.Save(path); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// Interrupted at any step and resumed, a training gives the bytes of one that
// ran through.
func TestResumeGivesTheSameModel(t *testing.T) {
	for _, kind := range []string{"transformer", "inject"} {
		through := toyJob(t, "decoder.kind="+kind, "mirror=0.5")
		m, err := Run(t.Context(), through)
		if err != nil {
			t.Fatal(err)
		}
		want := save(t, m)
		for _, stop := range []int{1, 3, 5, 11} { // 3 steps an epoch
			job := through
			job.Checkpoint = filepath.Join(t.TempDir(), "checkpoint")
			ctx, cancel := context.WithCancel(t.Context())
			job.Progress = func(p Progress) {
				if p.Step == stop {
					cancel()
				}
			}
			if _, err := Run(ctx, job); !errors.Is(err, context.Canceled) {
				t.Fatalf("stopped after step %d: %v, want %v", stop, err, context.Canceled)
			}
			job.Progress, job.Resume = nil, true
			m, err := Run(t.Context(), job)
			if err != nil {
				t.Fatalf("resumed after step %d: %v", stop, err)
			}
			if !bytes.Equal(save(t, m), want) {
				t.Errorf("%s: stopped after step %d and resumed, another model came out", kind, stop)
			}
		}
	}
}

// A process that is killed leaves the checkpoint of some step before: going on
// from there gives the same model, too.
func TestResumeFromAnOldCheckpoint(t *testing.T) {
	job := toyJob(t)
	job.Checkpoint = filepath.Join(t.TempDir(), "checkpoint")
	job.Every = time.Nanosecond
	old := filepath.Join(t.TempDir(), "old")
	job.Progress = func(p Progress) {
		if p.Step == 5 && p.Done == nil { // the checkpoint on disk is that of step 4
			data, err := os.ReadFile(job.Checkpoint)
			if err != nil {
				t.Error(err)
			}
			if err := os.WriteFile(old, data, 0o644); err != nil {
				t.Error(err)
			}
		}
	}
	m, err := Run(t.Context(), job)
	if err != nil {
		t.Fatal(err)
	}
	want := save(t, m)
	job.Checkpoint, job.Resume, job.Progress = old, true, nil
	if m, err = Run(t.Context(), job); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(save(t, m), want) {
		t.Error("another model came out")
	}
}

// A stage begins with the best weights so far, not the last.
func TestStagesBeginWithTheBest(t *testing.T) {
	for name, job := range map[string]Job{"reward": rewarded(t), "fine-tune": tuneJob(t)} {
		tr, err := newTrainer(job)
		if err == nil {
			err = tr.enter(t.Context(), 0)
		}
		if err != nil {
			t.Fatal(err)
		}
		tr.Best, tr.best, tr.History = 1, tr.keptWeights(), []showtell.Epoch{{Epoch: 1}}
		for i, w := range tr.best {
			w[0] = float32(i) / 100
		}
		if err := tr.advance(t.Context()); err != nil {
			t.Fatal(err)
		}
		for i, p := range tr.decoderLearns() {
			if p.Data[0] != float32(i)/100 || tr.best[i][0] != p.Data[0] {
				t.Errorf("%s: %s begins with %v, and %v is the best; want %v", name, p.Name, p.Data[0], tr.best[i][0], float32(i)/100)
			}
		}
	}
}

func TestResumeRefusesAnotherTraining(t *testing.T) {
	job := toyJob(t, "epochs=1")
	job.Checkpoint = filepath.Join(t.TempDir(), "checkpoint")
	if _, err := Run(t.Context(), job); err != nil {
		t.Fatal(err)
	}
	job.Resume = true
	for _, c := range []struct {
		name, want string
		edit       func(*Job)
	}{
		{"recipe", "another recipe", func(j *Job) { j.Recipe.Rate *= 2 }},
		{"data", "another data set", func(j *Job) { j.Set = toys(); j.Set.Items[0].Captions[0] = "else" }},
		{"garbage", "checkpoint", func(j *Job) { j.Checkpoint = garbage(t) }},
		{"nothing", "nothing to resume", func(j *Job) { j.Checkpoint += "x" }},
	} {
		other := job
		c.edit(&other)
		if _, err := Run(t.Context(), other); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want an error with %q", c.name, err, c.want)
		}
	}
}

func garbage(t *testing.T) string {
	path := filepath.Join(t.TempDir(), "checkpoint")
	if err := os.WriteFile(path, []byte("not a checkpoint at all"), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// Ten toys can be learned by heart.
func TestLearnsByHeart(t *testing.T) {
	job := toyJob(t, "epochs=60", "patience=0", "average=0", "decoder.dropout=0", "decoder.grid_dropout=0", "mirror=0", "smoothing=0")
	for i := range job.Set.Items { // dev is training data: this is about learning, not about knowing
		job.Set.Items[i].Captions = job.Set.Items[i%8].Captions[:1]
		job.Set.Items[i].Name = job.Set.Items[i%8].Name
	}
	m, err := Run(t.Context(), job)
	if err != nil {
		t.Fatal(err)
	}
	grid := make([]float32, 7*7*1280)
	right := 0
	for _, item := range job.Set.Split("train") {
		noise{}.Grid(grid, item.Name, false)
		got, err := m.DescribeGrids(t.Context(), grid, nil, 1)
		if err != nil {
			t.Fatal(err)
		}
		if got[0][0].Raw() == item.Captions[0] {
			right++
		}
	}
	if right < 7 {
		t.Errorf("%d of 8 captions learned by heart", right)
	}
	if h := m.Origin.History; h[len(h)-1].Loss > 0.5*h[0].Loss {
		t.Errorf("loss went from %.3f to %.3f", h[0].Loss, h[len(h)-1].Loss)
	}
}

func TestMistakes(t *testing.T) {
	for _, c := range []struct {
		name, want string
		edit       func(*Job)
	}{
		{"no captions", "min_count", func(j *Job) { j.Set.Items = nil }},
		{"rare words", "min_count", func(j *Job) { j.Recipe.MinCount = 1000 }},
		{"no features", "missing.jpg", func(j *Job) { j.Set.Items[0].Name = "missing.jpg" }},
		{"too fast", "lower the rate", func(j *Job) { j.Recipe.Rate, j.Recipe.WarmUp, j.Recipe.Clip = 1e9, 0, 0; j.Recipe.Epochs = 20 }},
		{"no GloVe", "nowhere.txt", func(j *Job) { j.Recipe.GloVe = "nowhere.txt" }},
	} {
		t.Run(c.name, func(t *testing.T) {
			job := toyJob(t)
			c.edit(&job)
			if _, err := Run(t.Context(), job); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want an error with %q", err, c.want)
			}
		})
	}
}

func TestRate(t *testing.T) {
	r := Recipe{Rate: 1, WarmUp: 10, Schedule: "cosine", FinalRate: 0.1, Epochs: 2}
	for step, want := range map[int]float64{1: 0.1, 10: 1, 55: 0.55, 100: 0.1} { // by hand
		if got := r.rate(step, 50); math.Abs(got-want) > 1e-9 {
			t.Errorf("cosine at step %d = %v, want %v", step, got, want)
		}
	}
	r = Recipe{Rate: 1, Schedule: "step", StepEpochs: 2, Epochs: 9}
	for step, want := range map[int]float64{1: 1, 100: 1, 101: 0.5, 200: 0.5, 201: 0.25} {
		if got := r.rate(step, 50); got != want {
			t.Errorf("steps at step %d = %v, want %v", step, got, want)
		}
	}
}

func TestRecipes(t *testing.T) {
	for _, name := range Recipes() {
		if _, err := LoadRecipe(name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	r, err := LoadRecipe("default", "epochs=3", "decoder.layers=4", "schedule=step", "step_epochs=1")
	if err != nil || r.Epochs != 3 || r.Decoder.Layers != 4 || r.Schedule != "step" {
		t.Errorf("settings gave %+v, %v", r, err)
	}
	for _, c := range []struct{ setting, want string }{
		{"epocs=3", "epocs"}, {"epochs", "field=value"}, {"epochs=many", "epochs"}, {"epochs=0", "epochs"},
		{"schedule=linear", "linear"}, {"rate=nan", "rate"}, {"decoder.width=3", "width"},
	} {
		if _, err := LoadRecipe("default", c.setting); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("setting %s: %v, want an error with %q", c.setting, err, c.want)
		}
	}
	if _, err := LoadRecipe("no such recipe"); err == nil || !strings.Contains(err.Error(), "default") {
		t.Errorf("unknown recipe: %v, want the names of those there are", err)
	}
	again, err := LoadRecipe("seed")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "r.toml")
	if err := os.WriteFile(path, []byte(again.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	if back, err := LoadRecipe(path); err != nil || back != again {
		t.Errorf("a recipe came back from its TOML as %+v, %v", back, err)
	}
}
