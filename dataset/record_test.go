package dataset

import (
	"bytes"
	"io"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestSplitRecord(t *testing.T) {
	tests := []struct {
		name, line string
		want       []string
		state      quotes
	}{
		{"plain", "a.jpg,a dog", []string{"a.jpg", "a dog"}, quoteClosed},
		{"quoted", `a.jpg,"a dog , a cat"`, []string{"a.jpg", "a dog , a cat"}, quoteClosed},
		{"quotes in quotes", `a.jpg,"a ""red"" dog"`, []string{"a.jpg", `a "red" dog`}, quoteClosed},
		{"only quotes in quotes", `a.jpg,"""red"""`, []string{"a.jpg", `"red"`}, quoteClosed},
		{"stray quote inside", `a.jpg,a "red" dog`, []string{"a.jpg", `a "red" dog`}, quoteClosed},
		{"stray quote at the start", `a.jpg,"red" dog`, []string{"a.jpg", `"red" dog`}, quoteLoose},
		{"stray quotes at both ends", `a.jpg,"red" and "blue"`, []string{"a.jpg", `"red" and "blue"`}, quoteLoose},
		{"stray, then open", `a.jpg,"red" dog,"x`, []string{"a.jpg", `"red" dog`, `"x`}, quoteLoose},
		{"open", `a.jpg,"red dog`, []string{"a.jpg", `"red dog`}, quoteOpen},
		{"open, with a comma", `a.jpg,"red, dog`, []string{"a.jpg", `"red`, " dog"}, quoteOpen},
		{"empty fields", ",,", []string{"", "", ""}, quoteClosed},
		{"empty line", "", []string{""}, quoteClosed},
		{"empty quotes", `"",x`, []string{"", "x"}, quoteClosed},
	}
	for _, tt := range tests {
		if got, state := splitRecord(tt.line, ','); !slices.Equal(got, tt.want) || state != tt.state {
			t.Errorf("%s: splitRecord(%q) = %q, %v, want %q, %v", tt.name, tt.line, got, state, tt.want, tt.state)
		}
	}
}

func TestReadTable(t *testing.T) {
	tests := []struct {
		name, file string
		want       []string // line name caption split
	}{
		{"as on Kaggle, commas not quoted", "image,caption\na.jpg,A dog , a cat .\nb.jpg,\"A dog , a cat .\"\n", []string{"2 a.jpg A dog , a cat . ", "3 b.jpg A dog , a cat . "}},
		{"commas not quoted before the split", "image,caption,split\na.jpg,a dog, a cat, a cow,test\n", []string{"2 a.jpg a dog, a cat, a cow test"}},
		{"split left out", "image,caption,split\na.jpg,a dog\n", []string{"2 a.jpg a dog "}},
		{"caption over two lines", "image,caption\na.jpg,\"a dog\nruns\"\nb.jpg,sits\n", []string{"2 a.jpg a dog\nruns ", "4 b.jpg sits "}},
		{"a quote that never ends swallows nothing", "image,caption\na.jpg,\"a dog\nb.jpg,sits\nc.jpg,\"runs, fast\"\n", []string{`2 a.jpg "a dog `, "3 b.jpg sits ", "4 c.jpg runs, fast "}},
		{"a quote in the last line", "image,caption\na.jpg,\"a dog", []string{`2 a.jpg "a dog `}},
		{"semicolons", "image;caption\na.jpg;a dog, a cat\n", []string{"2 a.jpg a dog, a cat "}},
		{"Flickr30k on Kaggle", "image_name| comment_number| comment\na.jpg| 0| Two men .\n", []string{"2 a.jpg Two men . "}},
		{"no header", "a.jpg\tTwo men .\nb.jpg\tA dog .\n", []string{"1 a.jpg Two men . ", "2 b.jpg A dog . "}},
		{"no header, with splits", "a.jpg,Two men,val\nb.jpg,A dog,\"train\"\n", []string{"1 a.jpg Two men val", "2 b.jpg A dog train"}},
	}
	for _, tt := range tests {
		g := &gathered{file: "f", where: "f"}
		if err := readTable(g, strings.NewReader(tt.file)); err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
		if got := lines(g.rows); !slices.Equal(got, tt.want) || len(g.problems) > 0 {
			t.Errorf("%s: rows %q, problems %v, want %q", tt.name, got, g.problems, tt.want)
		}
	}
	far := &gathered{}
	readTable(far, strings.NewReader("image,caption\na.jpg,\"x\n"+strings.Repeat("b.jpg,y\n", 30)+"c.jpg,z\"\n"))
	if len(far.rows) != 32 {
		t.Errorf("two stray quotes 30 lines apart: %d rows, want 32", len(far.rows))
	}
	g := &gathered{file: "f.csv"}
	if err := readTable(g, strings.NewReader("a,b\n1,2\n")); err == nil || !strings.HasPrefix(err.Error(), "f.csv:1: ") {
		t.Errorf("a table without captions: error %v, want one at f.csv:1", err)
	}
}

func TestReadFlickr(t *testing.T) {
	g := &gathered{}
	readFlickr(g, strings.NewReader("a#1.jpg#0\tA dog .\nb.jpg\ta\ttab\n"))
	if got, want := lines(g.rows), []string{"1 a#1.jpg A dog . ", "2 b.jpg a\ttab "}; !slices.Equal(got, want) {
		t.Errorf("rows %q, want %q", got, want)
	}
}

func lines(rows []row) []string {
	var s []string
	for _, r := range rows {
		s = append(s, strings.Join([]string{string(rune('0' + r.line)), r.name, r.caption, r.split}, " "))
	}
	return s
}

func TestLinesErrors(t *testing.T) {
	for _, tt := range []struct{ name, file, want string }{
		{"UTF-16", "\xff\xfei\x00m\x00", "f: the text is UTF-16"},
		{"a line without end", "a#0\tb\n" + strings.Repeat("x", 1<<22+1), "f:2: "},
	} {
		g := &gathered{file: "f"}
		readFlickr(g, strings.NewReader(tt.file))
		if g.err == nil || !strings.HasPrefix(g.err.Error(), tt.want) {
			t.Errorf("%s: error %v, want %q", tt.name, g.err, tt.want)
		}
	}
}

// fuzz holds what is true of every file: no panic, and rows that a set can hold.
func fuzz(f *testing.F, read func(*gathered, io.Reader) error, seeds ...string) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		g := &gathered{file: "f", where: "f"}
		if err := read(g, bytes.NewReader(data)); err != nil {
			return
		}
		limit := bytes.Count(data, []byte("\n")) + 1
		for _, r := range g.rows {
			if r.name == "" || r.line < 1 || r.line > limit || !utf8.ValidString(r.name+r.caption+r.split) {
				t.Errorf("row %+v of %d lines", r, limit)
			}
			tidy, err := tidyName(r.name)
			if again, err2 := tidyName(tidy); err == nil && (err2 != nil || again != tidy) {
				t.Errorf("tidyName(%q) = %q, and again %q, %v", r.name, tidy, again, err2)
			}
		}
	})
}

func FuzzReadFlickr(f *testing.F) {
	fuzz(f, readFlickr, "a.jpg#0\tA dog .\na.jpg\n\xff#\t", "\ufeff#1\tx\r\n")
}

func FuzzReadTable(f *testing.F) {
	fuzz(f, readTable, "image,caption,split\na.jpg,\"a \"\"dog\"\", x\",test\nb.jpg,\"sale\" x\n\"", "x.png\ta dog\n")
}

func FuzzReadJSONL(f *testing.F) {
	fuzz(f, readJSONL, `{"image":"a.jpg","captions":["x","y"],"split":null}`+"\n{}")
}
