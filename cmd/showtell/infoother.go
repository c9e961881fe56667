package main

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"

	"showtell/features"
	"showtell/text"
	"showtell/train"
)

// A fact is a line about a file.
type fact struct{ name, is string }

// writeFacts prints facts, or as one JSON object what they were made of with the
// file and its kind.
func writeFacts(out io.Writer, asJSON bool, path, kind string, of any, facts []fact) error {
	if asJSON {
		return json.NewEncoder(out).Encode(map[string]any{"file": path, "format": kind, "holds": of})
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, f := range append([]fact{{"file", path + ", " + kind}}, facts...) {
		fmt.Fprintf(w, "%s\t%s\n", f.name, f.is)
	}
	return w.Flush()
}

func describeFeatures(out io.Writer, path string, s features.Summary, err error, asJSON bool) error {
	if err != nil {
		return err
	}
	mirror := ""
	if s.Mirror {
		mirror = ", and their mirror images"
	}
	return writeFacts(out, asJSON, path, "features of pictures", s, []fact{
		{"encoder", fmt.Sprintf("%s, fingerprint %.12s", printable(s.Encoder), printable(s.Fingerprint))},
		{"pictures", fmt.Sprintf("%d of %d%s", s.Done, s.Pictures, mirror)},
		{"each", fmt.Sprintf("%d x %d x %d, float16", s.Grid[0], s.Grid[1], s.Grid[2])},
		{"next", "showtell train DATA --features " + quote(path) + " -o model.safetensors"},
	})
}

func describeCheckpoint(out io.Writer, path string, s train.CheckpointSummary, err error, asJSON bool) error {
	if err != nil {
		return err
	}
	facts := []fact{
		{"encoder", fmt.Sprintf("fingerprint %.12s", printable(s.Encoder))},
		{"data", fmt.Sprintf("fingerprint %.12s", printable(s.Data))},
		{"done", fmt.Sprintf("%d epochs, %d steps, epoch %d the best", len(s.History), s.Step, s.Best)},
	}
	for _, e := range s.History {
		facts = append(facts, fact{fmt.Sprintf("epoch %d", e.Epoch), fmt.Sprintf("loss %.3f, dev CIDEr-D %.1f, BLEU-4 %.1f", e.Loss, 100*e.CiderD, 100*e.Bleu4)})
	}
	facts = append(facts, fact{"next", "the command that made it, with --resume"})
	return writeFacts(out, asJSON, path, "checkpoint of a stopped training", s, facts)
}

func describeVectors(out io.Writer, path string, v text.VectorFile, asJSON bool) error {
	form := "word vectors, text"
	if v.Binary {
		form = "word vectors, binary"
	}
	return writeFacts(out, asJSON, path, form, v, []fact{
		{"holds", fmt.Sprintf("%d words, vectors of %d numbers", v.Words, v.Dim)},
		{"next", "showtell train DATA --glove " + quote(path) + " -o model.safetensors"},
	})
}
