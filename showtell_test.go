package showtell_test

import (
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"showtell"
	"showtell/decoder"
	"showtell/encoder"
	"showtell/modelfile"
	"showtell/tensor"
)

// babbler is a model of random weights: it says nonsense, always the same.
func babbler(t testing.TB, kind string) *showtell.Model {
	t.Helper()
	rng := rand.New(rand.NewPCG(1, 2))
	network, err := encoder.Random("efficientnet_lite0", rng)
	if err != nil {
		t.Fatal(err)
	}
	words := []string{"<pad>", "<start>", "<end>", "<unk>", "a", "dog", "cat", "on", "grass", "runs"}
	h, w, c := network.Grid()
	man := showtell.Manifest{
		Decoder: decoder.Config{Kind: kind, Vocab: len(words), Cells: h * w, Channels: c, Embed: 8, Hidden: 8, Layers: 1, Heads: 2, FeedForward: 8, MaxWords: 5},
		Words:   words,
		Search:  showtell.SearchDefaults{Beams: 3, MaxWords: 5, LengthPower: 0.7},
	}
	d, err := decoder.New(man.Decoder, rng)
	if err != nil {
		t.Fatal(err)
	}
	m, err := showtell.New(man, network, d)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func picture(seed uint64, w, h int) image.Image {
	rng := rand.New(rand.NewPCG(seed, 9))
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			img.Set(x, y, color.NRGBA{uint8(rng.Uint32()), uint8(seed * 40), uint8(x), 255})
		}
	}
	return img
}

func TestCaption(t *testing.T) {
	for _, kind := range decoder.Kinds() {
		m := babbler(t, kind)
		c, err := m.Caption(t.Context(), picture(1, 50, 40), nil)
		if err != nil {
			t.Fatal(err)
		}
		if len(c.Words) == 0 || len(c.Words) > 5 || c.LogProb >= 0 {
			t.Errorf("%s: caption %+v", kind, c)
		}
		if c.Text == "" || !strings.HasSuffix(c.Text, ".") || !strings.EqualFold(strings.TrimSuffix(c.Text, "."), c.Raw()) {
			t.Errorf("%s: %q shown as %q", kind, c.Raw(), c.Text)
		}
		if looks := kind == "attend" || kind == "transformer"; looks != (c.Words[0].Attention != nil) {
			t.Errorf("%s: attention is %v", kind, c.Words[0].Attention)
		}
		list, err := m.Candidates(t.Context(), picture(1, 50, 40), &showtell.Options{Beams: 4})
		if err != nil || len(list) != 4 {
			t.Fatalf("%s: %d candidates, %v; want 4", kind, len(list), err)
		}
		if !slices.IsSortedFunc(list, func(a, b showtell.Caption) int { return int(1e6 * (b.Score - a.Score)) }) {
			t.Errorf("%s: candidates are not sorted by score", kind)
		}
		list, err = m.Candidates(t.Context(), picture(1, 50, 40), &showtell.Options{Groups: 3, Diversity: 20})
		if err != nil || len(list) != 3 || list[0].Raw() == list[1].Raw() || list[1].Raw() == list[2].Raw() {
			t.Errorf("%s: three that differ are %+v, %v", kind, list, err)
		}
		short, err := m.Caption(t.Context(), picture(1, 50, 40), &showtell.Options{MaxWords: 2})
		if err != nil || len(short.Words) > 2 {
			t.Errorf("%s: at most 2 words gave %q, %v", kind, short.Raw(), err)
		}
	}
}

