package eval

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"math"
	"os"
	"path/filepath"
	"testing"

	"showtell"
	"showtell/dataset"
	"showtell/metric/meteordata"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares with a file of testdata, which go test -update writes.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s: got\n%s\nwant\n%s", path, got, want)
	}
}

// testResult is a result with scores, a problem and a warning.
func testResult(t *testing.T) *Result {
	t.Helper()
	items := append([]dataset.Item{}, testItems...)
	m, err := meteordata.Open()
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Missing()) > 0 {
		t.Skip("without METEOR's data")
	}
	r, err := run(t.Context(), sayings(nil), items, &Options{Meteor: m})
	if err != nil {
		t.Fatal(err)
	}
	r.Seconds, r.Rows, r.Columns = 2, 2, 3
	r.Search = searchOf(showtell.SearchDefaults{Beams: 3, MaxWords: 17, LengthPower: 0.7}, &showtell.Options{Beams: 5})
	r.Problems = []dataset.Problem{{Kind: dataset.Unreadable, Name: "dark.jpg", Err: errors.New("truncated JPEG")}}
	r.Warnings = []string{"cat.jpg: the hypothesis is empty"}
	return r
}

func TestWriteTable(t *testing.T) {
	var b bytes.Buffer
	if err := testResult(t).WriteTable(&b); err != nil {
		t.Fatal(err)
	}
	golden(t, "table.txt", b.Bytes())
}

func TestJSON(t *testing.T) {
	got, err := json.MarshalIndent(testResult(t), "", " ")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "result.json", append(got, '\n'))
}

func TestShort(t *testing.T) {
	for _, c := range []struct{ x, want float64 }{
		{-1.23456789, -1.234568}, {math.Inf(-1), -math.MaxFloat32}, {0, 0},
	} {
		if got := short(c.x); got != c.want {
			t.Errorf("short(%g) = %g, want %g", c.x, got, c.want)
		}
	}
}

func TestGrouped(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 8091: "8,091", 1234567: "1,234,567"} {
		if got := grouped(n); got != want {
			t.Errorf("grouped(%d) = %s, want %s", n, got, want)
		}
	}
}
