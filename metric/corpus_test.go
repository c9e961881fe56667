package metric

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

func TestErrors(t *testing.T) {
	for _, test := range []struct {
		name string
		hyps []string
		refs [][]string
		want string
	}{
		{"no image", nil, nil, "metric: no image to score"},
		{"no reference", []string{"a", "b"}, [][]string{{"a"}, {}}, "metric: image 1 has no reference"},
		{"other images", []string{"a"}, [][]string{{"a"}, {"b"}}, "metric: 1 hypotheses, but references for 2 images"},
	} {
		if _, err := NewCorpus(test.hyps, test.refs); err == nil || err.Error() != test.want {
			t.Errorf("%s: error %v, want %s", test.name, err, test.want)
		}
	}
	c, err := NewCorpus([]string{"a dog"}, [][]string{{"a dog"}})
	if err != nil {
		t.Fatal(err)
	}
	want := `metric "METEOR-2": want one of ` + strings.Join(Names(), ", ")
	if _, err := Compute(c, "BLEU-1", "METEOR-2"); err == nil || err.Error() != want {
		t.Errorf("Compute: error %v, want %s", err, want)
	}
}

func TestWarnings(t *testing.T) {
	for _, test := range []struct {
		name string
		hyps []string
		refs [][]string
		want []string
	}{
		{"none", []string{"a dog runs fast", "a cat"}, [][]string{{"a dog"}, {"a cat"}}, nil},
		{"one image", []string{"a dog runs fast"}, [][]string{{"a dog"}}, []string{
			"CIDEr and CIDEr-D of one image are 0 and mean nothing, because no word is rarer than another",
		}},
		{"empty", []string{"a dog", ""}, [][]string{{""}, {"", " "}}, []string{
			"every reference is empty",
			"no hypothesis has 4 words, so BLEU-4 is not 0 but up to 0.0316, as the official code prints it",
			"image 0: reference 0 is empty; ROUGE-L counts it as one empty word",
			"image 1: the hypothesis is empty",
			"image 1: reference 0 is empty; ROUGE-L counts it as one empty word",
			"image 1: reference 1 is empty; ROUGE-L counts it as one empty word",
		}},
	} {
		c, err := FromTokens(test.hyps, test.refs)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, w := range c.Warnings() {
			got = append(got, w.String())
		}
		if fmt.Sprint(got) != fmt.Sprint(test.want) {
			t.Errorf("%s: warnings %q, want %q", test.name, got, test.want)
		}
	}
}

// TestJoined has a caption whose last dot counts unless the next begins like a
// sentence.
func TestJoined(t *testing.T) {
	hyps, refs := []string{"vitamin C.", "The cat"}, [][]string{{"vitamin C."}, {"The cat", "a cat"}}
	for _, test := range []struct {
		name string
		make func([]string, [][]string) (*Corpus, error)
		want string
	}{{"one by one", NewCorpus, "vitamin c."}, {"joined", NewCorpusJoined, "vitamin c"}} {
		c, err := test.make(hyps, refs)
		if err != nil {
			t.Fatal(err)
		}
		if hyp, ref, last := c.texts[c.hyps[0]], c.references(0)[0], c.references(1)[1]; hyp != test.want || ref != test.want || last != "a cat" {
			t.Errorf("%s: tokens %q, %q and %q, want %q", test.name, hyp, ref, last, test.want)
		}
	}
}

func TestComputeKeepsTheOrderOfNames(t *testing.T) {
	c, err := FromTokens([]string{"a dog runs", "a cat"}, [][]string{{"a dog"}, {"a cat"}})
	if err != nil {
		t.Fatal(err)
	}
	results, err := Compute(c, "CIDEr-D", "BLEU-2")
	if err != nil {
		t.Fatal(err)
	}
	if len(results) != 2 || results[0].Name != "BLEU-2" || results[1].Name != "CIDEr-D" {
		t.Errorf("Compute = %+v, want BLEU-2 and CIDEr-D", results)
	}
}

// random makes sentences of a few words, some of them in no reference.
func random(rng *rand.Rand, words int) string {
	list := make([]string, rng.IntN(14))
	for i := range list {
		list[i] = fmt.Sprint("w", rng.IntN(words))
	}
	return strings.Join(list, " ")
}

