package weightfile

import (
	"bytes"
	"compress/gzip"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"showtell/internal/testutil"
)

// openKeras opens a file of ../shared/keras, unpacked if it is gzipped.
func openKeras(t *testing.T, name string) *File {
	t.Helper()
	path := filepath.Join(testutil.Shared(t, "keras"), name)
	if strings.HasSuffix(name, ".gz") {
		packed, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		z, err := gzip.NewReader(bytes.NewReader(packed))
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(z)
		if err != nil {
			t.Fatal(err)
		}
		path = filepath.Join(t.TempDir(), strings.TrimSuffix(name, ".gz"))
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return open(t, path)
}

// layers are the weights of the layers of a file by the name of the layer.
func layers(t *testing.T, f *File) map[string][][]float32 {
	t.Helper()
	all := map[string][][]float32{}
	for _, l := range f.Layers {
		name := l.Name
		if name == "" {
			name = strings.TrimPrefix(l.Group, "layers/")
		}
		if all[name] != nil {
			t.Errorf("%s: two layers called %q", f.Name, name)
		}
		for _, x := range l.Tensors {
			v, err := x.Float32()
			if err != nil {
				t.Fatal(err)
			}
			all[name] = append(all[name], v)
		}
	}
	return all
}

// Every form of a net holds the same weights, bit for bit. The two forms of
// InceptionV3 whose layers have other names are left to TestKerasOrder.
func TestKerasForms(t *testing.T) {
	vgg := "block1_conv1 block1_conv2 block2_conv1 block2_conv2 block3_conv1 block3_conv2 block3_conv3 block4_conv1 block4_conv2 block4_conv3 " +
		"block5_conv1 block5_conv2 block5_conv3 fc1 fc2 predictions"
	tests := []struct {
		files  string
		layers int
		order  string // of the older form
	}{
		{"vgg16.h5 vgg16.model.h5 vgg16.model3.h5 vgg16.keras1.h5 vgg16.gzip.h5 vgg16.checked.h5 vgg16.float16.h5 vgg16.bigendian.h5 " +
			"vgg16.v110.h5 vgg16.v110gzip.h5 vgg16.weights.h5 vgg16.keras", 16, vgg},
		{"resnet50.h5.gz resnet50.weights.h5.gz", 106, ""},
		{"inceptionv3.h5.gz inceptionv3.weights.h5.gz", 188, ""},
		{"mobilenetv2_a10.model.h5.gz mobilenetv2_a10.weights.h5.gz", 104, ""},
		{"mobilenetv2.h5.gz", 104, ""},
	}
	for _, tt := range tests {
		var first map[string][][]float32
		for _, name := range strings.Fields(tt.files) {
			f := openKeras(t, name)
			got := layers(t, f)
			if len(got) != tt.layers {
				t.Errorf("%s has %d layers with weights, want %d", name, len(got), tt.layers)
			}
			if first == nil {
				first = got
			}
			for layer, want := range first {
				if !slices.EqualFunc(got[layer], want, slices.Equal[[]float32]) {
					t.Errorf("%s: layer %s differs", name, layer)
				}
			}
			if f.Format == Keras && tt.order != "" {
				var order []string
				for _, l := range f.Layers {
					order = append(order, l.Name)
				}
				if got := strings.Join(order, " "); got != tt.order {
					t.Errorf("%s has layers in order %s, want %s", name, got, tt.order)
				}
			}
		}
	}
}

// The k-th layer of the published form, of the form without names sorted by
// number, and of the others hold the same.
func TestKerasOrder(t *testing.T) {
	f, published := openKeras(t, "inceptionv3.h5.gz"), openKeras(t, "inceptionv3.published.h5.gz")
	for i, l := range f.Layers {
		for k, x := range l.Tensors {
			a, err1 := x.Float32()
			b, err2 := published.Layers[i].Tensors[k].Float32()
			if err1 != nil || err2 != nil || !slices.Equal(a, b) {
				t.Errorf("layer %d, %s and %s: weight %d differs (%v, %v)", i, l.Name, published.Layers[i].Name, k, err1, err2)
			}
		}
	}
	// conv2d_4 of the published numbers is conv2d_3 of today's: by Keras's function from_one.
	if a, b := f.Layers[6].Name, published.Layers[6].Name; a != "conv2d_3" || b != "conv2d_4" {
		t.Errorf("layer 6 is %q and %q, want conv2d_3 and conv2d_4", a, b)
	}
	named, bare := openKeras(t, "inceptionv3.weights.h5.gz"), openKeras(t, "inceptionv3.keras2.weights.h5.gz")
	for i, l := range named.Layers {
		if b := bare.Layers[i]; b.Group != l.Group || b.Name != "" || l.Name == "" {
			t.Errorf("layer %d is %q %q with names and %q %q without", i, l.Group, l.Name, b.Group, b.Name)
		}
	}
}

// The classifier of VGG16, computed from the weights, against Keras's outputs.
func TestKerasReference(t *testing.T) {
	want := open(t, filepath.Join(testutil.Shared(t, "keras"), "vgg16.safetensors"))
	weights := layers(t, openKeras(t, "vgg16.keras"))
	read := func(name string) []float32 {
		x, ok := want.Tensor(name)
		if !ok {
			t.Fatalf("no %s", name)
		}
		v, err := x.Float32()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for _, tt := range []struct{ from, layer string }{{"block5_pool", "fc1"}, {"fc1", "fc2"}} {
		in, out, kernel, bias := read("layer."+tt.from), read("layer."+tt.layer), weights[tt.layer][0], weights[tt.layer][1]
		n, m := len(kernel)/len(bias), len(bias)
		for r := range len(in) / n {
			for j, b := range bias {
				sum := float64(b)
				for i, x := range in[r*n : (r+1)*n] {
					sum += float64(x) * float64(kernel[i*m+j])
				}
				if got := max(0, sum); math.Abs(got-float64(out[r*m+j])) > 1e-4*float64(slices.Max(out)) {
					t.Fatalf("%s of picture %d, unit %d is %v, Keras has %v", tt.layer, r, j, got, out[r*m+j])
				}
			}
		}
	}
}
