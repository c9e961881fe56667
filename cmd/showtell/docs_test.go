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
// photos, and one of them in photo.jpg.
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
		data, err := os.ReadFile(filepath.Join(env.WorkDir, "photos", "astronaut.jpg"))
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(env.WorkDir, "photo.jpg"), data, 0o644)
	}})
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
			line = "showtell" + strings.ReplaceAll(rest, " testdata/", " photos/")
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
