package showtell_test

import (
	"bytes"
	"context"
	"errors"
	"image"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"showtell"
)

func TestQuantize(t *testing.T) {
	m := babbler(t, "transformer")
	ctx := context.Background()
	broken := errors.New("broken")
	sources := []showtell.Source{
		func() (image.Image, error) { return picture(1, 90, 60), nil },
		func() (image.Image, error) { return nil, broken },
		func() (image.Image, error) { panic("a decoder's mistake") },
		func() (image.Image, error) { return picture(2, 60, 90), nil },
	}
	var told []string
	q, err := m.Quantize(ctx, slices.Values(sources), func(done int, err error) {
		if err != nil {
			told = append(told, err.Error())
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"broken", "reading the picture: a decoder's mistake"}; !slices.Equal(told, want) {
		t.Errorf("told %q, want %q", told, want)
	}
	if m.Int8 != nil || q.Int8 == nil || q.Int8.Pictures != 2 || !q.Network().Quantized() {
		t.Errorf("Int8 %+v, before %+v", q.Int8, m.Int8)
	}
	dir := t.TempDir()
	first, second := filepath.Join(dir, "1"), filepath.Join(dir, "2")
	if err := q.Save(first); err != nil {
		t.Fatal(err)
	}
	again, err := showtell.Open(first)
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Save(second); err != nil {
		t.Fatal(err)
	}
	a, _ := os.ReadFile(first)
	b, _ := os.ReadFile(second)
	if size, err := q.Size(); err != nil || int(size) != len(a) || !bytes.Equal(a, b) {
		t.Errorf("%d bytes, again %d, Size says %d (%v); the same: %v", len(a), len(b), size, err, bytes.Equal(a, b))
	}
	want, err := q.Caption(ctx, picture(3, 50, 50), nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := again.Caption(ctx, picture(3, 50, 50), nil); err != nil || got.Text != want.Text || got.LogProb != want.LogProb {
		t.Errorf("%v, %v; want %v", got, err, want)
	}
	if _, err := q.Quantize(ctx, slices.Values(sources), nil); err == nil || !strings.Contains(err.Error(), "int8 already") {
		t.Errorf("quantised twice: %v", err)
	}
}

func TestQuantizeStops(t *testing.T) {
	m := babbler(t, "inject")
	one := []showtell.Source{func() (image.Image, error) { return picture(1, 90, 60), nil }}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := m.Quantize(ctx, slices.Values(one), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if _, err := m.Quantize(context.Background(), slices.Values(one[:0]), nil); err == nil || !strings.Contains(err.Error(), "without a picture") {
		t.Errorf("no pictures: %v", err)
	}
}
