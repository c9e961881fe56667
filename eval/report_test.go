package eval

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"image"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"showtell"
	"showtell/confidence"
	"showtell/decoder"
	"showtell/imageprep"
)

// testRuns are two models, the second of which crops and has one caption less.
func testRuns(t *testing.T) []Named {
	t.Helper()
	man := showtell.Manifest{
		Encoder: "efficientnet_lite0", Recipe: imageprep.Recipe{Width: 224, Height: 224, Fit: imageprep.Squash},
		Decoder: decoder.Config{Kind: "attend", Embed: 300, Hidden: 384},
		Origin: showtell.Origin{
			Tool: "showtell 0.1.0", Dataset: "csv, 4 pictures", Data: "0123456789abcdef0123", Recipe: "epochs = 3\n", Seed: 7, Epoch: 2,
			Dev:     map[string]float64{"CIDEr-D": 0.5, "BLEU-4": 0.2},
			History: []showtell.Epoch{{Epoch: 1, Loss: 4, CiderD: 0.3, Bleu4: 0.1}, {Epoch: 2, Loss: 3, CiderD: 0.5, Bleu4: 0.2}, {Epoch: 3, Loss: 2.5, CiderD: 0.4, Bleu4: 0.2}},
		},
	}
	one, two := testResult(t), testResult(t)
	two.Items = two.Items[1:]
	cropping := man
	cropping.Recipe.Fit, cropping.Recipe.Short = imageprep.Crop, 256
	return []Named{{Name: "attend", Model: man, Result: one}, {Name: "attend, cropping", Model: cropping, Result: two}}
}

func writeReport(t *testing.T, title string, runs []Named, o *ReportOptions) string {
	t.Helper()
	var b bytes.Buffer
	if err := WriteReport(t.Context(), &b, title, runs, o); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestReportHolds(t *testing.T) {
	runs := testRuns(t)
	page := writeReport(t, "Four pictures", runs, nil)
	for _, want := range []string{
		"<title>Four pictures</title>", "attend, cropping", "efficientnet_lite0; the whole picture at 224 × 224 pixels",
		"csv, 4 pictures", "0123456789abcdef<", "epoch 2 of 3", "5 beams, up to 17 words", "BLEU-4 20.0, CIDEr-D 50.0", "epochs = 3",
		`alt="A cat looks at the camera."`, "a brown cat with green eyes", "dark.jpg: truncated JPEG", "the hypothesis is empty",
		"attend, epoch 2: 50 (kept)", "CIDEr-D of 4 pictures of attend",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the report lacks %q", want)
		}
	}
	if n := strings.Count(page, `<img src="data:image/jpeg;base64,`); n != 4 {
		t.Errorf("%d pictures, want 4", n)
	}
	if page != writeReport(t, "Four pictures", runs, nil) {
		t.Error("a second report of the same results differs")
	}
}

// TestReportOfConfidence draws the confidence of one of two models by hand: two
// captions of 0.85, one of them good, and two of 0.15, both bad.
func TestReportOfConfidence(t *testing.T) {
	runs := testRuns(t)
	if page := writeReport(t, "x", runs, nil); strings.Contains(page, "confidence-title") {
		t.Error("a section on confidence, which no model has")
	}
	r := runs[0].Result
	for i, score := range []float64{1, 0.2, 0, 0.1} {
		r.Items[i].Scores = Scores{{"CIDEr-D", score}}
		r.Items[i].Caption.Confidence = []float64{.85, .85, .15, .15}[i]
	}
	r.judge(&confidence.Calibration{Bar: .5})
	if c := r.Confidence; math.Abs(c.Error-(.5*.35+.5*.15)) > 1e-12 || math.Abs(c.Coverage[4]-.6) > 1e-12 {
		t.Errorf("confidence %+v", c)
	}
	page := writeReport(t, "x", runs, nil)
	for _, want := range []string{
		"attend: expected calibration error 25.0 %", "attend: 2 captions of 85 %, 50 % good", "attend: the surest 50 % score 60.0", "<b>25.0 %</b>",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the report lacks %q", want)
		}
	}
	var table strings.Builder
	if err := r.WriteTable(&table); err != nil || !strings.Contains(table.String(), "confidence is off by 25.0 %") {
		t.Errorf("%v in %s", err, table.String())
	}
	r.Items[0].Scores, r.Confidence = nil, nil
	r.judge(&confidence.Calibration{Bar: .5})
	if r.Confidence != nil {
		t.Error("judged without CIDEr-D")
	}
}

