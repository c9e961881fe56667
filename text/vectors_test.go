package text

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestReadVectors(t *testing.T) {
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
			vecs, cov, err := readVectors("glove.txt", strings.NewReader(tt.file), v)
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Errorf("readVectors: error %v, want one with %q", err, tt.err)
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

func TestReadVectorsGzip(t *testing.T) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write([]byte("the 1 2\ndog 3 4\n"))
	z.Close()
	path := filepath.Join(t.TempDir(), "vectors") // known by its content, not its name
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	v := BuildVocab(slices.Values([]string{"dog"}), 1)
	vecs, cov, err := ReadVectors(path, v)
	if err != nil || !slices.Equal(vecs[v.ID("dog")], []float32{3, 4}) {
		t.Errorf("ReadVectors = %v, %v, %v, want dog 3 4", vecs, cov, err)
	}
	if want := "100.0 % of 1 words have a vector"; cov.String() != want {
		t.Errorf("coverage %q, want %q", cov, want)
	}
	if _, _, err := readVectors("x", bytes.NewReader(b.Bytes()[:b.Len()-9]), v); err == nil {
		t.Error("a gzip file cut short gave no error")
	}
}

// binaryVectors is a file as word2vec.c writes it; gensim leaves out the line
// breaks.
func binaryVectors(header, lineBreak string) string {
	var b strings.Builder
	b.WriteString(header)
	for _, w := range []struct {
		word string
		vec  []float32
	}{{"</s>", []float32{0, 0, 0}}, {"dog", []float32{1, -2, .5}}, {"the_dog", []float32{3, 3, 3}}, {"dog", []float32{9, 9, 9}}} {
		b.WriteString(w.word + " ")
		binary.Write(&b, binary.LittleEndian, w.vec)
		b.WriteString(lineBreak)
	}
	return b.String()
}

func TestReadBinary(t *testing.T) {
	v := BuildVocab(slices.Values([]string{"the dog"}), 1)
	whole := binaryVectors("4 3\n", "\n")
	tests := []struct{ name, file, err string }{
		{"word2vec.c", whole, ""},
		{"gensim", binaryVectors("4 3\n", ""), ""},
		{"more words than told", binaryVectors("2 3\n", ""), ""},
		{"truncated", whole[:len(whole)-8], "w.bin: word 4 of 4: the file ends here: it is truncated"},
		{"fewer words than told", binaryVectors("5 3\n", "\n"), "w.bin: word 5 of 5: the file ends here"},
		{"no numbers", binaryVectors("4 0\n", ""), `w.bin: "4 0" words and numbers, want 1 to 65536 numbers`},
		{"too many numbers", binaryVectors("4 4000000000\n", ""), `w.bin: "4 4000000000" words and numbers`},
		{"not finite", "1 1\ndog \x00\x00\xc0\x7f", "w.bin: word 1 of 1: NaN is not finite"},
		{"no blank", "1 1\n" + strings.Repeat("\x00", 5000), "w.bin: word 1 of 1: no blank after a word"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			vecs, cov, err := readVectors("w.bin", strings.NewReader(tt.file), v)
			if tt.err != "" {
				if err == nil || !strings.HasPrefix(err.Error(), tt.err) {
					t.Errorf("readVectors: error %v, want %q", err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := vecs[v.ID("dog")]; !slices.Equal(got, []float32{1, -2, .5}) {
				t.Errorf("vector of dog = %v, want 1 -2 0.5", got)
			}
			if !slices.Equal(cov.MissingWords, []string{"the"}) || cov.Dim != 3 {
				t.Errorf("coverage %+v, want 3 numbers and \"the\" missing", cov)
			}
		})
	}
}

func TestLookAtVectors(t *testing.T) {
	for _, c := range []struct {
		name, file string
		want       VectorFile // Dim 0: an error
	}{
		{"text", "the .1 .2\ndog 1 2\n", VectorFile{2, 2, false}},
		{"no newline at the end, CRLF", "the .1 .2\r\ndog 1 2", VectorFile{2, 2, false}},
		{"header", "400000 2\nthe .1 .2\n", VectorFile{400000, 2, false}},
		{"header of another size", "4 3\nthe .1 .2\n", VectorFile{}},
		{"binary", binaryVectors("4 3\n", "\n"), VectorFile{4, 3, true}},
		{"binary of no numbers", binaryVectors("4 0\n", ""), VectorFile{}},
		{"long line", "the" + strings.Repeat(" 1.0", 10000) + "\nx\n", VectorFile{2, 10000, false}},
		{"prose", "A dog runs.\n", VectorFile{}},
		{"a table", "name,age\nx,1\n", VectorFile{}},
		{"empty", "", VectorFile{}},
		{"no text", "\xff\xd8\xff\xe0 1 2\n", VectorFile{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := lookAtVectors(strings.NewReader(c.file))
			if (err != nil) != (c.want.Dim == 0) || err == nil && got != c.want {
				t.Errorf("lookAtVectors = %+v, %v, want %+v", got, err, c.want)
			}
		})
	}
}

// The real GloVe 6B: the values of "the" are in many papers and tutorials.
func TestReadVectorsReal(t *testing.T) {
	path := filepath.Join("..", "..", "shared", "text", "glove.6B.50d.subset.txt")
	if _, err := os.Stat(path); err != nil {
		t.Skip("needs shared/text/glove.6B.50d.subset.txt beside the repository")
	}
	v := BuildVocab(slices.Values([]string{"the dog's zebra a xyzzyx"}), 1)
	vecs, cov, err := ReadVectors(path, v)
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

func FuzzReadVectors(f *testing.F) {
	f.Add([]byte("2 3\nthe 1 2 3\n. . 4 5 6\n"))
	f.Add([]byte("\x1f\x8b\x08\x00"))
	f.Add([]byte(binaryVectors("4 3\n", "")))
	f.Fuzz(func(t *testing.T, data []byte) {
		v := BuildVocab(slices.Values([]string{"the dog"}), 1)
		if f, err := lookAtVectors(bytes.NewReader(data)); err == nil && f.Dim < 1 {
			t.Errorf("%+v", f)
		}
		vecs, cov, err := readVectors("f", bytes.NewReader(data), v)
		for _, vec := range vecs {
			if err == nil && vec != nil && len(vec) != cov.Dim {
				t.Errorf("vector of %d numbers, want %d", len(vec), cov.Dim)
			}
		}
	})
}
