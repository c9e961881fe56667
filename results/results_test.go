package results

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/klauspost/compress/zstd"
)

// show writes entries as "image=captions|references".
func show(f *File) string {
	var b strings.Builder
	for _, e := range f.Entries {
		fmt.Fprintf(&b, "%s=%s", e.Image, strings.Join(e.Captions, "/"))
		if e.References != nil {
			fmt.Fprintf(&b, "|%s", strings.Join(e.References, "/"))
		}
		if e.Split != "" {
			fmt.Fprintf(&b, "(%s)", e.Split)
		}
		b.WriteByte(' ')
	}
	return strings.TrimSpace(b.String())
}

// files are one or more of every format, and what is in them in each role; "" if
// the role is an error.
var files = []struct {
	name, format, text  string
	candidates, entries string
}{
	{
		"coco", "coco", `{"info": {"year": 2014}, "images": [{"id": 7, "file_name": "b.jpg"}, {"id": 9, "file_name": "a.jpg"}], "licenses": [],
			"annotations": [{"id": 1, "image_id": 7, "caption": "a dog"}, {"id": 2, "image_id": 9, "caption": "a cat"}, {"id": 3, "image_id": 7, "caption": "dogs"}]}`,
		"", "7=|a dog/dogs 9=|a cat",
	},
	{"annotations alone", "coco", `{"annotations": [{"image_id": "x", "caption": "a dog"}]}`, "x=a dog", "x=|a dog"},
	{"coco results", "list", `[{"image_id": 42, "caption": "a dog"}, {"image_id": 43, "caption": ""}]`, "42=a dog 43=", "42=|a dog 43=|"},
	{
		"karpathy", "karpathy", `{"images": [{"filename": "a.jpg", "filepath": "val2014", "cocoid": 5, "split": "test",
			"sentences": [{"tokens": ["a", "dog"], "raw": "A dog."}, {"raw": "Dogs."}]}], "dataset": "coco"}`,
		"a.jpg=A dog./Dogs.(test)", "a.jpg=|A dog./Dogs.(test)",
	},
	{
		"eval", "eval", `{"scores": {}, "pictures": 1, "pictures_per_second": 2, "items": [{"name": "a.jpg", "path": "x/a.jpg", "caption": {"text": "A dog.", "raw": "a dog"}, "references": ["dogs", "a dog"]}]}`,
		"a.jpg=a dog|dogs/a dog", "a.jpg=|dogs/a dog",
	},
	{"lists", "lists", `{"note": "x", "hyp": ["a dog", "a cat"], "refs": [["dogs"], ["cats", "cat"]], "images": ["a", "b"]}`, "a=a dog|dogs b=a cat|cats/cat", "a=|dogs b=|cats/cat"},
	{"lists without names", "lists", `{"refs": [["dogs"], ["cats", "cat"]]}`, "1=dogs 2=cats/cat", "1=|dogs 2=|cats/cat"},
	{"dictionary", "dictionary", `{"12": ["a dog", "dogs"], "x": [{"caption": "a cat"}], "y": "a cow"}`, "12=a dog/dogs x=a cat y=a cow", "12=|a dog/dogs x=|a cat y=|a cow"},
	{"jsonl", "jsonl", "{\"image\": \"a.jpg\", \"caption\": \"a dog\"}\n\n{\"image\": \"b.jpg\", \"caption\": \"a cat\"}", "a.jpg=a dog b.jpg=a cat", "a.jpg=|a dog b.jpg=|a cat"},
	{"jsonl of lists", "jsonl", `{"image": 3, "captions": ["a dog", "dogs"], "split": "val"}`, "3=a dog/dogs(val)", "3=|a dog/dogs(val)"},
	{"jsonl of both", "jsonl", `{"image": "a", "caption": "a dog", "references": ["dogs"]}`, "a=a dog|dogs", "a=|dogs"},
	{"jsonl of showtell", "jsonl", `{"image":"a","candidates":[{"caption":"a dog","score":-1},{"caption":"dogs"}]}` + "\n" + `{"image":"b","error":"no picture"}`, "a=a dog/dogs", "a=|a dog/dogs"},
	{"flickr", "flickr", "a.jpg#0\tA dog .\r\na.jpg#1\tDogs\r\n\r\n", "", "a.jpg=|A dog ./Dogs"},
	{"csv", "table", "image,caption\na.jpg,\"a dog, brown\"\nb.jpg,\"a \"\"cat\"\"\"\n", `a.jpg=a dog, brown b.jpg=a "cat"`, `a.jpg=|a dog, brown b.jpg=|a "cat"`},
	{"csv, several lines", "table", "Image,Caption,Split\na.jpg,a dog,val\na.jpg,dogs,val\n", "", "a.jpg=|a dog/dogs(val)"},
	{"wide csv", "table", "image_id,caption_1,caption_2\n1,a dog,dogs\n2,a cat,\n", "1=a dog/dogs 2=a cat", "1=|a dog/dogs 2=|a cat"},
	{"csv of both", "table", "caption_predicted,caption_1,caption_2\na dog,dogs,a dog runs\na cat,cats,\n", "1=a dog|dogs/a dog runs 2=a cat|cats", "1=|dogs/a dog runs 2=|cats"},
	{"tsv", "table", "image\tcaption\na.jpg\tthe \"big\" dog\nb.jpg\t\"a \"\"cat\"\"\"\n", `a.jpg=the "big" dog b.jpg=a "cat"`, `a.jpg=|the "big" dog b.jpg=|a "cat"`},
	{"flickr30k", "table", "image_name| comment_number| comment\na.jpg| 0| A dog, brown .\n", "a.jpg=A dog, brown .", "a.jpg=|A dog, brown ."},
	{"no header", "table", "a.jpg\ta dog\nb.jpg\ta cat\n", "a.jpg=a dog b.jpg=a cat", "a.jpg=|a dog b.jpg=|a cat"},
	{"text", "text", "A dog runs.\r\n\r\nA cat, asleep", "1=A dog runs. 2= 3=A cat, asleep", "1=|A dog runs. 2=| 3=|A cat, asleep"},
}

