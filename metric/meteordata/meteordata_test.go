package meteordata

import (
	"io/fs"
	"strings"
	"testing"
)

func TestOpen(t *testing.T) {
	m, err := Open()
	if err != nil {
		t.Fatal(err)
	}
	if missing := m.Missing(); len(missing) > 0 {
		t.Skipf("a program without %v", missing)
	}
	// By hand: "is running" and "runs" are in the table, hound and dog in WordNet.
	stats, err := m.Score([]string{"the dog is running"}, [][]string{{"the hound runs"}})
	if err != nil {
		t.Fatal(err)
	}
	s := stats[0]
	if got, want := s.String(), "4.0 3.0 2.0 1.0"; !strings.HasPrefix(got, want) || s.Hyp.Matched[3].Content+s.Hyp.Matched[2].Content == 0 {
		t.Errorf("statistics %s, want %s ... and matches by data", got, want)
	}
	for _, name := range []string{"COPYING.LGPL", "COPYING.WORDNET"} {
		if text, err := fs.ReadFile(files(), name); err != nil || len(text) < 1000 {
			t.Errorf("%s: %d bytes, error %v", name, len(text), err)
		}
	}
}
