package train

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"showtell"
	"showtell/dataset"
	"showtell/encoder"
	"showtell/nn"
	"showtell/tensor"
)

// tuneJob is a toyJob that goes on to fine-tune what its trunk sees, which is noise.
func tuneJob(t *testing.T, settings ...string) Job {
	t.Helper()
	job := toyJob(t, append([]string{
		"epochs=2", "finetune.what=last:1", "finetune.epochs=2", "finetune.pictures=4", "finetune.warm_up=1",
		"finetune.encoder_rate=1e-3", "finetune.rate=1e-3",
	}, settings...)...)
	job.Trunk = func(context.Context, *encoder.Network, []dataset.Item, bool) (Features, error) { return noise{}, nil }
	return job
}

// paint writes pictures of a few colours for the items.
func paint(t *testing.T, set *dataset.Set) {
	t.Helper()
	dir := t.TempDir()
	for i := range set.Items {
		img := image.NewRGBA(image.Rect(0, 0, 60, 40))
		for p := range 60 * 40 {
			img.Set(p%60, p/60, color.RGBA{uint8(25 * i), uint8(4 * (p % 60)), uint8(6 * (p / 60)), 255})
		}
		set.Items[i].Path = filepath.Join(dir, fmt.Sprint(i, ".png"))
		f, err := os.Create(set.Items[i].Path)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(png.Encode(f, img), f.Close()); err != nil {
			t.Fatal(err)
		}
	}
}

// lookJob is a tuneJob whose pictures change by chance, so that the trunk runs
// at each step.
func lookJob(t *testing.T) Job {
	t.Helper()
	job := tuneJob(t, "epochs=1", "finetune.epochs=2", "finetune.crop=0.6", "finetune.jitter=0.2")
	job.Set.Items = append(slices.Clone(job.Set.Items[:4]), job.Set.Items[9]) // four to learn from, one for dev
	job.Trunk = func(context.Context, *encoder.Network, []dataset.Item, bool) (Features, error) {
		return nil, errors.New("nothing is to be kept")
	}
	paint(t, job.Set)
	return job
}

func run(t *testing.T, job Job) *showtell.Model {
	t.Helper()
	m, err := Run(t.Context(), job)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// stopped runs a job until a step, then resumes it.
func stopped(t *testing.T, job Job, step int) *showtell.Model {
	t.Helper()
	job.Checkpoint = filepath.Join(t.TempDir(), "checkpoint")
	ctx, cancel := context.WithCancel(t.Context())
	job.Progress = func(p Progress) {
		if p.Step == step {
			cancel()
		}
	}
	if _, err := Run(ctx, job); !errors.Is(err, context.Canceled) {
		t.Fatalf("stopped after step %d: %v, want %v", step, err, context.Canceled)
	}
	job.Progress, job.Resume = nil, true
	return run(t, job)
}

func TestFineTuneResumesToTheSameModel(t *testing.T) {
	for name, c := range map[string]struct {
		job   Job
		stops []int
	}{ // 3 steps an epoch in the first stage, then 2; and 2, then 1
		"kept":    {tuneJob(t, "mirror=0.5"), []int{6, 7, 9}},
		"inject":  {tuneJob(t, "decoder.kind=inject"), []int{7}},
		"looking": {lookJob(t), []int{1, 3}},
	} {
		want := save(t, run(t, c.job))
		for _, stop := range c.stops {
			if !bytes.Equal(save(t, stopped(t, c.job, stop)), want) {
				t.Errorf("%s: stopped after step %d and resumed, another model came out", name, stop)
			}
		}
	}
}

func TestFineTuneForAnyNumberOfWorkers(t *testing.T) {
	t.Cleanup(func() { tensor.SetWorkers(0) })
	var models [2][]byte
	for i := range models {
		tensor.SetWorkers(1 + 2*i)
		models[i] = save(t, run(t, lookJob(t)))
	}
	if !bytes.Equal(models[0], models[1]) {
		t.Error("three workers give another model than one")
	}
}

// What was fine-tuned is in the model, the encoder has changed, and the epochs
// are numbered on.
func TestFineTunedModel(t *testing.T) {
	job := tuneJob(t)
	for i := range job.Set.Items {
		job.Set.Items[i].Captions = []string{"a toy"} // so that every epoch is as good as the one before, and kept
	}
	var steps, epochs []int
	job.Progress = func(p Progress) {
		if p.Done != nil {
			epochs = append(epochs, p.Done.Epoch)
		} else {
			steps = append(steps, p.Step)
		}
		if (p.Stage == fineTuning) != (p.Step > 6) || p.Steps != 6 && p.Stage == "" || p.Steps != 10 && p.Stage != "" {
			t.Errorf("progress %+v", p)
		}
	}
	m := run(t, job)
	if !slices.Equal(steps, []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}) || !slices.Equal(epochs, []int{1, 2, 3, 4}) {
		t.Errorf("steps %v, epochs %v", steps, epochs)
	}
	o := m.Origin
	want := showtell.FineTuned{What: "last:1", From: "head", Encoder: job.Network.Fingerprint()}
	if o.FineTuned == nil || *o.FineTuned != want || o.Epoch != 4 || o.History[1].Stage != "" || o.History[2].Stage != fineTuning {
		t.Errorf("origin %+v, fine-tuned %+v, want %+v", o, o.FineTuned, want)
	}
	if m.Network().Fingerprint() == want.Encoder {
		t.Error("the encoder has not changed")
	}
	back, err := showtell.Parse("m", save(t, m))
	if err != nil || back.Origin.FineTuned == nil || *back.Origin.FineTuned != want {
		t.Errorf("read again: %v, %+v", err, back)
	}
}

