package results

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// manyRows is a table of several pages, with texts of all lengths.
func manyRows() *Table {
	t := &Table{Columns: make([]Column, 20)} // a list of more than 14 columns has another head
	for k := range t.Columns {
		t.Columns[k].Name = fmt.Sprintf("é %d", k)
	}
	for i := range 200_000 {
		t.System = append(t.System, "s")
		t.Images = append(t.Images, fmt.Sprint(i, ".jpg"))
		t.Caption = append(t.Caption, strings.Repeat("ü", i%19))
		for k := range t.Columns {
			t.Columns[k].Values = append(t.Columns[k].Values, float64(i)/float64(k+1))
		}
	}
	return t
}

// TestParquet compares a small table with bytes that pyarrow 26, DuckDB 2.0 and
// parquet-go 0.32 read back, and has pyarrow read a large one if it is there.
//
//	python3 -c "import pyarrow.parquet as p; print(p.read_table('results/testdata/scores.parquet').to_pydict())"
func TestParquet(t *testing.T) {
	small := &Table{
		Images: []string{"a", "b"}, Caption: []string{"a dog, brown", `the "cat"`},
		Columns: []Column{{"BLEU-1", []float64{.5, 1}}, {"CIDEr-D", []float64{1. / 3, 0}}},
	}
	path := filepath.Join(t.TempDir(), "t.parquet")
	if err := small.WriteFile(path); err != nil {
		t.Fatal(err)
	}
	got, _ := os.ReadFile(path)
	want, err := os.ReadFile("testdata/scores.parquet")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}

	if err := manyRows().WriteFile(path); err != nil {
		t.Fatal(err)
	}
	if err := exec.Command("python3", "-c", "import pyarrow").Run(); err != nil {
		t.Skip("no pyarrow")
	}
	out, err := exec.Command("python3", "-c", `
import sys, pyarrow.parquet as parquet
t = parquet.read_table(sys.argv[1])
assert t.column_names == ["system", "image", "caption"] + ["é %d" % k for k in range(20)], t.column_names
assert t.num_rows == 200000
d = t.to_pydict()
for i in range(t.num_rows):
    assert (d["system"][i], d["image"][i], d["caption"][i]) == ("s", "%d.jpg" % i, "ü" * (i % 19)), i
    assert all(d["é %d" % k][i] == i / (k + 1) for k in range(20)), i
`, path).CombinedOutput()
	if err != nil {
		t.Errorf("pyarrow: %v\n%s", err, out)
	}
}
