package results

import (
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
)

func mustRead(t *testing.T, name, text string, role Role) *File {
	t.Helper()
	f, err := Read(name, strings.NewReader(text), role)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// table makes a table of an image and a caption for each "image=caption".
func table(pairs string) string {
	var b strings.Builder
	b.WriteString("image\tcaption\n")
	for _, pair := range strings.Fields(pairs) {
		b.WriteString(strings.Replace(pair, "=", "\t", 1) + "\n")
	}
	return b.String()
}

func TestPair(t *testing.T) {
	coco := `{"images": [{"id": 7, "file_name": "b.jpg"}, {"id": 9, "file_name": "a.jpg"}], "annotations": [{"image_id": 7, "caption": "dog"}, {"image_id": 9, "caption": "cat"}]}`
	karpathy := `{"images": [{"filename": "b.jpg", "filepath": "val", "cocoid": 7, "split": "test", "sentences": [{"raw": "dog"}]}]}`
	for _, test := range []struct {
		name, refs string
		systems    []string
		want       string // image: captions of each system | references; or the error
		unmatched  string
	}{
		{"same names", table("a=x a=y b=z"), []string{table("b=1 a=2")}, "b: 1|z, a: 2|x/y", ""},
		{
			"some alone", table("a=x b=y c=z"), []string{table("b=1 d=2")}, "b: 1|y",
			"1 image with captions in s0, but not in refs: d; 2 images with references in refs, but not in s0: a, c",
		},
		{
			"many alone", table("a=x b=x c=x d=x e=x f=x g=x"), []string{table("g=1")}, "g: 1|x",
			"6 images with references in refs, but not in s0: a, b, c, d, e, ...",
		},
		{"COCO's other names", coco, []string{table("a.jpg=1 b.jpg=2")}, "a.jpg: 1|cat, b.jpg: 2|dog", ""},
		{"COCO's other name too", coco, []string{table("a.jpg=1 b.jpg=2 7=3")}, "a.jpg: 1|cat, b.jpg: 2|dog", "1 image with captions in s0, but not in refs: 7"},
		{"Karpathy's numbers", karpathy, []string{`[{"image_id": 7, "caption": "x"}]`}, "7: x|dog", ""},
		{"folders", table("a=x b=y"), []string{table(`p/b=1 c:\q\a=2`)}, `p/b: 1|y, c:\q\a: 2|x (base names)`, ""},
		{"two systems", table("a=x b=y c=z"), []string{table("c=1 b=2"), table("b=3 c=4")}, "c: 1 4|z, b: 2 3|y",
			"1 image with references in refs, but not in s0: a; 1 image with references in refs, but not in s1: a"},
		{"nothing", table("a=x"), []string{table("b=y")}, "no image is in both s0 (b, ...) and refs (a, ...)", ""},
		{"nothing in both systems", table("a=x b=x"), []string{table("a=y"), table("b=y")}, "no image of refs is in all files of captions", ""},
		{"lines", "x\ny\n", []string{"1\n2\n"}, "1: 1|x, 2: 2|y", ""},
		{"fewer lines", "x\ny\n", []string{"1\n"}, "s0 has 1 lines of captions, but refs has 2", ""},
		{"lines and names", table("a=x"), []string{"1\n"}, "s0 has no names of images, which refs has; they cannot be put together", ""},
		{"names and lines", "x\n", []string{table("a=x")}, "refs has no names of images, which s0 has; they cannot be put together", ""},
	} {
		var systems []*File
		for k, text := range test.systems {
			systems = append(systems, mustRead(t, fmt.Sprint("s", k), text, Candidates))
		}
		p, err := Pair(mustRead(t, "refs", test.refs, References), systems...)
		got, unmatched := fmt.Sprint(err), ""
		if err == nil {
			got, unmatched = showPairs(p)
		}
		if got != test.want || unmatched != test.unmatched {
			t.Errorf("%s: %s\n%s, want\n%s\n%s", test.name, got, unmatched, test.want, test.unmatched)
		}
	}
}

func showPairs(p *Pairs) (pairs, unmatched string) {
	var list, alone []string
	for i, image := range p.Images {
		var captions []string
		for k := range p.Captions {
			captions = append(captions, strings.Join(p.Captions[k][i], "/"))
		}
		list = append(list, fmt.Sprintf("%s: %s|%s", image, strings.Join(captions, " "), strings.Join(p.References[i], "/")))
	}
	for _, u := range p.Unmatched {
		alone = append(alone, u.String())
	}
	pairs = strings.Join(list, ", ")
	if p.BaseNames {
		pairs += " (base names)"
	}
	return pairs, strings.Join(alone, "; ")
}

func TestPairWithin(t *testing.T) {
	f := mustRead(t, "f", `{"image": "a", "caption": "dog", "references": ["x"]}`+"\n"+`{"image": "b", "caption": "cat"}`, Candidates)
	p, err := Pair(nil, f)
	if err != nil {
		t.Fatal(err)
	}
	pairs, unmatched := showPairs(p)
	if want := "1 image with captions in f, but not in the references there: b"; pairs != "a: dog|x" || unmatched != want {
		t.Errorf("pairs %s, unmatched %s, want %s", pairs, unmatched, want)
	}
	if _, err := Pair(nil, mustRead(t, "g", table("a=x"), Candidates)); err == nil || err.Error() != "g: no references; name a file of them" {
		t.Errorf("without references: error %v", err)
	}
}

func TestMerge(t *testing.T) {
	a := mustRead(t, "a", table("x=1 y=2"), References)
	b := mustRead(t, "b", table("y=3 z=4"), References)
	all, err := Merge(a, b)
	if err != nil {
		t.Fatal(err)
	}
	if got := show(all); got != "x=|1 y=|2/3 z=|4" || all.Name != "a, b" {
		t.Errorf("merged %s: %s", all.Name, got)
	}
	if got := show(a); got != "x=|1 y=|2" {
		t.Errorf("merging changed a: %s", got)
	}
	for _, test := range []struct {
		files []*File
		want  string
	}{
		{[]*File{a, a}, "a is named twice"},
		{[]*File{a, mustRead(t, "t", "1\n", References)}, "t has no names of images, which a has; they cannot be put together"},
		{[]*File{mustRead(t, "t", "1\n", References), mustRead(t, "u", "1\n2\n", References)}, "t has 1 lines of captions, but u has 2"},
	} {
		if _, err := Merge(test.files...); err == nil || err.Error() != test.want {
			t.Errorf("error %v, want %s", err, test.want)
		}
	}
}

func TestSplits(t *testing.T) {
	f := mustRead(t, "f", "image,caption,split\na,1,train\nb,2,test\nc,3,val\n", References)
	if got := fmt.Sprint(f.Splits()); got != "[train test val]" {
		t.Errorf("splits %s", got)
	}
	if got := show(f.Of("test", "val")); got != "b=|2(test) c=|3(val)" {
		t.Errorf("test and val: %s", got)
	}
}

func TestColumns(t *testing.T) {
	images := []string{"b", "a"}
	for _, test := range []struct {
		name, text string
		want       string
	}{
		{"csv", "image,SPICE,caption,CLIPScore\na,0.5,a dog,70\nb,0.25,1 dog,71\nc,x,x,x\n", "[{SPICE [0.25 0.5]} {CLIPScore [71 70]}]"},
		{"tsv", "SPICE\timage\n1\ta\n2\tb\n", "[{SPICE [2 1]}]"},
		{"missing", "image,SPICE\na,1\n", "f: no numbers for 1 of 2 images: b"},
		{"twice", "image,SPICE\na,1\na,1\n", "f:3: image a stands already in line 2"},
		{"gap", "image,SPICE\na,1\nb,\n", `f:3: SPICE: "" is no number`},
		{"NaN", "image,SPICE\na,NaN\nb,1\n", `f:2: SPICE: "NaN" is no number`},
		{"no numbers", "image,SPICE\na,x\nb,y\n", "f: no column of numbers"},
		{"no names", "SPICE\n1\n2\n", "f: no numbers for 2 of 2 images: b, a"},
	} {
		columns, err := Columns("f", strings.NewReader(test.text), images)
		got := fmt.Sprint(columns)
		if err != nil {
			got = err.Error()
		}
		if got != test.want {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
	}
}

func TestWriteFile(t *testing.T) {
	table := &Table{
		Images: []string{"a", "b"}, Caption: []string{"a dog, brown", `the "cat"`},
		Columns: []Column{{"BLEU-1", []float64{.5, 1}}, {"CIDEr-D", []float64{1. / 3, 0}}},
	}
	for name, want := range map[string]string{
		"t.csv":       "image,caption,BLEU-1,CIDEr-D\na,\"a dog, brown\",0.5,0.3333333333333333\nb,\"the \"\"cat\"\"\",1,0\n",
		"t.tsv.gz":    "image\tcaption\tBLEU-1\tCIDEr-D\na\ta dog, brown\t0.5\t0.3333333333333333\nb\t\"the \"\"cat\"\"\"\t1\t0\n",
		"t.json":      "[\n{\"image\":\"a\",\"caption\":\"a dog, brown\",\"BLEU-1\":0.5,\"CIDEr-D\":0.3333333333333333},\n{\"image\":\"b\",\"caption\":\"the \\\"cat\\\"\",\"BLEU-1\":1,\"CIDEr-D\":0}\n]\n",
		"t.jsonl.zst": "{\"image\":\"a\",\"caption\":\"a dog, brown\",\"BLEU-1\":0.5,\"CIDEr-D\":0.3333333333333333}\n{\"image\":\"b\",\"caption\":\"the \\\"cat\\\"\",\"BLEU-1\":1,\"CIDEr-D\":0}\n",
	} {
		path := filepath.Join(t.TempDir(), name)
		if err := table.WriteFile(path); err != nil {
			t.Fatal(err)
		}
		if got := unpack(t, path); got != want {
			t.Errorf("%s:\n%s, want\n%s", name, got, want)
		}
		f, err := ReadFile(path, Candidates) // what is written can be read
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if got := show(f); got != `a=a dog, brown b=the "cat"` {
			t.Errorf("%s was read as %s", name, got)
		}
	}
	for _, name := range []string{"t.xlsx", "t.parquet.gz"} {
		if err := CheckName(name); err == nil || !strings.HasPrefix(err.Error(), name+": want a name that ends in ") {
			t.Errorf("error %v", err)
		}
	}
}

// TestWritten compares what a table is written as with encoding/csv and
// encoding/json.
func TestWritten(t *testing.T) {
	texts := []string{"a", "", " a", "a,b", "a\tb", `"a"`, `\.`, "a\nb", "a\r", "é<>&\u2028", "\u00a0x", "a\\b", "\x7f"}
	numbers := []float64{0, 1, -0.5, 1. / 3, 1e-6, 9e-7, -1e-7, 1e-300, 1e21, 123456789e15, 5e-324, math.Copysign(0, -1), 1e100}
	for i, text := range texts {
		table := &Table{System: []string{text}, Images: []string{text}, Caption: []string{text}, Columns: []Column{{text + "x", numbers[i : i+1]}}}
		var want, got bytes.Buffer
		w := csv.NewWriter(&want)
		w.Write([]string{"system", "image", "caption", text + "x"})
		w.Write([]string{text, text, text, strconv.FormatFloat(numbers[i], 'g', -1, 64)})
		w.Flush()
		if err := table.writeRows(&got, ','); err != nil || got.String() != want.String() {
			t.Errorf("CSV of %q: %q, %v, want %q", text, got.String(), err, want.String())
		}
		quoted, _ := json.Marshal(text)
		name, _ := json.Marshal(text + "x")
		number, _ := json.Marshal(numbers[i])
		line := fmt.Sprintf("{\"system\":%s,\"image\":%s,\"caption\":%s,%s:%s}\n", quoted, quoted, quoted, name, number)
		got.Reset()
		if err := table.writeJSONL(&got); err != nil || got.String() != line {
			t.Errorf("JSON of %q: %q, %v, want %q", text, got.String(), err, line)
		}
	}
	table := &Table{Images: []string{"a"}, Caption: []string{"b"}, Columns: []Column{{"c", []float64{math.NaN()}}}}
	if err := table.writeJSON(io.Discard); err == nil || err.Error() != "image a: c is NaN, which JSON cannot hold" {
		t.Errorf("NaN: error %v", err)
	}
}

func unpack(t *testing.T, path string) string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var r io.Reader = f
	switch filepath.Ext(path) {
	case ".gz":
		r, err = gzip.NewReader(f)
	case ".zst":
		r, err = zstd.NewReader(f)
	}
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
