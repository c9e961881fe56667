package main

import (
	"fmt"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"showtell"
	"showtell/encoder"
	"showtell/modelfile"
	"showtell/weightfile"
)

type convertCommand struct {
	streams
	output  string
	encoder string
}

func newConvert(s streams) *cobra.Command {
	c := &convertCommand{streams: s}
	cmd := &cobra.Command{
		Use: "convert WEIGHTS -o FILE",
		Example: `  showtell convert vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5 -o vgg16.safetensors
  showtell convert resnet50.pth -o resnet50.safetensors
  showtell convert vgg16.h5 --encoder vgg16_keras_fc2 -o fc2.safetensors
  showtell convert timm.safetensors --encoder tf_efficientnet_b0 -o b0.safetensors`,
		Short: "make an encoder of the weights of Keras, torchvision or timm",
		Long: `Make an encoder of a file with published weights: Keras .h5 and .keras, PyTorch
.pt and .pth, safetensors, NumPy .npz. The network is recognised by its tensors,
except for timm's EfficientNet, where --encoder has to tell which of two it is. What of
the file is not used, such as the classifier, is told. docs/encoders.md lists the
networks.`,
		Args: oneArg("file of weights"),
		RunE: c.run,
	}
	cmd.Flags().StringVarP(&c.output, "output", "o", "", "encoder file to write")
	cmd.Flags().StringVar(&c.encoder, "encoder", "", "the network that it is (default: recognised)")
	return cmd
}

func (c *convertCommand) run(_ *cobra.Command, args []string) error {
	switch {
	case c.output == "":
		return usageError("no output named. Try: showtell convert %s -o encoder.safetensors", args[0])
	case c.encoder != "" && !slices.Contains(encoder.Names(), c.encoder):
		return usageError("--encoder: no network %q (there are %v)", c.encoder, encoder.Names())
	}
	if err := writable(c.output); err != nil {
		return err
	}
	f, err := weightfile.Open(args[0])
	if err != nil {
		return err
	}
	defer f.Close()
	n, used, err := c.read(f)
	if err != nil {
		return err
	}
	var unused []string
	for _, t := range f.Tensors() {
		if !used[t.Name] {
			unused = append(unused, t.Name)
		}
	}
	meta := map[string]string{"encoder": n.Name(), "source": filepath.Base(args[0]), "format": f.Format, "tool": "showtell " + showtell.Version}
	if err := modelfile.Write(c.output, meta, n.Tensors("")); err != nil {
		return err
	}
	h, w, channels := n.Grid()
	fmt.Fprintf(c.err, "%s: %s, a grid of %d x %d x %d\n", c.output, n.Name(), h, w, channels)
	tellFew(c.err, "%d tensors are not used:\n", unused)
	return nil
}

// read makes the network of a file and tells which tensors it has taken.
func (c *convertCommand) read(f *weightfile.File) (*encoder.Network, map[string]bool, error) {
	used := map[string]bool{}
	values := func(t weightfile.Tensor) func() ([]float32, error) {
		return func() ([]float32, error) {
			used[t.Name] = true
			x, err := t.Float32()
			return slices.Clone(x), err // the file's own memory goes with it
		}
	}
	if len(f.Layers) == 0 {
		n, err := encoder.Read(f.Name, c.encoder, func(name string) ([]int, func() ([]float32, error), bool) {
			t, ok := f.Tensor(name)
			return t.Shape, values(t), ok
		})
		return n, used, err
	}
	var layers []encoder.KerasLayer
	for _, l := range f.Layers {
		k := encoder.KerasLayer{Name: l.Name, Group: l.Group}
		for _, t := range l.Tensors {
			k.Weights = append(k.Weights, encoder.KerasWeight{Shape: t.Shape, Values: values(t)})
		}
		layers = append(layers, k)
	}
	n, err := encoder.Keras(f.Name, c.encoder, layers)
	return n, used, err
}

// foreign adds to an error about a file what to do if it holds the weights of
// another program.
func foreign(path string, err error) error {
	if err == nil {
		return nil
	}
	f, failed := weightfile.Open(path)
	if failed != nil {
		return err
	}
	defer f.Close()
	if f.Format == weightfile.Safetensors {
		return err
	}
	return fmt.Errorf("%w, but %s. Make an encoder of it: showtell convert %s -o encoder.safetensors", err, f.Format, path)
}
