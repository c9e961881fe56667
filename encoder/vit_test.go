package encoder_test

import (
	"bytes"
	"fmt"
	"math"
	"runtime"

	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"showtell/encoder"
	"showtell/encoder/encodertest"
	"showtell/imageprep"
	"showtell/modelfile"
	"showtell/nn"
	"showtell/tensor"
)

// The vision transformers give the numbers of transformers, timm and torchvision.
// Goldens, and the commands that make them: testdata/vit_nets.py. Full-size ones
// are taken from the folder that SHOWTELL_VIT_NETS names.
func TestVisionTransformers(t *testing.T) {
	full := os.Getenv("SHOWTELL_VIT_NETS")
	for _, name := range []string{
		"vit_s16", "vit_b16", "vit_b32", "vit_l16", "vit_s16_timm", "vit_b16_timm", "vit_b32_timm", "vit_l16_timm", "vit_b16_torch", "vit_b32_torch",
		"vit_l16_torch", "clip_vit_b32", "clip_vit_b16", "clip_vit_l14", "clip_vit_b16_openai", "clip_vit_b32_openai",
	} {
		t.Run(name+"/small", func(t *testing.T) {
			t.Cleanup(encoder.Forget)
			compareWithGolden(t, "testdata", name, encoder.ReadSmall)
		})
		if full != "" {
			t.Run(name+"/full", func(t *testing.T) {
				compareWithGolden(t, full, name, func(name string, get encoder.Getter) (*encoder.Network, error) {
					return encoder.Read("test", name, get)
				})
			})
		}
	}
}

func compareWithGolden(t *testing.T, folder, file string, read func(name string, get encoder.Getter) (*encoder.Network, error)) {
	f := openGolden(t, folder, file)
	name := strings.TrimSuffix(file, "_openai")
	for suffix, golden := range map[string]string{"": "features", "_class": "class", "_projection": "projection"} {
		if _, ok := f.Tensor(golden); !ok {
			continue
		}
		n, err := read(name+suffix, getter(f))
		if err != nil {
			t.Fatal(err)
		}
		compareFeatures(t, n, floats(t, f, "input"), floats(t, f, golden))
	}
	n, err := encoder.Load(f, "") // its own name is not given
	if err != nil || n.Name() != "thin_"+name && n.Name() != name {
		t.Errorf("recognised as %v, %v", n, err)
	}
}

