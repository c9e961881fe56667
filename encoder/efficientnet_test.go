package encoder_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"showtell/encoder"
	"showtell/imageprep"
	"showtell/modelfile"
)

// Keras's numbers of a thin B0 that is loaded as the published one is, with the layers that normalise
// pixels. Goldens: testdata/keras_efficientnet_b0.*, made by testdata/keras_nets.py.
func TestKerasEfficientNet(t *testing.T) {
	golden := openFile(t, "testdata/keras_efficientnet_b0.safetensors")
	pixels, _ := golden.Tensor("pixels")
	size := pixels.Shape[0]
	photo := &imageprep.RGB{W: size, H: size, Pix: pixels.Data}
	for _, file := range []string{".h5.gz", ".weights.h5.gz"} {
		layers := layersIn(t, filepath.Join("testdata", "keras_efficientnet_b0"+file))
		for form, layers := range map[string][]encoder.KerasLayer{"named": layers, "nameless": nameless(layers)} {
			t.Run(file+" "+form, func(t *testing.T) {
				if n, err := encoder.Keras("w.h5", "", layers); err != nil || n.Name() != "efficientnet_b0_keras" {
					t.Fatalf("recognised as %v, %v", n, err)
				}
				n, err := encoder.KerasSized("efficientnet_b0_keras", size, layers)
				if err != nil {
					t.Fatal(err)
				}
				near(t, "input", n.Recipe().Apply(photo), floats(t, golden, "input"), 1e-6)
				compareFeatures(t, n, n.Recipe().Apply(photo), floats(t, golden, "features"))
			})
		}
	}
}

