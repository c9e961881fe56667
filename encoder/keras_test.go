package encoder_test

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"showtell/encoder"
	"showtell/imageprep"
	"showtell/internal/testutil"
	"showtell/modelfile"
	"showtell/nn"
	"showtell/weightfile"
)

// kerasLayers are those of a file in ../shared/keras.
func kerasLayers(t *testing.T, name string) []encoder.KerasLayer {
	t.Helper()
	return layersIn(t, testutil.Shared(t, "keras/"+name))
}

// layersIn are those of a file, which may be packed.
func layersIn(t *testing.T, path string) []encoder.KerasLayer {
	t.Helper()
	name := filepath.Base(path)
	if unpacked, ok := strings.CutSuffix(name, ".gz"); ok {
		path = unpack(t, path, filepath.Join(t.TempDir(), unpacked))
	}
	f, err := weightfile.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	var layers []encoder.KerasLayer
	for _, l := range f.Layers {
		k := encoder.KerasLayer{Name: l.Name, Group: l.Group}
		for _, x := range l.Tensors {
			k.Weights = append(k.Weights, encoder.KerasWeight{Shape: x.Shape, Values: x.Float32})
		}
		layers = append(layers, k)
	}
	return layers
}

func unpack(t *testing.T, from, to string) string {
	data, err := testutil.Gunzip(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, data, 0o644); err != nil {
		t.Fatal(err)
	}
	return to
}

// layersOf are tensors called LAYER-NUMBER/LAYER-NAME/WEIGHT-NUMBER.
func layersOf(tensors []modelfile.Tensor) []encoder.KerasLayer {
	slices.SortFunc(tensors, func(a, b modelfile.Tensor) int { return strings.Compare(a.Name, b.Name) })
	var layers []encoder.KerasLayer
	last := ""
	for _, x := range tensors {
		part := strings.Split(x.Name, "/")
		if len(part) != 3 {
			continue
		}
		if part[0] != last {
			layers = append(layers, encoder.KerasLayer{Name: part[1]})
			last = part[0]
		}
		l := &layers[len(layers)-1]
		l.Weights = append(l.Weights, encoder.KerasWeight{Shape: x.Shape, Values: x.Copy})
	}
	return layers
}

// nameless is the file as Keras 2.15 writes it in its new form: without names,
// layers numbered class by class in the order of the model.
func nameless(layers []encoder.KerasLayer) []encoder.KerasLayer {
	counts := map[string]int{}
	var all []encoder.KerasLayer
	for _, l := range layers {
		class := map[int]string{1: "batch_normalization", 2: "dense", 4: "conv2d"}[len(l.Weights[0].Shape)]
		if strings.HasPrefix(l.Name, "normalization") {
			class = "normalization"
		}
		if class == "conv2d" && (strings.Contains(l.Name, "depthwise") || strings.HasSuffix(l.Name, "dwconv")) {
			class = "depthwise_conv2d"
		}
		l.Name, l.Group = "", fmt.Sprintf("layers/%s_%d", class, counts[class])
		counts[class]++
		all = append(all, l)
	}
	slices.SortStableFunc(all, func(a, b encoder.KerasLayer) int {
		return strings.Compare(strings.TrimRight(a.Group, "0123456789"), strings.TrimRight(b.Group, "0123456789"))
	})
	return all
}

// kerasNets are networks and the files, of every form, that have their weights.
var kerasNets = []struct {
	net, name, want string
	size            int
	files           []string
}{
	{"vgg16", "vgg16_keras", "layer.block5_pool", 64, []string{
		".h5", ".model.h5", ".keras1.h5", ".model3.h5", ".weights.h5", ".keras", ".gzip.h5", ".float16.h5", ".bigendian.h5",
	}},
	{"vgg16", "vgg16_keras_fc2", "layer.fc2", 64, []string{".h5", ".weights.h5"}},
	{"resnet50", "resnet50_keras", "layer.conv5_block3_out", 64, []string{".h5.gz", ".weights.h5.gz"}},
	{"inceptionv3", "inception_v3_keras", "layer.mixed10", 128, []string{
		".h5.gz", ".published.h5.gz", ".weights.h5.gz", ".keras2.weights.h5.gz",
	}},
	{"mobilenetv2", "mobilenet_v2_keras", "layer.out_relu", 96, []string{".h5.gz"}},
	{"mobilenetv2_a10", "mobilenet_v2_keras", "layer.out_relu", 96, []string{".model.h5.gz", ".weights.h5.gz"}},
}

// The networks give Keras's numbers. Goldens: ../shared/keras/*.safetensors, made
// by Keras 2.15.
func TestKeras(t *testing.T) {
	for _, c := range kerasNets {
		for _, file := range c.files {
			t.Run(c.name+"/"+c.net+file, func(t *testing.T) {
				layers := kerasLayers(t, c.net+file)
				forms := [][]encoder.KerasLayer{layers}
				if !strings.Contains(layers[0].Group, "layers/") { // in the order of the model
					forms = append(forms, nameless(layers))
				}
				for _, layers := range forms {
					n, err := encoder.KerasSized(c.name, c.size, layers)
					if err != nil {
						t.Fatal(err)
					}
					compareWithKeras(t, n, c.net, c.want)
				}
			})
		}
	}
}

