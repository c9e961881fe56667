package encoder_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"showtell/encoder"
	"showtell/nn"
	"showtell/tensor"
)

// gradients are those of the sum of the grid's features, of the last learned
// weights only.
func gradients(tape *nn.Tape, n *encoder.Network, x *nn.Var, learned int) [][]float32 {
	params := n.Params()
	for i, p := range params {
		p.Fixed = i < len(params)-learned
	}
	tape.Reset()
	y := n.Forward(tape, x, params)
	for i := range y.Grad() {
		y.Grad()[i] = 1
	}
	tape.Backward(tape.New(1))
	var all [][]float32
	for _, p := range params[len(params)-learned:] {
		all = append(all, slices.Clone(p.Grad()))
	}
	return all
}

// Fixed layers, whose results are dropped early, arrays that are used again and
// the number of workers change no bit of the gradients.
func TestForwardGradients(t *testing.T) {
	t.Cleanup(func() { tensor.SetWorkers(0) })
	for name, size := range map[string][2]int{
		"efficientnet_lite0": {70, 61}, "efficientnet_b0": {70, 61}, "efficientnet_b0_keras": {70, 61}, "inception_v3": {91, 80}, "mobilenet_v2": {70, 61},
		"resnet18": {70, 61}, "resnet50_keras": {70, 61}, "vgg16_fc2": {224, 224},
	} {
		t.Run(name, func(t *testing.T) {
			n, err := encoder.Thin(name, 8, rand.New(rand.NewPCG(1, 2)))
			if err != nil {
				t.Fatal(err)
			}
			rng, pixels := rand.New(rand.NewPCG(3, 4)), make([]float32, 2*size[0]*size[1]*3)
			for i := range pixels {
				pixels[i] = 2*rng.Float32() - 1
			}
			sameGradients(t, n, nn.Const(pixels, 2, size[0], size[1], 3))
		})
	}
}

func sameGradients(t *testing.T, n *encoder.Network, x *nn.Var) {
	tape, all := nn.NewTape(nil), len(n.Params())
	want := gradients(tape, n, x, all)
	for i, g := range want {
		if size := tensor.SumSquares(g); !(size > 0) || math.IsInf(size, 0) {
			t.Errorf("the squares of gradient %d add up to %g", i, size)
		}
	}
	for _, learned := range []int{all, all / 2, all / 3, 2, 1} {
		for _, workers := range []int{1, 3} {
			tensor.SetWorkers(workers)
			got := gradients(tape, n, x, learned)
			for i, g := range got {
				if !slices.Equal(g, want[all-learned+i]) {
					t.Fatalf("%d layers learn, %d workers: gradient %d of %d is another", learned, workers, i, learned)
				}
			}
		}
	}
}

// The gradients of a network without kinks tell how its features change with its weights.
func TestForwardGradientsAreSlopes(t *testing.T) {
	for _, name := range []string{"efficientnet_b0", "efficientnet_b0_keras", "tf_efficientnet_b0"} {
		n, err := encoder.Thin(name, 8, rand.New(rand.NewPCG(1, 2)))
		if err != nil {
			t.Fatal(err)
		}
		pixels := make([]float32, 2*64*61*3)
		for i := range pixels {
			pixels[i] = float32(math.Sin(float64(i) * 0.37))
		}
		x, params := nn.Const(pixels, 2, 64, 61, 3), n.Params()
		grads := gradients(nn.NewTape(nil), n, x, len(params))
		length := 0.0
		for _, g := range grads {
			length += tensor.SumSquares(g)
		}
		value := func(step float64) (sum float64) {
			for i, p := range params {
				tensor.AXPY(p.Data, float32(step), grads[i])
			}
			for _, v := range n.Forward(nil, x, params).Data {
				sum += float64(v)
			}
			return sum
		}
		step := 1e-3 / math.Sqrt(length)
		up := value(step)
		down := value(-2 * step)
		if slope := (up - down) / (2 * step); math.Abs(slope-length) > 0.02*length {
			t.Errorf("%s: along the gradient features grow by %g, want %g", name, slope, length)
		}
	}
}
