package main

import (
	"bytes"
	"context"
	"path/filepath"
	"strings"
	"testing"

	"showtell/internal/testutil"
	"showtell/modelfile"
)

// convert runs showtell convert and returns the file that it wrote.
func convert(t *testing.T, args ...string) (*modelfile.File, string) {
	t.Helper()
	out := filepath.Join(t.TempDir(), "encoder.safetensors")
	var stderr strings.Builder
	args = append([]string{"convert", "-o", out}, args...)
	if code := run(context.Background(), args, streams{in: strings.NewReader(""), out: &stderr, err: &stderr}); code != statusOK {
		t.Fatalf("showtell %v ended with %d: %s", args, code, stderr.String())
	}
	f, err := modelfile.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f, stderr.String()
}

func TestConvertTorchvision(t *testing.T) {
	f, said := convert(t, filepath.Join(testutil.Root(), "encoder", "testdata", "torch_resnet18.safetensors"))
	if f.Meta["encoder"] != "resnet18" || !strings.Contains(said, "2 tensors are not used:\n  features\n  input\n") {
		t.Errorf("encoder %q; it said %q", f.Meta["encoder"], said)
	}
}

// TestConvertKeras converts the same weights from all forms of file.
func TestConvertKeras(t *testing.T) {
	var first *modelfile.File
	for _, name := range []string{"vgg16.h5", "vgg16.keras1.h5", "vgg16.model.h5", "vgg16.weights.h5", "vgg16.keras", "vgg16.gzip.h5", "vgg16.bigendian.h5"} {
		f, said := convert(t, testutil.Shared(t, "keras/"+name))
		if f.Meta["encoder"] != "vgg16_keras" || !strings.Contains(said, "6 tensors are not used") {
			t.Errorf("%s: encoder %q; it said %q", name, f.Meta["encoder"], said)
		}
		if first == nil {
			first = f
		}
		for i, want := range first.Tensors() {
			if got := f.Tensors()[i]; got.Name != want.Name || !bytes.Equal(got.Data, want.Data) {
				t.Errorf("%s: tensor %s differs from that of the first file", name, want.Name)
			}
		}
	}
}

// TestForeignWeights tells what to do with a file that is no model.
func TestForeignWeights(t *testing.T) {
	path := testutil.Shared(t, "keras/vgg16.h5")
	for _, args := range [][]string{{"-m", path, "photo.jpg"}, {"features", ".", "--encoder", path, "-o", filepath.Join(t.TempDir(), "f")}} {
		var stderr strings.Builder
		code := run(context.Background(), args, streams{in: strings.NewReader(""), out: &stderr, err: &stderr})
		if want := "not a safetensors file, but Keras weights (HDF5). Make an encoder of it: showtell convert "; code != statusFailed || !strings.Contains(stderr.String(), want) {
			t.Errorf("showtell %v ended with %d: %s", args, code, stderr.String())
		}
	}
}
