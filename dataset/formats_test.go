package dataset_test

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"showtell/dataset/datasettest"
)

// Every format passes the same suite; a new one is a test of ten lines.

func TestFlickr(t *testing.T) {
	datasettest.Run(t, datasettest.Format{
		Name: "flickr", Captions: "text/Flickr8k.token.txt", Line: 1,
		Junk: map[string]string{
			"no tab at all": "no tab after the picture's name",
			"#0\ta dog":     "no picture's name",
		},
		Write: func(rows []datasettest.Row) map[string]string {
			files := map[string]string{
				"text/Flickr8k.lemma.token.txt": "b.png#0\tdog run\n",
				"text/readme.txt":               "If you use this\n",
				"text/ExpertAnnotations.txt":    "b.png\tb.png#2\t1\t1\t1\n",
			}
			lists := map[string]string{"train": "text/Flickr_8k.trainImages.txt", "dev": "text/Flickr_8k.devImages.txt", "test": "text/Flickr_8k.testImages.txt"}
			for i, r := range rows {
				files["text/Flickr8k.token.txt"] += fmt.Sprintf("%s#%d\t%s\n", r.Image, i, r.Caption)
				if list := lists[r.Split]; !strings.Contains(files[list], r.Image+"\n") {
					files[list] += r.Image + "\n"
				}
			}
			return files
		},
	})
}

// Kaggle has no splits, but the published lists may lie beside it.
func TestKaggle(t *testing.T) {
	datasettest.Run(t, datasettest.Format{
		Name: "kaggle", Captions: "captions.txt", Line: 2,
		Junk: map[string]string{"b.png": "1 fields, want 2", ",a dog": "no picture's name"},
		Write: func(rows []datasettest.Row) map[string]string {
			files := map[string]string{"captions.txt": "image,caption\n"}
			for _, r := range rows {
				caption := r.Caption
				if strings.Contains(caption, ",") { // some are quoted, some are not
					caption = `"` + strings.ReplaceAll(caption, `"`, `""`) + `"`
				}
				files["captions.txt"] += r.Image + "," + caption + "\n"
				list := "Flickr_8k." + r.Split + "Images.txt"
				if !strings.Contains(files[list], r.Image+"\n") {
					files[list] += r.Image + "\n"
				}
			}
			return files
		},
	})
}

func TestCSV(t *testing.T) {
	datasettest.Run(t, datasettest.Format{
		Name: "csv", Captions: "my captions.csv", Line: 2,
		Junk:  map[string]string{"train": "1 fields, want 4"},
		Write: writeTable("my captions.csv", ',', "split,id,image,caption"),
	})
}

func TestTSV(t *testing.T) {
	datasettest.Run(t, datasettest.Format{
		Name: "tsv", Captions: "captions.tsv", Line: 2,
		Junk:  map[string]string{"train\t1": "2 fields, want 4"},
		Write: writeTable("captions.tsv", '\t', "split\tid\tFile\tText"),
	})
}

func writeTable(file string, sep rune, header string) func([]datasettest.Row) map[string]string {
	return func(rows []datasettest.Row) map[string]string {
		var b strings.Builder
		b.WriteString(header + "\n")
		w := csv.NewWriter(&b)
		w.Comma = sep
		for _, r := range rows {
			w.Write([]string{r.Split, "7", r.Image, r.Caption})
		}
		w.Flush()
		return map[string]string{file: b.String()}
	}
}

func TestJSONL(t *testing.T) {
	datasettest.Run(t, datasettest.Format{
		Name: "jsonl", Captions: "data/captions.jsonl", Line: 1,
		Junk: map[string]string{
			`{"image": "b.png", "caption": 7}`: `"caption" is neither a string nor a list of strings`,
			`{"image": "b.png"}`:               `b.png: want an "image", a "caption"`,
			`["b.png", "a dog"]`:               "not a JSON object",
		},
		Write: func(rows []datasettest.Row) map[string]string {
			var b strings.Builder
			for i, r := range rows {
				keys := map[string]any{"image": r.Image, "caption": r.Caption, "split": r.Split}
				if i%2 == 1 {
					keys = map[string]any{"filename": r.Image, "captions": []string{r.Caption}, "split": r.Split, "license": 3}
				}
				line, _ := json.Marshal(keys)
				b.Write(append(line, '\n'))
			}
			return map[string]string{"data/captions.jsonl": b.String()}
		},
	})
}
