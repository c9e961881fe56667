package dataset_test

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"showtell/dataset"
	"showtell/dataset/datasettest"
)

func open(t *testing.T, path string, opts *dataset.Options) *dataset.Set {
	t.Helper()
	set, err := dataset.Open(context.Background(), path, opts)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func TestOpenErrors(t *testing.T) {
	table := "image,caption,split\na.png,a dog,train\n"
	tests := []struct {
		name  string
		files map[string]string
		path  string
		opts  dataset.Options
		want  []string
	}{
		{"no such folder", nil, "gone", dataset.Options{}, []string{"gone"}},
		{"no captions", map[string]string{"readme.txt": "hello"}, "", dataset.Options{}, []string{"Flickr8k.token.txt", "image,caption", ".jsonl", "readme.txt", "say which file"}},
		{"a table of something else", map[string]string{"a.csv": "x,y\n1,2\n"}, "", dataset.Options{}, []string{"no captions found", "a.csv"}},
		{"two tables", map[string]string{"a.csv": table, "b.csv": table}, "", dataset.Options{}, []string{"a.csv", "b.csv", "say which one"}},
		{"format not known", map[string]string{"a.csv": table}, "", dataset.Options{Format: "coco"}, []string{`no format "coco"`, "flickr, kaggle, csv, tsv, jsonl"}},
		{"format not there", map[string]string{"a.csv": table}, "", dataset.Options{Format: "jsonl"}, []string{"no captions found", "jsonl:"}},
		{"file of no format", map[string]string{"a.txt": "hello\n"}, "a.txt", dataset.Options{}, []string{"a.txt", `"hello"`}},
		{"file empty", map[string]string{"a.txt": ""}, "a.txt", dataset.Options{}, []string{"a.txt", "empty"}},
		{"file twice", map[string]string{"a.csv": table}, "a.csv", dataset.Options{Captions: "b.csv"}, []string{"a.csv", "b.csv"}},
		{"images not there", map[string]string{"a.csv": table}, "", dataset.Options{Images: "nowhere"}, []string{"nowhere"}},
		{"forced format", map[string]string{"a.csv": table}, "a.csv", dataset.Options{Format: "flickr"}, []string{"a.csv", "no tab"}},
	}
	for _, tt := range tests {
		dir := datasettest.Folder(t, tt.files)
		_, err := dataset.Open(context.Background(), filepath.Join(dir, tt.path), &tt.opts)
		for _, want := range tt.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: error %v, want one with %q", tt.name, err, want)
			}
		}
	}
}

func TestNoPictures(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "c.csv")
	if err := os.WriteFile(file, []byte("image,caption\na.png,a dog\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := dataset.Open(context.Background(), dir, nil); err == nil || !strings.Contains(err.Error(), "no pictures") {
		t.Errorf("error %v, want one that says no pictures", err)
	}
}

func TestWhereThingsAre(t *testing.T) {
	csv := "image,caption,split\na.png,a dog,train\n"
	tests := []struct {
		name     string
		captions string // where the file lies
		images   []string
		path     string
		opts     dataset.Options
		want     string // the picture's path
	}{
		{"folder of pictures by its name", "c.csv", []string{"Flicker8k_Dataset/a.png", "small/a.png"}, "", dataset.Options{}, "Flicker8k_Dataset/a.png"},
		{"twice the same folder, as unzipped", "c.csv", []string{"Images/Images/a.png", "__MACOSX/._a.png"}, "", dataset.Options{}, "Images/Images/a.png"},
		{"pictures beside the captions", "c.csv", []string{"a.png"}, "", dataset.Options{}, "a.png"},
		{"folder of another name", "c.csv", []string{"mine/a.png"}, "", dataset.Options{}, "mine/a.png"},
		{"file of captions, pictures beside its folder", "text/c.csv", []string{"images/a.png"}, "text/c.csv", dataset.Options{}, "images/a.png"},
		{"file of captions, pictures beside it", "text/c.csv", []string{"images/b.png", "text/a.png"}, "text/c.csv", dataset.Options{}, "text/a.png"},
		{"table under another name", "list.txt", []string{"images/a.png"}, "list.txt", dataset.Options{}, "images/a.png"},
		{"both named", "x/list.txt", []string{"images/a.png", "y/a.png"}, "", dataset.Options{Captions: "x/list.txt", Images: "y", Format: "csv"}, "y/a.png"},
	}
	for _, tt := range tests {
		dir := t.TempDir()
		for i, img := range tt.images {
			datasettest.Picture(t, filepath.Join(dir, img), uint8(i))
		}
		file := filepath.Join(dir, tt.captions)
		os.MkdirAll(filepath.Dir(file), 0o755)
		os.WriteFile(file, []byte(csv), 0o644)
		if tt.opts.Captions != "" {
			tt.opts.Captions, tt.opts.Images = filepath.Join(dir, tt.opts.Captions), filepath.Join(dir, tt.opts.Images)
		}
		set, err := dataset.Open(context.Background(), filepath.Join(dir, tt.path), &tt.opts)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		got, _ := filepath.EvalSymlinks(set.Items[0].Path)
		want, _ := filepath.EvalSymlinks(filepath.Join(dir, tt.want))
		if got != want {
			t.Errorf("%s: path %s, want %s", tt.name, got, want)
		}
	}
}

