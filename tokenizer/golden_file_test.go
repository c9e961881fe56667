package tokenizer

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// TestGoldens holds vocabularies of ours to what transformers 4.57.6 makes of nasty strings,
// with several configurations; testdata/make_goldens.py wrote them.
func TestGoldens(t *testing.T) {
	b, err := os.ReadFile("testdata/goldens.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Name, Folder string
		Files        map[string]string
		Cleans       bool
		Len          int
		Rows         []golden
	}
	if err := json.Unmarshal(b, &cases); err != nil {
		t.Fatal(err)
	}
	vocabularies := map[string][]string{"bert": {"vocab.txt"}, "gpt2": {"vocab.json", "merges.txt"}}
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			dir := copyFiles(t, filepath.Join("testdata", c.Folder), vocabularies[c.Folder]...)
			for name, content := range c.Files {
				writeFile(t, dir, name, content)
			}
			tok, err := Load(dir)
			if err != nil {
				t.Fatal(err)
			}
			if got := tok.Len(); got != c.Len {
				t.Errorf("Len() = %d, want %d", got, c.Len)
			}
			checkGoldens(t, tok, c.Rows, c.Cleans)
			checkGoldens(t, again(t, tok), c.Rows, c.Cleans)
		})
	}
}
