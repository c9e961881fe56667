package encoder_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"showtell/encoder"
	"showtell/encoder/encodertest"
	"showtell/imageprep"
	"showtell/modelfile"
	"showtell/tensor"
)

// quantized is n in int8, calibrated with made-up pictures.
func quantized(t testing.TB, n *encoder.Network, pictures ...[]float32) *encoder.Network {
	t.Helper()
	c, err := encoder.NewCalibration(n)
	if err != nil {
		t.Fatal(err)
	}
	c.Add(pictures...)
	q, err := c.Network()
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func random(t testing.TB, name string) *encoder.Network {
	t.Helper()
	n, err := encoder.Random(name, rand.New(rand.NewPCG(1, 2)))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func encode(t testing.TB, n *encoder.Network, pixels []float32) []float32 {
	t.Helper()
	plan, err := n.Compile()
	if err != nil {
		t.Fatal(err)
	}
	h, w, c := n.Grid()
	grid := make([]float32, h*w*c)
	plan.Run(grid, pixels)
	return grid
}

func cosine(a, b []float32) float64 {
	var ab, aa, bb float64
	for i := range a {
		ab += float64(a[i]) * float64(b[i])
		aa += float64(a[i]) * float64(a[i])
		bb += float64(b[i]) * float64(b[i])
	}
	return ab / math.Sqrt(aa*bb)
}

// pictures are those of the reference, as the recipe gives them.
func pictures(t testing.TB, n *encoder.Network, reference *modelfile.File) [][]float32 {
	r := n.Recipe()
	area := r.Width * r.Height
	var all [][]float32
	for _, name := range []string{"0.pixels", "1.pixels", "2.pixels", "3.pixels"} {
		pixels, ok := reference.Tensor(name)
		if !ok {
			t.Fatalf("no %s", name)
		}
		x := make([]float32, 3*area)
		for p := range area {
			for c := range 3 {
				x[p*3+c] = (float32(pixels.Data[c*area+p]) - r.Mean[c]) / r.Std[c]
			}
		}
		all = append(all, x)
	}
	return all
}

// The int8 network sees what the published one sees. ONNX Runtime's static
// quantisation with the same four pictures: 0.980 and 0.988.
func TestInt8Reference(t *testing.T) {
	for _, name := range lites {
		t.Run(name, func(t *testing.T) {
			n, err := encoder.Load(open(t, name+"/model.safetensors"), "")
			if err != nil {
				t.Fatal(err)
			}
			x := pictures(t, n, open(t, name+"/reference.safetensors"))
			q := quantized(t, n, x...)
			for i := range x {
				c := cosine(encode(t, n, x[i]), encode(t, q, x[i]))
				t.Logf("picture %d: cosine %.4f", i, c)
				if c < 0.98 {
					t.Errorf("picture %d: the cosine of int8 and float32 features is %.4f", i, c)
				}
			}
		})
	}
}

func TestInt8(t *testing.T) {
	n := random(t, "efficientnet_lite0")
	x := encodertest.Pixels(n, 1)
	q := quantized(t, n, x, encodertest.Pixels(n, 2))
	encodertest.Run(t, q)
	if c := cosine(encode(t, n, x), encode(t, q, x)); c < 0.95 {
		t.Errorf("the cosine of int8 and float32 features is %.4f", c)
	}
	narrow, err := encoder.Thin("resnet18", 16, rand.New(rand.NewPCG(1, 2)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := encoder.NewCalibration(narrow); err == nil || !strings.Contains(err.Error(), "conv1 has 4 channels, at least 5") {
		t.Errorf("four channels: %v", err)
	}
	if _, err := encoder.NewCalibration(random(t, "efficientnet_b0")); err == nil || !strings.Contains(err.Error(), "efficientnet_b0 can't be int8: layer") {
		t.Errorf("layers that int8 has not: %v", err)
	}
	if _, err := encoder.NewCalibration(q); err == nil {
		t.Error("a quantised network can be quantised")
	}
	c, err := encoder.NewCalibration(n)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Network(); err == nil {
		t.Error("a network is quantised without a picture")
	}
}

// photo is a made-up picture of n's size: waves of all lengths, and noise.
func photo(n *encoder.Network, seed uint64) []float32 {
	r := n.Recipe()
	rng := rand.New(rand.NewPCG(seed, 7))
	x := make([]float32, 3*r.Width*r.Height)
	for c := range 3 {
		level := 80 + 100*rng.Float64()
		var waves [8][4]float64 // by x, by y, phase, height
		for k := range waves {
			length := 40 / float64(int(2)<<k)
			waves[k] = [4]float64{rng.NormFloat64() / length, rng.NormFloat64() / length, 7 * rng.Float64(), 8 * math.Sqrt(length) * rng.Float64()}
		}
		for p := range r.Width * r.Height {
			v := level + 6*rng.NormFloat64()
			for _, w := range waves {
				v += w[3] * math.Sin(w[0]*float64(p%r.Width)+w[1]*float64(p/r.Width)+w[2])
			}
			x[3*p+c] = (float32(math.Round(min(max(v, 0), 255))) - r.Mean[c]) / r.Std[c]
		}
	}
	return x
}

// thin8 is a network of int8 with few channels, which then fill no block, and
// what it was made of.
func thin8(t testing.TB, name string) (n, q *encoder.Network) {
	t.Helper()
	divisor := 12 // leaves five channels of the narrowest layer's 64
	switch {
	case strings.HasPrefix(name, "inception"):
		divisor = 6
	case strings.HasPrefix(name, "mobilenet"):
		divisor = 3
	}
	n, err := encoder.Thin(name, divisor, rand.New(rand.NewPCG(1, 2)))
	if err != nil {
		t.Fatal(err)
	}
	return n, quantized(t, n, photo(n, 1), photo(n, 2), photo(n, 3))
}

// anyWidth are the networks that can be int8 and that Thin makes thin.
func anyWidth() []string {
	return slices.DeleteFunc(encoder.Names(), func(name string) bool {
		return strings.Contains(name, "efficientnet") || strings.Contains(name, "vit_")
	})
}

func TestInt8Networks(t *testing.T) {
	for _, name := range anyWidth() {
		t.Run(name, func(t *testing.T) {
			_, q := thin8(t, name)
			encodertest.Run(t, q)
		})
	}
}

// The pooled features of int8 are those of float32, for each family; so is how
// the features of two pictures differ, which is a harder test: of random
// weights, all pictures have features that are much alike.
func TestInt8Features(t *testing.T) {
	for _, name := range []string{"resnet18", "resnet50", "resnet50_keras", "vgg16", "vgg16_fc2", "inception_v3", "inception_v3_keras", "mobilenet_v2", "mobilenet_v2_keras"} {
		t.Run(name, func(t *testing.T) {
			n, q := thin8(t, name)
			h, w, channels := n.Grid()
			pooled := func(n *encoder.Network, seed uint64) []float32 {
				features := make([]float32, channels)
				encoder.Pool(features, encode(t, n, photo(n, seed)), h*w, channels)
				return features
			}
			want, got := pooled(n, 4), pooled(q, 4)
			all := cosine(got, want)
			tensor.AXPY(want, -1, pooled(n, 5))
			tensor.AXPY(got, -1, pooled(q, 5))
			apart := cosine(got, want)
			t.Logf("cosine %.4f, of the difference of two pictures %.4f", all, apart)
			if !(all >= 0.99 && apart >= 0.9) {
				t.Errorf("the cosine of int8 and float32 features is %.4f, of the differences between two pictures %.4f", all, apart)
			}
		})
	}
}

// A picture's bytes and what the recipe makes of them give the same grid.
func TestInt8SeesBytes(t *testing.T) {
	n := random(t, "efficientnet_lite0")
	r := n.Recipe()
	frame := &imageprep.RGB{W: r.Width, H: r.Height, Pix: make([]uint8, 3*r.Width*r.Height)}
	rng := rand.New(rand.NewPCG(3, 4))
	for i := range frame.Pix {
		frame.Pix[i] = uint8(rng.Uint32())
	}
	x := r.Apply(frame)
	q := quantized(t, n, x)
	plan, err := q.Compile()
	if err != nil {
		t.Fatal(err)
	}
	want := encode(t, q, x)
	got := make([]float32, len(want))
	plan.See(got, frame)
	if !slices.Equal(got, want) {
		t.Error("See and Run differ")
	}
}

// The same file and picture give the same bits with any instructions.
func TestInt8IsTheSameOnEveryPath(t *testing.T) {
	const variable = "SHOWTELL_TEST_INT8"
	if folder := os.Getenv(variable); folder != "" {
		printGrids(t, folder)
		return
	}
	if testing.Short() {
		t.Skip("quantises every network")
	}
	folder := t.TempDir()
	write := func(name string, q *encoder.Network) {
		if err := modelfile.Write(filepath.Join(folder, name), nil, q.Tensors("")); err != nil {
			t.Fatal(err)
		}
	}
	n := random(t, "efficientnet_lite0")
	write("efficientnet_lite0", quantized(t, n, photo(n, 1)))
	for _, name := range anyWidth() {
		_, q := thin8(t, name)
		write(name, q)
	}
	var want []string
	for _, cpu := range []string{"generic", "avx2", "avx512"} { // what the machine lacks is lowered
		cmd := exec.Command(os.Args[0], "-test.run", "^TestInt8IsTheSameOnEveryPath$")
		cmd.Env = append(os.Environ(), variable+"="+folder, "SHOWTELL_CPU="+cpu)
		out, err := cmd.CombinedOutput()
		var got []string
		for line := range strings.Lines(string(out)) {
			if strings.HasPrefix(line, "grid ") {
				got = append(got, line)
			}
		}
		if err != nil || len(got) != 1+len(anyWidth()) {
			t.Fatalf("%s: %v: %s", cpu, err, out)
		}
		if want == nil {
			want = got
		}
		for i := range got {
			if got[i] != want[i] {
				t.Errorf("%s gives %swant %s", cpu, got[i], want[i])
			}
		}
	}
}

// printGrids tells what the networks of the files in a folder make of a picture.
func printGrids(t *testing.T, folder string) {
	files, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		f, err := modelfile.Open(filepath.Join(folder, file.Name()))
		if err != nil {
			t.Fatal(err)
		}
		n, err := encoder.Load(f, "")
		if err != nil {
			t.Fatal(err)
		}
		n.Small()
		var bits bytes.Buffer
		grid := encode(t, n, photo(n, 4))
		if err := modelfile.Encode(&bits, nil, []modelfile.Tensor{modelfile.Float32("grid", []int{len(grid)}, grid)}); err != nil {
			t.Fatal(err)
		}
		fmt.Printf("grid %s %x\n", file.Name(), sha256.Sum256(bits.Bytes()))
		f.Close()
	}
}

func TestInt8FilesAreChecked(t *testing.T) {
	n := random(t, "efficientnet_lite0")
	q := quantized(t, n, encodertest.Pixels(n, 1))
	set := func(name string, values ...float32) func([]modelfile.Tensor) []modelfile.Tensor {
		return func(ts []modelfile.Tensor) []modelfile.Tensor {
			for i, t := range ts {
				if t.Name == name {
					all := make([]float32, t.Len())
					for k := range all {
						all[k] = values[k%len(values)]
					}
					ts[i] = modelfile.Float32(name, t.Shape, all)
				}
			}
			return ts
		}
	}
	for _, c := range []struct {
		name, want string
		edit       func([]modelfile.Tensor) []modelfile.Tensor
	}{
		{"no scale", "no tensor stem.conv.scale", func(ts []modelfile.Tensor) []modelfile.Tensor {
			return slices.DeleteFunc(ts, func(t modelfile.Tensor) bool { return t.Name == "stem.conv.scale" })
		}},
		{"a float weight", "no int8 tensor stages.0.0.project.conv.weight", set("stages.0.0.project.conv.weight", 1)},
		{"no number", "stem.conv.bias holds NaN", set("stem.conv.bias", float32(math.NaN()))},
		{"zero at no byte", "zero at 300", set("stem.output", 0.02, 300)},
		{"zero above ReLU's", "zero at 3", set("stem.output", 0.02, 3)},
		{"more than six", "not to 6", set("stem.output", 1, 0)},
		{"negative step", "output scale -1", set("stages.0.0.project.output", -1, 0)},
		{"coarse weights", "scale of 1e+30", set("stem.conv.scale", 1e30)},
		{"negative weights", "scale of -1", set("stem.conv.scale", -1)},
		{"large bias", "bias of 1e+30", set("stem.conv.bias", 1e30)},
		{"tiny output", "too small", set("stages.1.1.project.output", 1e-30, 0)},
	} {
		t.Run(c.name, func(t *testing.T) {
			var buf bytes.Buffer
			if err := modelfile.Encode(&buf, nil, c.edit(q.Tensors(""))); err != nil {
				t.Fatal(err)
			}
			f, err := modelfile.Parse("w.safetensors", buf.Bytes())
			if err != nil {
				t.Fatal(err)
			}
			n, err := encoder.Load(f, "")
			if err == nil {
				_, err = n.Compile()
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want an error with %q", err, c.want)
			}
		})
	}
}
