package text

import (
	"bytes"
	"compress/gzip"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestReadGloVe(t *testing.T) {
	v := BuildVocab(slices.Values([]string{"the the the dog dog zebra", "the cat"}), 1) // the dog cat zebra
	tests := []struct {
		name, file, missing string
		want                []float32 // of "dog"
		err                 string
	}{
		{"plain", "the 0.1 0.2\ndog -1 2e-1\n", "cat zebra", []float32{-1, .2}, ""},
		{"no newline at the end, CRLF", "the 0.1 0.2\r\ndog -1 .2", "cat zebra", []float32{-1, .2}, ""},
		{"word2vec header", "2 3\nthe 1 2 3\ndog 4 5 6 \n", "cat zebra", []float32{4, 5, 6}, ""},
		{"one dimension is no header", "the 1\ndog 2\n", "cat zebra", []float32{2}, ""},
		{"a number as first word", "7 1 2\ndog 3 4\n", "the cat zebra", []float32{3, 4}, ""},
		{"words with blanks", ". . . 1 2\nat a@b.com 1 2\ndog 3 4\n", "the cat zebra", []float32{3, 4}, ""},
		{"first of two counts", "dog 1 2\ndog 3 4\n", "the cat zebra", []float32{1, 2}, ""},
		{"special names are no words", "<unk> 1 2\ndog 3 4\n", "the cat zebra", []float32{3, 4}, ""},
		{"line too long", "the 1 2\nx 1 2 3\n", "", nil, "glove.txt:2: 3 numbers, want 2"},
		{"line too short", "the 1 2\n\nx 1\n", "", nil, "glove.txt:3: 1 numbers, want a word and 2"},
		{"line too short, blank in word", "the 1 2\nx y 1\n", "", nil, "glove.txt:2: 1 numbers, want 2"},
		{"no number", "the 1 2\ndog 1 x\n", "", nil, `glove.txt:2: "x" is no number`},
		{"not finite", "dog 1 NaN\n", "", nil, `glove.txt:1: "NaN" is not finite`},
		{"too large", "dog 1 1e99\n", "", nil, "glove.txt:1: "},
		{"a caption file", "a dog runs\n", "", nil, "glove.txt:1: 0 numbers, want a word and 1"},
		{"empty", "", "", nil, "glove.txt: no vectors"},
		{"broken gzip", "\x1f\x8bx", "", nil, "glove.txt: "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			vecs, cov, err := readGloVe("glove.txt", strings.NewReader(tt.file), v)
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Errorf("readGloVe: error %v, want one with %q", err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := vecs[v.ID("dog")]; !slices.Equal(got, tt.want) {
				t.Errorf("vector of dog = %v, want %v", got, tt.want)
			}
			if vecs[Unknown] != nil {
				t.Errorf("vector of <unk> = %v, want none: it is no word", vecs[Unknown])
			}
			if got := strings.Join(cov.MissingWords, " "); got != tt.missing || cov.Found+cov.Missing() != 4 || cov.Dim != len(tt.want) {
				t.Errorf("coverage = %+v, want missing %q", cov, tt.missing)
			}
		})
	}
}

func TestReadGloVeGzip(t *testing.T) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write([]byte("the 1 2\ndog 3 4\n"))
	z.Close()
	path := filepath.Join(t.TempDir(), "vectors") // known by its content, not its name
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	v := BuildVocab(slices.Values([]string{"dog"}), 1)
	vecs, cov, err := ReadGloVe(path, v)
	if err != nil || !slices.Equal(vecs[v.ID("dog")], []float32{3, 4}) {
		t.Errorf("ReadGloVe = %v, %v, %v, want dog 3 4", vecs, cov, err)
	}
	if want := "100.0 % of 1 words have a vector"; cov.String() != want {
		t.Errorf("coverage %q, want %q", cov, want)
	}
	if _, _, err := readGloVe("x", bytes.NewReader(b.Bytes()[:b.Len()-9]), v); err == nil {
		t.Error("a gzip file cut short gave no error")
	}
}

// The real GloVe 6B: the values of "the" are in many papers and tutorials.
func TestReadGloVeReal(t *testing.T) {
	path := filepath.Join("..", "..", "shared", "text", "glove.6B.50d.subset.txt")
	if _, err := os.Stat(path); err != nil {
		t.Skip("needs shared/text/glove.6B.50d.subset.txt beside the repository")
	}
	v := BuildVocab(slices.Values([]string{"the dog's zebra a xyzzyx"}), 1)
	vecs, cov, err := ReadGloVe(path, v)
	if err != nil {
		t.Fatal(err)
	}
	if cov.Dim != 50 {
		t.Errorf("Dim = %d, want 50", cov.Dim)
	}
	for i, want := range []float64{0.418, 0.24968, -0.41242, 0.1217, 0.34527} {
		if got := vecs[v.ID("the")][i]; math.Abs(float64(got)-want) > 1e-6 {
			t.Errorf("the[%d] = %g, want %g", i, got, want)
		}
	}
	if !slices.Contains(cov.MissingWords, "xyzzyx") {
		t.Errorf("missing words %q, want xyzzyx among them", cov.MissingWords)
	}
}

func FuzzReadGloVe(f *testing.F) {
	f.Add([]byte("2 3\nthe 1 2 3\n. . 4 5 6\n"))
	f.Add([]byte("\x1f\x8b\x08\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		v := BuildVocab(slices.Values([]string{"the dog"}), 1)
		vecs, cov, err := readGloVe("f", bytes.NewReader(data), v)
		for _, vec := range vecs {
			if err == nil && vec != nil && len(vec) != cov.Dim {
				t.Errorf("vector of %d numbers, want %d", len(vec), cov.Dim)
			}
		}
	})
}