// If no epoch of fine-tuning is better, the model is that of the decoder alone.
func TestFineTuneIsDroppedIfNoBetter(t *testing.T) {
	job := tuneJob(t, "finetune.rate=3", "finetune.encoder_rate=3", "finetune.warm_up=0", "clip=0", "average=0", "epochs=40", "patience=0", "decoder.dropout=0", "mirror=0")
	for i := range job.Set.Items {
		job.Set.Items[i].Captions = job.Set.Items[i%8].Captions[:1]
		job.Set.Items[i].Name = job.Set.Items[i%8].Name
	}
	m := run(t, job)
	if o := m.Origin; o.Epoch > 40 || o.FineTuned != nil || m.Network().Fingerprint() != job.Network.Fingerprint() {
		t.Errorf("epoch %d of %d was kept, fine-tuned %+v", o.Epoch, len(o.History), o.FineTuned)
	}
}

func TestFineTuneFrom(t *testing.T) {
	start := run(t, toyJob(t, "epochs=2"))
	job := tuneJob(t, "finetune.epochs=1")
	job.Start, job.Network = start, start.Network()
	m := run(t, job)
	if h := m.Origin.History; len(h) != 1 || h[0].Stage != fineTuning {
		t.Errorf("history %+v, want one epoch of fine-tuning", h)
	}
	if m.Decoder != start.Decoder || !slices.Equal(m.Words, start.Words) {
		t.Errorf("decoder %+v of %d words, want %+v", m.Decoder, len(m.Words), start.Decoder)
	}
	if !bytes.Equal(save(t, stopped(t, job, 1)), save(t, m)) {
		t.Error("stopped and resumed, another model came out")
	}
	job.Recipe.FineTune = FineTune{}
	if _, err := Run(t.Context(), job); err == nil || !strings.Contains(err.Error(), "nothing to fine-tune") {
		t.Errorf("nothing to fine-tune: %v", err)
	}
}

// What is untied is so in the file, and in what is trained from it.
func TestUntied(t *testing.T) {
	m := run(t, toyJob(t, "epochs=1", "decoder.untied=true"))
	back, err := showtell.Parse("m", save(t, m))
	if err != nil || !back.Decoder.Untied {
		t.Fatalf("read again: %+v, %v", back, err)
	}
	if tied := run(t, toyJob(t, "epochs=1")); len(back.Params()) != len(tied.Params())+1 || strings.Contains(tied.Origin.Recipe, "untied") {
		t.Errorf("%d weights untied, %d tied; tied by the recipe\n%s", len(back.Params()), len(tied.Params()), tied.Origin.Recipe)
	}
	job := tuneJob(t, "finetune.epochs=1")
	job.Start, job.Network = back, back.Network()
	if again := run(t, job); again.Decoder != back.Decoder || len(again.Params()) != len(back.Params()) {
		t.Errorf("trained from it: %+v, want %+v", again.Decoder, back.Decoder)
	}
}

