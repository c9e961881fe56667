package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

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
	used := map[string]bool{}
	n, err := networkOf(f, c.encoder, func(t weightfile.Tensor) ([]float32, error) {
		used[t.Name] = true
		return t.Float32()
	})
	if err != nil && c.encoder == "" {
		return fmt.Errorf("%w (if you know which network it is, tell it with --encoder)", err)
	}
	if err != nil {
		return err
	}
	unused, err := leftOver(f, n, used)
	if err != nil {
		return err
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

// networkOf makes the network called name, or "" to recognise it, of a file. read
// gives the values of a tensor that it takes: of the file, its own memory, good
// until f is closed.
func networkOf(f *weightfile.File, name string, read func(weightfile.Tensor) ([]float32, error)) (*encoder.Network, error) {
	values := func(t weightfile.Tensor) func() ([]float32, error) {
		return func() ([]float32, error) { return read(t) }
	}
	if len(f.Layers) == 0 {
		return encoder.Read(f.Name, name, func(name string) ([]int, func() ([]float32, error), bool) {
			t, ok := f.Tensor(name)
			return t.Shape, values(t), ok
		})
	}
	var layers []encoder.KerasLayer
	for _, l := range f.Layers {
		k := encoder.KerasLayer{Name: l.Name, Group: l.Group}
		for _, t := range l.Tensors {
			k.Weights = append(k.Weights, encoder.KerasWeight{Shape: t.Shape, Values: values(t)})
		}
		layers = append(layers, k)
	}
	return encoder.Keras(f.Name, name, layers)
}

// leftOver lists the tensors that the network n does not take. A weight in the midst of those
// that it does take is an error: the file is of another network, perhaps a deeper one, or
// one with an attention in each block.
func leftOver(f *weightfile.File, n *encoder.Network, used map[string]bool) (names []string, err error) {
	blocks := map[string]bool{} // layer1.0, layer1
	for name := range used {
		for block := parent(parent(name)); block != ""; block = parent(block) {
			if last := block[len(block)-1]; strings.Contains(block, ".") || '0' <= last && last <= '9' {
				blocks[block] = true
			}
		}
	}
	for _, t := range f.Tensors() {
		if used[t.Name] {
			continue
		}
		names = append(names, t.Name)
		if !strings.HasPrefix(string(t.DType), "F") && t.DType != modelfile.BF16 {
			continue // a counter, not a weight
		}
		for block := parent(t.Name); block != ""; block = parent(block) {
			if blocks[block] {
				return nil, fmt.Errorf("%s: nearly %s, but it has %.80s, which that has not: another network", f.Name, n.Name(), t.Name)
			}
		}
	}
	return names, nil
}

// parent is a name without what follows its last dot.
func parent(name string) string { return name[:max(0, strings.LastIndexByte(name, '.'))] }

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
