package search

import (
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
)

// words 4 to 6 after the start and after each other, with a chance of 0.1 for the
// end (2).
var sampled = answers{{0, 0, .1, 0, .6, .2, .1}}

func TestSample(t *testing.T) {
	const n = 4000
	for name, test := range map[string]struct {
		s    Sampling
		want map[int]float64 // chances of the first word
	}{
		"all":         {Sampling{}, map[int]float64{2: .1, 4: .6, 5: .2, 6: .1}},
		"nucleus":     {Sampling{TopP: .7}, map[int]float64{4: .75, 5: .25}},
		"one word":    {Sampling{TopP: .6}, map[int]float64{4: 1}},
		"cold":        {Sampling{Temperature: .5}, map[int]float64{2: .01 / .42, 4: .36 / .42, 5: .04 / .42, 6: .01 / .42}},
		"nearly zero": {Sampling{Temperature: .001}, map[int]float64{4: 1}},
	} {
		test.s.Seeds = []uint64{7}
		lists, err := Sample(t.Context(), sampled, 1, &Options{NBest: n, MaxWords: 3, NoRepeat: -1}, test.s)
		if err != nil {
			t.Fatal(err)
		}
		counts := map[int]float64{}
		for _, r := range lists[0] {
			first := 2
			if len(r.Words) > 0 {
				first = r.Words[0]
			}
			counts[first] += 1. / n
			if want := math.Log(map[int]float64{2: .1, 4: .6, 5: .2, 6: .1}[first]); math.Abs(r.LogProbs[0]-want) > 1e-6 {
				t.Errorf("%s: log-probability %v of word %d, want %v", name, r.LogProbs[0], first, want)
			}
			if sum := 0.; true {
				for _, p := range r.LogProbs {
					sum += p
				}
				if math.Abs(sum-r.LogProb) > 1e-9 || r.Ended != (len(r.LogProbs) > len(r.Words)) {
					t.Errorf("%s: %+v", name, r)
				}
			}
		}
		for w := range 7 {
			if math.Abs(counts[w]-test.want[w]) > 4*math.Sqrt(.25/n) {
				t.Errorf("%s: word %d came with a share of %.3f, want %.3f", name, w, counts[w], test.want[w])
			}
		}
	}
}

// TestSampleBatch holds that a picture's samples depend on its seed alone.
func TestSampleBatch(t *testing.T) {
	draw := func(seeds ...uint64) [][]Result {
		lists, err := Sample(t.Context(), sampled, len(seeds), &Options{NBest: 3, MaxWords: 9}, Sampling{Seeds: seeds})
		if err != nil {
			t.Fatal(err)
		}
		return lists
	}
	all := draw(1, 2, 3, 2)
	if alone := draw(2)[0]; !reflect.DeepEqual(alone, all[1]) || !reflect.DeepEqual(alone, all[3]) {
		t.Errorf("%v in a batch, %v alone", all[1], alone)
	}
	if reflect.DeepEqual(all[0], all[1]) || reflect.DeepEqual(all[0][0].Words, all[0][1].Words) && reflect.DeepEqual(all[0][1].Words, all[0][2].Words) {
		t.Errorf("all the same: %v", all)
	}
	for _, list := range all { // no word twice running
		for _, r := range list {
			for i := 1; i < len(r.Words); i++ {
				if r.Words[i] == r.Words[i-1] {
					t.Errorf("%v", r.Words)
				}
			}
		}
	}
}

func TestSampleRefuses(t *testing.T) {
	for want, s := range map[string]Sampling{
		"0 seeds for 1 pictures": {},
		"Temperature is -1":      {Seeds: []uint64{1}, Temperature: -1},
		"Temperature is NaN":     {Seeds: []uint64{1}, Temperature: math.NaN()},
		"TopP is 2":              {Seeds: []uint64{1}, TopP: 2},
	} {
		if _, err := Sample(t.Context(), sampled, 1, nil, s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %s", err, want)
		}
	}
	broken := answers{{0, 0, math.NaN(), 1}}
	if _, err := Sample(t.Context(), broken, 1, nil, Sampling{Seeds: []uint64{1}}); err == nil || !strings.Contains(fmt.Sprint(err), "picture 0") {
		t.Errorf("error %v", err)
	}
	silent := answers{{0, 0, 0, 0}} // no word may follow: an empty sentence
	lists, err := Sample(t.Context(), silent, 1, nil, Sampling{Seeds: []uint64{1}})
	if err != nil || len(lists[0]) != 1 || len(lists[0][0].Words) != 0 {
		t.Errorf("%v, %v", lists, err)
	}
}
