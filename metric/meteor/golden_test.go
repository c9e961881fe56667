package meteor

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"

	"github.com/kljensen/snowball/english"
)

// shared is the folder of larger goldens beside the repository; tests that need it
// are skipped without it.
const shared = "../../../shared/metrics"

// tolerance of a comparison with the official values.
const tolerance = 1e-12

// full is METEOR with all data.
var full = sync.OnceValues(func() (*Meteor, error) { return New(os.DirFS("../meteordata")) })

func withData(t testing.TB) *Meteor {
	t.Helper()
	m, err := full()
	if err != nil {
		t.Fatal(err)
	}
	if len(m.missing) > 0 {
		t.Fatalf("no %v", m.missing)
	}
	return m
}

func score(t testing.TB, m *Meteor, hyps []string, refs [][]string) []Stats {
	t.Helper()
	stats, err := m.Score(hyps, refs)
	if err != nil {
		t.Fatal(err)
	}
	return stats
}

// lines decodes each line of a gzipped file of JSON.
func lines[T any](t testing.TB, path string) []T {
	t.Helper()
	data, err := os.ReadFile(path)
	if os.IsNotExist(err) && filepath.Dir(path) == shared {
		t.Skipf("no %s", path)
	}
	if err != nil {
		t.Fatal(err)
	}
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	var all []T
	for d := json.NewDecoder(z); ; {
		var v T
		switch err := d.Decode(&v); err {
		case nil:
			all = append(all, v)
		case io.EOF:
			return all
		default:
			t.Fatal(err)
		}
	}
}

// A segment is what the official program says of a hypothesis and its references.
type segment struct {
	Hyp          string
	Refs         []string
	Stats, Score string
	Corpus       string                          // of all, in a line of its own
	PerRef       []struct{ Stats, Score string } `json:"per_ref"`
}

func (s segment) check(t *testing.T, refs []string, got Stats) {
	t.Helper()
	score, err := strconv.ParseFloat(s.Score, 64)
	if err != nil {
		t.Fatal(err)
	}
	if got.String() != s.Stats || !(math.Abs(got.Score()-score) <= tolerance) {
		t.Errorf("hypothesis %q, references %q:\n got %v: %v\nwant %v: %v", s.Hyp, refs, &got, got.Score(), s.Stats, score)
	}
}

func TestSegments(t *testing.T) {
	for _, path := range []string{
		"testdata/meteor_adversarial.jsonl.gz", shared + "/meteor_knn.jsonl.gz",
	} {
		t.Run(filepath.Base(path), func(t *testing.T) {
			all := lines[segment](t, path)
			want, all := all[len(all)-1], all[:len(all)-1]
			var hyps []string
			var refs [][]string
			for _, s := range all {
				hyps, refs = append(hyps, s.Hyp), append(refs, s.Refs)
			}
			n := 0
			var sum Stats
			for i, got := range score(t, withData(t), hyps, refs) {
				all[i].check(t, refs[i], got)
				sum.Add(&got)
				n++
			}
			corpus, err := strconv.ParseFloat(want.Corpus, 64)
			if err != nil {
				t.Fatal(err)
			}
			if !(math.Abs(sum.Score()-corpus) <= tolerance) {
				t.Errorf("corpus score of %d segments = %v, want %v", n, sum.Score(), corpus)
			}
		})
	}
}

// TestSingleReferences scores each reference alone.
func TestSingleReferences(t *testing.T) {
	all := lines[segment](t, shared+"/meteor_knn.jsonl.gz")
	var hyps []string
	var refs [][]string
	var want []segment
	for _, s := range all[:len(all)-1] {
		for r, one := range s.PerRef {
			hyps, refs = append(hyps, s.Hyp), append(refs, s.Refs[r:r+1])
			want = append(want, segment{Hyp: s.Hyp, Stats: one.Stats, Score: one.Score})
		}
	}
	for i, got := range score(t, withData(t), hyps, refs) {
		want[i].check(t, refs[i], got)
	}
	if len(want) < 1000 {
		t.Errorf("only %d references", len(want))
	}
}

func TestNormalizer(t *testing.T) {
	m := withData(t)
	for _, want := range lines[struct{ In, Out string }](t, shared+"/meteor_normalize.jsonl.gz") {
		if got := joined(m.split(want.In)); got != want.Out {
			t.Errorf("split(%q) = %q, want %q", want.In, got, want.Out)
		}
	}
}

func joined(words []string) string {
	var b bytes.Buffer
	for i, w := range words {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(w)
	}
	return b.String()
}

func TestStems(t *testing.T) {
	for _, pair := range lines[[2]string](t, shared+"/meteor_stems.jsonl.gz") {
		if got := english.Stem(pair[0], true); got != pair[1] {
			t.Errorf("Stem(%q) = %q, want %q", pair[0], got, pair[1])
		}
	}
}
