package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"showtell/builtin"
	"showtell/dataset"
	"showtell/encoder"
	"showtell/features"
	"showtell/modelfile"
)

// openEncoder reads an encoder from a weights file or a model, or takes the
// one of the model inside the program.
func openEncoder(path string) (*encoder.Network, error) {
	if path == "" {
		m, err := builtin.Open()
		if err != nil {
			return nil, err
		}
		return m.Network(), nil
	}
	f, err := modelfile.Open(path)
	if err != nil {
		return nil, foreign(path, err)
	}
	if n, err := encoder.Load(f, "encoder."); err == nil {
		return n, f.Close()
	}
	n, err := encoder.Map(f, "") // until the program ends
	if err != nil {
		f.Close()
	}
	return n, err
}

// cacheFile is where the features of a data set are kept when no file is
// named.
func cacheFile(n *encoder.Network, set *dataset.Set) (string, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("no folder for features; name a file with --features: %w", err)
	}
	dir = filepath.Join(dir, "showtell", "features")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("no folder for features; name a file with --features: %w", err)
	}
	return filepath.Join(dir, fmt.Sprintf("%.12s-%.12s.safetensors", n.Fingerprint(), set.Fingerprint())), nil
}

// extract runs the encoder over all pictures, as far as the file does not
// have them yet.
func (s streams) extract(ctx context.Context, path string, n *encoder.Network, set *dataset.Set, mirror bool) (*features.Store, error) {
	step, finish := s.lazyBar("encoding pictures")
	store, problems, err := features.Extract(ctx, path, n, set.Items, &features.Options{Mirror: mirror, Progress: step})
	finish()
	if err != nil {
		if ctx.Err() != nil {
			err = errors.Join(err, errors.New("the same command goes on from here"))
		}
		return nil, err
	}
	tellProblems(s.err, problems, 5)
	return store, nil
}

func newFeatures(s streams) *cobra.Command {
	var flags dataFlags
	var out, weights string
	var mirror, npz bool
	cmd := &cobra.Command{
		Use: "features DATA -o FILE",
		Example: `  showtell features flickr8k -o flickr8k.features.safetensors
  showtell features flickr8k -o features.safetensors --npz    also features.npz, for numpy.load`,
		Short: "run the encoder once, ahead of training",
		Long: `Run the encoder over all pictures of a data set and keep what it sees, in half
precision, as a safetensors file that "showtell train --features" and Python
read. Stopped half-way, the same command goes on.

--npz also writes arrays for numpy.load, with a row for each picture that could be
read: names; grids, float16 (pictures, rows, columns, channels), and mirrored ones with
--mirror; pooled, float32 (pictures, channels), their means.`,
		Args: oneArg("data set"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if out == "" {
				return usageError("no output named. Try: showtell features %s -o features.safetensors", args[0])
			}
			arrays := strings.TrimSuffix(out, filepath.Ext(out)) + ".npz"
			if npz && arrays == out {
				return usageError("--npz writes %s beside the features, so -o must name another file. Try: -o features.safetensors --npz", out)
			}
			n, err := openEncoder(weights)
			if err != nil {
				return err
			}
			set, err := s.openData(cmd.Context(), args[0], flags)
			if err != nil {
				return err
			}
			tellProblems(s.err, set.Problems, 5)
			store, err := s.extract(cmd.Context(), out, n, set, mirror)
			if err != nil {
				return err
			}
			defer store.Close()
			h, w, c := n.Grid()
			fmt.Fprintf(s.err, "%s: %d pictures, each %d x %d x %d by %s\n", out, store.Len(), h, w, c, n.Name())
			if !npz {
				return nil
			}
			if err := store.WriteNPZ(cmd.Context(), arrays); err != nil {
				return err
			}
			fmt.Fprintf(s.err, "%s: the same for numpy.load\n", arrays)
			return nil
		},
	}
	flags.add(cmd.Flags())
	cmd.Flags().StringVarP(&out, "output", "o", "", "file to write")
	cmd.Flags().StringVar(&weights, "encoder", "", "weights of the encoder, or a model (default: that of the model inside this program)")
	cmd.Flags().BoolVar(&mirror, "mirror", false, "also keep each picture's mirror image")
	cmd.Flags().BoolVar(&npz, "npz", false, "also write the features beside it as .npz, for numpy.load")
	return cmd
}
