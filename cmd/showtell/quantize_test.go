package main

import (
	"strings"
	"testing"

	"showtell"
)

func TestJudge(t *testing.T) {
	for _, c := range []struct {
		name          string
		before, after float64
		force         bool
		want          string
	}{
		{"no worse", 0.547, 0.551, false, ""},
		{"a little worse", 0.547, 0.538, false, ""},
		{"much worse", 0.547, 0.536, false, "m8 is not written: it lost 1.1 points"},
		{"much worse, wanted all the same", 0.547, 0.1, true, ""},
		{"not scored", 0, 0, false, ""},
	} {
		err := (&quantizeCommand{output: "m8", force: c.force}).judge(&showtell.Int8{Before: c.before, After: c.after})
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}