func TestLinkedFolder(t *testing.T) {
	dir, elsewhere := t.TempDir(), t.TempDir()
	datasettest.Picture(t, filepath.Join(elsewhere, "a.png"), 1)
	os.WriteFile(filepath.Join(dir, "c.csv"), []byte("image,caption,split\na.png,a dog,train\n"), 0o644)
	if err := os.Symlink(elsewhere, filepath.Join(dir, "images")); err != nil {
		t.Skip("no symbolic links here")
	}
	os.Symlink(elsewhere, filepath.Join(elsewhere, "circle"))
	set := open(t, dir, nil)
	if len(set.Items) != 1 || len(set.Problems) != 0 {
		t.Errorf("items %v, problems %v, want one and none", set.Items, set.Problems)
	}
}

func TestNames(t *testing.T) {
	dir := datasettest.Folder(t, map[string]string{"c.csv": `image,caption,split
images/a.png,with its folder,train
a.png,without,train
./b.png,with a dot,test
sub\c.png,with a backslash,train
c.png,a name below,train
twin.png,two of them,dev
b.png,split unknown,holdout
`})
	datasettest.Picture(t, filepath.Join(dir, "images/x/twin.png"), 8)
	datasettest.Picture(t, filepath.Join(dir, "images/y/twin.png"), 9)
	set := open(t, dir, nil)
	got := map[string]int{}
	for _, item := range set.Items {
		got[item.Name] = len(item.Captions)
	}
	if want := map[string]int{"images/a.png": 2, "b.png": 2, "sub/c.png": 2}; !maps.Equal(got, want) {
		t.Errorf("captions by name %v, want %v", got, want)
	}
	counts := set.Counts()
	if counts[dataset.Ambiguous] != 1 || counts[dataset.BadSplit] != 1 || counts[dataset.NoCaption] != 4 {
		t.Errorf("problems %v, want one ambiguous, one split, four pictures without a caption", set.Problems)
	}
	if !strings.Contains(fmt.Sprint(set.Problems), `c.csv:8: b.png: split "holdout", want train, dev or test`) {
		t.Errorf("problems %v, want the unknown split with its line", set.Problems)
	}
}

func TestLists(t *testing.T) {
	dir := datasettest.Folder(t, map[string]string{
		"Flickr8k.token.txt":        "a.png#0\ta dog\nb.png#0\ta cat\nsub/c.png#0\ta cow\ngone.png#0\ta hen\n",
		"Flickr_8k.trainImages.txt": "a.png\nb.png\ngone.png\nnever.png\nunused.png\n",
		"Flickr_8k.testImages.txt":  "b.png\n",
	})
	set := open(t, dir, nil)
	var splits []string
	for _, item := range set.Items {
		splits = append(splits, item.Split)
	}
	if want := []string{"train", "test", ""}; !slices.Equal(splits, want) {
		t.Errorf("splits %q, want %q", splits, want)
	}
	want := map[string]int{dataset.NoPicture: 1, dataset.NotHere: 2, dataset.TwoSplits: 1, dataset.NoCaption: 2}
	if got := set.Counts(); !maps.Equal(got, want) {
		t.Errorf("problems %v, want %v", set.Problems, want)
	}
}

// A split column is not overruled because its names are unknown.
func TestUnknownSplitsOnly(t *testing.T) {
	dir := datasettest.Folder(t, map[string]string{"c.csv": "image,caption,split\na.png,a dog,fold1\nb.png,a cat,fold2\n"})
	if got, want := bySplit(open(t, dir, nil)), map[string]string{"a.png": "", "b.png": ""}; !maps.Equal(got, want) {
		t.Errorf("splits %v, want %v", got, want)
	}
}