func openGolden(t *testing.T, folder, name string) *modelfile.File {
	f, err := modelfile.Open(filepath.Join(folder, name+".safetensors"))
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("python encoder/testdata/vit_nets.py has not made this one")
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func getter(f *modelfile.File) encoder.Getter {
	return func(name string) ([]int, func() ([]float32, error), bool) {
		x, ok := f.Tensor(name)
		return x.Shape, x.Copy, ok
	}
}

// edited is the encoder that a golden's tensors make after edit.
func edited(t *testing.T, name string, edit func(ts []modelfile.Tensor) []modelfile.Tensor) (*encoder.Network, error) {
	t.Cleanup(encoder.Forget)
	f := openGolden(t, "testdata", name)
	var all []modelfile.Tensor
	for _, x := range f.Tensors() {
		if x.DType == modelfile.F16 {
			all = append(all, modelfile.Float32(x.Name, x.Shape, floats(t, f, x.Name)))
		}
	}
	var buf bytes.Buffer
	if err := modelfile.Encode(&buf, nil, edit(all)); err != nil {
		t.Fatal(err)
	}
	g, err := modelfile.Parse("w.safetensors", buf.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := encoder.ReadSmall(name, getter(f)); err != nil { // makes it known
		t.Fatal(err)
	}
	return encoder.Load(g, "")
}

// with replaces the tensor of the name; a nil shape leaves it out.
func with(name string, shape ...int) func(ts []modelfile.Tensor) []modelfile.Tensor {
	return func(ts []modelfile.Tensor) []modelfile.Tensor {
		ts = slices.DeleteFunc(ts, func(t modelfile.Tensor) bool { return t.Name == name })
		if shape == nil {
			return ts
		}
		size := 1
		for _, d := range shape {
			size *= d
		}
		return append(ts, modelfile.Float32(name, shape, make([]float32, size)))
	}
}

var inMemory = strings.NewReplacer("encoder.layer.", "layers.", "attention.attention.query", "attention.q_proj", "attention.attention.key", "attention.k_proj",
	"attention.attention.value", "attention.v_proj", "attention.output.dense", "attention.o_proj", "intermediate.dense", "mlp.fc1", "output.dense", "mlp.fc2")

func TestVisionTransformerMistakes(t *testing.T) {
	rename := func(from, to string) func(ts []modelfile.Tensor) []modelfile.Tensor {
		return func(ts []modelfile.Tensor) []modelfile.Tensor {
			for i := range ts {
				ts[i].Name = strings.Replace(ts[i].Name, from, to, 1)
			}
			return ts
		}
	}
	for _, c := range []struct {
		name, file string
		edit       func(ts []modelfile.Tensor) []modelfile.Tensor
		want       string // of the error; "": none
	}{
		{"without the vit.", "vit_b16", rename("vit.", ""), ""},
		{"as transformers 5 has them in memory", "vit_b16", func(ts []modelfile.Tensor) []modelfile.Tensor {
			for i := range ts {
				ts[i].Name = inMemory.Replace(ts[i].Name)
			}
			return ts
		}, ""},
		{"CLIP's image tower alone", "clip_vit_b16", rename("vision_model.", ""), ""},
		{"a distilled DeiT", "vit_b16", with("vit.embeddings.position_embeddings", 1, 11, 16), "tensor vit.embeddings.position_embeddings has 11 positions, not those of a class and of a square"},
		{"no positions", "vit_b16_timm", with("pos_embed"), "no tensor pos_embed"},
		{"empty positions", "vit_b16_timm", with("pos_embed", 1, 0, 16), "tensor pos_embed has 0 positions"},
		{"positions of a huge picture", "vit_b16_timm", with("pos_embed", 1, 65*65+1, 16), "of at most 1024 pixels"},
		{"positions of one dimension", "vit_b16_timm", with("pos_embed", 160), "tensor pos_embed has shape [160], not"},
		{"a block lacks its values", "vit_b16", with("vit.encoder.layer.1.attention.attention.value.bias"), "no tensor vit.encoder.layer.1.attention.attention.value.bias"},
		{"another MLP", "vit_b16_torch", with("encoder.layers.encoder_layer_0.mlp.0.weight", 32, 16), "encoder_layer_0.mlp.0.weight has shape [32 16], not [64 16]"},
		{"timm's CLIP", "vit_b16_timm", with("patch_embed.proj.bias"), "no tensor patch_embed.proj.bias"},
	} {
		t.Run(c.name, func(t *testing.T) {
			n, err := edited(t, c.file, c.edit)
			switch {
			case c.want == "" && err != nil:
				t.Error(err)
			case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "w.safetensors")):
				t.Errorf("Load = %v, %v, want an error with %q", n, err, c.want)
			}
		})
	}
}

// Networks that see larger pictures say so by their positions.
func TestVisionTransformerOfAnotherSize(t *testing.T) {
	for _, c := range []struct {
		file, positions string
		shape           []int
		fit, filter     string
	}{
		{"vit_b16", "vit.embeddings.position_embeddings", []int{1, 577, 16}, imageprep.Squash, imageprep.Bilinear},
		{"vit_b16_torch", "encoder.pos_embedding", []int{1, 577, 16}, imageprep.Crop, imageprep.Bicubic},
		{"clip_vit_b16", "vision_model.embeddings.position_embedding.weight", []int{577, 16}, imageprep.Crop, imageprep.Bicubic},
	} {
		n, err := edited(t, c.file, with(c.positions, c.shape...))
		if err != nil {
			t.Fatal(err)
		}
		r := n.Recipe()
		short := 0
		if c.fit == imageprep.Crop {
			short = 384
		}
		if h, w, _ := n.Grid(); r.Width != 384 || r.Height != 384 || r.Short != short || r.Fit != c.fit || r.Filter != c.filter || h != 24 || w != 24 {
			t.Errorf("%s: recipe %+v, grid %d x %d", c.file, r, h, w)
		}
	}
}

