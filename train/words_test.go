package train

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"showtell/modelfile"
	"showtell/nn"
)

func TestStartWords(t *testing.T) {
	for _, tt := range []struct {
		name    string
		vectors [][]float32
		want    []float32 // row 1, of two numbers
	}{
		{"as wide", [][]float32{nil, {3, 4}}, []float32{3, 4}},
		{"narrower", [][]float32{nil, {5}}, []float32{2, 2}}, // as large as the others; the rest stays
		{"wider", [][]float32{nil, {0, 0, 7}, {0, 1, 0}}, nil},
		{"nothing", [][]float32{nil, {0, 0, 0}}, []float32{0, 0}},
	} {
		words := nn.NewParam("words", 3, 2)
		words.Fill(2)
		startWords(words, tt.vectors)
		if got := words.Row(1); tt.want != nil && !slices.Equal(got, tt.want) {
			t.Errorf("%s: vector of word 1 is %v, want %v", tt.name, got, tt.want)
		}
		if got := words.Row(0); !slices.Equal(got, []float32{2, 2}) {
			t.Errorf("%s: vector of a word without one is %v, want it as it was", tt.name, got)
		}
		if got := words.Data[2:]; tt.name == "wider" && (meanSize(got) < 1.99 || meanSize(got) > 2.01 || got[0]*got[2]+got[1]*got[3] > 1e-4) {
			t.Errorf("wider: vectors are %v, want them at right angles and as large as before", got)
		}
	}
}

// Frozen vectors are in the model as in the file, learned ones are not.
func TestFrozenWords(t *testing.T) {
	glove := filepath.Join(t.TempDir(), "glove.txt")
	if err := os.WriteFile(glove, []byte("a 0.25 0.5 0.75 1\ndog 1 0 0 -1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{"inject", "merge"} {
		for _, fixed := range []bool{true, false} {
			job := toyJob(t, "epochs=1", "decoder.kind="+kind)
			job.Recipe.GloVe, job.Recipe.GloVeFixed = glove, fixed
			m, err := Run(t.Context(), job)
			if err != nil {
				t.Fatal(err)
			}
			file, err := modelfile.Parse("m", save(t, m))
			if err != nil {
				t.Fatal(err)
			}
			i := slices.IndexFunc(file.Tensors(), func(x modelfile.Tensor) bool { return strings.HasSuffix(x.Name, "words") })
			table, err := file.Tensors()[i].Float32()
			if err != nil {
				t.Fatal(err)
			}
			id := slices.Index(m.Manifest.Words, "a")
			if same := slices.Equal(table[4*id:4*id+4], []float32{.25, .5, .75, 1}); same != fixed {
				t.Errorf("%s, fixed %v: vector of %q is %v", kind, fixed, "a", table[4*id:4*id+4])
			}
		}
	}
}
