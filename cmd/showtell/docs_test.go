package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"showtell/internal/testutil"
)

// Every command of the README and the pages in docs runs, page by page from
// top to bottom, in a folder with a toy data set in flickr8k, photographs in
// photos, one of them in photo.jpg, and captions in theirs.json, refs.json and captions.txt.
func TestDocumentedCommands(t *testing.T) {
	if testing.Short() {
		t.Skip("trains several models")
	}
	pages, err := filepath.Glob(filepath.Join(testutil.Root(), "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	var scripts []string
	for _, page := range append(pages, filepath.Join(testutil.Root(), "README.md")) {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		commands := documented(string(text))
		if len(commands) == 0 {
			continue
		}
		name := strings.TrimSuffix(filepath.Base(page), ".md")
		script := filepath.Join(dir, name+".txtar")
		if err := os.WriteFile(script, []byte(strings.Join(commands, "\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		scripts = append(scripts, script)
	}
	testscript.Run(t, testscript.Params{Files: scripts, Setup: func(env *testscript.Env) error {
		if err := setup(env); err != nil {
			return err
		}
		for name, text := range map[string]string{
			"theirs.json":  `[{"image_id": 1, "caption": "A dog runs."}, {"image_id": 2, "caption": "A cat."}]`,
			"captions.txt": "A cat is on a soft blanket.\nThere is a brown cat.\n",
			"refs.json":    `{"annotations": [{"image_id": 1, "caption": "The dog runs"}, {"image_id": 2, "caption": "A cat sits"}]}`,
		} {
			if err := os.WriteFile(filepath.Join(env.WorkDir, name), []byte(text), 0o644); err != nil {
				return err
			}
		}
		return copyFiles(map[string]string{
			filepath.Join(env.WorkDir, "photo.jpg"):        filepath.Join(env.WorkDir, "photos", "astronaut.jpg"),
			filepath.Join(env.WorkDir, "resnet18.pth"):     filepath.Join(testutil.Root(), "encoder", "testdata", "torch_resnet18.safetensors"),
			filepath.Join(env.WorkDir, "example_1.csv.gz"): filepath.Join(testutil.Root(), "metric", "testdata", "example_1.csv.gz"),
		})
	}})
}

func copyFiles(to map[string]string) error {
	for name, from := range to {
		data, err := os.ReadFile(from)
		if err != nil {
			return err
		}
		if err := os.WriteFile(name, data, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// documented are the showtell commands in the fenced blocks of a page, as
// lines of a test script. A comment after two blanks is left out; so are
// commands of other programs, which pages may show beside ours.
func documented(page string) []string {
	var commands []string
	inside := false
	for line := range strings.Lines(page) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "```") {
			inside = !inside && strings.HasPrefix(line, "```sh")
			continue
		}
		if !inside {
			continue
		}
		line, _, _ = strings.Cut(line, "  #")
		line = strings.TrimSpace(strings.TrimPrefix(line, "$ "))
		if rest, ok := strings.CutPrefix(line, "go run ./cmd/showtell"); ok {
			line = "showtell" + strings.NewReplacer(" testdata/", " photos/", " metric/testdata/", " ").Replace(rest)
		}
		if !strings.HasPrefix(line, "showtell") {
			continue
		}
		line, in, hasInput := strings.Cut(line, " < ")
		if hasInput {
			commands = append(commands, "stdin "+in)
		}
		line, out, hasOutput := strings.Cut(line, " > ")
		commands = append(commands, "exec "+line)
		if hasOutput {
			commands = append(commands, fmt.Sprintf("cp stdout %s", out))
		}
	}
	return commands
}

func TestDocumented(t *testing.T) {
	page := "Text.\n```sh\nshowtell a.jpg   # say it\ncurl x\nshowtell --json b.jpg > out.jsonl\n```\n```go\nshowtell.Open()\n```\n"
	want := "exec showtell a.jpg|exec showtell --json b.jpg|cp stdout out.jsonl"
	if got := strings.Join(documented(page), "|"); got != want {
		t.Errorf("documented commands: %s, want %s", got, want)
	}
}
