package encoder_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"showtell/encoder"
	"showtell/modelfile"
	"showtell/nn"
)

// torchNets are the networks; timm_ is torchvision's with timm's names for tensors, hub_ Keras's with
// Hugging Face's.
var torchNets = []string{
	"efficientnet_b0", "efficientnet_b1", "efficientnet_b2", "efficientnet_b3", "timm_efficientnet_b0", "hub_efficientnet_b0", "hub_efficientnet_b1",
	"tf_efficientnet_b0", "tf_efficientnet_b1", "tf_efficientnet_b2", "tf_efficientnet_b3",
	"efficientnet_lite1", "efficientnet_lite3", "efficientnet_lite4", "inception_v3", "mobilenet_v2",
	"resnet18", "resnet34", "resnet50", "resnet101", "resnet152", "vgg16", "vgg19",
}

// The networks give torchvision's and timm's numbers. Goldens, and the commands that make
// them: testdata/torch_nets.py. Full-size ones are taken from the folder
// that SHOWTELL_TORCH_NETS names.
func TestTorchvision(t *testing.T) {
	full := os.Getenv("SHOWTELL_TORCH_NETS")
	for _, name := range torchNets {
		t.Run(name+"/thin", func(t *testing.T) { compareWithTorch(t, "testdata", name) })
		if full != "" {
			t.Run(name+"/full", func(t *testing.T) { compareWithTorch(t, full, name) })
		}
	}
}

func compareWithTorch(t *testing.T, folder, name string) {
	f, err := modelfile.Open(filepath.Join(folder, "torch_"+name+".safetensors"))
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("python encoder/testdata/torch_nets.py has not made this one")
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	input, _ := f.Tensor("input")
	get := func(name string) ([]int, func() ([]float32, error), bool) {
		x, ok := f.Tensor(name)
		return x.Shape, x.Copy, ok
	}
	name = strings.TrimPrefix(name, "timm_")
	if hub, ok := strings.CutPrefix(name, "hub_"); ok {
		name = hub + "_keras"
	}
	if _, ofTimm := f.Tensor("conv_stem.weight"); !ofTimm {
		recognised, err := encoder.Load(f, "")
		if err != nil || recognised.Name() != name {
			t.Errorf("recognised as %v, %v", recognised, err)
		}
	}
	n, err := encoder.ReadSized(name, input.Shape[0], get)
	if err != nil {
		t.Fatal(err)
	}
	compareFeatures(t, n, floats(t, f, "input"), floats(t, f, "features"))
	if _, ok := f.Tensor("fc2"); ok {
		n, err := encoder.ReadSized(name+"_fc2", input.Shape[0], get)
		if err != nil {
			t.Fatal(err)
		}
		compareFeatures(t, n, floats(t, f, "input"), floats(t, f, "fc2"))
	}
}

func compareFeatures(t *testing.T, n *encoder.Network, x, want []float32) {
	plan, err := n.Compile()
	if err != nil {
		t.Fatal(err)
	}
	r := n.Recipe()
	got := make([]float32, len(want))
	plan.Run(got, x)
	near(t, "plan", got, want, 1e-4)
	near(t, "forward", n.Forward(nil, nn.Const(x, 1, r.Height, r.Width, 3), n.Params()).Data, want, 1e-4)
}
