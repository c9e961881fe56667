package encoder_test

import (
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"showtell/encoder"
	"showtell/modelfile"
)

// Files of Hugging Face and timm are recognised by their names, and the networks
// give the numbers of transformers and timm. Goldens: testdata/names.py.
func TestNamings(t *testing.T) {
	for _, c := range []struct{ file, name string }{
		{"hf_resnet18", "resnet18"},
		{"hf_resnet50", "resnet50"},
		{"hf_mobilenet_v2_tf", "mobilenet_v2_tf"},
		{"timm_mobilenet_v2", "mobilenet_v2"},
		{"timm_resnet18", "resnet18"},
		{"timm_inception_v3", "inception_v3"},
		{"timm_vgg16", "vgg16"},
	} {
		t.Run(c.file, func(t *testing.T) {
			path := filepath.Join("testdata", "names_"+c.file+".safetensors")
			f, err := modelfile.Open(path)
			if errors.Is(err, fs.ErrNotExist) {
				t.Skip("python encoder/testdata/names.py has not made this one, which is named as torchvision's")
			}
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			for _, without := range []string{"", "resnet.", "mobilenet_v2."} { // as the bare model is stored
				get := func(name string) ([]int, func() ([]float32, error), bool) {
					x, ok := f.Tensor(without + name)
					return x.Shape, x.Copy, ok
				}
				if without != "" && !strings.HasPrefix(c.file, "hf_"+without[:6]) {
					continue
				}
				n, err := encoder.Read(path, "", get)
				if err != nil {
					t.Fatal(err)
				}
				if n.Name() != c.name {
					t.Errorf("recognised as %s, want %s", n.Name(), c.name)
				}
				input, _ := f.Tensor("input")
				if n, err = encoder.ReadSized(c.name, input.Shape[0], get); err != nil {
					t.Fatal(err)
				}
				compareFeatures(t, n, floats(t, f, "input"), floats(t, f, "features"))
				if _, ok := f.Tensor("fc2"); ok {
					if n, err = encoder.ReadSized(c.name+"_fc2", input.Shape[0], get); err != nil {
						t.Fatal(err)
					}
					compareFeatures(t, n, floats(t, f, "input"), floats(t, f, "fc2"))
				}
			}
		})
	}
}
