package main

import (
	"context"
	"encoding/json"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"showtell/internal/testutil"
)

// The scores that docs/model.md and the README state are those that
// "showtell eval" gives for the model inside the program.
func TestScoresOfTheModelInside(t *testing.T) {
	if testing.Short() {
		t.Skip("captions 1,000 pictures")
	}
	data := testutil.Shared(t, "flickr8k")
	page, err := os.ReadFile(filepath.Join(testutil.Root(), "docs", "model.md"))
	if err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile(filepath.Join(testutil.Root(), "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, split := range []string{"dev", "test"} {
		var out strings.Builder
		if code := run(context.Background(), []string{"eval", data, "--split", split, "--json"}, streams{out: &out, err: io.Discard}); code != statusOK {
			t.Fatalf("eval ended with status %d", code)
		}
		var got struct {
			Scores map[string]float64 `json:"scores"`
		}
		if err := json.Unmarshal([]byte(out.String()), &got); err != nil {
			t.Fatal(err)
		}
		want := func(names ...string) (scores []float64) {
			for _, name := range names {
				scores = append(scores, 100*got.Scores[name])
			}
			return scores
		}
		checkRow(t, "docs/model.md", string(page), "| "+split+" |", want("bleu_1", "bleu_2", "bleu_3", "bleu_4", "meteor", "rouge_l", "cider_d"))
		if split == "test" {
			checkRow(t, "README.md", string(readme), "| the model inside", want("bleu_1", "bleu_4", "meteor", "rouge_l", "cider_d"))
		}
	}
}

// checkRow compares the last numbers of the table row that begins so. Another
// processor may round differently, and a caption or two come out otherwise.
func checkRow(t *testing.T, name, page, begin string, want []float64) {
	t.Helper()
	for line := range strings.Lines(page) {
		if !strings.HasPrefix(line, begin) {
			continue
		}
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		cells = cells[max(0, len(cells)-len(want)):]
		for i, cell := range cells {
			if v, err := strconv.ParseFloat(strings.TrimSpace(cell), 64); err != nil || math.Abs(v-want[i]) > 0.2 {
				t.Errorf("%s states %q, want scores of %.1f", name, strings.TrimSpace(line), want)
				break
			}
		}
		return
	}
	t.Errorf("%s has no row that begins with %q", name, begin)
}