func TestReportAsksForNothing(t *testing.T) {
	page := writeReport(t, "x", testRuns(t), nil)
	page = regexp.MustCompile(`data:image/jpeg;base64,[^"]*`).ReplaceAllString(page, "data:")
	if m := regexp.MustCompile(`(?i)https?:|//[a-z]|url\(|@import|<link[^>]*href="[^d]|src="[^d]`).FindString(strings.ReplaceAll(page, "// ", "")); m != "" {
		t.Errorf("the report mentions %q", m)
	}
}

func TestReportIsHarmless(t *testing.T) {
	const evil = `</script><script>alert(1)</script><img src=x onerror=alert(2)>" onload="alert(3)`
	runs := testRuns(t)
	runs[0].Name, runs[1].Name = evil, evil
	for i := range runs {
		runs[i].Model.Encoder, runs[i].Model.Origin.Recipe, runs[i].Model.Origin.Dataset = evil, evil, evil
		for k := range runs[i].Result.Items {
			item := &runs[i].Result.Items[k]
			item.Caption = say(evil)
			item.References = []string{evil}
			item.Name += evil
		}
		runs[i].Result.Warnings = []string{evil}
	}
	page := writeReport(t, evil, runs, nil)
	if n := strings.Count(page, "<script"); n != 2 {
		t.Errorf("%d scripts, want the page's own 2", n)
	}
	for _, bad := range []string{"<img src=x", `" onload="alert(3)`, "<script>alert"} {
		if strings.Contains(page, bad) {
			t.Errorf("the report holds %q", bad)
		}
	}
}

func TestReportWithoutPicture(t *testing.T) {
	runs := testRuns(t)[:1]
	runs[0].Result.Items[2].Path = filepath.Join(t.TempDir(), "gone.jpg")
	page := writeReport(t, "x", runs, nil)
	if !strings.Contains(page, "no picture") || strings.Count(page, "<img ") != 3 {
		t.Error("a picture that is gone is not left blank")
	}
}

func TestReportSample(t *testing.T) {
	page := writeReport(t, "x", testRuns(t), &ReportOptions{Pictures: 2})
	if n := strings.Count(page, `<li class="card">`); n != 2 || !strings.Contains(page, "2 of 4 pictures, drawn at random") {
		t.Errorf("%d cards, want 2 and a note", n)
	}
	if page := writeReport(t, "x", testRuns(t), &ReportOptions{Pictures: -1}); strings.Contains(page, `<li class="card">`) {
		t.Error("a report without pictures has some")
	}
}

// A model that never trained, or was trained without a dev split, has no curves.
func TestReportWithoutHistory(t *testing.T) {
	runs := testRuns(t)[:1]
	runs[0].Model = showtell.Manifest{}
	if page := writeReport(t, "x", runs, nil); strings.Contains(page, `id="training"`) || strings.Contains(page, "Recipe") {
		t.Error("a report without history tells of training")
	}
	runs[0].Model.Origin.History = []showtell.Epoch{{Epoch: 1, Loss: 4}}
	if page := writeReport(t, "x", runs, nil); !strings.Contains(page, "Training loss") || strings.Contains(page, "on dev") {
		t.Error("a report without dev scores shows their curves, or not the loss")
	}
}

