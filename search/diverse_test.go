package search

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
)

func TestDiverseByHand(t *testing.T) {
	rows := map[string]map[int]float64{ // 4 a, 5 dog, 6 cat
		"":    {4: 0.6, 5: 0.3, 6: 0.1},
		"4":   {5: 0.5, 6: 0.4, 2: 0.1},
		"5":   {6: 0.7, 2: 0.3},
		"6":   {2: 0.6, 4: 0.4},
		"4 5": {2: 0.9, 6: 0.1}, "4 6": {2: 1}, "5 6": {2: 1}, "6 4": {2: 1},
	}
	for _, test := range []struct {
		name string
		opts Options
		want [][]int
	}{
		// Step 1: a at ln .6 = -.51; dog at ln .3 = -1.20, since a is at -.51 - 1;
		// a again, at -1.51, since dog is at -1.20 - 1 and cat at ln .1 = -2.30. Step 2:
		// a dog; dog cat; then dog at ln .5 - 1 = -1.69 before cat at ln .4 - 1 = -1.92:
		// the third group says what the first says, and is left out.
		{"a penalty of 1", Options{Groups: 3, NBest: 3, Diversity: 1}, [][]int{{4, 5}, {5, 6}}}, // .27 and .21
		// The third group takes cat, at -2.30 before a at -.51 - 2. Step 2: dog; cat;
		// then the end at ln .6 before a at ln .4.
		{"a penalty of 2", Options{Groups: 3, NBest: 3, Diversity: 2}, [][]int{{4, 5}, {5, 6}, {6}}}, // ln .27/3^.7 = -.61, ln .21/3^.7 = -.72, ln .06/2^.7 = -1.73
		// The first group says a and dog, so the second begins with cat; cat a at
		// ln .04/3^.7 = -1.49 is worth more than cat at ln .06/2^.7 = -1.73.
		{"groups of two", Options{Beams: 4, Groups: 2, NBest: 2, Diversity: 9}, [][]int{{4, 5}, {6, 4}}},
		{"the best of each group first", Options{Beams: 4, Groups: 2, NBest: 1, Diversity: 9}, [][]int{{4, 5}}},
		{"hardly a penalty: all groups agree", Options{Groups: 3, NBest: 3, Diversity: 1e-9}, [][]int{{4, 5}}},
		{"half by default", Options{Groups: 2, NBest: 2}, [][]int{{4, 5}, {4, 6}}}, // step 2: cat at ln .4 = -.92, dog at ln .5 - .5 = -1.19
	} {
		t.Run(test.name, func(t *testing.T) {
			lists, err := Beam(t.Context(), &fake{score: table(rows)}, 1, &test.opts)
			if err != nil {
				t.Fatal(err)
			}
			var got [][]int
			for _, r := range lists[0] {
				got = append(got, r.Words)
			}
			if !reflect.DeepEqual(got, test.want) {
				t.Errorf("Beam(...) = %v, want %v", got, test.want)
			}
		})
	}
}

// A spoken is a hypothesis of the plain search below.
type spoken struct {
	Result
	key     []int // words, the end among them
	penalty float64
}

