package main

import (
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"showtell/internal/testutil"
)

// TestInfoOfAnyFile tells what the files are that people have.
func TestInfoOfAnyFile(t *testing.T) {
	testdata := func(parts ...string) string { return filepath.Join(append([]string{testutil.Root()}, parts...)...) }
	vectors := filepath.Join(t.TempDir(), "vectors.txt")
	if err := os.WriteFile(vectors, []byte("a .1 .2 .3\ncat .2 .2 .1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	binary := filepath.Join(t.TempDir(), "vectors.bin")
	if err := os.WriteFile(binary, []byte("1 2\ncat \x00\x00\x80\x3f\x00\x00\x00\x00"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ path, want string }{
		{testdata("encoder", "testdata", "torch_resnet18.safetensors"), "resnet18, 224 x 224 pixels to a grid of 7 x 7 x 16|layer1.0.conv1  |weight 2x2x3x3 f16"},
		{testdata("encoder", "testdata", "names_hf_resnet50.safetensors"), "resnet50, 224 x 224|showtell convert |-o resnet50.safetensors|resnet.encoder.stages.0.layers.0.layer.0.convolution "},
		{testdata("encoder", "testdata", "names_hf_mobilenet_v2_tf.safetensors"), "mobilenet_v2_tf, "},
		{testdata("weightfile", "testdata", "state.pt"), "PyTorch state dict (zip)|none recognised: holds no encoder that is known"},
		{testdata("weightfile", "testdata", "plain.npz"), "NumPy arrays (zip)|half 2x3 f16"},
		{testdata("weightfile", "testdata", "model.safetensors.index.json"), "several files under one index"},
		{testdata("weightfile", "testdata", "keras3.keras"), "Keras 3 model (zip)|model "},
		{testdata("weightfile", "testdata", "keras3.weights.h5"), "Keras 3 weights (HDF5)"},
		{vectors, "word vectors, text|2 words, vectors of 3 numbers|--glove"},
		{binary, "word vectors, binary|1 words, vectors of 2 numbers"},
	} {
		t.Run(filepath.Base(c.path), func(t *testing.T) {
			var out, stderr strings.Builder
			if code := run(context.Background(), []string{"info", c.path}, streams{out: &out, err: &stderr}); code != statusOK {
				t.Fatalf("status %d: %s", code, stderr.String())
			}
			for want := range strings.SplitSeq(c.want, "|") {
				if !strings.Contains(out.String(), want) {
					t.Errorf("no %q in\n%s", want, out.String())
				}
			}
		})
	}
}

func TestInfoAsJSON(t *testing.T) {
	path := filepath.Join(testutil.Root(), "encoder", "testdata", "torch_resnet18.safetensors")
	var out strings.Builder
	if code := run(context.Background(), []string{"info", "--json", path}, streams{out: &out, err: io.Discard}); code != statusOK {
		t.Fatal(code)
	}
	var r weightsReport
	if err := json.Unmarshal([]byte(out.String()), &r); err != nil {
		t.Fatal(err)
	}
	if r.Encoder != "resnet18" || r.Weights == 0 || r.Parameters < r.Weights || len(r.Layers) != 41 || len(r.Unused) != 2 {
		t.Errorf("%+v", r)
	}
}
