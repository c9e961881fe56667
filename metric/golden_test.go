package metric

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"showtell/internal/testutil"
	"showtell/metric/meteordata"
)

// The folders of larger goldens and of Flickr8k beside the repository; tests that
// need them are skipped without them.
const (
	shared   = "../../shared/metrics"
	flickr8k = "../../shared/flickr8k/text"
)

// tolerance of a comparison with the official values.
const tolerance = 1e-9

// read returns a file of testdata or of shared, unpacked.
func read(t *testing.T, path string) []byte {
	t.Helper()
	data, err := testutil.Gunzip(path)
	if dir := filepath.Dir(path); os.IsNotExist(err) && (dir == shared || dir == flickr8k) {
		t.Skipf("no %s", path)
	}
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func readJSON(t *testing.T, path string, v any) {
	t.Helper()
	if err := json.Unmarshal(read(t, path), v); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

// official is the output of the reference code: numbers, or an error instead.
type official map[string]json.RawMessage

// values of a metric of ours, by the official name; false where it raised.
func (o official) values(t *testing.T, name string) (corpus float64, perImage []float64, ok bool) {
	t.Helper()
	if order := slices.Index([]string{"BLEU-1", "BLEU-2", "BLEU-3", "BLEU-4"}, name); order >= 0 {
		var v struct {
			Corpus   []float64
			PerImage [][]float64 `json:"per_image"`
			Error    string
		}
		if err := json.Unmarshal(o["Bleu"], &v); err != nil {
			t.Fatal(err)
		}
		if v.Error != "" {
			return 0, nil, false
		}
		return v.Corpus[order], v.PerImage[order], true
	}
	names := map[string]string{"ROUGE-L": "ROUGE_L", "CIDEr-D": "CIDEr_D", "CIDEr": "CIDEr", "METEOR": "METEOR"}
	var v struct {
		Corpus   float64
		PerImage []float64 `json:"per_image"`
		Error    string
	}
	if err := json.Unmarshal(o[names[name]], &v); err != nil {
		t.Fatal(err)
	}
	return v.Corpus, v.PerImage, v.Error == ""
}

// check compares all metrics with the official values; METEOR only if its data is
// there.
func check(t *testing.T, c *Corpus, want official) {
	t.Helper()
	m, err := meteordata.Open()
	if err != nil {
		t.Fatal(err)
	}
	c.Meteor = m
	for _, got := range All(c) {
		if len(m.Missing()) > 0 && got.Name == m.Name() {
			continue
		}
		corpus, perImage, ok := want.values(t, got.Name)
		if !ok { // only CIDEr of nothing but empty references
			corpus, perImage = 0, make([]float64, c.Images())
		}
		if !(math.Abs(got.Corpus-corpus) <= tolerance) {
			t.Errorf("%s = %v, want %v", got.Name, got.Corpus, corpus)
		}
		if len(got.PerImage) != len(perImage) {
			t.Fatalf("%s of %d images, want %d", got.Name, len(got.PerImage), len(perImage))
		}
		bad := 0
		for i, x := range got.PerImage {
			if !(math.Abs(x-perImage[i]) <= tolerance) {
				if bad++; bad < 4 {
					t.Errorf("%s of image %d = %v, want %v", got.Name, i, x, perImage[i])
				}
			}
		}
		if bad > 3 {
			t.Errorf("%s differs for %d of %d images", got.Name, bad, len(perImage))
		}
	}
}

// ordered is a JSON object whose keys keep their order.
type ordered struct {
	keys   []string
	values map[string][]string
}

func (o *ordered) UnmarshalJSON(data []byte) error {
	if err := json.Unmarshal(data, &o.values); err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.Token() // {
	for d.More() {
		k, err := d.Token()
		if err != nil {
			return err
		}
		o.keys = append(o.keys, k.(string))
		var skip json.RawMessage
		if err := d.Decode(&skip); err != nil {
			return err
		}
	}
	return nil
}

func TestEdgeCases(t *testing.T) {
	var cases []struct {
		Name      string
		Refs, Hyp ordered
		Scores    official
	}
	readJSON(t, "testdata/edge_cases.json.gz", &cases)
	for _, test := range cases {
		t.Run(test.Name, func(t *testing.T) {
			if test.Name == "two hypotheses for an image" {
				t.Skip("cannot be said")
			}
			var hyps []string
			var refs [][]string
			for _, image := range test.Refs.keys {
				refs = append(refs, test.Refs.values[image])
				hyps = append(hyps, test.Hyp.values[image]...)
			}
			c, err := FromTokens(hyps, refs)
			if err != nil {
				if _, _, ok := test.Scores.values(t, "CIDEr-D"); ok {
					t.Fatalf("FromTokens: %v, but the official code has a score", err)
				}
				return
			}
			check(t, c, test.Scores)
		})
	}
}

func TestKNN(t *testing.T) {
	var fixture struct {
		Hyp  []string
		Refs [][]string
	}
	readJSON(t, shared+"/flickr8k_knn_fixture.json", &fixture)
	var want struct{ Scores official }
	readJSON(t, shared+"/scores_knn.json.gz", &want)
	c, err := FromTokens(fixture.Hyp, fixture.Refs)
	if err != nil {
		t.Fatal(err)
	}
	check(t, c, want.Scores)

	d, err := NewCiderD(fixture.Refs)
	if err != nil {
		t.Fatal(err)
	}
	_, perImage, _ := want.Scores.values(t, "CIDEr-D")
	for i, hyp := range fixture.Hyp {
		if got := d.Score(words(hyp), i); !(math.Abs(got-perImage[i]) <= tolerance) {
			t.Errorf("Score(%q, %d) = %v, want %v", hyp, i, got, perImage[i])
		}
	}
}

func TestExamples(t *testing.T) {
	for _, test := range []struct{ captions, scores string }{
		{"testdata/example_1.csv.gz", "testdata/scores_example_1.json.gz"},
		{shared + "/example_2.csv", shared + "/scores_example_2.json.gz"},
	} {
		t.Run(filepath.Base(test.captions), func(t *testing.T) {
			rows, err := csv.NewReader(bytes.NewReader(read(t, test.captions))).ReadAll()
			if err != nil {
				t.Fatal(err)
			}
			var hyps []string
			var refs [][]string
			for _, row := range rows[1:] {
				hyps = append(hyps, row[slices.Index(rows[0], "caption_predicted")])
				var list []string
				for i := range 5 {
					list = append(list, row[slices.Index(rows[0], fmt.Sprint("caption_", i+1))])
				}
				refs = append(refs, list)
			}
			c, err := NewCorpus(hyps, refs)
			if err != nil {
				t.Fatal(err)
			}
			var want struct{ Scores official }
			readJSON(t, test.scores, &want)
			check(t, c, want.Scores)
		})
	}
}

// TestFlickr8k scores raw captions, end to end.
func TestFlickr8k(t *testing.T) {
	var fixture struct{ Images, Hyp []string }
	readJSON(t, shared+"/flickr8k_knn_fixture.json", &fixture)
	var want struct{ Scores official }
	readJSON(t, shared+"/scores_flickr8k_raw.json.gz", &want)
	captions := map[string][]string{}
	for line := range bytes.Lines(read(t, flickr8k+"/Flickr8k.token.txt")) {
		name, caption, ok := bytes.Cut(bytes.TrimRight(line, "\r\n"), []byte("\t"))
		if !ok {
			continue
		}
		image, _, _ := bytes.Cut(name, []byte("#"))
		captions[string(image)] = append(captions[string(image)], string(caption))
	}
	var refs [][]string
	for _, image := range fixture.Images {
		refs = append(refs, captions[image])
	}
	c, err := NewCorpus(fixture.Hyp, refs)
	if err != nil {
		t.Fatal(err)
	}
	check(t, c, want.Scores)
}