// TestSingleScores compares CiderD with the corpus metric where hypotheses repeat
// n-grams and have words that no reference has.
func TestSingleScores(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		var hyps []string
		var refs [][]string
		for range 2 + rng.IntN(5) {
			hyps = append(hyps, random(rng, 8))
			refs = append(refs, []string{random(rng, 6), random(rng, 6)})
		}
		c, err := FromTokens(hyps, refs)
		if err != nil {
			t.Fatal(err)
		}
		d, err := NewCiderD(refs)
		if err != nil {
			t.Fatal(err)
		}
		want := c.cider(ciderD).PerImage
		for i, hyp := range hyps {
			if got := d.Score(strings.Fields(hyp), i); got != want[i] || !(0 <= got && got <= 10+1e-9) {
				t.Errorf("Score(%q) = %v, want %v", hyp, got, want[i])
			}
			if got := naiveCiderD(hyp, refs[i], refs); !(got-want[i] < tolerance && want[i]-got < tolerance) {
				t.Errorf("CIDEr-D of %q = %v, want %v", hyp, want[i], got)
			}
		}
	}
}

// naiveCiderD follows the official code's dictionaries, written for this test;
// all are the references that say how rare words are.
func naiveCiderD(hyp string, refs []string, all [][]string) float64 {
	grams := func(s string) map[string]float64 {
		words, counts := strings.Fields(s), map[string]float64{}
		for i := range words {
			for n := 1; n <= 4 && i+n <= len(words); n++ {
				counts[strings.Join(words[i:i+n], " ")]++
			}
		}
		return counts
	}
	df := map[string]float64{}
	for _, list := range all {
		once := map[string]bool{}
		for _, ref := range list {
			for g := range grams(ref) {
				once[g] = true
			}
		}
		for g := range once {
			df[g]++
		}
	}
	vector := func(s string) (v [4]map[string]float64, norms [4]float64) {
		for n := range v {
			v[n] = map[string]float64{}
		}
		for g, count := range grams(s) {
			n := strings.Count(g, " ")
			w := count * math.Log(float64(len(all))/max(1, df[g]))
			v[n][g], norms[n] = w, norms[n]+w*w
		}
		return v, norms
	}
	sum := 0.0
	h, hNorms := vector(hyp)
	for _, ref := range refs {
		r, rNorms := vector(ref)
		d := float64(max(0, len(strings.Fields(hyp))-1) - max(0, len(strings.Fields(ref))-1))
		for n := range 4 {
			dot := 0.0
			for g, w := range h[n] {
				dot += min(w, r[n][g]) * r[n][g]
			}
			if hNorms[n] > 0 && rNorms[n] > 0 {
				sum += dot / math.Sqrt(hNorms[n]*rNorms[n]) * math.Exp(-d*d/72)
			}
		}
	}
	return 10 * sum / 4 / float64(len(refs))
}

func BenchmarkCiderDScore(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 2))
	var refs [][]string
	for range 6000 {
		var list []string
		for range 5 {
			list = append(list, random(rng, 8000))
		}
		refs = append(refs, list)
	}
	d, err := NewCiderD(refs)
	if err != nil {
		b.Fatal(err)
	}
	words := strings.Fields(refs[7][0] + " " + refs[7][1])
	words = words[:min(len(words), 11)]
	b.ReportAllocs()
	for b.Loop() {
		d.Score(words, 7)
	}
}

func Example() {
	hyps := []string{"A dog runs on the grass.", "Two people sit on a bench."}
	refs := [][]string{
		{"A dog is running on grass .", "The brown dog runs."},
		{"A man and a woman sit on a bench", "Two people are sitting outside"},
	}
	c, err := NewCorpus(hyps, refs)
	if err != nil {
		fmt.Println(err)
		return
	}
	results, err := Compute(c, "BLEU-1", "BLEU-4", "ROUGE-L", "CIDEr-D")
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, r := range results {
		fmt.Printf("%-7s %.3f %.3f\n", r.Name, r.Corpus, r.PerImage)
	}
	// Output:
	// BLEU-1  1.000 [1.000 1.000]
	// BLEU-4  0.398 [0.000 0.604]
	// ROUGE-L 0.591 [0.667 0.515]
	// CIDEr-D 2.294 [2.067 2.520]
}
