package features_test

import (
	"context"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"showtell/features"
	"showtell/weightfile"
)

// extracted are the features of five pictures and one that is none.
func extracted(t *testing.T) *features.Store {
	t.Helper()
	items := pictures(t, 5)
	broken := items[0]
	broken.Name, broken.Path = "bröken 犬.jpg", filepath.Join(t.TempDir(), "none.jpg")
	items = append(items[:2:2], append(items[2:], broken)...)
	items[4].Name = "犬 ü.jpg"
	store, problems, err := features.Extract(context.Background(), filepath.Join(t.TempDir(), "f.safetensors"), lite0(), items, &features.Options{Mirror: true})
	if err != nil || len(problems) != 1 {
		t.Fatalf("Extract: %v, %v", problems, err)
	}
	t.Cleanup(func() { store.Close() })
	return store
}

func TestWriteNPZ(t *testing.T) {
	store := extracted(t)
	path := filepath.Join(t.TempDir(), "f.npz")
	if err := store.WriteNPZ(context.Background(), path); err != nil {
		t.Fatal(err)
	}
	f, err := weightfile.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for name, shape := range map[string][]int{"grids": {5, 7, 7, 1280}, "mirrored": {5, 7, 7, 1280}, "pooled": {5, 1280}, "names": {5}, "encoder": {}} {
		if x, ok := f.Tensor(name); !ok || !slices.Equal(x.Shape, shape) {
			t.Errorf("array %s has shape %v, want %v", name, x.Shape, shape)
		}
	}
	const size = 7 * 7 * 1280
	grid := make([]float32, size)
	for _, c := range []struct {
		array  string
		mirror bool
	}{{"grids", false}, {"mirrored", true}} {
		x, _ := f.Tensor(c.array)
		values, err := x.Float32()
		if err != nil || !store.Grid(grid, "犬 ü.jpg", c.mirror) || !slices.Equal(grid, values[4*size:]) {
			t.Errorf("%s of the last picture differ (%v)", c.array, err)
		}
	}
	pooled, _ := f.Tensor("pooled")
	means, err := pooled.Float32()
	if err != nil {
		t.Fatal(err)
	}
	store.Grid(grid, "犬 ü.jpg", false)
	sum := 0.0
	for cell := range 49 {
		sum += float64(grid[cell*1280+3])
	}
	if got := float64(means[4*1280+3]); math.Abs(got-sum/49) > 1e-5 {
		t.Errorf("pooled %v, want %v", got, sum/49)
	}
}

// The file stays as it was if writing ends early.
func TestWriteNPZStopped(t *testing.T) {
	store := extracted(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	path := filepath.Join(t.TempDir(), "f.npz")
	if err := store.WriteNPZ(ctx, path); err == nil {
		t.Error("no error")
	}
	if left, _ := os.ReadDir(filepath.Dir(path)); len(left) > 0 {
		t.Errorf("left over: %v", left)
	}
}

// NumPy reads it, where python3 has NumPy.
func TestNumPyReadsIt(t *testing.T) {
	if exec.Command("python3", "-c", "import numpy").Run() != nil {
		t.Skip("no Python with NumPy")
	}
	store := extracted(t)
	path := filepath.Join(t.TempDir(), "f.npz")
	if err := store.WriteNPZ(context.Background(), path); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("python3", "-c", `
import numpy, sys
f = numpy.load(sys.argv[1])
print(sorted(f.files), f["grids"].shape, f["grids"].dtype, f["names"].tolist()[4] == "\u72ac \u00fc.jpg", f["encoder"])
print(abs(f["grids"].astype("float32").mean((1, 2)) - f["pooled"]).max() < 1e-5, "%.6f" % f["grids"][4, 3, 2, 1])
`, path).CombinedOutput()
	grid := make([]float32, 7*7*1280)
	store.Grid(grid, "犬 ü.jpg", false)
	want := fmt.Sprintf("['encoder', 'grids', 'mirrored', 'names', 'pooled'] (5, 7, 7, 1280) float16 True efficientnet_lite0\nTrue %.6f\n", grid[(3*7+2)*1280+1])
	if err != nil || strings.ReplaceAll(string(out), "\r", "") != want {
		t.Errorf("%v: %s, want %s", err, out, want)
	}
}
