package features_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"showtell/dataset"
	"showtell/encoder"
	"showtell/features"
	"showtell/imageprep"
	"showtell/internal/testutil"
	"showtell/modelfile"
	"showtell/tensor"
)

func random(t testing.TB, name string, seed uint64) *encoder.Network {
	t.Helper()
	n, err := encoder.Random(name, rand.New(rand.NewPCG(seed, 1)))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

var lite0 = sync.OnceValue(func() *encoder.Network {
	n, err := encoder.Random("efficientnet_lite0", rand.New(rand.NewPCG(1, 1)))
	if err != nil {
		panic(err)
	}
	return n
})

// pictures makes n items of the toy data set, each content under two names if
// n is over 20.
func pictures(t testing.TB, n int) (items []dataset.Item) {
	t.Helper()
	dir := t.TempDir()
	if err := testutil.Flickr(dir); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "Images", "*.jpg"))
	if err != nil || len(files) != 20 {
		t.Fatalf("%d pictures, %v", len(files), err)
	}
	for i := range n {
		path := files[i%len(files)]
		items = append(items, dataset.Item{Name: fmt.Sprintf("%d/%s", i/len(files), filepath.Base(path)), Path: path})
	}
	return items
}

func put(t testing.TB, path, content string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func extract(t testing.TB, path string, n *encoder.Network, items []dataset.Item, o *features.Options) (*features.Store, []dataset.Problem) {
	t.Helper()
	s, problems, err := features.Extract(context.Background(), path, n, items, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	if _, err := os.Lstat(path + ".partial"); err == nil {
		t.Errorf("%s.partial is left behind", path)
	}
	return s, problems
}

// made is the file that Extract makes.
func made(t testing.TB, items []dataset.Item, o *features.Options) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "f.safetensors")
	extract(t, path, lite0(), items, o)
	return contents(t, path)
}