func TestReportErrors(t *testing.T) {
	stopped, cancel := context.WithCancel(t.Context())
	cancel()
	path := filepath.Join(t.TempDir(), "report.html")
	if err := WriteReportFile(stopped, path, "x", testRuns(t), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("stopped report = %v, want %v", err, context.Canceled)
	}
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("a stopped report left a file behind: %v", err)
	}
	for _, runs := range [][]Named{nil, {{Name: "empty", Result: &Result{}}}, {{Name: "none"}}} {
		if err := WriteReport(t.Context(), &bytes.Buffer{}, "x", runs, nil); err == nil {
			t.Errorf("report of %v = nil, want an error", runs)
		}
	}
}

func TestSeen(t *testing.T) {
	r := imageprep.Recipe{Width: 224, Height: 224, Fit: imageprep.Crop, Short: 256}
	for _, c := range []struct {
		name string
		w, h int
		want [4]float64
	}{
		{"square", 512, 512, [4]float64{0.0625, 0.0625, 0.875, 0.875}}, // by hand: 224/256
		{"wide", 1024, 512, [4]float64{0.2813, 0.0625, 0.4375, 0.875}}, // by hand: 224/512 of the width
	} {
		if got := seen(r, c.w, c.h); got == nil || *got != c.want {
			t.Errorf("%s: seen = %v, want %v", c.name, got, c.want)
		}
	}
}

func TestAnswer(t *testing.T) {
	item := Item{Caption: say("a cat"), Scores: Scores{{"CIDEr-D", 0.12345}}}
	a := newAnswer(item, []string{"CIDEr-D", "BLEU-4"}, 6)
	grid, err := base64.StdEncoding.DecodeString(a.Attention)
	if want := []byte{255, 0, 0, 0, 0, 0, 0, 255, 0, 0, 0, 0}; err != nil || !bytes.Equal(grid, want) {
		t.Errorf("attention = %v, %v, want %v", grid, err, want)
	}
	if a.Scores[0] != 12.3 || a.Scores[1] != -1 || a.Chances[0] != 0.5 {
		t.Errorf("answer = %+v, want scores 12.3 and -1, chances 0.5", a)
	}
	item.Caption.Words[1].Attention = nil
	if a := newAnswer(item, []string{"CIDEr-D"}, 6); a.Attention != "" {
		t.Errorf("attention of a caption with a blind word = %q, want none", a.Attention)
	}
}

func TestThumb(t *testing.T) {
	for _, c := range []struct{ from, want image.Point }{
		{image.Pt(4000, 3000), image.Pt(256, 192)}, {image.Pt(3000, 4000), image.Pt(256, 341)},
		{image.Pt(100, 4000), image.Pt(10, 384)}, {image.Pt(200, 100), image.Pt(200, 100)}, {image.Pt(9000, 1), image.Pt(256, 1)},
	} {
		if got := thumb(c.from, 256); got != c.want {
			t.Errorf("thumb(%v) = %v, want %v", c.from, got, c.want)
		}
	}
}

func TestAxis(t *testing.T) {
	for _, c := range []struct {
		name             string
		low, high        float64
		wantLow, wantTop string // labels
		ticks            int
	}{
		{"loss", 2.6, 3.6, "2.6", "3.6", 6},
		{"scores", 34.2, 60.5, "30", "70", 5},
		{"one value", 3, 3, "2.6", "3.4", 5},
		{"zero", 0, 0, "-0.0010", "0.0010", 5},
		{"huge", -1.7e308, 1.7e308, "", "", 0},
	} {
		ticks := newAxis(c.low, c.high, 5, 0, 100).ticks()
		if c.ticks == 0 {
			if len(ticks) > 30 {
				t.Errorf("%s: %d ticks", c.name, len(ticks))
			}
			continue
		}
		if first, last := ticks[0].Label, ticks[len(ticks)-1].Label; len(ticks) != c.ticks || first != c.wantLow || last != c.wantTop {
			t.Errorf("%s: %d ticks from %s to %s, want %d from %s to %s", c.name, len(ticks), first, last, c.ticks, c.wantLow, c.wantTop)
		}
	}
}

