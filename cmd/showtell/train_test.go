package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"showtell"
	"showtell/internal/testutil"
)

// TestTrainFromWordVectors starts decoders from word2vec's binary form, of vectors
// as long as the decoder's own, longer and shorter, learned and fixed.
func TestTrainFromWordVectors(t *testing.T) {
	dir := t.TempDir()
	data := filepath.Join(dir, "flickr8k")
	if err := testutil.Flickr(data); err != nil {
		t.Fatal(err)
	}
	vectors := func(dim int) string {
		var b bytes.Buffer
		fmt.Fprintf(&b, "2 %d\n", dim)
		for i, word := range []string{"cat", "a"} {
			b.WriteString(word + " ")
			for k := range dim {
				binary.Write(&b, binary.LittleEndian, float32(k%3+i))
			}
		}
		path := filepath.Join(dir, fmt.Sprintf("vectors%d.bin", dim))
		write(t, path, b.Bytes())
		return path
	}
	features := filepath.Join(dir, "features.safetensors")
	words := func(model string) map[string][]float32 { // first values of words' rows
		m, err := showtell.Open(model)
		if err != nil {
			t.Fatal(err)
		}
		rows := map[string][]float32{}
		for _, p := range m.Params() {
			if strings.Contains(p.Name, "words") && len(p.Shape) == 2 {
				for i, w := range m.Words {
					rows[w] = p.Data[i*p.Cols() : (i+1)*p.Cols()]
				}
				break
			}
		}
		return rows
	}
	for _, c := range []struct {
		dim   int
		fixed bool
	}{{16, false}, {16, true}, {40, true}, {6, true}} {
		model := filepath.Join(dir, "m.safetensors")
		var stderr strings.Builder
		code := run(context.Background(), []string{
			"train", data, "-o", model, "--features", features, "--glove", vectors(c.dim), "--epochs", "1",
			"--set", "decoder.hidden=16", "--set", "decoder.heads=2", "--set", "decoder.layers=1", "--set", fmt.Sprint("glove_fixed=", c.fixed),
		}, streams{in: strings.NewReader(""), out: io.Discard, err: &stderr})
		if code != statusOK || !strings.Contains(stderr.String(), "% of 27 words have a vector; without: of, in, is") {
			t.Fatalf("%d numbers: status %d: %s", c.dim, code, stderr.String())
		}
		rows := words(model)
		cat := rows["cat"]
		if len(cat) != 16 {
			t.Fatalf("%d numbers: a row of %d, want 16: %d words", c.dim, len(cat), len(rows))
		}
		if same := cat[0] == 0 && cat[1] == 1 && cat[2] == 2 && cat[4] == 1; c.dim == 16 && same != c.fixed {
			t.Errorf("fixed %v: vector of cat is %v", c.fixed, cat)
		}
		if c.dim == 6 && cat[7] == cat[1] {
			t.Errorf("shorter vectors: %v", cat)
		}
	}
}
