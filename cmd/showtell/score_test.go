package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"showtell/internal/testutil"
	"showtell/metric"
	"showtell/metric/meteordata"
)

// scoreOf runs showtell score and returns its scores.
func scoreOf(t *testing.T, args ...string) map[string]float64 {
	t.Helper()
	var out, stderr strings.Builder
	args = append([]string{"score", "--json", "--samples", "0"}, args...)
	if code := run(context.Background(), args, streams{in: strings.NewReader(""), out: &out, err: &stderr}); code != statusOK {
		t.Fatalf("showtell %v ended with %d: %s", args, code, stderr.String())
	}
	var got struct{ Scores map[string]float64 }
	if err := json.Unmarshal([]byte(out.String()), &got); err != nil {
		t.Fatal(err)
	}
	return got.Scores
}

// needMeteor skips a test of a program without METEOR's data.
func needMeteor(t *testing.T) {
	t.Helper()
	m, err := meteordata.Open()
	if err != nil {
		t.Fatal(err)
	}
	if missing := m.Missing(); len(missing) > 0 {
		t.Skipf("a program without %v", missing)
	}
}

// official reads the scores that the reference code gave.
func official(t *testing.T, path string) map[string]float64 {
	t.Helper()
	data, err := testutil.Gunzip(path)
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Scores map[string]struct{ Corpus json.RawMessage }
	}
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	want := map[string]float64{}
	for name, key := range map[string]string{"ROUGE_L": "rouge_l", "CIDEr_D": "cider_d", "CIDEr": "cider", "METEOR": "meteor"} {
		var value float64
		if err := json.Unmarshal(file.Scores[name].Corpus, &value); err != nil {
			t.Fatal(err)
		}
		want[key] = value
	}
	var bleu []float64
	if err := json.Unmarshal(file.Scores["Bleu"].Corpus, &bleu); err != nil {
		t.Fatal(err)
	}
	for n, value := range bleu {
		want[fmt.Sprint("bleu_", n+1)] = value
	}
	return want
}

// TestScoreIsOfficial scores files as their makers published them.
func TestScoreIsOfficial(t *testing.T) {
	needMeteor(t)
	knn := testutil.Shared(t, "metrics/flickr8k_knn_fixture.json")
	var fixture struct{ Images, Hyp []string }
	data, err := os.ReadFile(knn)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &fixture); err != nil {
		t.Fatal(err)
	}
	var hyps bytes.Buffer
	for i, image := range fixture.Images {
		if err := json.NewEncoder(&hyps).Encode(map[string]string{"image": image, "caption": fixture.Hyp[i]}); err != nil {
			t.Fatal(err)
		}
	}
	jsonl := filepath.Join(t.TempDir(), "hyps.jsonl")
	if err := os.WriteFile(jsonl, hyps.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, golden string
		args         []string
	}{
		{"example 1", "scores_example_1.json.gz", []string{testutil.Shared(t, "metrics/example_1.csv")}},
		{"example 2", "scores_example_2.json.gz", []string{testutil.Shared(t, "metrics/example_2.csv")}},
		{"raw captions", "scores_flickr8k_raw.json.gz", []string{jsonl, testutil.Shared(t, "flickr8k/text/Flickr8k.token.txt")}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := scoreOf(t, test.args...)
			want := official(t, testutil.Shared(t, "metrics/"+test.golden))
			for name, value := range want {
				if !(math.Abs(got[name]-value) <= 1e-9) {
					t.Errorf("%s = %v, want %v", name, got[name], value)
				}
			}
		})
	}
}

// TestTableOfMetrics compares the table of docs/metrics.md with what is computed,
// and with the official values.
func TestTableOfMetrics(t *testing.T) {
	needMeteor(t)
	page, err := os.ReadFile(filepath.Join(testutil.Root(), "docs", "metrics.md"))
	if err != nil {
		t.Fatal(err)
	}
	data := filepath.Join(testutil.Root(), "metric", "testdata")
	got, want := scoreOf(t, filepath.Join(data, "example_1.csv.gz")), official(t, filepath.Join(data, "scores_example_1.json.gz"))
	for _, name := range metric.Names() {
		key := strings.ToLower(strings.ReplaceAll(name, "-", "_"))
		row := fmt.Sprintf("| %s | %.12f | %.12f |\n", name, want[key], got[key])
		if name != "CIDEr" && !strings.Contains(string(page), row) {
			t.Errorf("docs/metrics.md lacks the row %s", row)
		}
	}
}

// TestScoreOfCOCO scores COCO's example results, whose references are in no
// registry, against themselves.
func TestScoreOfCOCO(t *testing.T) {
	path := testutil.Shared(t, "metrics/captions_val2014_fakecap_results.json")
	got := scoreOf(t, path, path, "--metrics", "bleu,rouge,ciderd")
	for _, name := range []string{"bleu_1", "bleu_4", "rouge_l"} {
		if !(math.Abs(got[name]-1) < 1e-6) {
			t.Errorf("%s of captions against themselves = %v", name, got[name])
		}
	}
}

func TestScoresThatCannotBeWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "both.jsonl")
	if err := os.WriteFile(path, []byte(`{"image": "a", "caption": "a dog", "references": ["a dog"]}`), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"score", path}, {"score", path, "--json"}} {
		var stderr strings.Builder
		if code := run(context.Background(), args, streams{in: strings.NewReader(""), out: full{}, err: &stderr}); code != statusFailed {
			t.Errorf("showtell %v on a full disk ended with %d, want %d", args, code, statusFailed)
		}
		if !strings.Contains(stderr.String(), "no space left") {
			t.Errorf("showtell %v on a full disk said %q", args, stderr.String())
		}
	}
}

func TestMetricNames(t *testing.T) {
	for want, list := range map[string][]string{
		"[BLEU-1 BLEU-2 BLEU-3 BLEU-4]": {"bleu"},
		"[BLEU-4 ROUGE-L CIDEr-D]":      {"Bleu_4", "rougeL", "ciderD"},
		"[CIDEr-D CIDEr]":               {"cider"},
		"[METEOR ROUGE-L]":              {"METEOR", "rouge"},
	} {
		got, err := metricNames(list)
		if err != nil || fmt.Sprint(got) != want {
			t.Errorf("metricNames(%v) = %v, %v, want %s", list, got, err, want)
		}
	}
}
