package encoder_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"showtell/encoder"
	"showtell/nn"
)

func TestBlocks(t *testing.T) {
	for name, want := range map[string]string{ // the papers' tables, and the names of the published files
		"efficientnet_lite0": "stem stages.0.0 stages.1.0 stages.1.1 stages.2.0 stages.2.1 stages.3.0 stages.3.1 stages.3.2 stages.4.0 stages.4.1 stages.4.2 stages.5.0 stages.5.1 stages.5.2 stages.5.3 stages.6.0 head",
		"efficientnet_b0":    "stem features.1.0 features.2.0 features.2.1 features.3.0 features.3.1 features.4.0 features.4.1 features.4.2 features.5.0 features.5.1 features.5.2 features.6.0 features.6.1 features.6.2 features.6.3 features.7.0 head",
		"inception_v3":       "stem Mixed_5b Mixed_5c Mixed_5d Mixed_6a Mixed_6b Mixed_6c Mixed_6d Mixed_6e Mixed_7a Mixed_7b Mixed_7c",
		"inception_v3_keras": "stem mixed_5b mixed_5c mixed_5d mixed_6a mixed_6b mixed_6c mixed_6d mixed_6e mixed_7a mixed_7b mixed_7c",
		"mobilenet_v2_keras": "stem expanded_conv block_1 block_2 block_3 block_4 block_5 block_6 block_7 block_8 block_9 block_10 block_11 block_12 block_13 block_14 block_15 block_16 head",
		"resnet18":           "stem layer1.0 layer1.1 layer2.0 layer2.1 layer3.0 layer3.1 layer4.0 layer4.1",
		"vgg16_keras_fc2":    "block1 block2 block3 block4 block5 fc1 fc2",
	} {
		if got := strings.Join(thin(t, name).Blocks(), " "); got != want {
			t.Errorf("blocks of %s are %s, want %s", name, got, want)
		}
	}
	for _, name := range encoder.Names() {
		if len(thin(t, name).Blocks()) < 3 {
			t.Errorf("%s has no blocks", name)
		}
	}
}

func thin(t *testing.T, name string) *encoder.Network {
	t.Helper()
	t.Cleanup(encoder.Forget)
	n, err := encoder.Thin(name, 16, rand.New(rand.NewPCG(1, 2)))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestTune(t *testing.T) {
	for _, c := range []struct {
		network, what string
		first, trunk  string // the first layer that learns, what the trunk is called
		fixed, learn  int
	}{
		{"resnet50", "last:1", "layer4.2.conv1", "resnet50 to layer4.1.conv3", 0, 3},
		{"resnet50", "last:2", "layer4.1.conv1", "resnet50 to layer4.0.conv3", 0, 6},
		{"resnet50", "from:layer4.0", "layer4.0.conv1", "resnet50 to layer3.5.conv3", 0, 10},
		{"resnet50", "from:layer4.2.conv2", "layer4.2.conv2", "resnet50 to layer4.1.conv3", 1, 2}, // the block's input is added at its end
		{"resnet50", "from:layer4.2.conv3", "layer4.2.conv3", "resnet50 to layer4.1.conv3", 2, 1},
		{"resnet50", "all", "conv1", "", 0, 53},
		{"resnet18", "from:pool1", "layer1.0.conv1", "resnet18 to conv1", 0, 19},
		{"efficientnet_lite0", "last:5", "stages.5.1.expand", "efficientnet_lite0 to stages.5.0.project", 0, 13},
		{"efficientnet_lite0", "from:stages.6.0.depthwise", "stages.6.0.depthwise", "efficientnet_lite0 to stages.6.0.expand", 0, 3},
		{"efficientnet_b0", "last:2", "features.7.0.block.0.0", "efficientnet_b0 to features.6.3.block.3.0", 0, 6},
		{"vgg16", "last:1", "features.24", "vgg16 to block4_pool", 0, 3},
		{"vgg16_fc2", "last:1", "fc2", "vgg16_fc2 to fc1", 0, 1},
		{"vit_b32", "last:1", "blocks.1", "thin_vit_b32 to blocks.0", 0, 14},
		{"clip_vit_b32_projection", "from:blocks.0", "blocks.0", "thin_clip_vit_b32_projection to stem", 0, 27},
		{"clip_vit_b32", "all", "stem", "", 0, 31},
		{"inception_v3", "from:Mixed_7c.branch3x3_2a", "Mixed_7c.branch3x3_2a", "inception_v3 to Mixed_7b", 2, 7},
	} {
		tuning, err := thin(t, c.network).Tune(c.what)
		if err != nil {
			t.Errorf("%s of %s: %v", c.what, c.network, err)
			continue
		}
		trunk, fixed := "", 0
		if tuning.Trunk() != nil {
			trunk = tuning.Trunk().Name()
		}
		for _, p := range tuning.Params {
			if p.Fixed {
				fixed++
			}
		}
		if tuning.First != c.first || trunk != c.trunk || fixed != c.fixed || len(tuning.Params)-fixed != c.learn {
			t.Errorf("%s of %s: learns from %s behind %q, %d layers fixed, %d learn; want %s, %q, %d, %d",
				c.what, c.network, tuning.First, trunk, fixed, len(tuning.Params)-fixed, c.first, c.trunk, c.fixed, c.learn)
		}
	}
}

func TestTuneMistakes(t *testing.T) {
	for _, c := range []struct{ what, want string }{
		{"last:0", "number of blocks"}, {"last:two", "number of blocks"}, {"last:10", "9 blocks"}, {"first:2", "none of all"},
		{"", "none of all"}, {"from:layer4.0.conv3", "near it are layer4.0.conv1, layer4.0.conv2"}, {"from:", "no layer"},
	} {
		if _, err := thin(t, "resnet18").Tune(c.what); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v, want an error with %q", c.what, err, c.want)
		}
	}
	if _, err := thin(t, "vgg16").Tune("from:block5_pool"); err == nil || !strings.Contains(err.Error(), "no layer from there on has weights") {
		t.Errorf("a pooling: %v", err)
	}
}