func TestFineTuneMistakes(t *testing.T) {
	for _, c := range []struct {
		name, want string
		edit       func(*Job)
	}{
		{"unknown layer", "near it are head", func(j *Job) { j.Recipe.FineTune.What = "from:heat" }},
		{"no trunk", "disk is full", func(j *Job) {
			j.Trunk = func(context.Context, *encoder.Network, []dataset.Item, bool) (Features, error) {
				return nil, errors.New("disk is full")
			}
		}},
		{"no picture", "0.png", func(j *Job) {
			j.Recipe.FineTune.Crop = 0.5
			for i := range j.Set.Items {
				j.Set.Items[i].Path = fmt.Sprint("nowhere/", i, ".png")
			}
		}},
		{"too fast", "lower the rate", func(j *Job) {
			j.Recipe.FineTune.Rate, j.Recipe.FineTune.EncoderRate, j.Recipe.FineTune.WarmUp, j.Recipe.Clip = 10, 1e20, 0, 0
			j.Recipe.FineTune.Epochs = 20
		}},
	} {
		job := tuneJob(t, "epochs=1")
		c.edit(&job)
		if _, err := Run(t.Context(), job); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want an error with %q", c.name, err, c.want)
		}
	}
}

// atFineTune is a trainer at the beginning of its last stage, with a batch.
func atFineTune(t *testing.T, settings ...string) *trainer {
	t.Helper()
	job := tuneJob(t, append(settings, "decoder.dropout=0", "decoder.grid_dropout=0", "finetune.mirror=0")...)
	trainer, err := newTrainer(job)
	if err == nil {
		err = trainer.enter(t.Context(), 1)
	}
	if err != nil {
		t.Fatal(err)
	}
	return trainer
}

// The loss changes along the gradient of the encoder's weights by as much as
// their squares say, through every decoder.
func TestGradientReachesTheEncoder(t *testing.T) {
	for _, kind := range []string{"transformer", "attend", "inject", "merge"} {
		tr := atFineTune(t, "decoder.kind="+kind, "finetune.what=last:2")
		tape := nn.NewTape(nil)
		loss := func() float64 {
			b, err := tr.stage.batch(0, 0)
			if err != nil {
				t.Fatal(err)
			}
			l, _, err := tr.learn(tape, b)
			if err != nil {
				t.Fatal(err)
			}
			return l
		}
		loss()
		var grads [][]float32
		for _, p := range tr.tuning.Params {
			grads = append(grads, slices.Clone(p.Grad()))
		}
		for i, p := range tr.tuning.Params {
			g := grads[i]
			norm := math.Sqrt(tensor.SumSquares(g))
			if !(norm > 0) {
				t.Errorf("%s: %s has no gradient", kind, p.Name)
				continue
			}
			at := slices.Clone(p.Data)
			step := 0.004 / norm
			var sides [2]float64
			for i, sign := range []float64{1, -1} {
				tensor.AXPY(p.Data, float32(sign*step/norm), g)
				sides[i] = loss()
				copy(p.Data, at)
			}
			if got := (sides[0] - sides[1]) / (2 * step); math.Abs(got-norm) > 0.05*norm {
				t.Errorf("%s: along the gradient of %s the loss grows by %g, want %g", kind, p.Name, got, norm)
			}
		}
	}
}