func TestFormats(t *testing.T) {
	seen := map[string]bool{}
	for _, test := range files {
		t.Run(test.name, func(t *testing.T) {
			for role, want := range map[Role]string{Candidates: test.candidates, References: test.entries} {
				f, err := Read("file", strings.NewReader(test.text), role)
				if err != nil {
					if want != "" {
						t.Errorf("role %d: %v", role, err)
					}
					continue
				}
				if got := show(f); got != want || f.Format != test.format {
					t.Errorf("role %d: %s as %s, want %s as %s", role, got, f.Format, want, test.format)
				}
			}
		})
		seen[test.format] = true
	}
	for _, name := range Formats() {
		if !seen[name] {
			t.Errorf("format %s has no test", name)
		}
	}
}

// packed is a text as it is, in gzip, in zstd and with a byte order mark.
func packed(t testing.TB, text string) map[string][]byte {
	t.Helper()
	var g, z bytes.Buffer
	gw := gzip.NewWriter(&g)
	zw, err := zstd.NewWriter(&z)
	if err != nil {
		t.Fatal(err)
	}
	gw.Write([]byte(text))
	zw.Write([]byte(text))
	if err := gw.Close(); err != nil {
		t.Fatal(err)
	}
	if err := zw.Close(); err != nil {
		t.Fatal(err)
	}
	return map[string][]byte{"plain": []byte(text), "gzip": g.Bytes(), "zstd": z.Bytes(), "byte order mark": []byte("\ufeff" + text)}
}

func TestPacked(t *testing.T) {
	for _, test := range files {
		for name, data := range packed(t, test.text) {
			f, err := Read("file", bytes.NewReader(data), References)
			if err != nil {
				t.Errorf("%s, %s: %v", test.name, name, err)
			} else if got := show(f); got != test.entries {
				t.Errorf("%s, %s: %s, want %s", test.name, name, got, test.entries)
			}
		}
	}
}

