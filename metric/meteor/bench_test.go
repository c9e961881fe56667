package meteor

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// flickr reads the captions of Flickr8k, five of each picture.
func flickr(t testing.TB) [][]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(filepath.Dir(shared), "flickr8k/text/Flickr8k.token.txt"))
	if err != nil {
		t.Skip(err)
	}
	var pictures [][]string
	last := ""
	for line := range strings.Lines(string(text)) {
		name, caption, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		name, _, _ = strings.Cut(name, "#")
		if name != last {
			pictures, last = append(pictures, nil), name
		}
		n := len(pictures) - 1
		pictures[n] = append(pictures[n], strings.ToLower(strings.NewReplacer(".", "", ",", "").Replace(caption)))
	}
	return pictures
}

// small is a thousand pictures, for which the first caption of the next picture is
// scored against five references.
func small(pictures [][]string) (hyps []string, refs [][]string) {
	for i := range 1000 {
		hyps, refs = append(hyps, pictures[i+1][0]), append(refs, pictures[i])
	}
	return hyps, refs
}

// large is 40,000 captions, each against the others of its picture.
func large(pictures [][]string) (hyps []string, refs [][]string) {
	for _, captions := range pictures[:8000] {
		for k, caption := range captions {
			others := slices.Concat(captions[:k], captions[k+1:])
			hyps, refs = append(hyps, caption), append(refs, others)
		}
	}
	return hyps, refs
}

func BenchmarkNew(b *testing.B) {
	for b.Loop() {
		if _, err := New(os.DirFS("../meteordata")); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkScore scores human captions against others.
func BenchmarkScore(b *testing.B) {
	m := withData(b)
	pictures := flickr(b)
	for _, size := range []struct {
		name string
		make func([][]string) ([]string, [][]string)
	}{{"1000x5", small}, {"40000x4", large}} {
		b.Run(size.name, func(b *testing.B) {
			hyps, refs := size.make(pictures)
			for b.Loop() {
				m.Score(hyps, refs)
			}
		})
	}
}