// History comes from a model file, which anybody may have written.
func TestCurvesOfNonsense(t *testing.T) {
	for _, h := range [][]showtell.Epoch{
		{{Epoch: -5, Loss: -1}, {Epoch: -5, Loss: -1}},
		{{Epoch: math.MaxInt64, Loss: 1, CiderD: 1e300}, {Epoch: 0, Loss: 2, CiderD: 1}},
		{{Epoch: 1, Loss: math.MaxFloat64}, {Epoch: 2, Loss: -math.MaxFloat64}},
	} {
		run := Named{Name: "x"}
		run.Model.Origin.History = h
		for _, c := range curves([]Named{run}) {
			if len(c.XTicks) > 30 || len(c.YTicks) > 30 || strings.Contains(c.Lines[0].Path, "NaN") {
				t.Errorf("curves(%v) = %.300v", h, c)
			}
		}
	}
}

// Curves leave out what was not measured: dev scores of words alone, and the loss of
// mean weights.
func TestCurvesOfTextAndMeans(t *testing.T) {
	runs := testRuns(t)[:1]
	runs[0].Model.Origin.History = []showtell.Epoch{
		{Epoch: 1, Loss: 4, CiderD: 0.3, Bleu4: 0.1}, {Epoch: 2, Stage: "text", Loss: 3},
		{Epoch: 3, Loss: 2, CiderD: 0.4, Bleu4: 0.2}, {Epoch: 4, Averaged: 2, CiderD: 0.5, Bleu4: 0.3},
	}
	for title, want := range map[string]string{"Training loss per word": "1 2 3", "CIDEr-D on dev": "1 3 4", "BLEU-4 on dev": "1 3 4"} {
		for _, c := range curves(runs) {
			if c.Title != title {
				continue
			}
			var epochs []string
			for _, d := range c.Lines[0].Dots {
				epochs = append(epochs, regexp.MustCompile(`epoch (\d+)`).FindStringSubmatch(d.Label)[1])
			}
			if got := strings.Join(epochs, " "); got != want {
				t.Errorf("%s: epochs %s, want %s", title, got, want)
			}
		}
	}
}

// Where a stage begins, the curves have a mark between the epochs; a lane below has
// the names of all.
func TestStagesAreMarked(t *testing.T) {
	runs := testRuns(t)[:1]
	h := runs[0].Model.Origin.History
	h[2].Stage = "fine-tune"
	for _, c := range curves(runs) {
		if len(c.Lanes) != 1 || len(c.Lanes[0].Stages) != 2 || c.Lanes[0].Stages[0].Label != "decoder" || c.Lanes[0].Stages[1].Label != "fine-tune" {
			t.Errorf("%s: lanes %v", c.Title, c.Lanes)
		}
		if !strings.HasSuffix(c.Summary, ", decoder up to epoch 2, fine-tune up to epoch 3") {
			t.Errorf("summary %q", c.Summary)
		}
		if len(c.Marks) != 1 || !(c.Lines[0].Dots[1].X < c.Marks[0].At && c.Marks[0].At < c.Lines[0].Dots[2].X) {
			t.Errorf("%s: marks %v, dots %v", c.Title, c.Marks, c.Lines[0].Dots)
		}
	}
	if page := writeReport(t, "x", runs, nil); strings.Contains(page, "words on dev") {
		t.Error("a chart of words that were not counted")
	}
	h[2].Words, h[2].BadEndings = 140, .031
	if page := writeReport(t, "x", runs, nil); !strings.Contains(page, "epoch 3: 140, fine-tune") || !strings.Contains(page, "epoch 3: 3.1, fine-tune") {
		t.Error("the report does not tell of words and endings by epoch")
	}
	runs[0].Model.Origin.FineTuned = &showtell.FineTuned{What: "last:2", From: "layer4.1"}
	if page := writeReport(t, "x", runs, nil); !strings.Contains(page, "last:2, from layer4.1 on") || !strings.Contains(page, `class="mark m0"`) {
		t.Error("the report does not tell what was fine-tuned")
	}
}