// One bad picture is one error; order and captions are those of each alone.
// TestDraws holds that what is drawn depends on the picture and the seed, and not on
// the pictures beside it.
func TestDraws(t *testing.T) {
	m := babbler(t, "transformer")
	draw := func(img image.Image, seed uint64) string {
		c, err := m.Caption(t.Context(), img, &showtell.Options{Temperature: 1, TopP: .99, Seed: seed})
		if err != nil {
			t.Fatal(err)
		}
		return c.Text
	}
	different := map[string]bool{}
	var images []image.Image
	for seed := range uint64(20) {
		images = append(images, picture(seed, 30, 30))
		different[draw(images[0], seed)] = true
	}
	if len(different) < 10 {
		t.Errorf("%d different captions of 20 seeds", len(different))
	}
	i := 0
	for c, err := range m.All(t.Context(), func(yield func(image.Image, error) bool) {
		for _, img := range images {
			if !yield(img, nil) {
				return
			}
		}
	}, &showtell.Options{Temperature: 1, TopP: .99, Seed: 5}) {
		if want := draw(images[i], 5); err != nil || c.Text != want {
			t.Errorf("picture %d: %q in a stream, %q alone; %v", i, c.Text, want, err)
		}
		i++
	}
}

// TestExplain holds what is true of any explanation: it goes along the caption that
// the search found, with the same probabilities, and lists the best of each place.
func TestExplain(t *testing.T) {
	for _, kind := range decoder.Kinds() {
		m := babbler(t, kind)
		img := picture(3, 40, 30)
		best, err := m.Caption(t.Context(), img, nil)
		if err != nil {
			t.Fatal(err)
		}
		caption, steps, err := m.Explain(t.Context(), img, nil, 3)
		if err != nil {
			t.Fatal(err)
		}
		if caption.Text != best.Text || len(steps) < len(best.Words) || len(steps) > len(best.Words)+1 {
			t.Fatalf("%s: %q in %d steps, want %q", kind, caption.Text, len(steps), best.Text)
		}
		sum := 0.0
		for i, s := range steps {
			sum += math.Log(s.Prob)
			if i < len(best.Words) && s.Word != best.Words[i].Text || i == len(best.Words) && s.Word != "" {
				t.Errorf("%s: step %d is %q", kind, i, s.Word)
			}
			if len(s.Choices) != 3 || s.Choices[0].Prob < s.Choices[1].Prob || s.Choices[1].Prob < s.Choices[2].Prob || s.Choices[0].Prob < s.Prob {
				t.Errorf("%s: %q against %v", kind, s.Word, s.Choices)
			}
			if i < len(best.Words) && len(s.Attention) != len(best.Words[i].Attention) {
				t.Errorf("%s: attention over %d cells", kind, len(s.Attention))
			}
		}
		if math.Abs(sum-caption.LogProb) > 1e-3 {
			t.Errorf("%s: log-probability %v, by steps %v", kind, caption.LogProb, sum)
		}
	}
}

func TestAllKeepsOrder(t *testing.T) {
	m := babbler(t, "attend")
	broken := errors.New("broken")
	const n = 37
	images := func(yield func(image.Image, error) bool) {
		for i := range n {
			var err error
			if i%10 == 3 {
				err = broken
			}
			if !yield(picture(uint64(i), 20+i, 30), err) {
				return
			}
		}
	}
	i := 0
	for c, err := range m.All(t.Context(), images, nil) {
		if i%10 == 3 {
			if !errors.Is(err, broken) {
				t.Errorf("picture %d: %v, want %v", i, err, broken)
			}
		} else if alone, _ := m.Caption(t.Context(), picture(uint64(i), 20+i, 30), nil); err != nil || c.Text != alone.Text {
			t.Errorf("picture %d: %q, %v; alone %q", i, c.Text, err, alone.Text)
		}
		i++
	}
	if i != n {
		t.Errorf("%d captions of %d pictures", i, n)
	}
}

// Neither the number of cores nor the pictures beside it change a caption.
func TestAnyNumberOfCores(t *testing.T) {
	defer tensor.SetWorkers(0)
	m := babbler(t, "transformer")
	images := func(yield func(image.Image, error) bool) {
		for i := range 21 {
			if !yield(picture(uint64(i), 20+i, 30), nil) {
				return
			}
		}
	}
	var want []showtell.Caption
	for _, workers := range []int{1, 2, 7} {
		tensor.SetWorkers(workers)
		var got []showtell.Caption
		for c, err := range m.All(t.Context(), images, nil) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, c)
		}
		if want == nil {
			want = got
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%d workers say %v, 1 says %v", workers, got, want)
		}
	}
}

