// Package encodertest is the test suite that every encoder passes. Call Run.
package encodertest

import (
	"bytes"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"showtell/encoder"
	"showtell/modelfile"
	"showtell/nn"
	"showtell/tensor"
)

// Pixels is a made-up picture for n.
func Pixels(n *encoder.Network, seed uint64) []float32 {
	r := n.Recipe()
	rng := rand.New(rand.NewPCG(seed, 1))
	x := make([]float32, r.Width*r.Height*3)
	for i := range x {
		x[i] = float32(math.Sin(float64(i)*0.01*float64(seed+1)) + 0.3*rng.NormFloat64())
	}
	return x
}

// Run checks a network.
func Run(t *testing.T, n *encoder.Network) {
	plan, err := n.Compile()
	if err != nil {
		t.Fatal(err)
	}
	h, w, c := n.Grid()
	encode := func(pixels []float32) []float32 {
		grid := make([]float32, h*w*c)
		plan.Run(grid, pixels)
		return grid
	}
	x := Pixels(n, 1)
	want := encode(x)
	if !n.Quantized() {
		t.Run("executors agree", func(t *testing.T) { executorsAgree(t, n, x, want) })
	}
	t.Run("the same picture again", func(t *testing.T) {
		encode(Pixels(n, 2)) // leaves its own numbers in the buffers
		if !slices.Equal(encode(x), want) {
			t.Error("another grid")
		}
	})
	t.Run("any number of workers", func(t *testing.T) {
		defer tensor.SetWorkers(tensor.Workers())
		for _, k := range []int{1, 2, 7} {
			tensor.SetWorkers(k)
			if !slices.Equal(encode(x), want) {
				t.Errorf("another grid with %d workers", k)
			}
		}
	})
	t.Run("concurrent use", func(t *testing.T) {
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				if !slices.Equal(encode(x), want) {
					t.Error("another grid")
				}
			})
		}
		wg.Wait()
	})
	t.Run("file", func(t *testing.T) { fromFile(t, n, x, want) })
}

// executorsAgree compares Forward with the plan, relative to the largest
// feature.
func executorsAgree(t *testing.T, n *encoder.Network, x, want []float32) {
	r := n.Recipe()
	got := n.Forward(nil, nn.Const(x, 1, r.Height, r.Width, 3), n.Params())
	h, w, c := n.Grid()
	if !slices.Equal(got.Shape, []int{1, h, w, c}) {
		t.Fatalf("Forward gives %v, Grid says %d x %d x %d", got.Shape, h, w, c)
	}
	top, worst := 0.0, 0.0
	for i, v := range got.Data {
		top = max(top, math.Abs(float64(want[i])))
		worst = max(worst, math.Abs(float64(v-want[i])))
	}
	if !(top > 0) || worst > 1e-4*top {
		t.Errorf("Forward and Plan differ by %.2g, features go up to %.2g", worst, top)
	}
}

func fromFile(t *testing.T, n *encoder.Network, x, want []float32) {
	var buf bytes.Buffer
	if err := modelfile.Encode(&buf, nil, n.Tensors("encoder.")); err != nil {
		t.Fatal(err)
	}
	f, err := modelfile.Parse("test", buf.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	again, err := encoder.Load(f, "encoder.")
	if err != nil {
		t.Fatal(err)
	}
	if again.Name() != n.Name() || again.Fingerprint() != n.Fingerprint() {
		t.Errorf("%s %s came back as %s %s", n.Name(), n.Fingerprint(), again.Name(), again.Fingerprint())
	}
	plan, err := again.Compile()
	if err != nil {
		t.Fatal(err)
	}
	grid := make([]float32, len(want))
	plan.Run(grid, x)
	if !slices.Equal(grid, want) {
		t.Error("another grid")
	}
	if _, err := encoder.Load(f, ""); err == nil {
		t.Error("weights were found without their prefix")
	}
	tensors := n.Tensors("")
	tensors[0].Data = slices.Clone(tensors[0].Data)
	tensors[0].Data[0] ^= 1
	buf.Reset()
	if err := modelfile.Encode(&buf, nil, tensors); err != nil {
		t.Fatal(err)
	}
	if f, err = modelfile.Parse("test", buf.Bytes()); err != nil {
		t.Fatal(err)
	}
	if changed, err := encoder.Load(f, ""); err != nil || changed.Fingerprint() == n.Fingerprint() {
		t.Errorf("a changed weight does not change the fingerprint (%v)", err)
	}
}
