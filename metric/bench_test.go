package metric

import (
	"bytes"
	"context"
	"os"
	"strings"
	"sync"
	"testing"
)

// BenchmarkAll scores Flickr8k's captions, each against the other four of its
// picture, and makes intervals.
func BenchmarkAll(b *testing.B) {
	text, err := os.ReadFile(flickr8k + "/Flickr8k.token.txt")
	if err != nil {
		b.Skip("no Flickr8k")
	}
	pictures := map[string][]string{}
	var hyps []string
	var refs [][]string
	for line := range bytes.Lines(text) {
		name, caption, _ := strings.Cut(strings.TrimSpace(string(line)), "\t")
		picture, _, _ := strings.Cut(name, "#")
		pictures[picture] = append(pictures[picture], caption)
		if all := pictures[picture]; len(all) == 5 {
			for k := range all {
				hyps = append(hyps, all[k])
				refs = append(refs, append(append([]string{}, all[:k]...), all[k+1:]...))
			}
		}
	}
	b.ReportAllocs()
	names := []string{"BLEU-4", "ROUGE-L", "CIDEr-D"}
	for _, size := range []struct {
		name   string
		images int
	}{{"1000x4", 1000}, {"40000x4", 40000}} {
		c, err := NewCorpus(hyps[:size.images], refs[:size.images])
		if err != nil {
			b.Fatal(err)
		}
		b.Run(size.name+"/tokenize", func(b *testing.B) {
			for b.Loop() {
				NewCorpus(hyps[:size.images], refs[:size.images])
			}
		})
		for _, name := range names {
			b.Run(size.name+"/"+name, func(b *testing.B) {
				for b.Loop() {
					b.StopTimer()
					fresh := *c
					fresh.numbers = sync.OnceValue(func() *numbers { return newNumbers(&fresh) })
					b.StartTimer()
					Compute(&fresh, name)
				}
			})
		}
		results, _ := Compute(c, names...)
		b.Run(size.name+"/bootstrap", func(b *testing.B) {
			for b.Loop() {
				Bootstrap(context.Background(), results, nil)
			}
		})
	}
}