// Few pictures at once give the gradients of all at once.
func TestPicturesInParts(t *testing.T) {
	var grads [2][][]float32
	var losses [2]float64
	for i, atOnce := range []int{4, 1} {
		tr := atFineTune(t)
		tr.stage.atOnce = atOnce
		b, err := tr.stage.batch(0, 0)
		if err != nil {
			t.Fatal(err)
		}
		if losses[i], _, err = tr.learn(nn.NewTape(nil), b); err != nil {
			t.Fatal(err)
		}
		for _, p := range tr.opt.params {
			grads[i] = append(grads[i], p.Grad())
		}
	}
	if math.Abs(losses[0]-losses[1]) > 1e-5 {
		t.Errorf("losses %v, want the same", losses)
	}
	for k, want := range grads[0] {
		scale := math.Sqrt(tensor.SumSquares(want))
		for i, w := range want {
			if d := math.Abs(float64(grads[1][k][i] - w)); d > 1e-4*scale+1e-7 {
				t.Fatalf("gradient %d of parameter %d is %g in parts, %g at once", i, k, grads[1][k][i], w)
			}
		}
	}
}

func TestSaysSides(t *testing.T) {
	for caption, want := range map[string]bool{
		"A dog on the left .": true, "the Right-hand man": true, `a man ("left") waves`: true, "leftmost dog": true,
		"a bright cleft": false, "a dog upright": false, "": false,
	} {
		if got := saysSides(dataset.Item{Captions: []string{"a dog", caption}}); got != want {
			t.Errorf("saysSides(%q) = %v, want %v", caption, got, want)
		}
	}
}

// Pictures whose captions say left or right are mirrored by the decoder's stage
// alone, which has always done so.
func TestSidesAreKept(t *testing.T) {
	for _, c := range []struct {
		keep bool
		want int
	}{{false, 8}, {true, 7}} {
		mirrored := 0
		b := batcher{pictures: 8, mirror: 1, size: 1, cells: 1, channels: 1, keepSides: c.keep}
		for i := range 8 {
			b.examples = append(b.examples, example{name: fmt.Sprint(i), sides: i == 3, captions: [][]int{{1, 2, 3}}})
		}
		seen := make(chan bool, 8)
		b.look = stored(mirrors(seen))
		if _, err := b.batch(0, 0); err != nil {
			t.Fatal(err)
		}
		for range 8 {
			if <-seen {
				mirrored++
			}
		}
		if mirrored != c.want {
			t.Errorf("sides kept %v: %d of 8 pictures mirrored, want %d", c.keep, mirrored, c.want)
		}
	}
}

// mirrors tells which pictures it was asked for mirrored.
type mirrors chan bool

func (m mirrors) Grid(_ []float32, _ string, mirror bool) bool { m <- mirror; return true }

func TestFineTuneRecipe(t *testing.T) {
	plain, err := LoadRecipe("default")
	if err != nil || strings.Contains(plain.String(), "finetune") {
		t.Errorf("%v; without fine-tuning a recipe says nothing of it:\n%s", err, plain)
	}
	for _, none := range []string{"finetune.what=none", "finetune.epochs=3"} {
		if r, err := LoadRecipe("default", none); err != nil || r != plain {
			t.Errorf("%s: %+v, %v, want the recipe as it was", none, r, err)
		}
	}
	r, err := LoadRecipe("default", "finetune.what=last:2", "finetune.epochs=3")
	if err != nil || r.FineTune.What != "last:2" || r.FineTune.Epochs != 3 || r.FineTune.Pictures != defaultFineTune.Pictures {
		t.Errorf("fine-tuning %+v, %v", r.FineTune, err)
	}
	path := filepath.Join(t.TempDir(), "r.toml")
	if err := os.WriteFile(path, []byte(r.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	if back, err := LoadRecipe(path); err != nil || back != r {
		t.Errorf("a recipe came back from its TOML as %+v, %v", back, err)
	}
	for _, bad := range []string{"finetune.epochs=0", "finetune.crop=0", "finetune.jitter=2", "finetune.rate=0", "finetune.mirror=nan"} {
		if _, err := LoadRecipe("default", "finetune.what=all", bad); err == nil || !strings.Contains(err.Error(), strings.Split(bad, "=")[0]) {
			t.Errorf("%s: %v, want an error that names it", bad, err)
		}
	}
}

func TestRaise(t *testing.T) {
	d := []float32{0, 1, 3}
	raise(d)
	if want := float32(0.01 * 4 / 3.0); math.Abs(float64(d[0]-want)) > 1e-7 || d[1] != 1 || d[2] != 3 {
		t.Errorf("raised to %v, want the first %g", d, want)
	}
}
