package tokenizer

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// A golden is a string and what transformers makes of it.
type golden struct {
	Text    string   `json:"text"`
	Bytes   []byte   `json:"bytes"` // instead of Text, if it is not UTF-8
	IDs     []int    `json:"ids"`
	Tokens  []string `json:"tokens"`
	Bare    []int    `json:"bare"`    // nil: as IDs
	Decoded string   `json:"decoded"` // without clean-up
	Cleaned *string  `json:"cleaned"` // nil: as Decoded
}

func readGoldens(t *testing.T, name string) []golden {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var rows []golden
	lines := bufio.NewScanner(bytes.NewReader(b))
	lines.Buffer(nil, len(b)+1)
	for lines.Scan() {
		var g golden
		if err := json.Unmarshal(lines.Bytes(), &g); err != nil {
			t.Fatal(err)
		}
		rows = append(rows, g)
	}
	return rows
}

func checkGoldens(t *testing.T, tok *Tokenizer, rows []golden, cleans bool) {
	t.Helper()
	for _, g := range rows {
		if g.Bytes != nil {
			g.Text = string(g.Bytes)
		}
		if g.Bare == nil {
			g.Bare = g.IDs
		}
		if g.Cleaned == nil {
			g.Cleaned = &g.Decoded
		}
		if got := tok.EncodeSpecial(g.Text); !slices.Equal(got, g.IDs) {
			t.Errorf("EncodeSpecial(%q) = %v, want %v", g.Text, got, g.IDs)
		}
		if got := tok.Encode(g.Text); !slices.Equal(got, g.Bare) {
			t.Errorf("Encode(%q) = %v, want %v", g.Text, got, g.Bare)
		}
		for i, token := range g.Tokens {
			if got := tok.Token(g.IDs[i]); got != token {
				t.Errorf("Token(%d) = %q, want %q", g.IDs[i], got, token)
			}
			if got, ok := tok.ID(token); !ok || got != g.IDs[i] {
				t.Errorf("ID(%q) = %d, %t, want %d", token, got, ok, g.IDs[i])
			}
		}
		raw := tok.DecodeRaw(g.IDs)
		if raw != g.Decoded {
			t.Errorf("DecodeRaw(%v) = %q, want %q", g.IDs, raw, g.Decoded)
		}
		if got := cleanUp(raw); got != *g.Cleaned {
			t.Errorf("cleanUp(%q) = %q, want %q", raw, got, *g.Cleaned)
		}
		want := g.Decoded
		if cleans {
			want = *g.Cleaned
		}
		if got := tok.Decode(g.IDs); got != want {
			t.Errorf("Decode(%v) = %q, want %q", g.IDs, got, want)
		}
	}
}

// copyFiles makes a folder that has only some files of another.
func copyFiles(t *testing.T, from string, names ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range names {
		b, err := os.ReadFile(filepath.Join(from, name))
		if err != nil {
			t.Fatal(err)
		}
		writeFile(t, dir, name, string(b))
	}
	return dir
}

func writeFile(t *testing.T, dir, name, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// again is tok by way of Definition and Parse.
func again(t *testing.T, tok *Tokenizer) *Tokenizer {
	t.Helper()
	b, err := tok.Definition()
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := Parse("definition", b)
	if err != nil {
		t.Fatal(err)
	}
	if parsed.Len() != tok.Len() {
		t.Errorf("Len() = %d after Parse, want %d", parsed.Len(), tok.Len())
	}
	return parsed
}
