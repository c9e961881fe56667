package tokenizer

import (
	"os"
	"path/filepath"
	"testing"
)

// shared has the fixtures of transformers 4.57.6; it lies beside the repository where people
// work on it, and nowhere else.
const shared = "../../shared/hf"

// TestSharedGoldens holds every route of files to what transformers gives for 300 strings each.
func TestSharedGoldens(t *testing.T) {
	for _, c := range []struct {
		name, folder string
		files        []string
		cleanUp      bool
	}{
		{"blip folder", "blip", nil, true},
		{"blip tokenizer.json", "blip", []string{"tokenizer.json"}, false},
		{"blip vocab.txt", "blip", []string{"vocab.txt"}, false},
		{"blip vocab.txt and configuration", "blip", []string{"vocab.txt", "tokenizer_config.json", "special_tokens_map.json"}, true},
		{"vit-gpt2 folder", "vit-gpt2", nil, false},
		{"vit-gpt2 tokenizer.json", "vit-gpt2", []string{"tokenizer.json"}, false},
		{"vit-gpt2 vocab.json and merges.txt", "vit-gpt2", []string{"vocab.json", "merges.txt"}, false},
		{"vit-gpt2 vocab.json, merges.txt and configuration", "vit-gpt2", []string{"vocab.json", "merges.txt", "tokenizer_config.json", "special_tokens_map.json"}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := filepath.Join(shared, c.folder)
			if _, err := os.Stat(dir); err != nil {
				t.Skip("the fixtures are not here: ", err)
			}
			rows := readGoldens(t, filepath.Join(dir, "tokens.jsonl"))
			if len(rows) != 300 {
				t.Fatalf("%d strings, want 300", len(rows))
			}
			if c.files != nil {
				dir = copyFiles(t, dir, c.files...)
			}
			tok, err := Load(dir)
			if err != nil {
				t.Fatal(err)
			}
			checkGoldens(t, tok, rows, c.cleanUp)
			checkGoldens(t, again(t, tok), rows, c.cleanUp)
		})
	}
}