func contents(t testing.TB, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// want is the grid of a picture by the encoder itself.
func want(t testing.TB, n *encoder.Network, path string, mirror bool) []float32 {
	t.Helper()
	img, err := imageprep.ReadFile(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := n.Compile()
	if err != nil {
		t.Fatal(err)
	}
	r := n.Recipe()
	pixels := r.Apply(img)
	if mirror {
		imageprep.Mirror(pixels, r.Height, r.Width, 3)
	}
	h, w, c := n.Grid()
	grid := make([]float32, h*w*c)
	plan.Run(grid, pixels)
	return grid
}

func checkGrid(t testing.TB, s *features.Store, n *encoder.Network, item dataset.Item, mirror bool) {
	t.Helper()
	want := want(t, n, item.Path, mirror)
	got := make([]float32, len(want))
	if !s.Grid(got, item.Name, mirror) || !s.Has(item.Name) {
		t.Fatalf("no grid of %q, mirror %v", item.Name, mirror)
	}
	for i, v := range want { // float16 has 11 bits, and steps of 2^-24 at least
		if d := math.Abs(float64(got[i] - v)); d > math.Abs(float64(v))/2048+0x1p-24 {
			t.Fatalf("%q, mirror %v: value %d = %v, want %v", item.Name, mirror, i, got[i], v)
		}
	}
}

func TestExtract(t *testing.T) {
	items := pictures(t, 5)
	items[0].Name, items[1].Name, items[2].Name = "größe/日本 🐕.jpg", `"a" b\n.jpg`, "<&>\u2028"
	path := filepath.Join(t.TempDir(), "größe [x].safetensors")
	last := 0
	s, problems := extract(t, path, lite0(), items, &features.Options{Mirror: true, Progress: func(done, total int) {
		if done <= last || total != len(items) {
			t.Errorf("progress %d of %d after %d", done, total, last)
		}
		last = done
	}})
	if len(problems) != 0 || s.Len() != len(items) || last != len(items) {
		t.Errorf("problems %v, %d pictures, progress to %d", problems, s.Len(), last)
	}
	again, err := features.Open(path, lite0())
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	for _, item := range items {
		checkGrid(t, s, lite0(), item, false)
		checkGrid(t, again, lite0(), item, true)
	}
	if s.Has("none") || s.Grid(make([]float32, 7*7*1280), "none", false) {
		t.Error("has a picture that there is not")
	}
}

// unchanged checks that Extract leaves the file alone.
func unchanged(t *testing.T, path string, items []dataset.Item, o *features.Options) *features.Store {
	t.Helper()
	before, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	s, _ := extract(t, path, lite0(), items, o)
	if after, err := os.Stat(path); err != nil || !os.SameFile(before, after) || after.ModTime() != before.ModTime() {
		t.Errorf("the file was written again, %v", err)
	}
	return s
}

func TestExtractOfWhatIsThere(t *testing.T) {
	items := pictures(t, 4)
	path := filepath.Join(t.TempDir(), "f.safetensors")
	extract(t, path, lite0(), items, &features.Options{Mirror: true})
	unchanged(t, path, items, &features.Options{Mirror: true})
	unchanged(t, path, items[1:3], nil)
	s, _ := extract(t, path, lite0(), append(items[:2:2], pictures(t, 25)[24]), nil)
	checkGrid(t, s, lite0(), items[1], false)
}

func TestMirrorIsAddedLater(t *testing.T) {
	items := pictures(t, 4)
	path := filepath.Join(t.TempDir(), "f.safetensors")
	s, _ := extract(t, path, lite0(), items, nil)
	if s.Grid(make([]float32, 7*7*1280), items[0].Name, true) {
		t.Error("has a mirror image that was not asked for")
	}
	extract(t, path, lite0(), items, &features.Options{Mirror: true})
	if !bytes.Equal(contents(t, path), made(t, items, &features.Options{Mirror: true})) {
		t.Error("the file differs from one made at once")
	}
}

func TestReplacedPicture(t *testing.T) {
	items := pictures(t, 2)
	path := filepath.Join(t.TempDir(), "f.safetensors")
	extract(t, path, lite0(), items, nil)
	put(t, items[0].Path, string(contents(t, items[1].Path)))
	s, _ := extract(t, path, lite0(), items, nil)
	checkGrid(t, s, lite0(), items[0], false)
}

// stopped is the rest of an extraction that was cancelled.
func stopped(t *testing.T, items []dataset.Item, o features.Options) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "f.safetensors")
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	o.Progress = func(done, total int) { cancel() }
	s, _, err := features.Extract(ctx, path, lite0(), items, &o)
	if !errors.Is(err, context.Canceled) || s != nil {
		t.Fatalf("Extract = %v, %v, want the cancellation", s, err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Fatal("an unfinished file stands under the final name")
	}
	return path
}

func TestInterrupted(t *testing.T) {
	items := pictures(t, 34)
	items[3].Path = put(t, filepath.Join(t.TempDir(), "bad.jpg"), "\xff\xd8\xff\xe0 not quite")
	o := features.Options{Mirror: true}
	whole := made(t, items, &o)
	path := stopped(t, items, o)
	s, problems := extract(t, path, lite0(), items, &o)
	if !bytes.Equal(contents(t, path), whole) {
		t.Error("a resumed run gives another file")
	}
	if len(problems) != 1 || s.Len() != 33 {
		t.Errorf("problems %v, %d pictures", problems, s.Len())
	}
}

// After a crash of the machine, part of what was written may be missing.
func TestTornRow(t *testing.T) {
	items := pictures(t, 34)
	whole := made(t, items, nil)
	path := stopped(t, items, features.Options{})
	data := contents(t, path+".partial")
	clear(data[len(data)/4:][:300])
	clear(data[len(data)/2:][:1<<17])
	put(t, path+".partial", string(data))
	extract(t, path, lite0(), items, nil)
	if !bytes.Equal(contents(t, path), whole) {
		t.Error("a torn row is in the file")
	}
}

func TestUnfinishedOfOthersStays(t *testing.T) {
	items := pictures(t, 3)
	path := filepath.Join(t.TempDir(), "f.safetensors")
	put(t, path+".partial", "my notes")
	if _, _, err := features.Extract(context.Background(), path, lite0(), items, nil); err == nil || !strings.Contains(err.Error(), path+".partial") {
		t.Errorf("Extract = %v, want a refusal of %s.partial", err, path)
	}
	if got := string(contents(t, path+".partial")); got != "my notes" {
		t.Errorf("the file now holds %.40q", got)
	}

	path = stopped(t, pictures(t, 34), features.Options{})
	before := contents(t, path+".partial")
	_, _, err := features.Extract(context.Background(), path, random(t, "efficientnet_lite0", 9), items, nil)
	if err == nil || !strings.Contains(err.Error(), path+".partial") || !strings.Contains(err.Error(), "delete") {
		t.Errorf("Extract = %v, want a refusal of %s.partial", err, path)
	}
	if !bytes.Equal(contents(t, path+".partial"), before) {
		t.Error("the rest of another encoder's run was changed")
	}
}

func TestSameForAnyWorkers(t *testing.T) {
	items := pictures(t, 5)
	defer tensor.SetWorkers(0)
	tensor.SetWorkers(1)
	one := made(t, items, nil)
	for _, workers := range []int{2, 5} {
		tensor.SetWorkers(workers)
		if !bytes.Equal(made(t, items, nil), one) {
			t.Errorf("%d workers make another file than one", workers)
		}
	}
}

func TestBadPictures(t *testing.T) {
	items, dir := pictures(t, 6), t.TempDir()
	items[1].Path = filepath.Join(dir, "missing.jpg")
	items[2].Path = put(t, filepath.Join(dir, "empty.jpg"), "")
	items[3].Path = put(t, filepath.Join(dir, "cut.jpg"), string(contents(t, items[3].Path)[:2000]))
	items[4].Path = dir
	path := filepath.Join(t.TempDir(), "f.safetensors")
	for i := range 2 {
		s, problems := extract(t, path, lite0(), items, nil)
		var names []string
		for _, p := range problems {
			if p.Kind != dataset.Unreadable || p.Err == nil {
				t.Errorf("problem %+v", p)
			}
			names = append(names, p.Name)
		}
		if bad := []string{items[1].Name, items[2].Name, items[3].Name, items[4].Name}; !slices.Equal(names, bad) {
			t.Errorf("call %d: problems with %q, want %q", i, names, bad)
		}
		if s.Len() != 2 || s.Has(items[3].Name) || s.Grid(make([]float32, 7*7*1280), items[3].Name, false) {
			t.Errorf("call %d: %d pictures, the truncated one among them: %v", i, s.Len(), s.Has(items[3].Name))
		}
		checkGrid(t, s, lite0(), items[5], false)
	}
	unchanged(t, path, items, nil)
	items[3].Path = items[0].Path // mended
	s, _ := extract(t, path, lite0(), items, nil)
	checkGrid(t, s, lite0(), items[3], false)
}

// A picture that has become unreadable is not to be had from an old file.
func TestPictureGoneBad(t *testing.T) {
	items := pictures(t, 3)
	path := filepath.Join(t.TempDir(), "f.safetensors")
	extract(t, path, lite0(), items, nil)
	put(t, items[1].Path, "no picture")
	s, problems := extract(t, path, lite0(), items, nil)
	if len(problems) != 1 || s.Has(items[1].Name) {
		t.Errorf("problems %v, has it: %v", problems, s.Has(items[1].Name))
	}
}

// Nor from the rest of an interrupted run.
func TestPictureGoneBadMeanwhile(t *testing.T) {
	items := pictures(t, 34)
	path := stopped(t, items, features.Options{})
	put(t, items[1].Path, "no picture") // items[21] too
	s, problems := extract(t, path, lite0(), items, nil)
	if len(problems) != 2 || s.Has(items[1].Name) || s.Has(items[21].Name) || s.Len() != 32 {
		t.Errorf("problems %v, %d pictures", problems, s.Len())
	}
}

func TestOnlyOneWriter(t *testing.T) {
	items := pictures(t, 3)
	path := filepath.Join(t.TempDir(), "f.safetensors")
	var second error
	extract(t, path, lite0(), items, &features.Options{Progress: func(done, total int) {
		if second == nil {
			_, _, second = features.Extract(context.Background(), path, lite0(), items[:2], nil)
		}
	}})
	if second == nil || !strings.Contains(second.Error(), "another run") {
		t.Errorf("a second Extract at the same time = %v, want a refusal", second)
	}
}

func TestRefusals(t *testing.T) {
	items := pictures(t, 1)
	dir := t.TempDir()
	good := filepath.Join(dir, "good.safetensors")
	extract(t, good, lite0(), items, nil)
	data := string(contents(t, good))
	weights := filepath.Join(dir, "weights.safetensors")
	if err := modelfile.Write(weights, nil, lite0().Tensors("")); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, path string
		by         *encoder.Network
		want       []string
	}{
		{"another encoder", good, random(t, "efficientnet_lite2", 1), []string{"efficientnet_lite0", "efficientnet_lite2", "delete"}},
		{"other weights", good, random(t, "efficientnet_lite0", 2), []string{"weights", "delete"}},
		{"no features", weights, lite0(), []string{"not a file of features", "delete"}},
		{"truncated", put(t, filepath.Join(dir, "cut"), data[:len(data)-1]), lite0(), []string{"truncated", "delete"}},
		{"text", put(t, filepath.Join(dir, "text"), "some notes"), lite0(), []string{"not a safetensors file", "delete"}},
		{"recipe", put(t, filepath.Join(dir, "recipe"), strings.Replace(strings.Replace(data, `\"bicubic\"`, `\"bilinea\"`, 1), lite0().Fingerprint(), strings.Repeat("0", 64), 1)), lite0(), []string{"recipe", "delete"}},
		{"empty", put(t, filepath.Join(dir, "empty"), ""), lite0(), []string{"delete"}},
		{"folder", dir, lite0(), []string{"not a regular file"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, openErr := features.Open(c.path, c.by)
			_, _, extractErr := features.Extract(context.Background(), c.path, c.by, items, nil)
			for _, err := range []error{openErr, extractErr} {
				if err == nil {
					t.Fatal("no error")
				}
				for _, want := range append(c.want, c.path) {
					if !strings.Contains(err.Error(), want) {
						t.Errorf("error %q does not name %q", err, want)
					}
				}
			}
			if _, err := os.Lstat(c.path + ".partial"); err == nil {
				t.Error("a partial file was begun")
			}
		})
	}
	if string(contents(t, good)) != data {
		t.Error("a refused file was changed")
	}
	if _, err := features.Open(filepath.Join(dir, "none"), lite0()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Open of no file = %v", err)
	}
}