func TestAllStops(t *testing.T) {
	m := babbler(t, "inject")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	endless := func(yield func(image.Image, error) bool) {
		for yield(picture(1, 9, 9), nil) {
		}
	}
	n, last := 0, error(nil)
	for _, err := range m.All(ctx, endless, nil) {
		if n, last = n+1, err; n == 20 {
			cancel()
		}
	}
	if !errors.Is(last, context.Canceled) {
		t.Errorf("after %d pictures the last error is %v, want %v", n, last, context.Canceled)
	}
	for range m.All(t.Context(), endless, nil) {
		break // leaving early must end the source
	}
}

func TestFilesNameTheBadOne(t *testing.T) {
	m := babbler(t, "merge")
	dir := t.TempDir()
	text := filepath.Join(dir, "text.jpg")
	if err := os.WriteFile(text, []byte("not a picture"), 0o644); err != nil {
		t.Fatal(err)
	}
	names := []string{"testdata/cat.jpg", text, filepath.Join(dir, "missing.jpg"), "testdata/coffee.jpg"}
	var got []string
	for c, err := range m.Files(t.Context(), slices.Values(names), nil) {
		got = append(got, fmt.Sprint(c.Text != "", err != nil && strings.Contains(err.Error(), filepath.Base(names[len(got)]))))
	}
	if want := []string{"true false", "false true", "false true", "true false"}; !slices.Equal(got, want) {
		t.Errorf("Files = %v, want %v (caption, error that names the file)", got, want)
	}
}

func TestConcurrentUse(t *testing.T) {
	m := babbler(t, "transformer")
	want, err := m.Caption(t.Context(), picture(3, 30, 30), nil)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 3 {
				if c, err := m.Caption(t.Context(), picture(3, 30, 30), nil); err != nil || c.Text != want.Text || c.LogProb != want.LogProb {
					t.Errorf("%q %v, %v; want %q %v", c.Text, c.LogProb, err, want.Text, want.LogProb)
				}
			}
		})
	}
	wg.Wait()
}

func TestSaveAndOpen(t *testing.T) {
	m := babbler(t, "transformer")
	m.Origin.Dataset = "none at all"
	path := filepath.Join(t.TempDir(), "m.safetensors")
	if err := m.Save(path); err != nil {
		t.Fatal(err)
	}
	again, err := showtell.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if again.Origin.Dataset != m.Origin.Dataset || again.Encoder != m.Encoder {
		t.Errorf("the manifest came back as %+v", again.Manifest)
	}
	second := filepath.Join(t.TempDir(), "again.safetensors")
	if err := again.Save(second); err != nil {
		t.Fatal(err)
	}
	a, _ := os.ReadFile(path)
	b, _ := os.ReadFile(second)
	if !slices.Equal(a, b) {
		t.Error("a model saved again has other bytes")
	}
	for _, size := range []int{0, 7, 8, 100, len(a) / 2, len(a) - 1} {
		if _, err := showtell.Parse("cut", a[:size]); err == nil {
			t.Errorf("the first %d bytes of a model were accepted", size)
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	weights := filepath.Join(dir, "weights.safetensors")
	if err := modelfile.Write(weights, nil, []modelfile.Tensor{modelfile.Float32("x", []int{1}, []float32{1})}); err != nil {
		t.Fatal(err)
	}
	newer := filepath.Join(dir, "newer.safetensors")
	if err := modelfile.Write(newer, map[string]string{"showtell": `{"format": 99}`}, nil); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ path, want string }{
		{weights, "not a showtell model"}, {newer, "format 99"}, {"testdata/cat.jpg", "cat.jpg"}, {filepath.Join(dir, "none"), "none"},
	} {
		if _, err := showtell.Open(c.path); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("Open(%s) = %v, want an error with %q", c.path, err, c.want)
		}
	}
}