func TestErrors(t *testing.T) {
	long := strings.Repeat("a dog ", 3<<20)
	for _, test := range []struct{ name, text, want string }{
		{"empty", "", "f: the file is empty"},
		{"blank", " \n\n", "f: the file is empty"},
		{"picture", "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "f: none of the formats that can be read:"},
		{"UTF-16", "\xff\xfea\x00", "f: the text is UTF-16; save it as UTF-8"},
		{"gzip cut off", "\x1f\x8b\x08", "f: unexpected EOF"},
		{"zstd cut off", "\x28\xb5\x2f\xfd\x04", "f: unexpected EOF"},
		{"twice in a list", `[{"image_id": 1, "caption": "a"},` + "\n" + `{"image_id": 2, "caption": "b"}, {"image_id": 1, "caption": "c"}]`,
			"f:2: entry 3: image 1 has a caption already, in line 1, entry 1 (are these references?)"},
		{"twice in a table", "image,caption\na.jpg,a dog\n\"b.jpg\",\"a\ncat\"\na.jpg,a dog\n", "f:5: image a.jpg has a caption already, in line 2 (are these references?)"},
		{"twice in lines", "{\"image\":\"a\",\"caption\":\"x\"}\n{\"image\":\"a\",\"caption\":\"x\"}\n", "f:2: image a has a caption already, in line 1 (are these references?)"},
		{"list cut off", `[{"image_id": 1, "caption": "a"}`, "f:1: the text ends too early"},
		{"list of numbers", `[{"image_id": 1, "caption": "a"}, 5]`, "f:1: entry 2: want an object, found 5"},
		{"no caption", "[\n{\"image_id\": 1, \"caption\": \"a\"},\n{\"image_id\": 2}]", `f:3: entry 2: no caption (want a "caption", "captions" or "references")`},
		{"no name", `[{"caption": "a"}]`, "f:1: entry 1: no name of an image"},
		{"caption is a number", `{"image": "a", "caption": 5}`, `f:1: "caption": want a caption, found 5`},
		{"list of no captions", `{"image": "a", "captions": [], "references": ["x"]}`, "f:1: no caption of image a"},
		{"more behind", `[{"image_id": 1, "caption": "a"}] x`, "f:1: invalid character 'x' looking for beginning of value"},
		{"line is no JSON", "{\"image\":\"a\",\"caption\":\"x\"}\nhello\n", "f:2: invalid character 'h' looking for beginning of value"},
		{"not UTF-8 in JSON", "[{\"image_id\": 1, \"caption\": \"a\xff\"}]", "f:1: not UTF-8"},
		{"not UTF-8 in text", "a dog\na\xffcat\n", "f:2: not UTF-8"},
		{"not UTF-8 in a table", "image,caption\na.jpg,a\xffdog\n", "f:2: not UTF-8"},
		{"fields", "image,caption\na.jpg,a dog, brown\n", "f:2: wrong number of fields"},
		{"fields of a TSV", "image\tcaption\na.jpg\ta dog\tbrown\n", "f:2: 3 fields, want 2"},
		{"quote that does not end", "image,caption\na.jpg,\"a dog\nb.jpg,a cat\n", "f:2: extraneous or missing \" in quoted-field"},
		{"header alone", "image,caption\n", "f: no caption in it (read as table)"},
		{"lists of other lengths", `{"hyp": ["a", "b"], "refs": [["a"]]}`, "f: the list of references has 1 elements, another 2"},
		{"annotation twice", `{"annotations": [{"id": 1, "image_id": 1, "caption": "a"}, {"id": 1, "image_id": 2, "caption": "a"}]}`,
			"f:1: entry 2: annotation 1 stands already in line 1, entry 1"},
		{"line of a flickr file", "a.jpg#0\ta dog\nb.jpg a cat\n", `f:2: want an image, #, a number, a tab and a caption, found "b.jpg a cat"`},
		{"other JSON", `{"info": 5}`, `f:1: "info": want a caption, found 5`},
		{"long line", "a dog\n" + long, "f:2: a line of more than 16 MB"},
	} {
		_, err := Read("f", strings.NewReader(test.text), Candidates)
		if err == nil || !strings.HasPrefix(err.Error(), test.want) {
			t.Errorf("%s: error %v, want %s", test.name, err, test.want)
		}
	}
	_, err := Read("f", strings.NewReader(`[{"image": 1, "captions": ["a"]}, {"image": 1, "caption": "b"}]`), References)
	if want := "f:1: entry 2: image 1 has references already, in line 1, entry 1"; err == nil || err.Error() != want {
		t.Errorf("references in two places: error %v, want %s", err, want)
	}
}

func TestSkipped(t *testing.T) {
	f, err := Read("f", strings.NewReader(`{"image":"a","caption":"x"}`+"\n"+`{"image":"b","error":"no picture"}`), Candidates)
	if err != nil {
		t.Fatal(err)
	}
	if want := `[f:2: image b: no caption: "no picture"]`; fmt.Sprint(f.Skipped) != want {
		t.Errorf("skipped %v, want %s", f.Skipped, want)
	}
}

// checkFile checks what holds for every file that was read.
func checkFile(t *testing.T, f *File, role Role) {
	seen := map[string]bool{}
	for _, e := range f.Entries {
		list := e.Captions
		if role == References {
			list = e.References
		}
		if e.Image == "" || seen[e.Image] || len(list) == 0 || e.Place.Line < 1 {
			t.Errorf("entry %+v", e)
		}
		seen[e.Image] = true
		for _, text := range append(list, e.Image) {
			if !utf8.ValidString(text) {
				t.Errorf("%q is not UTF-8", text)
			}
		}
	}
	if _, err := Pair(f, f); err == nil && role == References {
		Merge(f, f)
	}
}

func FuzzRead(f *testing.F) {
	for _, file := range files {
		for _, data := range packed(f, file.text) {
			f.Add(data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, role := range []Role{Candidates, References} {
			if file, err := Read("f", bytes.NewReader(data), role); err == nil {
				checkFile(t, file, role)
			}
		}
	})
}

// FuzzFormats reads text in every format, whatever it looks like.
func FuzzFormats(f *testing.F) {
	for _, file := range files {
		f.Add([]byte(file.text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, format := range formats {
			for _, role := range []Role{Candidates, References} {
				in, err := open("f", bytes.NewReader(data))
				if err != nil {
					return
				}
				if file, err := format.file(in, role); err == nil {
					checkFile(t, file, role)
				}
			}
		}
	})
}

func FuzzColumns(f *testing.F) {
	f.Add([]byte("image,SPICE,note\na,0.5,x\nb,1,y\n"))
	f.Add([]byte("SPICE\tCLIP\n1\t2\n3\t4\n"))
	f.Add([]byte("\t\n0\n0\n0")) // more columns in the first line than in rows
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, images := range [][]string{{"a", "b"}, {"1", "2"}} {
			columns, err := Columns("f", bytes.NewReader(data), images)
			for _, c := range columns {
				for _, x := range c.Values {
					if err != nil || x-x != 0 {
						t.Errorf("value %v, error %v", x, err)
					}
				}
			}
		}
	})
}