// Every edition has pictures of its own.
func TestVisionTransformerRecipes(t *testing.T) {
	for name, want := range map[string]string{ // from the editions' preprocessors
		"vit_b16":       "224 bilinear squash 0 [127.5 127.5 127.5]",
		"vit_b16_timm":  "224 bicubic crop 248 [127.5 127.5 127.5]",
		"vit_b16_torch": "224 bilinear crop 256 [123.675 116.28 103.53]",
		"vit_l16_torch": "224 bilinear crop 242 [123.675 116.28 103.53]",
		"clip_vit_b32":  "224 bicubic crop 224 [122.770935 116.74601 104.093735]",
	} {
		t.Cleanup(encoder.Forget)
		n, err := encoder.Thin(name, 1, rand.New(rand.NewPCG(1, 2)))
		if err != nil {
			t.Fatal(err)
		}
		r := n.Recipe()
		if got := fmt.Sprint(r.Width, " ", r.Filter, " ", r.Fit, " ", r.Short, " ", r.Mean); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

// A step along the gradient changes the result by as much as the gradient says,
// with all weights and with the last block's alone, and only those learn.
func TestVisionTransformerLearns(t *testing.T) {
	t.Cleanup(encoder.Forget)
	for _, name := range []string{"vit_b32", "clip_vit_b32_projection"} {
		n, err := encoder.Thin(name, 1, rand.New(rand.NewPCG(1, 2)))
		if err != nil {
			t.Fatal(err)
		}
		x := nn.Const(append(encodertest.Pixels(n, 1), encodertest.Pixels(n, 2)...), 2, 224, 224, 3)
		params := n.Params()
		for _, learned := range []int{len(params), 12} {
			for i, p := range params {
				p.Fixed = i < len(params)-learned
				p.ZeroGrad()
			}
			tape := nn.NewTape(nil)
			weights := projectionOf(n.Forward(tape, x, params))
			y := n.Forward(tape, x, params)
			tape.Backward(weigh(tape, y, weights))
			slope := 0.0
			for _, p := range params {
				size := tensor.SumSquares(p.Grad())
				if p.Fixed != (size == 0) {
					t.Errorf("%s: %s, fixed %v, has a gradient whose squares add up to %g", name, p.Name, p.Fixed, size)
				}
				slope += size
			}
			at := func(step float64) float64 {
				for _, p := range params {
					tensor.AXPY(p.Data, float32(step), p.Grad())
				}
				defer func() {
					for _, p := range params {
						tensor.AXPY(p.Data, float32(-step), p.Grad())
					}
				}()
				return sumOf(n.Forward(nil, x, params), weights)
			}
			step := 0.002 / math.Sqrt(slope)
			if got := (at(step) - at(-step)) / (2 * step); math.Abs(got/slope-1) > 0.01 {
				t.Errorf("%s: a step changes the result by %g, the gradient says %g", name, got, slope)
			}
		}
	}
}

// projectionOf are weights that make one number of a result.
func projectionOf(y *nn.Var) []float32 {
	rng, w := rand.New(rand.NewPCG(5, 6)), make([]float32, len(y.Data))
	for i := range w {
		w[i] = float32(rng.NormFloat64() / math.Sqrt(float64(len(w))))
	}
	return w
}

func sumOf(y *nn.Var, weights []float32) (sum float64) {
	for i, v := range y.Data {
		sum += float64(v) * float64(weights[i])
	}
	return sum
}

// weigh begins the gradient of y with the weights.
func weigh(tape *nn.Tape, y *nn.Var, weights []float32) *nn.Var {
	copy(y.Grad(), weights)
	return tape.New(1)
}

// A batch gives each picture what it has alone.
func TestVisionTransformerBatch(t *testing.T) {
	t.Cleanup(encoder.Forget)
	for _, name := range []string{"vit_b32", "clip_vit_b32_class"} {
		n, err := encoder.Thin(name, 1, rand.New(rand.NewPCG(1, 2)))
		if err != nil {
			t.Fatal(err)
		}
		a, b := encodertest.Pixels(n, 1), encodertest.Pixels(n, 2)
		alone := func(x []float32) []float32 { return n.Forward(nil, nn.Const(x, 1, 224, 224, 3), n.Params()).Data }
		both := n.Forward(nil, nn.Const(slices.Concat(a, b), 2, 224, 224, 3), n.Params())
		if want := slices.Concat(alone(a), alone(b)); !slices.Equal(both.Data, want) {
			t.Errorf("%s: two pictures together give others than one by one", name)
		}
	}
}

// After the first picture a plan uses the same arrays again.
func TestVisionTransformerPlanAllocatesLittle(t *testing.T) {
	t.Cleanup(encoder.Forget)
	n, err := encoder.Thin("vit_b16", 1, rand.New(rand.NewPCG(1, 2)))
	if err != nil {
		t.Fatal(err)
	}
	plan, err := n.Compile()
	if err != nil {
		t.Fatal(err)
	}
	h, w, c := n.Grid()
	grid, x := make([]float32, h*w*c), encodertest.Pixels(n, 1)
	least := uint64(math.MaxUint64) // others may be at work in between
	for range 20 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		plan.Run(grid, x)
		runtime.ReadMemStats(&after)
		least = min(least, after.TotalAlloc-before.TotalAlloc)
	}
	if least > 1<<16 {
		t.Errorf("%d bytes a picture", least)
	}
}

func TestVisionTransformerIsNotQuantised(t *testing.T) {
	t.Cleanup(encoder.Forget)
	n, err := encoder.Thin("vit_b16", 1, rand.New(rand.NewPCG(1, 2)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := encoder.NewCalibration(n); err == nil || !strings.Contains(err.Error(), "can't be int8: it is a vision transformer") {
		t.Errorf("NewCalibration = %v", err)
	}
}
