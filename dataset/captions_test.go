package dataset

import (
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestCaptions(t *testing.T) {
	zipped := func(s string) string {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		z.Write([]byte(s))
		z.Close()
		return b.String()
	}
	want := []string{"A dog, running .", "Two cats"}
	for name, content := range map[string]string{
		"plain.txt":     "\ufeffA dog, running .\n\n!!\n  Two cats\r\n",
		"flickr.txt":    "a.jpg#0\tA dog, running .\nb.jpg#3\tTwo cats\n",
		"table.tsv":     "a.jpg\tA dog, running .\nb.jpg\tTwo cats\n",
		"columns.csv":   "caption,image\n\"A dog, running .\",a.jpg\nTwo cats,b.jpg\n",
		"lines.jsonl":   `{"image": "a.jpg", "captions": ["A dog, running .", "Two cats"]}`,
		"plain.txt.gz":  zipped("A dog, running .\nTwo cats\n"),
		"table.tsv.gz":  zipped("a.jpg\tA dog, running .\nb.jpg\tTwo cats\n"),
		"unnamed-table": "image\tcaption\na.jpg\tA dog, running .\nb.jpg\tTwo cats\n",
	} {
		got, err := Captions(scrap(t, name, content))
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %q, %v, want %q", name, got, err, want)
		}
	}
	for _, c := range []struct{ name, content, want string }{
		{"empty.txt", "", "empty.txt: no captions in it"},
		{"wordless.txt", "!\n?\n", "wordless.txt: no captions in it"},
		{"empty.csv", "", "empty.csv: no captions in it"},
		{"cut.gz", zipped(strings.Repeat("some words to squeeze\n", 9))[:30], "cut.gz:"},
		{"bad.gz", "\x1f\x8bno", "bad.gz:"},
		{"wide.txt", "\xff\xfea\x00", "UTF-16"},
		{"binary.txt", "\xff\x00\xc0", "not UTF-8"},
	} {
		if got, err := Captions(scrap(t, c.name, c.content)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %q, %v, want an error with %q", c.name, got, err, c.want)
		}
	}
	if _, err := Captions("nowhere.txt"); err == nil {
		t.Error("no error for a file that is not there")
	}
}

// scrap writes a file of its own.
func scrap(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}
