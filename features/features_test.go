package features_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"showtell/dataset"
	"showtell/encoder"
	"showtell/features"
	"showtell/imageprep"
	"showtell/modelfile"
	"showtell/tensor"
)

func network(t testing.TB, seed uint64) *encoder.Network {
	t.Helper()
	n, err := encoder.Random("efficientnet_lite0", rand.New(rand.NewPCG(seed, 1)))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// pictures writes n small pictures, each of its own colours.
func pictures(t testing.TB, dir string, n int) []dataset.Item {
	t.Helper()
	var items []dataset.Item
	for i := range n {
		name := fmt.Sprintf("bild-%d-ä.png", i)
		img := image.NewNRGBA(image.Rect(0, 0, 12, 9))
		for p := range 12 * 9 {
			img.Set(p%12, p/12, color.NRGBA{uint8(i * 30), uint8(p * 2), uint8(p * i), 255})
		}
		var buf bytes.Buffer
		if err := png.Encode(&buf, img); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, buf.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		items = append(items, dataset.Item{Name: name, Path: path})
	}
	return items
}

func extract(t testing.TB, path string, n *encoder.Network, items []dataset.Item, o *features.Options) *features.Store {
	t.Helper()
	s, problems, err := features.Extract(t.Context(), path, n, items, o)
	if err != nil || len(problems) > 0 {
		t.Fatalf("Extract: %v, %v", err, problems)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestGridsAreTheEncoders(t *testing.T) {
	dir, n := t.TempDir(), network(t, 1)
	items := pictures(t, dir, 3)
	s := extract(t, filepath.Join(dir, "f"), n, items, &features.Options{Mirror: true})
	plan, err := n.Compile()
	if err != nil {
		t.Fatal(err)
	}
	h, w, c := n.Grid()
	got, want := make([]float32, h*w*c), make([]float32, h*w*c)
	for _, item := range items {
		img, err := imageprep.ReadFile(item.Path, nil)
		if err != nil {
			t.Fatal(err)
		}
		pixels := n.Recipe().Apply(img)
		for _, mirror := range []bool{false, true} {
			if mirror {
				imageprep.Mirror(pixels, n.Recipe().Height, n.Recipe().Width, 3)
			}
			plan.Run(want, pixels)
			if !s.Grid(got, item.Name, mirror) {
				t.Fatalf("no grid of %s", item.Name)
			}
			for i, v := range got {
				if math.Abs(float64(v-want[i])) > 1e-3*max(1, math.Abs(float64(want[i]))) {
					t.Fatalf("%s: value %d is %v, the encoder says %v", item.Name, i, v, want[i])
				}
			}
		}
	}
	if s.Len() != 3 || !s.Has(items[1].Name) || s.Has("else.png") || s.Grid(got, "else.png", false) {
		t.Errorf("%d pictures, want 3, and no other", s.Len())
	}
}

func TestWithoutMirrorThereIsNone(t *testing.T) {
	dir, n := t.TempDir(), network(t, 1)
	items := pictures(t, dir, 1)
	s := extract(t, filepath.Join(dir, "f"), n, items, nil)
	if s.Grid(make([]float32, 7*7*1280), items[0].Name, true) {
		t.Error("a mirrored grid that nobody asked for")
	}
	s = extract(t, filepath.Join(dir, "f"), n, items, &features.Options{Mirror: true}) // completes the file
	if !s.Grid(make([]float32, 7*7*1280), items[0].Name, true) {
		t.Error("no mirrored grid though it was asked for")
	}
}

// Interrupted after the first pictures and called again, Extract gives the
// bytes of a run without interruption, and so does any number of workers.
func TestInterrupted(t *testing.T) {
	dir, n := t.TempDir(), network(t, 1)
	items := pictures(t, dir, 40)
	through := filepath.Join(dir, "through")
	extract(t, through, n, items, nil)
	path := filepath.Join(dir, "stopped")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	first := 0
	stop := &features.Options{Progress: func(done, _ int) { first = done; cancel() }}
	if _, _, err := features.Extract(ctx, path, n, items, stop); !errors.Is(err, context.Canceled) {
		t.Fatalf("Extract = %v, want %v", err, context.Canceled)
	}
	if first == 0 || first == len(items) {
		t.Fatalf("stopped after %d of %d pictures", first, len(items))
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that is not finished has the name of a finished one: %v", err)
	}
	defer tensor.SetWorkers(tensor.Workers())
	tensor.SetWorkers(3)
	extract(t, path, n, items, nil)
	if !bytes.Equal(read(t, path), read(t, through)) {
		t.Error("stopped and resumed, the file has other bytes")
	}
	if left, _ := filepath.Glob(path + ".*"); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// What a crash tore is made again: a row whose grid does not fit its sum.
func TestTornRow(t *testing.T) {
	dir, n := t.TempDir(), network(t, 1)
	items := pictures(t, dir, 2)
	path := filepath.Join(dir, "f")
	extract(t, path, n, items, nil)
	want := read(t, path)
	torn := slices.Clone(want)
	for i := len(torn) / 2; i < len(torn)/2+1000; i++ {
		torn[i] = 0
	}
	if err := os.WriteFile(path+".partial", torn, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	extract(t, path, n, items, nil)
	if !bytes.Equal(read(t, path), want) {
		t.Error("a torn row stayed")
	}
}

func TestBadPictureIsOneProblem(t *testing.T) {
	dir, n := t.TempDir(), network(t, 1)
	items := pictures(t, dir, 4)
	if err := os.WriteFile(items[1].Path, []byte("no picture"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(items[2].Path); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "f")
	for range 2 { // the second finds the finished file
		s, problems, err := features.Extract(t.Context(), path, n, items, nil)
		if err != nil {
			t.Fatal(err)
		}
		if s.Len() != 2 || s.Has(items[1].Name) || !s.Has(items[3].Name) {
			t.Errorf("%d pictures have features, want 2", s.Len())
		}
		if len(problems) != 2 || problems[0].Name != items[1].Name || problems[1].Name != items[2].Name || problems[0].Kind != dataset.Unreadable {
			t.Errorf("problems %v, want those of %s and %s", problems, items[1].Name, items[2].Name)
		}
		s.Close()
	}
}

// A picture that changed since is encoded again, the others are not.
func TestChangedPicture(t *testing.T) {
	dir, n := t.TempDir(), network(t, 1)
	items := pictures(t, dir, 3)
	path := filepath.Join(dir, "f")
	grid, again := make([]float32, 7*7*1280), make([]float32, 7*7*1280)
	extract(t, path, n, items, nil).Grid(grid, items[0].Name, false)
	if err := os.WriteFile(items[0].Path, read(t, items[2].Path), 0o644); err != nil {
		t.Fatal(err)
	}
	s := extract(t, path, n, items, nil)
	s.Grid(again, items[0].Name, false)
	if slices.Equal(grid, again) {
		t.Error("a changed picture kept its old grid")
	}
	s.Grid(grid, items[2].Name, false)
	if !slices.Equal(grid, again) {
		t.Error("equal pictures have different grids")
	}
}

func TestRefused(t *testing.T) {
	dir, n := t.TempDir(), network(t, 1)
	items := pictures(t, dir, 1)
	path := filepath.Join(dir, "f")
	extract(t, path, n, items, nil)
	write := func(name string, data []byte) string {
		p := filepath.Join(dir, name)
		if err := os.WriteFile(p, data, 0o644); err != nil {
			t.Fatal(err)
		}
		return p
	}
	other := filepath.Join(dir, "weights")
	if err := modelfile.Write(other, nil, n.Tensors("")); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, path string
		network    *encoder.Network
		want       string
	}{
		{"another encoder", path, network(t, 2), "another encoder"},
		{"no features", other, n, "not a file of features"},
		{"cut", write("cut", read(t, path)[:5000]), n, "cut"},
		{"text", write("text", []byte("hello, this is text")), n, "text"},
		{"empty", write("empty", nil), n, "empty"},
	} {
		if _, err := features.Open(c.path, c.network); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: Open = %v, want an error with %q", c.name, err, c.want)
		}
		if _, _, err := features.Extract(t.Context(), c.path, c.network, items, nil); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: Extract = %v, want an error with %q: the file must not be lost", c.name, err, c.want)
		}
	}
	twice := append(items, items[0])
	if _, _, err := features.Extract(t.Context(), filepath.Join(dir, "g"), n, twice, nil); err == nil || !strings.Contains(err.Error(), items[0].Name) {
		t.Errorf("the same name twice: %v", err)
	}
}

// Two runs do not write the same file at once.
func TestLocked(t *testing.T) {
	dir, n := t.TempDir(), network(t, 1)
	items := pictures(t, dir, 1)
	path := filepath.Join(dir, "f")
	var second error
	_, _, err := features.Extract(t.Context(), path, n, items, &features.Options{Progress: func(_, _ int) {
		_, _, second = features.Extract(t.Context(), path, n, items, nil)
	}})
	if err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS == "linux" && (second == nil || !strings.Contains(second.Error(), "another run")) {
		t.Errorf("a second run at the same time: %v, want an error", second)
	}
}

// FuzzOpen feeds manifests that may say anything.
func FuzzOpen(f *testing.F) {
	n := network(f, 1)
	f.Add(`{"names":["a"],"mirror":true}`, 1, true)
	f.Add(`{"names":["a","a"]}`, 2, false)
	f.Add(`{`, 0, false)
	f.Add(fmt.Sprintf(`{"encoder":"efficientnet_lite0","fingerprint":%q,"names":["a"]}`, n.Fingerprint()), 1, false)
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, manifest string, rows int, mirror bool) {
		if rows < 0 || rows > 8 {
			return
		}
		tensors := []modelfile.Tensor{
			{Name: "grids", DType: modelfile.F16, Shape: []int{rows, 7, 7, 1280}, Data: make([]byte, rows*7*7*1280*2)},
			{Name: "digests", DType: modelfile.U8, Shape: []int{rows, 32}, Data: bytes.Repeat([]byte{1}, rows*32)},
			{Name: "sums", DType: modelfile.U8, Shape: []int{rows, 4}, Data: make([]byte, rows*4)},
		}
		if mirror {
			tensors = append(tensors, modelfile.Tensor{Name: "mirrored", DType: modelfile.F16, Shape: tensors[0].Shape, Data: tensors[0].Data})
		}
		path := filepath.Join(dir, "f")
		if err := modelfile.Write(path, map[string]string{"showtell.features": manifest}, tensors); err != nil {
			return // not UTF-8
		}
		s, err := features.Open(path, n)
		if err != nil {
			return
		}
		defer s.Close()
		s.Grid(make([]float32, 7*7*1280), "a", mirror)
	})
}
