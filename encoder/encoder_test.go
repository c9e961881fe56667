package encoder_test

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"showtell/encoder"
	"showtell/encoder/encodertest"
	"showtell/internal/testutil"
	"showtell/modelfile"
	"showtell/tensor"
)

func TestNetworks(t *testing.T) {
	for _, name := range encoder.Names() {
		t.Run(name, func(t *testing.T) {
			t.Cleanup(encoder.Forget)
			n, err := encoder.Thin(name, 16, rand.New(rand.NewPCG(1, 2)))
			if err != nil {
				t.Fatal(err)
			}
			encodertest.Run(t, n)
		})
	}
}

func open(t testing.TB, name string) *modelfile.File {
	t.Helper()
	f, err := modelfile.Open(testutil.Shared(t, "encoders/"+name))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func floats(t testing.TB, f *modelfile.File, name string) []float32 {
	t.Helper()
	x, ok := f.Tensor(name)
	if !ok {
		t.Fatalf("no tensor %s", name)
	}
	data, err := x.Float32()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// lites are the networks of which ../shared has published weights.
var lites = []string{"efficientnet_lite0", "efficientnet_lite2"}

// The published weights give the activations of the published network.
// Goldens: ../shared/encoders/*/reference.safetensors, made by PyTorch.
func TestReference(t *testing.T) {
	for _, name := range lites {
		t.Run(name, func(t *testing.T) {
			n, err := encoder.Load(open(t, name+"/model.safetensors"), "")
			if err != nil {
				t.Fatal(err)
			}
			if n.Name() != name {
				t.Fatalf("recognised as %s", n.Name())
			}
			encodertest.Run(t, n)
			plan, err := n.Compile()
			if err != nil {
				t.Fatal(err)
			}
			reference := open(t, name+"/reference.safetensors")
			for i := range 4 {
				compare(t, n, plan, reference, i)
			}
		})
	}
}

func compare(t *testing.T, n *encoder.Network, plan *encoder.Plan, reference *modelfile.File, i int) {
	pixels, ok := reference.Tensor(fmt.Sprintf("%d.pixels", i))
	if !ok {
		t.Fatalf("no pixels of picture %d", i)
	}
	r := n.Recipe()
	area := r.Width * r.Height
	x := make([]float32, 3*area)
	for p := range area {
		for c := range 3 {
			x[p*3+c] = (float32(pixels.Data[c*area+p]) - r.Mean[c]) / r.Std[c]
		}
	}
	h, w, channels := n.Grid()
	grid := make([]float32, h*w*channels)
	plan.Run(grid, x)
	want := floats(t, reference, fmt.Sprintf("%d.features", i)) // (channels, h, w)
	worst := 0.0
	for p := range h * w {
		for c := range channels {
			d := math.Abs(float64(grid[p*channels+c] - want[c*h*w+p]))
			worst = max(worst, d/max(1, math.Abs(float64(want[c*h*w+p]))))
		}
	}
	if worst > 1e-3 {
		t.Errorf("picture %d: features differ by %.2g", i, worst)
	}
	pooled := make([]float32, channels)
	encoder.Pool(pooled, grid, h*w, channels)
	for c, v := range floats(t, reference, fmt.Sprintf("%d.pooled", i)) {
		if math.Abs(float64(pooled[c]-v)) > 1e-4 {
			t.Fatalf("picture %d: pooled[%d] = %v, want %v", i, c, pooled[c], v)
		}
	}
}

func TestLoadNamesWhatIsWrong(t *testing.T) {
	n, err := encoder.Random("efficientnet_lite0", rand.New(rand.NewPCG(1, 2)))
	if err != nil {
		t.Fatal(err)
	}
	nan := []float32{float32(math.NaN())}
	for _, c := range []struct {
		name, want string
		edit       func([]modelfile.Tensor) []modelfile.Tensor
	}{
		{"nothing", "no encoder that is known", func([]modelfile.Tensor) []modelfile.Tensor { return nil }},
		{"one missing", "no tensor stem.bn.bias", func(ts []modelfile.Tensor) []modelfile.Tensor {
			return slices.DeleteFunc(ts, func(t modelfile.Tensor) bool { return t.Name == "stem.bn.bias" })
		}},
		{"wrong shape", "stem.bn.bias has shape [1], not [32]", func(ts []modelfile.Tensor) []modelfile.Tensor {
			for i, t := range ts {
				if t.Name == "stem.bn.bias" {
					ts[i] = modelfile.Float32(t.Name, []int{1}, nan)
				}
			}
			return ts
		}},
		{"not a number", "stem.bn.bias holds NaN", func(ts []modelfile.Tensor) []modelfile.Tensor {
			for i, t := range ts {
				if t.Name == "stem.bn.bias" {
					ts[i] = modelfile.Float32(t.Name, t.Shape, slices.Repeat(nan, 32))
				}
			}
			return ts
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var buf bytes.Buffer
			if err := modelfile.Encode(&buf, nil, c.edit(n.Tensors(""))); err != nil {
				t.Fatal(err)
			}
			f, err := modelfile.Parse("w.safetensors", buf.Bytes())
			if err != nil {
				t.Fatal(err)
			}
			_, err = encoder.Load(f, "")
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "w.safetensors") {
				t.Errorf("Load = %v, want an error with %q", err, c.want)
			}
		})
	}
}

func BenchmarkPlan(b *testing.B) {
	for _, name := range encoder.Names() {
		b.Run(name, func(b *testing.B) { benchmarkPlan(b, name) })
	}
}

func benchmarkPlan(b *testing.B, name string) {
	n, err := encoder.Random(name, rand.New(rand.NewPCG(1, 2)))
	if err != nil {
		b.Fatal(err)
	}
	plan, err := n.Compile()
	if err != nil {
		b.Fatal(err)
	}
	h, w, c := n.Grid()
	x := encodertest.Pixels(n, 1)
	b.Run("one picture", func(b *testing.B) {
		grid := make([]float32, h*w*c)
		for b.Loop() {
			plan.Run(grid, x)
		}
	})
	b.Run("a picture a worker", func(b *testing.B) {
		const pictures = 8
		grids := make([]float32, pictures*h*w*c)
		for b.Loop() {
			tensor.Parallel(pictures, func(i int) { plan.Run(grids[i*h*w*c:(i+1)*h*w*c], x) })
		}
		b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/pictures/1000, "ms/picture")
	})
}