func TestExtractIntoNoFolder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "no", "f.safetensors")
	if _, _, err := features.Extract(context.Background(), path, lite0(), pictures(t, 1), nil); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("Extract = %v, want an error that names %s", err, path)
	}
}

func TestNameThatJSONWouldChange(t *testing.T) {
	items := pictures(t, 2)
	items[0].Name = "caf\xe9.jpg" // Latin-1
	s, problems := extract(t, filepath.Join(t.TempDir(), "f"), lite0(), items, nil)
	if len(problems) != 1 || problems[0].Name != items[0].Name || s.Len() != 1 {
		t.Errorf("problems %v, %d pictures", problems, s.Len())
	}
}

func TestSameNameTwice(t *testing.T) {
	items := pictures(t, 1)
	_, _, err := features.Extract(context.Background(), filepath.Join(t.TempDir(), "f"), lite0(), append(items, items[0]), nil)
	if err == nil || !strings.Contains(err.Error(), items[0].Name) {
		t.Errorf("Extract = %v, want an error that names %s", err, items[0].Name)
	}
}

func TestConcurrentGrid(t *testing.T) {
	items := pictures(t, 2)
	s, _ := extract(t, filepath.Join(t.TempDir(), "f"), lite0(), items, nil)
	tensor.Parallel(8, func(i int) { checkGrid(t, s, lite0(), items[i%2], false) })
}

