package main

import (
	"bytes"
	"context"
	"path/filepath"
	"strings"
	"testing"

	"showtell/encoder"
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

// TestConvertKeras converts every file of ../shared/keras. Those of one network
// hold the same weights in all forms of file.
func TestConvertKeras(t *testing.T) {
	folder := testutil.Shared(t, "keras")
	files, err := filepath.Glob(filepath.Join(folder, "*"))
	if err != nil {
		t.Fatal(err)
	}
	first := map[string]*modelfile.File{}
	count := 0
	for _, path := range files {
		base := strings.TrimSuffix(filepath.Base(path), ".gz")
		net, form, _ := strings.Cut(base, ".")
		if form != "keras" && !strings.HasSuffix(form, "h5") {
			continue
		}
		if strings.HasSuffix(path, ".gz") {
			data, err := testutil.Gunzip(path)
			if err != nil {
				t.Fatal(err)
			}
			path = filepath.Join(t.TempDir(), base)
			write(t, path, data)
		}
		count++
		f, said := convert(t, path)
		want := map[string]string{
			"vgg16": "vgg16_keras", "resnet50": "resnet50_keras", "inceptionv3": "inception_v3_keras",
			"mobilenetv2": "mobilenet_v2_keras", "mobilenetv2_a10": "mobilenet_v2_keras",
		}[net]
		if f.Meta["encoder"] != want || net == "vgg16" && !strings.Contains(said, "6 tensors are not used") {
			t.Errorf("%s: encoder %q; it said %q", base, f.Meta["encoder"], said)
		}
		if form == "float16.h5" {
			continue
		}
		if first[net] == nil {
			first[net] = f
		}
		for i, want := range first[net].Tensors() {
			if got := f.Tensors()[i]; got.Name != want.Name || !bytes.Equal(got.Data, want.Data) {
				t.Errorf("%s: tensor %s differs from that of the first file", base, want.Name)
			}
		}
	}
	if count < 21 {
		t.Errorf("%d files, want 21 or more", count)
	}
}

// An attention in the blocks, or more of them, make it another network.
func TestConvertRefusesMoreThanTheNetwork(t *testing.T) {
	for _, c := range []struct{ file, network, more string }{
		{"torch_resnet18", "resnet18", "layer1.0.se.fc1.weight"},
		{"torch_resnet18", "resnet18", "layer1.2.conv1.weight"},
		{"names_timm_mobilenet_v2", "mobilenet_v2", "blocks.1.2.conv_pw.weight"},
		{"names_hf_resnet50", "resnet50", "resnet.encoder.stages.1.layers.4.layer.0.convolution.weight"},
	} {
		from, err := modelfile.Open(filepath.Join(testutil.Root(), "encoder", "testdata", c.file+".safetensors"))
		if err != nil {
			t.Fatal(err)
		}
		defer from.Close()
		path := filepath.Join(t.TempDir(), "more.safetensors")
		if err := modelfile.Write(path, nil, append(from.Tensors(), modelfile.Float32(c.more, []int{1}, []float32{1}))); err != nil {
			t.Fatal(err)
		}
		refused(t, path, "but it has "+c.more, "--encoder", c.network)
	}
}

// TestConvertNames recognises the names of other programs.
func TestConvertNames(t *testing.T) {
	for file, want := range map[string]string{
		"hf_resnet50": "resnet50", "hf_mobilenet_v2_tf": "mobilenet_v2_tf", "timm_mobilenet_v2": "mobilenet_v2", "timm_vgg16": "vgg16",
	} {
		f, _ := convert(t, filepath.Join(testutil.Root(), "encoder", "testdata", "names_"+file+".safetensors"))
		n, err := encoder.Load(f, "")
		if err != nil || f.Meta["encoder"] != want || n.Name() != want {
			t.Errorf("%s: encoder %q, %v; want %s", file, f.Meta["encoder"], err, want)
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
