package results

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
)

// large makes a file of n captions in each format, five of each image where it
// holds references.
func large(n int) map[string]string {
	r := rand.New(rand.NewPCG(1, 2))
	words := strings.Fields("a man dog is riding the wave on surfboard standing in front of red bus next to woman with umbrella")
	order := r.Perm(n)
	var coco, images, karpathy, list, jsonl, dictionary, csv, tsv, text, flickr strings.Builder
	var caption string
	for i := range n {
		if i%5 == 0 {
			fmt.Fprintf(&images, `, {"license": 3, "file_name": "COCO_%012d.jpg", "height": 480, "width": 640, "id": %d}`, i/5, i/5)
			fmt.Fprintf(&karpathy, `]}, {"filename": "%012d.jpg", "filepath": "val", "cocoid": %d, "split": "test", "sentences": [{"raw": ""}`, i/5, i/5)
		}
		caption = words[r.IntN(len(words))]
		for range 7 + r.IntN(8) {
			caption += " " + words[r.IntN(len(words))]
		}
		fmt.Fprintf(&coco, `, {"image_id": %d, "id": %d, "caption": "%s"}`, order[i]/5, 3*order[i], caption)
		fmt.Fprintf(&karpathy, `, {"tokens": ["a", "dog"], "raw": "%s", "imgid": 0, "sentid": %d}`, caption, i)
		fmt.Fprintf(&list, `, {"image_id": %d, "caption": "%s"}`, order[i], caption)
		fmt.Fprintf(&jsonl, "{\"image\": \"COCO_%012d.jpg\", \"caption\": \"%s\"}\n", order[i], caption)
		fmt.Fprintf(&dictionary, `, "%d": ["%s"]`, order[i], caption)
		fmt.Fprintf(&csv, "COCO_%012d.jpg,\"%s, so\"\n", order[i], caption)
		fmt.Fprintf(&tsv, "COCO_%012d.jpg\t%s\n", order[i], caption)
		fmt.Fprintf(&text, "%s\n", caption)
		fmt.Fprintf(&flickr, "%012d.jpg#%d\t%s\n", i/5, i%5, caption)
	}
	return map[string]string{
		"coco":       `{"images": [` + images.String()[2:] + `], "annotations": [` + coco.String()[2:] + `]}`,
		"karpathy":   `{"images": [` + karpathy.String()[4:] + `]}]}`,
		"list":       `[` + list.String()[2:] + `]`,
		"jsonl":      jsonl.String(),
		"dictionary": `{` + dictionary.String()[2:] + `}`,
		"csv":        "image,caption\n" + csv.String(),
		"tsv":        "image\tcaption\n" + tsv.String(),
		"text":       text.String(),
		"flickr":     flickr.String(),
	}
}

func BenchmarkRead(b *testing.B) {
	for name, text := range large(50000) {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Read(name, strings.NewReader(text), References); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkPair(b *testing.B) {
	text := large(50000)["jsonl"]
	f, err := Read("f", strings.NewReader(text), References)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Pair(f, f); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkWriteFile(b *testing.B) {
	n := 50000
	t := &Table{Images: make([]string, n), Caption: make([]string, n)}
	for k := range 9 {
		t.Columns = append(t.Columns, Column{fmt.Sprint("metric ", k), make([]float64, n)})
	}
	for i := range n {
		t.Images[i], t.Caption[i] = fmt.Sprintf("%012d.jpg", i), "a man is riding a wave, on a surfboard"
		for k := range t.Columns {
			t.Columns[k].Values[i] = 1 / float64(i+k+1)
		}
	}
	for _, end := range []string{".csv", ".json"} {
		b.Run(end, func(b *testing.B) {
			b.ReportAllocs()
			path := filepath.Join(b.TempDir(), "t"+end)
			for b.Loop() {
				if err := t.WriteFile(path); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
