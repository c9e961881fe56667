package eval

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"showtell"
	"showtell/dataset"
	"showtell/decoder"
	"showtell/encoder"
	"showtell/imageprep"
	"showtell/text"
)

// babble is a model with random weights.
func babble(t *testing.T) *showtell.Model {
	t.Helper()
	network, err := encoder.Random("efficientnet_lite0", rand.New(rand.NewPCG(1, 1)))
	if err != nil {
		t.Fatal(err)
	}
	vocab := text.BuildVocab(func(yield func(string) bool) {
		for _, item := range testItems {
			for _, c := range item.Captions {
				if !yield(c) {
					return
				}
			}
		}
	}, 1)
	h, w, c := network.Grid()
	config := decoder.Config{Kind: "attend", Vocab: vocab.Len(), Cells: h * w, Channels: c, Embed: 8, Hidden: 8, MaxWords: 6}
	d, err := decoder.New(config, rand.New(rand.NewPCG(2, 2)))
	if err != nil {
		t.Fatal(err)
	}
	m, err := showtell.New(showtell.Manifest{Decoder: config, Words: vocab.Words()}, network, d)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// grids computes features when they are asked for.
type grids struct {
	plan   *encoder.Plan
	recipe imageprep.Recipe
}

func (g grids) Grid(dst []float32, name string, mirror bool) bool {
	img, err := imageprep.ReadFile(filepath.Join("../testdata", name), nil)
	if err != nil {
		return false
	}
	g.plan.Run(dst, g.recipe.Apply(img))
	return true
}

// From files and from stored grids the captions are the same; a broken picture
// is a problem, and one without captions is none.
func TestRunFilesAndGrids(t *testing.T) {
	m := babble(t)
	broken := filepath.Join(t.TempDir(), "broken.jpg")
	if err := os.WriteFile(broken, []byte("\xff\xd8\xff"), 0o644); err != nil {
		t.Fatal(err)
	}
	items := []dataset.Item{testItems[0], {Name: "silent.jpg"}, {Name: "broken.jpg", Path: broken, Captions: []string{"x"}}}
	items = append(items, testItems[1:]...)
	plan, err := m.Network().Compile()
	if err != nil {
		t.Fatal(err)
	}
	for name, f := range map[string]Features{"files": nil, "grids": grids{plan, m.Recipe}} {
		r, err := Run(t.Context(), m, items, &Options{Features: f, Search: &showtell.Options{Beams: 2}})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if len(r.Items) != 4 || len(r.Problems) != 1 || !strings.Contains(r.Problems[0].String(), "broken.jpg") {
			t.Fatalf("%s: %d captions, problems %v, want 4 and that of broken.jpg", name, len(r.Items), r.Problems)
		}
		for i, item := range r.Items {
			img, err := imageprep.ReadFile(testItems[i].Path, nil)
			if err != nil {
				t.Fatal(err)
			}
			want, err := m.Caption(t.Context(), img, &showtell.Options{Beams: 2})
			if err != nil {
				t.Fatal(err)
			}
			if item.Name != testItems[i].Name || item.Caption.Text != want.Text {
				t.Errorf("%s: caption %d is of %s: %q, want %s: %q", name, i, item.Name, item.Caption.Text, testItems[i].Name, want.Text)
			}
			if n := len(item.Caption.Words); n > 0 && len(item.Caption.Words[0].Attention) != r.Rows*r.Columns {
				t.Errorf("%s: attention over %d cells, want %d x %d", name, len(item.Caption.Words[0].Attention), r.Rows, r.Columns)
			}
		}
	}
}
