package showtell_test

import (
	"image"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"showtell"
)

// TestEnsemble holds that a model joined with itself says what it says alone, that
// another has its say, and that a stream is captioned as picture by picture.
func TestEnsemble(t *testing.T) {
	one, two := babbler(t, "transformer"), babbler(t, "attend")
	twice, err := showtell.Ensemble(one, one)
	if err != nil {
		t.Fatal(err)
	}
	both, err := showtell.Ensemble(one, two)
	if err != nil {
		t.Fatal(err)
	}
	changed := false
	var names []string
	for _, name := range []string{"astronaut.jpg", "cat.jpg", "coffee.jpg", "rocket.jpg"} {
		names = append(names, filepath.Join("testdata", name))
	}
	i := 0
	for streamed, err := range both.Files(t.Context(), slices.Values(names), nil) {
		if err != nil {
			t.Fatal(err)
		}
		img := open(t, names[i])
		alone, _ := one.Caption(t.Context(), img, nil)
		same, err := twice.Caption(t.Context(), img, nil)
		if err != nil || same.Text != alone.Text || math.Abs(same.LogProb-alone.LogProb) > 1e-4 {
			t.Errorf("%q (%v) by a model with itself, %q (%v) by it alone; %v", same.Text, same.LogProb, alone.Text, alone.LogProb, err)
		}
		joined, err := both.Caption(t.Context(), img, nil)
		if err != nil || joined.Text != streamed.Text {
			t.Errorf("%q alone, %q in a stream; %v", joined.Text, streamed.Text, err)
		}
		changed = changed || math.Abs(joined.LogProb-alone.LogProb) > 1e-3
		i++
	}
	if !changed {
		t.Error("the second model has no say")
	}
	if err := both.Save(filepath.Join(t.TempDir(), "m")); err == nil || !strings.Contains(err.Error(), "ensemble") {
		t.Errorf("saved: %v", err)
	}
}

func open(t *testing.T, path string) image.Image {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	img, err := showtell.ReadImage(f)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func TestEnsembleRefuses(t *testing.T) {
	one := babbler(t, "merge")
	other := babbler(t, "merge")
	other.Words = slices.Clone(other.Words)
	other.Words[5] = "wolf"
	for want, list := range map[string][]*showtell.Model{
		"of no models": nil,
		"model 2 of the ensemble has other words than the first": {one, other},
	} {
		if _, err := showtell.Ensemble(list...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %s", err, want)
		}
	}
	if m, err := showtell.Ensemble(one); err != nil || m != one {
		t.Errorf("of one: %v, %v", m, err)
	}
	two, err := showtell.Ensemble(one, babbler(t, "inject"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := showtell.Ensemble(two, one); err == nil || !strings.Contains(err.Error(), "model 1 of the ensemble is one itself") {
		t.Errorf("error %v", err)
	}
}
