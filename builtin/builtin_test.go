package builtin_test

import (
	"slices"
	"testing"

	"showtell/builtin"
)

// The sentences are those of docs/model.md.
func TestCaptions(t *testing.T) {
	m, err := builtin.Open()
	if err != nil {
		t.Fatal(err)
	}
	names := []string{"../testdata/astronaut.jpg", "../testdata/cat.jpg", "../testdata/coffee.jpg", "../testdata/rocket.jpg"}
	var got []string
	for c, err := range m.Files(t.Context(), slices.Values(names), nil) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, c.Text)
	}
	want := []string{
		"A young man wearing a yellow jacket and yellow helmet is standing in a parade.",
		"A small child is playing with a toy.",
		"A dog sits on a wooden bench with his mouth open.",
		"A man in a blue shirt is standing in front of a yellow building.",
	}
	if !slices.Equal(got, want) {
		t.Errorf("Files(%q) = %q, want %q", names, got, want)
	}
}