// slowly is a diverse beam search of one picture, as the paper has it, written for
// this test: groups one after the other, at each step all continuations of all
// hypotheses, sorted.
func slowly(f *fake, picture int, o Options) []Result {
	size := o.Beams / o.Groups
	open, done := make([][]spoken, o.Groups), make([][]spoken, o.Groups)
	for g := range open {
		open[g] = []spoken{{}}
	}
	finish := func(g int, s spoken) {
		s.Score = o.score(s.LogProb, len(s.key))
		done[g] = append(done[g], s)
		slices.SortFunc(done[g], func(a, b spoken) int { return cmp.Or(cmp.Compare(b.Score, a.Score), slices.Compare(a.key, b.key)) })
		done[g] = done[g][:min(size, len(done[g]))]
	}
	for range o.MaxWords {
		said := map[int]int{}
		for g := range open {
			var next []spoken
			for _, s := range open[g] {
				continuations := follow(f, picture, o, s, said)
				if len(continuations) == 0 {
					finish(g, s)
				}
				next = append(next, continuations...)
			}
			slices.SortFunc(next, func(a, b spoken) int {
				return cmp.Or(cmp.Compare(b.LogProb-b.penalty, a.LogProb-a.penalty), slices.Compare(a.key, b.key))
			})
			open[g] = nil
			for _, s := range next[:min(size, len(next))] {
				if s.Ended {
					finish(g, s)
				} else {
					open[g] = append(open[g], s)
				}
			}
			if len(done[g]) == size && !slices.ContainsFunc(open[g], func(s spoken) bool { return o.score(s.LogProb, o.MaxWords) >= done[g][size-1].Score }) {
				open[g] = nil
			}
			for _, s := range open[g] {
				said[s.key[len(s.key)-1]]++
			}
		}
	}
	var all []Result
	for k := range size {
		for g := range done {
			if k == 0 {
				for _, s := range open[g] {
					finish(g, s)
				}
			}
			if k < len(done[g]) && len(all) < o.NBest && !slices.ContainsFunc(all, func(r Result) bool { return slices.Equal(r.Words, done[g][k].Words) }) {
				all = append(all, done[g][k].Result)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b Result) int { return cmp.Or(cmp.Compare(b.Score, a.Score), slices.Compare(a.Words, b.Words)) })
	return all
}

// follow lists what may follow s.
func follow(f *fake, picture int, o Options, s spoken, said map[int]int) []spoken {
	var list []spoken
	for id, p := range f.score(picture, s.Words) {
		next := spoken{Result{LogProbs: append(slices.Clone(s.LogProbs), float64(p)), LogProb: s.LogProb + float64(p), Ended: id == o.End}, append(slices.Clone(s.key), id), s.penalty}
		if math.IsInf(float64(p), -1) || slices.Contains(o.Forbid, id) || repeats(next.key, o.NoRepeat) || next.Ended && len(s.key) < o.MinWords {
			continue
		}
		next.Words = next.key
		if next.Ended {
			next.Words = s.Words
		}
		next.penalty += o.Diversity * float64(said[id])
		list = append(list, next)
	}
	return list
}

func TestDiverseIsThePapers(t *testing.T) {
	dropped := 0
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 3))
		o := Options{
			Groups: 2 + rng.IntN(4), Beams: 1 + rng.IntN(12), MaxWords: 1 + rng.IntN(10), MinWords: rng.IntN(3), NoRepeat: rng.IntN(4) - 1,
			Diversity: []float64{0.1, 0.5, 2}[rng.IntN(3)], LengthPower: []float64{0.7, -1}[rng.IntN(2)],
		}
		o.NBest = 1 + rng.IntN(o.Groups+2)
		score := random(seed, 5+rng.IntN(20), seed%3 == 0)
		const n = 3
		got, err := Beam(t.Context(), &fake{score: score}, n, &o)
		if err != nil {
			t.Fatal(err)
		}
		resolved, _ := o.resolved()
		for picture := range n {
			want := slowly(&fake{score: score}, picture, resolved)
			if len(got[picture]) != len(want) {
				t.Fatalf("seed %d: %d results, want %d: %v, %v", seed, len(got[picture]), len(want), got[picture], want)
			}
			for i := range want {
				checkResult(t, fmt.Sprintf("seed %d, result %d", seed, i), got[picture][i], want[i])
			}
			checkList(t, seed, picture, got[picture], o)
			dropped += min(o.NBest, o.Groups) - len(want)
		}
	}
	if dropped <= 0 {
		t.Error("no two groups said the same")
	}
}

func TestDiverseErrors(t *testing.T) {
	for _, test := range []struct {
		opts Options
		want string
	}{
		{Options{Groups: -1}, "search: Groups is -1, below 0"},
		{Options{Groups: 2, Diversity: -0.5}, "search: Diversity is -0.5, want above 0"},
		{Options{Groups: 2, Diversity: math.NaN()}, "search: Diversity is NaN, want above 0"},
	} {
		if _, err := Beam(t.Context(), nil, 1, &test.opts); err == nil || err.Error() != test.want {
			t.Errorf("error %v, want %s", err, test.want)
		}
	}
}