func openFile(t *testing.T, path string) *modelfile.File {
	t.Helper()
	f, err := modelfile.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// What Keras's normalization layer holds becomes the recipe, and stays so in a file.
func TestKerasNormalization(t *testing.T) {
	layers := layersIn(t, "testdata/keras_efficientnet_b0.h5.gz")
	published := encoder.KerasWeight{Shape: []int{3}, Values: func() ([]float32, error) { return []float32{0.229, 0.224, 0.225}, nil }}
	vector := func(x ...float32) encoder.KerasWeight {
		return encoder.KerasWeight{Shape: []int{len(x)}, Values: func() ([]float32, error) { return x, nil }}
	}
	for _, c := range []struct {
		name           string
		mean, variance encoder.KerasWeight
		std            float32 // of the first channel
		want           string  // in the error
	}{
		{"as published", vector(0.485, 0.456, 0.406), published, 255 * 0.229, ""},
		{"adapted", vector(0.5, 0.5, 0.5), vector(0.04, 0.09, 0.09), 255 * 0.2, ""},
		{"not adapted", vector(0, 0, 0), vector(1, 1, 1), 255, ""},
		{"negative", vector(0, 0, 0), vector(1, 1, -1), 0, "tensor normalization.variance holds -1"},
		{"of one channel", vector(0, 0, 0), vector(1), 0, "tensor normalization.variance has shape [1], not [3]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			i := slices.IndexFunc(layers, func(l encoder.KerasLayer) bool { return l.Name == "normalization" })
			changed := slices.Clone(layers)
			changed[i].Weights = []encoder.KerasWeight{c.mean, c.variance, vector()}
			n, err := encoder.Keras("w.h5", "", changed)
			if c.want != "" {
				if err == nil || !strings.Contains(err.Error(), c.want) {
					t.Errorf("Keras = %v, want an error with %q", err, c.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			mean, err := c.mean.Values()
			if err != nil {
				t.Fatal(err)
			}
			r := n.Recipe()
			near(t, "mean and deviation", []float32{r.Mean[0], r.Std[0]}, []float32{255 * mean[0], c.std}, 1e-6)
			again, err := encoder.Load(encoded(t, n.Tensors("")), "")
			if err != nil {
				t.Fatal(err)
			}
			if again.Fingerprint() != n.Fingerprint() || again.Recipe() != r {
				t.Errorf("recipe %+v came back as %+v", r, again.Recipe())
			}
		})
	}
	t.Run("none", func(t *testing.T) {
		n, err := encoder.Keras("w.h5", "", slices.DeleteFunc(slices.Clone(layers), func(l encoder.KerasLayer) bool { return l.Name == "normalization" }))
		if err != nil || n.Recipe().Std[0] != 255*0.229 {
			t.Errorf("Keras = %v, %v", n, err)
		}
	})
}

func encoded(t *testing.T, tensors []modelfile.Tensor) *modelfile.File {
	t.Helper()
	var buf bytes.Buffer
	if err := modelfile.Encode(&buf, nil, tensors); err != nil {
		t.Fatal(err)
	}
	f, err := modelfile.Parse("w.safetensors", buf.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// Sizes and numbers of parameters are those of torchvision 0.29 (the sum over net.features), resizing is
// that of EfficientNet_B*_Weights.IMAGENET1K_V1, of timm 1.0's configurations and of Keras's load_img.
func TestEfficientNetSizes(t *testing.T) {
	for _, c := range []struct {
		name                      string
		size, short, grid, out, n int
		filter                    string
	}{
		{"efficientnet_b0", 224, 256, 7, 1280, 4007548, imageprep.Bicubic},
		{"efficientnet_b1", 240, 256, 8, 1280, 6513184, imageprep.Bicubic},
		{"efficientnet_b2", 288, 288, 9, 1408, 7700994, imageprep.Bicubic},
		{"efficientnet_b3", 300, 320, 10, 1536, 10696232, imageprep.Bicubic},
		{"tf_efficientnet_b0", 224, 256, 7, 1280, 4007548, imageprep.Bicubic},
		{"tf_efficientnet_b1", 240, 272, 8, 1280, 6513184, imageprep.Bicubic},
		{"tf_efficientnet_b2", 260, 292, 9, 1408, 7700994, imageprep.Bicubic},
		{"tf_efficientnet_b3", 300, 331, 10, 1536, 10696232, imageprep.Bicubic},
		{"efficientnet_b0_keras", 224, 0, 7, 1280, 4007548, imageprep.Nearest},
		{"efficientnet_b1_keras", 240, 0, 8, 1280, 6513184, imageprep.Nearest},
		{"efficientnet_b2_keras", 260, 0, 9, 1408, 7700994, imageprep.Nearest},
		{"efficientnet_b3_keras", 300, 0, 10, 1536, 10696232, imageprep.Nearest},
	} {
		n, count, err := encoder.Empty(c.name)
		if err != nil {
			t.Fatal(err)
		}
		r := n.Recipe()
		h, _, out := n.Grid()
		if r.Width != c.size || r.Short != c.short || r.Filter != c.filter || h != c.grid || out != c.out || count != c.n {
			t.Errorf("%s: %+v, a grid of %d with %d channels, %d parameters; want %+v", c.name, r, h, out, count, c)
		}
	}
}

// Each part of a network whose shape does not fit is named.
func TestEfficientNetNamesWhatIsWrong(t *testing.T) {
	n, err := encoder.Thin("efficientnet_b0", 16, rand.New(rand.NewPCG(1, 2)))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ tensor, want string }{ // that has one value more in its first dimension
		{"features.2.0.block.0.0.weight", "layer features.2.0.block.1.0 excited has 7 channels, and 6 factors"},
		{"features.2.0.block.2.fc1.weight", "tensor features.2.0.block.2.fc1.bias has shape [1], not [2]"},
		{"features.2.0.block.2.fc2.weight", "layer features.2.0.block.1.0 excited has 6 channels, and 7 factors"},
		{"features.2.0.block.2.fc2.bias", "tensor features.2.0.block.2.fc2.bias has shape [7], not [6]"},
		{"features.3.1.block.3.0.weight", "layer features.3.1.block.3.0 has 3 channels, what is added has 2"},
	} {
		tensors := n.Tensors("")
		i := slices.IndexFunc(tensors, func(x modelfile.Tensor) bool { return x.Name == c.tensor })
		shape := slices.Clone(tensors[i].Shape)
		shape[0]++
		size := 1
		for _, d := range shape {
			size *= d
		}
		tensors[i] = modelfile.Float32(c.tensor, shape, make([]float32, size))
		_, err := encoder.Load(encoded(t, tensors), "")
		if want := "w.safetensors: nearly efficientnet_b0, but " + c.want; err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: Load = %v, want %q", c.tensor, err, want)
		}
	}
}

// timm's names are alike in two editions; Hugging Face's are no other's.
func TestEfficientNetNames(t *testing.T) {
	f := openFile(t, "testdata/torch_tf_efficientnet_b0.safetensors")
	if _, err := encoder.Load(f, ""); err == nil || !strings.Contains(err.Error(), "may be efficientnet_b0 or tf_efficientnet_b0; convert") {
		t.Errorf("of timm's names: %v", err)
	}
	thin, err := encoder.Thin("efficientnet_b0_keras", 16, rand.New(rand.NewPCG(1, 2)))
	if err != nil {
		t.Fatal(err)
	}
	tensors := thin.Tensors("")
	hubNames(tensors)
	n, err := encoder.Load(encoded(t, tensors), "")
	if err != nil || n.Name() != thin.Name() || n.Fingerprint() != thin.Fingerprint() {
		t.Errorf("of Hugging Face's names: %v, %v", n, err)
	}
}

// hubNames turns Keras's names, in the order of the network, into those of google/efficientnet-b0.
func hubNames(tensors []modelfile.Tensor) {
	parts := strings.NewReplacer(
		"expand_conv", "expansion.expand_conv", "expand_bn", "expansion.expand_bn", "dwconv", "depthwise_conv.depthwise_conv",
		"se_reduce", "squeeze_excite.reduce", "se_expand", "squeeze_excite.expand", "project_", "projection.project_",
		"stem_conv", "embeddings.convolution", "stem_bn", "embeddings.batchnorm", "top_", "encoder.top_",
	)
	block, last := -1, ""
	for i, x := range tensors {
		name, rest, ofBlock := strings.Cut(x.Name, "_")
		if !ofBlock || !strings.HasPrefix(name, "block") {
			tensors[i].Name = "efficientnet." + parts.Replace(x.Name)
			continue
		}
		if name != last {
			block, last = block+1, name
		}
		if norm, ok := strings.CutPrefix(rest, "bn."); ok {
			rest = "depthwise_conv.depthwise_norm." + norm
		}
		tensors[i].Name = fmt.Sprintf("efficientnet.encoder.blocks.%d.%s", block, parts.Replace(rest))
	}
}