// Wherever a network is cut, trunk and rest give what the whole gives.
func TestTrunkAndRest(t *testing.T) {
	for _, c := range []struct {
		name string
		cuts []string
	}{
		{"resnet18", []string{"all", "last:1", "last:8", "from:layer2.0.conv2", "from:layer3.0.downsample.0"}},
		{"efficientnet_lite0", []string{"last:1", "last:3", "from:stages.5.0.depthwise", "from:stages.5.1.project"}},
		{"inception_v3_keras", []string{"last:1", "from:mixed_7b.branch3x3_2b", "from:maxpool1"}},
		{"vgg16_fc2", []string{"last:1", "last:3"}},
		{"mobilenet_v2_keras", []string{"last:2"}},
		{"efficientnet_b0_keras", []string{"last:2", "from:block7a_se_expand", "from:block7a_project_conv"}},
		{"vit_b32", []string{"all", "last:1", "last:2"}},
		{"clip_vit_b32_projection", []string{"last:1", "last:2"}},
	} {
		n := thin(t, c.name)
		r, rng := n.Recipe(), rand.New(rand.NewPCG(3, 4))
		pixels := make([]float32, r.Height*r.Width*3)
		for i := range pixels {
			pixels[i] = rng.Float32()
		}
		want := n.Forward(nil, nn.Const(pixels, 1, r.Height, r.Width, 3), n.Params()).Data
		for _, what := range c.cuts {
			tuning, err := n.Tune(what)
			if err != nil {
				t.Errorf("%s of %s: %v", what, c.name, err)
				continue
			}
			h, w, channels := tuning.Input()
			x := pixels
			if trunk := tuning.Trunk(); trunk != nil {
				plan, err := trunk.Compile()
				if err != nil {
					t.Fatal(err)
				}
				x = make([]float32, h*w*channels)
				plan.Run(x, pixels)
			}
			got := tuning.Forward(nil, nn.Const(x, 1, h, w, channels)).Data
			near(t, c.name+" "+what, got, want, 1e-4)
		}
	}
}

// A network with changed weights is another one; the one before stays.
func TestTunedNetwork(t *testing.T) {
	for _, name := range []string{"resnet18", "vit_b32"} {
		t.Run(name, func(t *testing.T) { tunedNetwork(t, thin(t, name)) })
	}
}

func tunedNetwork(t *testing.T, n *encoder.Network) {
	before := n.Fingerprint()
	tuning, err := n.Tune("last:1")
	if err != nil {
		t.Fatal(err)
	}
	var weights [][]float32
	for _, p := range tuning.Params {
		weights = append(weights, slices.Clone(p.Data))
	}
	if got := tuning.Network(weights).Fingerprint(); got != before {
		t.Error("the same weights give another fingerprint")
	}
	weights[1][0]++
	changed := tuning.Network(weights)
	if changed.Fingerprint() == before || n.Fingerprint() != before {
		t.Error("changed weights don't change the fingerprint, or that of the network before")
	}
	trunk, err := changed.Tune("last:1")
	if err != nil {
		t.Fatal(err)
	}
	if trunk.Trunk().Fingerprint() != tuning.Trunk().Fingerprint() {
		t.Error("the trunk, which has not changed, has another fingerprint")
	}
}