func compareWithKeras(t *testing.T, n *encoder.Network, file, want string) {
	golden, err := modelfile.Open(testutil.Shared(t, "keras/"+file+".safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	defer golden.Close()
	input, features := floats(t, golden, "input"), floats(t, golden, want)
	size := len(input) / 2
	r := n.Recipe()
	plan, err := n.Compile()
	if err != nil {
		t.Fatal(err)
	}
	for i := range 2 {
		photo, err := imageprep.ReadFile(testutil.Shared(t, fmt.Sprintf("hf/photos/%d.png", i+1)), nil)
		if err != nil {
			t.Fatal(err)
		}
		x := r.Apply(photo)
		near(t, fmt.Sprintf("input %d", i), x, input[i*size:(i+1)*size], 1e-6)
		h, w, c := n.Grid()
		got := make([]float32, h*w*c)
		plan.Run(got, x)
		near(t, fmt.Sprintf("plan, picture %d", i), got, features[i*len(got):(i+1)*len(got)], 1e-4)
		y := n.Forward(nil, nn.Const(x, 1, r.Height, r.Width, 3), n.Params())
		near(t, fmt.Sprintf("forward, picture %d", i), y.Data, features[i*len(got):(i+1)*len(got)], 1e-4)
	}
}

// near compares numbers, relative to the largest.
func near(t *testing.T, what string, got, want []float32, tolerance float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d numbers, want %d", what, len(got), len(want))
	}
	top, worst := 0.0, 0.0
	for i, v := range want {
		top = max(top, math.Abs(float64(v)))
		worst = max(worst, math.Abs(float64(got[i]-v)))
	}
	t.Logf("%s: off by %.2g of %.3g", what, worst/top, top)
	if !(worst <= tolerance*top) {
		t.Errorf("%s: differs by %.2g, the largest is %.3g", what, worst, top)
	}
}

// A file is recognised, and what is wrong with it is told.
func TestKerasNamesWhatIsWrong(t *testing.T) {
	inception, resnet, vgg := kerasLayers(t, "inceptionv3.h5.gz"), kerasLayers(t, "resnet50.h5.gz"), kerasLayers(t, "vgg16.h5")
	without := func(layers []encoder.KerasLayer, name string) []encoder.KerasLayer {
		return slices.DeleteFunc(slices.Clone(layers), func(l encoder.KerasLayer) bool { return l.Name == name })
	}
	for _, c := range []struct {
		name, encoder string
		layers        []encoder.KerasLayer
		want          string // the network, or part of the error
	}{
		{"inception", "", inception, "inception_v3_keras"},
		{"inception without names", "", nameless(inception), "inception_v3_keras"},
		{"resnet", "", resnet, "resnet50_keras"},
		{"resnet without names", "", nameless(resnet), "resnet50_keras"},
		{"vgg", "", vgg, "vgg16_keras"},
		{"no top", "", without(without(vgg, "fc1"), "fc2"), "vgg16_keras"},
		{"a layer missing", "", without(vgg, "block3_conv2"), "no tensor block3_conv2.weight"},
		{"a batch norm missing", "", without(resnet, "conv2_block1_0_bn"), "no tensor conv2_block1_0_bn.weight"},
		{"one convolution fewer", "", without(inception, "conv2d_50"), "nearly inception_v3_keras"},
		{"another network", "resnet50_keras", vgg, "holds no resnet50_keras"},
		{"torchvision's", "resnet50", resnet, "not one of Keras"},
		{"nothing", "", nil, "no encoder that is known"},
	} {
		t.Run(c.name, func(t *testing.T) {
			n, err := encoder.Keras("w.h5", c.encoder, c.layers)
			if err == nil && n.Name() == c.want || err != nil && strings.Contains(err.Error(), c.want) && strings.HasPrefix(err.Error(), "w.h5: ") {
				return
			}
			t.Errorf("Keras = %v, %v, want %q", n, err, c.want)
		})
	}
}

// Full-size networks, by testdata/keras_nets.py, from the folder that
// SHOWTELL_KERAS_NETS names.
func TestKerasFullSize(t *testing.T) {
	folder := os.Getenv("SHOWTELL_KERAS_NETS")
	if folder == "" {
		t.Skip("SHOWTELL_KERAS_NETS names no folder; see testdata/keras_nets.py")
	}
	for file, name := range map[string]string{
		"InceptionV3": "inception_v3_keras", "MobileNetV2": "mobilenet_v2_keras", "ResNet50": "resnet50_keras",
		"EfficientNetB0": "efficientnet_b0_keras", "EfficientNetB1": "efficientnet_b1_keras", "EfficientNetB2": "efficientnet_b2_keras",
		"EfficientNetB3": "efficientnet_b3_keras", "ResNet101": "resnet101_keras", "ResNet152": "resnet152_keras", "VGG16": "vgg16_keras", "VGG19": "vgg19_keras",
	} {
		path := filepath.Join(folder, "keras_"+file+".safetensors")
		for end, name := range map[string]string{"features": name, "fc2": name + "_fc2"} {
			f, err := modelfile.Open(path)
			if err != nil {
				t.Error(err)
				continue
			}
			if _, ok := f.Tensor(end); ok {
				t.Run(name, func(t *testing.T) {
					all := f.Tensors()
					layers := layersOf(all)
					for _, layers := range [][]encoder.KerasLayer{layers, nameless(layers)} {
						n, err := encoder.Keras(path, name, layers)
						if err != nil {
							t.Fatal(err)
						}
						compareFeatures(t, n, floats(t, f, "input"), floats(t, f, end))
					}
				})
			}
			f.Close()
		}
	}
}
