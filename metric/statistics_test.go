package metric

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"showtell/tensor"
)

// randomCorpora are two systems on the same images; a gets more words right.
func randomCorpora(t testing.TB, images int, seed uint64) (hyps [2][]string, refs [][]string, corpora [2]*Corpus) {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 0))
	for range images {
		list := []string{random(rng, 9), random(rng, 9), random(rng, 9)}
		refs = append(refs, list)
		words := strings.Fields(list[0])
		for k := range hyps {
			copied := slices.Clone(words)
			for i := range copied {
				if rng.IntN(4) < 1+k {
					copied[i] = fmt.Sprint("w", rng.IntN(12))
				}
			}
			hyps[k] = append(hyps[k], strings.Join(copied, " "))
		}
	}
	for k := range corpora {
		corpora[k] = tokens(t, hyps[k], refs)
	}
	return hyps, refs, corpora
}

func tokens(t testing.TB, hyps []string, refs [][]string) *Corpus {
	t.Helper()
	c, err := FromTokens(hyps, refs)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func near(a, b float64) bool { return math.Abs(a-b) <= tolerance }

// withoutCider leaves out metrics that look at all images for the score of one.
var withoutCider = slices.DeleteFunc(Names(), func(name string) bool { return strings.HasPrefix(name, "CIDEr") })

func compute(t testing.TB, c *Corpus, names ...string) []Result {
	t.Helper()
	results, err := Compute(c, names...)
	if err != nil {
		t.Fatal(err)
	}
	return results
}

// TestStatisticsOfResamples compares scores from statistics with those of corpora
// that hold the images as often.
func TestStatisticsOfResamples(t *testing.T) {
	const images = 40
	hyps, refs, corpora := randomCorpora(t, images, 1)
	rng := rand.New(rand.NewPCG(3, 4))
	for range 10 {
		times, swap := make([]float64, images), make([]float64, images)
		for range images {
			times[rng.IntN(images)]++
		}
		var drawnHyps []string
		var drawnRefs [][]string
		mixed := slices.Clone(hyps[0])
		for i, n := range times {
			for range int(n) {
				drawnHyps, drawnRefs = append(drawnHyps, hyps[0][i]), append(drawnRefs, refs[i])
			}
			if swap[i] = float64(rng.IntN(2)); swap[i] == 1 {
				mixed[i] = hyps[1][i]
			}
		}
		drawn := compute(t, tokens(t, drawnHyps, drawnRefs), withoutCider...)
		exchanged := compute(t, tokens(t, mixed, refs), Names()...)
		for k, r := range compute(t, corpora[0], withoutCider...) {
			if got := resampled(r, times); !near(got, drawn[k].Corpus) {
				t.Errorf("%s of a resample = %v, want %v", r.Name, got, drawn[k].Corpus)
			}
		}
		other := All(corpora[1])
		for k, r := range All(corpora[0]) {
			if got := mixedScore(r, other[k], swap); !near(got, exchanged[k].Corpus) {
				t.Errorf("%s with exchanged captions = %v, want %v", r.Name, got, exchanged[k].Corpus)
			}
		}
	}
}

// resampled is the score if image i counts weights[i] times.
func resampled(r Result, weights []float64) (score float64) {
	weighted(r.counted().columns, 1, func(_ int, w []float64) { copy(w, weights) }, func(_ int, total []float64) {
		score = r.counted().score(total)
	})
	return score
}

// mixedScore is the score with the images of b where swap is 1.
func mixedScore(a, b Result, swap []float64) float64 {
	var columns [][]float64
	for k, column := range a.counted().columns {
		mixed := slices.Clone(column)
		for i := range mixed {
			if swap[i] == 1 {
				mixed[i] = b.counted().columns[k][i]
			}
		}
		columns = append(columns, mixed)
	}
	return a.counted().score(total(columns))
}

func TestBootstrap(t *testing.T) {
	_, _, corpora := randomCorpora(t, 400, 5)
	results := All(corpora[0])
	tensor.SetWorkers(1)
	one, err := Bootstrap(context.Background(), results, &Resampling{Seed: 7})
	if err != nil {
		t.Fatal(err)
	}
	tensor.SetWorkers(3)
	defer tensor.SetWorkers(0)
	three, err := Bootstrap(context.Background(), results, &Resampling{Seed: 7})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(one, three) {
		t.Errorf("intervals with one worker %v, with three %v", one, three)
	}
	for k, r := range results {
		i := one[k]
		if !(i.Low < r.Corpus && r.Corpus < i.High) {
			t.Errorf("%s: interval %v does not hold %v", r.Name, i, r.Corpus)
		}
		if r.statistics != nil {
			continue
		}
		// The mean of a few hundred values is nearly normal.
		variance := 0.0
		for _, x := range r.PerImage {
			variance += (x - r.Corpus) * (x - r.Corpus) / float64(len(r.PerImage)-1)
		}
		want := 2 * 1.96 * math.Sqrt(variance/float64(len(r.PerImage)))
		if got := i.High - i.Low; math.Abs(got/want-1) > .1 {
			t.Errorf("%s: interval of width %v, want about %v", r.Name, got, want)
		}
	}
}

func TestBootstrapOfOneImage(t *testing.T) {
	results := All(tokens(t, []string{"a dog"}, [][]string{{"a dog runs"}}))
	intervals, err := Bootstrap(context.Background(), results, &Resampling{Samples: 1})
	if err != nil {
		t.Fatal(err)
	}
	for k, i := range intervals {
		if i != (Interval{results[k].Corpus, results[k].Corpus}) {
			t.Errorf("%s: interval %v of %v", results[k].Name, i, results[k].Corpus)
		}
	}
}

func TestCompare(t *testing.T) {
	_, _, corpora := randomCorpora(t, 200, 9)
	better, worse := All(corpora[0]), All(corpora[1])
	o := &Resampling{Samples: 300}
	same, err := Compare(context.Background(), better, better, o)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range same {
		if c.Bootstrap != 1 || c.Randomisation != 1 || c.Difference != (Interval{}) {
			t.Errorf("%s against itself: %+v", c.Name, c)
		}
	}
	differ, err := Compare(context.Background(), worse, better, o)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range differ {
		if c.Difference.High >= 0 || c.Bootstrap > .01 || c.Randomisation > .01 || c.A >= c.B {
			t.Errorf("%s of worse against better: %+v", c.Name, c)
		}
	}
}

// TestCompareEquals draws two equally good systems many times: p is below a tenth
// in about a tenth of all cases.
func TestCompareEquals(t *testing.T) {
	const rounds, images = 400, 60
	rng := rand.New(rand.NewPCG(11, 12))
	bootstrap, randomisation := 0, 0
	for round := range rounds {
		var sides [2][]Result
		for k := range sides {
			values := make([]float64, images)
			for i := range values {
				values[i] = rng.Float64()
			}
			r := mean(values)
			r.Name = "SPICE"
			sides[k] = []Result{r}
		}
		c, err := Compare(context.Background(), sides[0], sides[1], &Resampling{Samples: 200, Seed: uint64(round)})
		if err != nil {
			t.Fatal(err)
		}
		if c[0].Bootstrap < .1 {
			bootstrap++
		}
		if c[0].Randomisation < .1 {
			randomisation++
		}
	}
	for name, n := range map[string]int{"bootstrap": bootstrap, "randomisation": randomisation} {
		if n < rounds/20 || n > rounds/6 { // far beyond chance
			t.Errorf("%s: p < 0.1 in %d of %d cases without a difference", name, n, rounds)
		}
	}
}

func TestCompareErrors(t *testing.T) {
	_, _, corpora := randomCorpora(t, 5, 1)
	_, _, others := randomCorpora(t, 6, 1)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	bleu, rouge := compute(t, corpora[0], "BLEU-1"), compute(t, corpora[0], "ROUGE-L")
	for _, test := range []struct {
		name string
		ctx  context.Context
		a, b []Result
		want string
	}{
		{"metrics", context.Background(), bleu, rouge, "metric: BLEU-1 cannot be compared with ROUGE-L"},
		{"images", context.Background(), bleu, compute(t, others[0], "BLEU-1"), "metric: BLEU-1 of 5 images, but BLEU-1 of 6"},
		{"none", context.Background(), nil, bleu, "metric: 0 results to compare with 1"},
		{"interrupted", ctx, bleu, bleu, "context canceled"},
	} {
		if _, err := Compare(test.ctx, test.a, test.b, nil); err == nil || err.Error() != test.want {
			t.Errorf("%s: error %v, want %s", test.name, err, test.want)
		}
	}
}

func TestDiverse(t *testing.T) {
	got := Diverse([][]string{{"A dog runs.", "a dog sits"}, {"A dog runs!"}}, []string{"a dog runs .", "a cat"})
	// By hand: nine words, a dog runs sits; six pairs, "a dog", "dog runs", "dog sits".
	want := Diversity{
		Captions: 3, Different: 2, Words: 4, Distinct1: 4. / 9, Distinct2: 3. / 6,
		MeanWords: 3, Shortest: 3, Longest: 3, Images: 1, Copied: 2. / 3, Training: 2,
	}
	want.MBLEU = bleu(tokens(t, []string{"a dog runs"}, [][]string{{"a dog sits"}}), 4).Corpus
	if !near(got.MBLEU, want.MBLEU) {
		t.Errorf("mBLEU %v, want %v", got.MBLEU, want.MBLEU)
	}
	got.MBLEU = want.MBLEU
	if got != want {
		t.Errorf("Diverse = %+v, want %+v", got, want)
	}
	captions := [][]string{{"A dog runs.", "a dog sits"}, {"A dog runs!"}}
	c, err := NewCorpus([]string{"A dog runs.", "A dog runs!"}, [][]string{{"a"}, {"b"}})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := c.Diverse(captions, nil), Diverse(captions, nil); got != want {
		t.Errorf("Corpus.Diverse = %+v, want %+v", got, want)
	}
	if got := Diverse(nil, nil); got != (Diversity{}) {
		t.Errorf("Diverse of nothing = %+v", got)
	}
	if got := Diverse([][]string{{""}}, nil); got != (Diversity{Captions: 1, Different: 1}) {
		t.Errorf("Diverse of an empty caption = %+v", got)
	}
}

// TestFrequencies compares CIDEr-D by the references of other images with the
// formula.
func TestFrequencies(t *testing.T) {
	rng := rand.New(rand.NewPCG(21, 22))
	var hyps []string
	var refs, others [][]string
	for i := range 30 {
		others = append(others, []string{random(rng, 12), random(rng, 12)})
		if i < 6 {
			hyps = append(hyps, random(rng, 14))
			refs = append(refs, []string{random(rng, 9), random(rng, 14)})
		}
	}
	own, other := tokens(t, hyps, refs), tokens(t, hyps, refs)
	var err error
	if own.Frequencies, err = NewFrequencies(refs); err != nil {
		t.Fatal(err)
	}
	if other.Frequencies, err = NewFrequencies(others); err != nil {
		t.Fatal(err)
	}
	alike := All(own)
	for k, want := range All(tokens(t, hyps, refs)) {
		if !slices.Equal(alike[k].PerImage, want.PerImage) {
			t.Errorf("%s with the frequencies of its own references = %v, want %v", want.Name, alike[k].PerImage, want.PerImage)
		}
	}
	got := compute(t, other, "CIDEr-D")[0].PerImage
	for i, hyp := range hyps {
		if want := naiveCiderD(hyp, refs[i], others); !near(got[i], want) {
			t.Errorf("CIDEr-D of %q by other frequencies = %v, want %v", hyp, got[i], want)
		}
	}
	one := tokens(t, hyps[:1], refs[:1])
	one.Frequencies = other.Frequencies
	if w := one.Warnings(); slices.ContainsFunc(w, func(w Warning) bool { return strings.Contains(w.Text, "one image") }) {
		t.Errorf("warnings %v about one image, whose words' frequencies are known", w)
	}
	if _, err := NewFrequencies(nil); err == nil {
		t.Error("no error for frequencies of nothing")
	}
}
