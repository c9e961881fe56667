package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
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
		row := "| " + split
		for _, name := range []string{"bleu_1", "bleu_2", "bleu_3", "bleu_4", "meteor", "rouge_l", "cider_d"} {
			row += fmt.Sprintf(" | %.1f", 100*got.Scores[name])
		}
		if !strings.Contains(string(page), row) {
			t.Errorf("docs/model.md lacks the row %q", row)
		}
		short := ""
		for _, name := range []string{"bleu_1", "bleu_4", "meteor", "rouge_l", "cider_d"} {
			short += fmt.Sprintf(" %.1f |", 100*got.Scores[name])
		}
		if split == "test" && !strings.Contains(string(readme), short) {
			t.Errorf("README.md lacks the scores %q", short)
		}
	}
}