func TestColumnBeforeLists(t *testing.T) {
	dir := datasettest.Folder(t, map[string]string{
		"c.csv":                     "image,caption,split\na.png,a dog,train\nb.png,a cat,\n",
		"old/c.csv":                 "image,caption\na.png,an older file lies deeper\n",
		"Flickr_8k.trainImages.txt": "b.png\n",
		"Flickr_8k.testImages.txt":  "a.png\n",
	})
	if got, want := bySplit(open(t, dir, nil)), map[string]string{"a.png": "train", "b.png": ""}; !maps.Equal(got, want) {
		t.Errorf("splits %v, want those of the column %v", got, want)
	}
}

// automatic makes a set of n pictures without splits; copies have the content of the picture before.
func automatic(t *testing.T, n int, reverse bool, copies ...string) string {
	dir := t.TempDir()
	var rows []string
	for i := range n {
		name := fmt.Sprintf("%03d.png", i)
		datasettest.Picture(t, filepath.Join(dir, name), uint8(i))
		rows = append(rows, name+",a dog\n")
	}
	for _, name := range copies {
		datasettest.Picture(t, filepath.Join(dir, name), 0)
		rows = append(rows, name+",a cat\n")
	}
	if reverse {
		slices.Reverse(rows)
	}
	if err := os.WriteFile(filepath.Join(dir, "c.csv"), []byte("image,caption\n"+strings.Join(rows, "")), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

func bySplit(set *dataset.Set) map[string]string {
	m := map[string]string{}
	for _, item := range set.Items {
		m[item.Name] = item.Split
	}
	return m
}

func TestAutomaticSplit(t *testing.T) {
	copies := []string{"copy1.png", "copy2.png", "copy3.png"}
	set := open(t, automatic(t, 100, false, copies...), nil)
	got := bySplit(set)
	for _, c := range copies {
		if got[c] != got["000.png"] {
			t.Errorf("%s is in %s, the same picture 000.png in %s", c, got[c], got["000.png"])
		}
		delete(got, c)
	}
	n := map[string]int{}
	for _, s := range got {
		n[s]++
	}
	if want := map[string]int{"train": 80, "dev": 10, "test": 10}; !maps.Equal(n, want) {
		t.Errorf("splits %v, want %v", n, want)
	}
	if c := set.Counts(); c[dataset.Identical] != 3 || c[dataset.TwoSplits] != 0 {
		t.Errorf("problems %v, want three identical pictures", c)
	}
	if again := open(t, automatic(t, 100, true, copies...), nil); !maps.Equal(bySplit(again), bySplit(set)) {
		t.Error("the order of the captions changes the splits")
	}
	if other := open(t, automatic(t, 100, false, copies...), &dataset.Options{Seed: 1}); maps.Equal(bySplit(other), bySplit(set)) {
		t.Error("the seed doesn't change the splits")
	}
}

func TestAutomaticSplitSmall(t *testing.T) {
	for n, want := range map[int]map[string]int{1: {"train": 1}, 2: {"train": 2}, 3: {"train": 1, "dev": 1, "test": 1}, 9: {"train": 7, "dev": 1, "test": 1}} {
		got := map[string]int{}
		for _, s := range bySplit(open(t, automatic(t, n, false), nil)) {
			got[s]++
		}
		if !maps.Equal(got, want) {
			t.Errorf("%d pictures: splits %v, want %v", n, got, want)
		}
	}
}

// One more picture may move a picture at the two cuts, no others.
func TestAutomaticSplitGrows(t *testing.T) {
	before, after := bySplit(open(t, automatic(t, 100, false), nil)), bySplit(open(t, automatic(t, 101, false), nil))
	moved := 0
	for name, s := range before {
		if after[name] != s {
			moved++
		}
	}
	if moved > 2 {
		t.Errorf("%d pictures changed their split, want 2 at most", moved)
	}
}

func TestSameContentInTwoSplits(t *testing.T) {
	dir := datasettest.Folder(t, map[string]string{"c.csv": "image,caption,split\na.png,a dog,train\nb.png,a dog,test\n"})
	datasettest.Picture(t, filepath.Join(dir, "images/b.png"), 0) // what a.png is
	set := open(t, dir, &dataset.Options{CheckImages: true})
	if set.Counts()[dataset.TwoSplits] != 1 || !strings.Contains(fmt.Sprint(set.Problems), "b.png: in test, the same as a.png in train") {
		t.Errorf("problems %v, want the picture in two splits", set.Problems)
	}
}

func TestCancelledWhileLooking(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	_, err := dataset.Open(ctx, automatic(t, 50, false), &dataset.Options{Progress: func(done, total int) { cancel() }})
	if err != context.Canceled {
		t.Errorf("error %v, want %v", err, context.Canceled)
	}
}

func TestFingerprint(t *testing.T) {
	base := func() *dataset.Set {
		return &dataset.Set{Items: []dataset.Item{{Name: "a", Captions: []string{"x", "yz"}, Split: "train"}, {Name: "b", Captions: []string{"x"}, Split: "dev"}}}
	}
	want := base().Fingerprint()
	tests := []struct {
		name   string
		change func(s *dataset.Set)
		same   bool
	}{
		{"path", func(s *dataset.Set) { s.Items[0].Path = "/elsewhere/a" }, true},
		{"order", func(s *dataset.Set) { slices.Reverse(s.Items) }, true},
		{"name", func(s *dataset.Set) { s.Items[0].Name = "c" }, false},
		{"split", func(s *dataset.Set) { s.Items[0].Split = "test" }, false},
		{"caption", func(s *dataset.Set) { s.Items[0].Captions[0] = "X" }, false},
		{"where a caption ends", func(s *dataset.Set) { s.Items[0].Captions = []string{"xy", "z"} }, false},
		{"less", func(s *dataset.Set) { s.Items = s.Items[:1] }, false},
	}
	for _, tt := range tests {
		s := base()
		tt.change(s)
		if got := s.Fingerprint() == want; got != tt.same {
			t.Errorf("%s changed: same fingerprint %v, want %v", tt.name, got, tt.same)
		}
	}
}

func TestStats(t *testing.T) {
	set := &dataset.Set{Format: "csv", Items: []dataset.Item{
		{Name: "a", Captions: []string{"a dog runs", "A dog sits .", "a a a a"}, Split: "train"},
		{Name: "b", Captions: []string{"one zebra"}, Split: "dev"},
		{Name: "c", Captions: []string{"one zebra"}},
	}}
	st := set.Stats()
	if st.Images != 3 || st.Captions != 5 || st.PerImage.Min != 1 || st.PerImage.Max != 3 || st.Words != 14 {
		t.Errorf("Stats() = %+v, want 3 pictures, 5 captions, 1 to 3 a picture, 14 words", st)
	}
	if st.Vocabulary.All != 4 || st.Vocabulary.Five != 1 || st.Vocabulary.Covered != .6 {
		t.Errorf("vocabulary %+v, want 4 words, 1 of them often, covering 0.6", st.Vocabulary)
	}
	if want := []int{0, 0, 2, 2, 1}; !slices.Equal(st.Lengths, want) {
		t.Errorf("lengths %v, want %v", st.Lengths, want)
	}
	if !st.Ready || !strings.Contains(st.Verdict, "no picture is in the split test") {
		t.Errorf("verdict %v %q, want ready, without test", st.Ready, st.Verdict)
	}
	for _, want := range []string{"no split  1 pictures", "dev       1 pictures", " 1 to  4 "} {
		if !strings.Contains(st.Table(), want) {
			t.Errorf("Table() = %s\nwant %q in it", st.Table(), want)
		}
	}
	if empty := (&dataset.Set{}).Stats(); empty.Ready || empty.Table() == "" {
		t.Errorf("an empty set: %+v, want not ready", empty)
	}
}

// Flickr8k as published has 8,091 pictures; the captions of 2258277193_586949ec62.jpg.1 belong to none.
func TestFlickr8kReal(t *testing.T) {
	dir := filepath.Join("..", "..", "shared", "flickr8k")
	if _, err := os.Stat(filepath.Join(dir, "text")); err != nil {
		t.Skip("needs shared/flickr8k beside the repository")
	}
	set := open(t, dir, nil)
	st := set.Stats()
	if st.Images != 8091 || st.Captions != 40455 || st.PerImage.Min != 5 || st.PerImage.Max != 5 {
		t.Errorf("Stats() = %+v, want 8091 pictures with 5 captions each", st)
	}
	for i, want := range []int{6000, 1000, 1000, 91} {
		if st.Splits[i].Images != want {
			t.Errorf("split %q has %d pictures, want %d", st.Splits[i].Name, st.Splits[i].Images, want)
		}
	}
	want := map[string]int{dataset.NoPicture: 1, dataset.Duplicate: 10} // ten times two people wrote the same: sort | uniq -d
	if got := set.Counts(); !maps.Equal(got, want) {
		t.Errorf("problems %v, want %v", got, want)
	}
	if p := set.Problems[0]; p.Name != "2258277193_586949ec62.jpg.1" || p.Where != "text/Flickr8k.token.txt:6731" {
		t.Errorf("problem %v, want the captions without a picture at line 6731", p)
	}
}