// FuzzOpen puts strangers' bytes into the metadata, and into the whole file.
func FuzzOpen(f *testing.F) {
	dir := f.TempDir()
	path := filepath.Join(dir, "f.safetensors")
	extract(f, path, lite0(), pictures(f, 2), nil)
	file, err := modelfile.Open(path)
	if err != nil {
		f.Fatal(err)
	}
	defer file.Close()
	for key, value := range file.Meta {
		f.Add(key, value, 2)
		f.Add(key, strings.Replace(value, `"mirror":false`, `"mirror":true`, 1), 2)
		f.Add(key, strings.Replace(value, `"names":[`, `"names":["x",`, 1), 2)
		f.Add(key, value, 0)
	}
	h, w, c := lite0().Grid()
	f.Fuzz(func(t *testing.T, key, value string, rows int) {
		var tensors []modelfile.Tensor
		for _, x := range file.Tensors() {
			if n := len(x.Data) / 2; rows >= 0 && rows <= 2 {
				x.Shape = slices.Clone(x.Shape)
				x.Shape[0], x.Data = rows, x.Data[:rows*n]
			}
			tensors = append(tensors, x)
		}
		path := filepath.Join(t.TempDir(), "f")
		if modelfile.Write(path, map[string]string{key: value}, tensors) != nil {
			return
		}
		s, err := features.Open(path, lite0())
		if err != nil {
			if !strings.HasPrefix(err.Error(), path) {
				t.Errorf("Open = %v, want the path first", err)
			}
			return
		}
		defer s.Close()
		for _, item := range []string{"", "x", "0/astronaut_0.jpg"} {
			for _, mirror := range []bool{false, true} {
				s.Grid(make([]float32, h*w*c), item, mirror)
			}
		}
		s.Len()
	})
}
