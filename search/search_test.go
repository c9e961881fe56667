package search

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// every lists all sentences that a search may return, best first.
func every(f *fake, picture int, o Options) []Result {
	var all []Result
	var extend func(words []int, logProbs []float64)
	add := func(words []int, logProbs []float64, ended bool) {
		r := Result{Words: slices.Clone(words), LogProbs: slices.Clone(logProbs), Ended: ended}
		for _, p := range logProbs {
			r.LogProb += p
		}
		r.Score = r.LogProb
		if len(logProbs) > 0 {
			r.Score /= math.Pow(float64(len(logProbs)), o.LengthPower)
		}
		all = append(all, r)
	}
	extend = func(words []int, logProbs []float64) {
		if len(words) == o.MaxWords {
			add(words, logProbs, false)
			return
		}
		dead := true
		for id, p := range f.score(picture, words) {
			next := append(slices.Clone(words), id)
			if math.IsInf(float64(p), -1) || slices.Contains(o.Forbid, id) || repeats(next, o.NoRepeat) {
				continue
			}
			dead = false
			probs := append(slices.Clone(logProbs), float64(p))
			if id == o.End {
				add(words, probs, true)
			} else {
				extend(next, probs)
			}
		}
		if dead {
			add(words, logProbs, false)
		}
	}
	extend(nil, nil)
	key := func(r Result) []int {
		if r.Ended {
			return append(slices.Clone(r.Words), o.End)
		}
		return r.Words
	}
	slices.SortFunc(all, func(a, b Result) int {
		if c := cmp.Compare(b.Score, a.Score); c != 0 {
			return c
		}
		return slices.Compare(key(a), key(b))
	})
	return all
}

// repeats says that the last word of a sentence is forbidden by NoRepeat n.
func repeats(words []int, n int) bool {
	last := len(words) - 1
	if n >= 0 && last > 0 && words[last] == words[last-1] {
		return true
	}
	for i := 0; n > 0 && i+n < len(words); i++ {
		if slices.Equal(words[i:i+n], words[len(words)-n:]) {
			return true
		}
	}
	return false
}

func TestBeamIsExactWhenWide(t *testing.T) {
	for seed := range uint64(60) {
		o := Options{
			Beams: 4000, MaxWords: 1 + int(seed%5), LengthPower: []float64{0.7, 1, -1}[seed%3], NBest: 1 + int(seed%7),
			Forbid: []int{0, 1, 3}, NoRepeat: int(seed%4) - 1, Start: 1, End: 2,
		}
		f := &fake{score: random(seed, 8, seed%2 == 0)}
		got, err := Beam(t.Context(), plain{f}, 2, &o)
		if err != nil {
			t.Fatal(err)
		}
		if o.LengthPower < 0 {
			o.LengthPower = 0
		}
		for picture := range 2 {
			want := every(f, picture, o)
			want = want[:min(len(want), o.NBest)]
			if len(got[picture]) != len(want) {
				t.Fatalf("seed %d: %d results, want %d", seed, len(got[picture]), len(want))
			}
			for i := range want {
				checkResult(t, fmt.Sprintf("seed %d, result %d", seed, i), got[picture][i], want[i])
			}
		}
	}
}

func checkResult(t *testing.T, name string, got, want Result) {
	t.Helper()
	if !slices.Equal(got.Words, want.Words) || got.Ended != want.Ended || !slices.Equal(got.LogProbs, want.LogProbs) ||
		math.Abs(got.LogProb-want.LogProb) > 1e-9 || math.Abs(got.Score-want.Score) > 1e-9 {
		t.Fatalf("%s: got %+v, want %+v", name, got, want)
	}
}

// naive is a greedy search of one picture, written for this test.
func naive(f *fake, picture int, o Options) Result {
	var r Result
	for len(r.Words) < o.MaxWords && !r.Ended {
		best := -1
		row := f.score(picture, r.Words)
		for id, p := range row {
			next := append(slices.Clone(r.Words), id)
			if math.IsInf(float64(p), -1) || slices.Contains(o.Forbid, id) || repeats(next, o.NoRepeat) {
				continue
			}
			if best < 0 || p > row[best] {
				best = id
			}
		}
		if best < 0 {
			break
		}
		r.LogProbs = append(r.LogProbs, float64(row[best]))
		r.LogProb += float64(row[best])
		r.Ended = best == o.End
		if !r.Ended {
			r.Words = append(r.Words, best)
		}
	}
	if n := len(r.LogProbs); n > 0 {
		r.Score = r.LogProb / math.Pow(float64(n), o.LengthPower)
	}
	return r
}

func TestGreedyIsNaiveGreedy(t *testing.T) {
	for seed := range uint64(200) {
		o := Options{MaxWords: 1 + int(seed%12), LengthPower: 0.7, NoRepeat: int(seed%5) - 1, Forbid: []int{0, 1, 3}, Start: 1, End: 2}
		f := &fake{score: random(seed, 6+int(seed%9), seed%2 == 0)}
		got, err := Greedy(t.Context(), f, 3, &o)
		if err != nil {
			t.Fatal(err)
		}
		o.Beams = 1
		beam, err := Beam(t.Context(), &fake{score: f.score}, 3, &o)
		if err != nil {
			t.Fatal(err)
		}
		for picture := range 3 {
			checkResult(t, fmt.Sprintf("seed %d", seed), got[picture], naive(f, picture, o))
			if !reflect.DeepEqual(beam[picture], got[picture:picture+1]) {
				t.Fatalf("seed %d: Beam with one beam = %+v, want Greedy's %+v", seed, beam[picture], got[picture])
			}
		}
	}
}

func TestBeamOnRandomModels(t *testing.T) {
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 1))
		o := Options{Beams: 1 + rng.IntN(6), MaxWords: 1 + rng.IntN(15), NBest: 1 + rng.IntN(3), NoRepeat: rng.IntN(4) - 1}
		o.Beams = max(o.Beams, o.NBest)
		score := random(seed, 5+rng.IntN(40), seed%3 == 0)
		const n = 5
		together, err := Beam(t.Context(), &fake{score: score}, n, &o)
		if err != nil {
			t.Fatal(err)
		}
		for picture := range n {
			alone, err := Beam(t.Context(), &fake{score: func(_ int, words []int) []float32 { return score(picture, words) }}, 1, &o)
			if err != nil {
				t.Fatal(err)
			}
			for i, r := range together[picture] {
				checkResult(t, fmt.Sprintf("seed %d, picture %d, alone", seed, picture), alone[0][i], r)
			}
			checkList(t, seed, picture, together[picture], o)
		}
	}
}

func checkList(t *testing.T, seed uint64, picture int, list []Result, o Options) {
	t.Helper()
	if len(list) == 0 || len(list) > o.NBest {
		t.Fatalf("seed %d: %d results, want 1 to %d", seed, len(list), o.NBest)
	}
	for i, r := range list {
		sum := 0.0
		for _, p := range r.LogProbs {
			sum += p
		}
		if math.Abs(sum-r.LogProb) > 1e-12 {
			t.Errorf("seed %d: log-probabilities sum to %v, want %v", seed, sum, r.LogProb)
		}
		if i > 0 && (list[i-1].Score < r.Score || slices.Equal(list[i-1].Words, r.Words)) {
			t.Errorf("seed %d: results %d and %d: %+v", seed, i-1, i, list[i-1:i+1])
		}
		if len(r.Attention) != len(r.Words) {
			t.Errorf("seed %d: attention of %d words, want %d", seed, len(r.Attention), len(r.Words))
		}
		for w, row := range r.Attention {
			if want := []float32{float32(picture), float32(w)}; !slices.Equal(row, want) {
				t.Errorf("seed %d: attention of word %d is %v, want %v", seed, w, row, want)
			}
		}
	}
}

// TestStopLosesNothing compares with a search that never leaves early, which
// NBest above the number of sentences makes of it.
func TestStopLosesNothing(t *testing.T) {
	saved := 0
	for seed := range uint64(200) {
		o := Options{Beams: 4, MaxWords: 12, LengthPower: []float64{0.7, 1, -1}[seed%3], NBest: 1 + int(seed%4)}
		score := random(seed, 12, seed%2 == 0)
		early := &fake{score: score}
		got, err := Beam(t.Context(), early, 1, &o)
		if err != nil {
			t.Fatal(err)
		}
		resolved, _ := o.resolved()
		p := picture{opts: &resolved, open: []*hypothesis{{}}}
		resolved.NBest = 1 << 30 // never given up
		all := newScratch(1, &resolved)
		all.bans = newBans(&resolved, 12)
		full := &fake{score: score}
		c := &caller{model: full, opts: &resolved}
		for range o.MaxWords {
			var words, parents []int
			for _, h := range p.open {
				words, parents = append(words, h.word), append(parents, h.row)
				h.row = len(words) - 1
			}
			if len(words) == 0 {
				break
			}
			rows, _, err := c.next(t.Context(), words, parents)
			if err != nil {
				t.Fatal(err)
			}
			if err := p.advance(rows, nil, all); err != nil {
				t.Fatal(err)
			}
		}
		p.close()
		want := p.results()
		for i, r := range got[0] {
			checkResult(t, fmt.Sprintf("seed %d, result %d", seed, i), r, want[i])
		}
		if len(got[0]) != min(o.NBest, len(want)) {
			t.Errorf("seed %d: %d results, want %d", seed, len(got[0]), min(o.NBest, len(want)))
		}
		saved += full.asked - early.asked
	}
	if saved == 0 {
		t.Error("no hypothesis was given up")
	}
}

// table scores by words so far, as "4 5"; words that are not listed have
// probability 0. Ids: 2 end, 4 a, 5 dog, 6 cat.
func table(rows map[string]map[int]float64) func(int, []int) []float32 {
	return func(_ int, words []int) []float32 {
		row := slices.Repeat([]float32{float32(math.Inf(-1))}, 7)
		for id, p := range rows[strings.Trim(fmt.Sprint(words), "[]")] {
			row[id] = float32(math.Log(p))
		}
		return row
	}
}

func TestBeamByHand(t *testing.T) {
	garden := map[string]map[int]float64{ // the likeliest first word leads astray
		"":    {4: 0.6, 5: 0.4},
		"4":   {5: 0.5, 6: 0.5},
		"5":   {6: 1},
		"4 5": {2: 1}, "4 6": {2: 1}, "5 6": {2: 1},
	}
	short := map[string]map[int]float64{ // an early end, and a long sentence that is worth more per word
		"":          {4: 1},
		"4":         {2: 0.5, 5: 0.5},
		"4 5":       {6: 1},
		"4 5 6":     {4: 1},
		"4 5 6 4":   {5: 1},
		"4 5 6 4 5": {2: 0.9},
	}
	tests := []struct {
		name  string
		rows  map[string]map[int]float64
		opts  Options
		want  [][]int
		ended bool
	}{
		{"one beam is led astray, the lower id of two equal words", garden, Options{Beams: 1}, [][]int{{4, 5}}, true},
		{"two beams are not", garden, Options{Beams: 2}, [][]int{{5, 6}}, true}, // .4 against .3
		{"two best, ties by words", garden, Options{Beams: 3, NBest: 3}, [][]int{{5, 6}, {4, 5}, {4, 6}}, true},
		{"beams rise to NBest", garden, Options{Beams: 1, NBest: 3}, [][]int{{5, 6}, {4, 5}, {4, 6}}, true},
		{"cut at MaxWords", garden, Options{Beams: 2, MaxWords: 1}, [][]int{{4}}, false},
		{"length makes up for a sum", short, Options{Beams: 2}, [][]int{{4, 5, 6, 4, 5}}, true}, // ln .45/6^.7 = -.228 against ln .5/2^.7 = -.427
		{"sum alone", short, Options{Beams: 2, LengthPower: -1}, [][]int{{4}}, true},
		{"no words twice", short, Options{Beams: 2, NoRepeat: 1, NBest: 2}, [][]int{{4, 5, 6}, {4}}, false}, // a dead end counts as it is: ln .5/3^.7
		{"forbidden word", garden, Options{Forbid: []int{4}}, [][]int{{5, 6}}, true},
		{"nothing may follow", garden, Options{Forbid: []int{4, 5}}, [][]int{{}}, false},
		{"no word twice running", map[string]map[int]float64{"": {4: 1}, "4": {4: 0.9, 5: 0.1}, "4 5": {2: 1}}, Options{Beams: 1}, [][]int{{4, 5}}, true},
		{"words may repeat", map[string]map[int]float64{"": {4: 1}, "4": {4: 0.9, 2: 0.1}, "4 4": {2: 1}}, Options{Beams: 1, NoRepeat: -1}, [][]int{{4, 4}}, true},
		{"pad, start and unknown never", map[string]map[int]float64{"": {0: 0.3, 1: 0.3, 3: 0.3, 4: 0.1}, "4": {2: 1}}, Options{}, [][]int{{4}}, true},
		{"unknown unless forbidden", map[string]map[int]float64{"": {3: 0.9, 4: 0.1}, "3": {2: 1}}, Options{Forbid: []int{}}, [][]int{{3}}, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			list, err := Beam(t.Context(), &fake{score: table(test.rows)}, 1, &test.opts)
			if err != nil {
				t.Fatal(err)
			}
			var got [][]int
			for _, r := range list[0] {
				got = append(got, r.Words)
			}
			if !reflect.DeepEqual(got, test.want) || list[0][0].Ended != test.ended {
				t.Errorf("Beam(...) = %v, ended %t, want %v, %t", got, list[0][0].Ended, test.want, test.ended)
			}
		})
	}
}

func TestFinishedPicturesLeaveTheBatch(t *testing.T) {
	score := func(picture int, words []int) []float32 {
		row := slices.Repeat([]float32{-9}, 6)
		row[4+len(words)%2] = -0.01
		if len(words) > picture { // picture i has i+1 words
			row[2] = 0
		}
		return row
	}
	f := &fake{score: score}
	if _, err := Greedy(t.Context(), f, 3, nil); err != nil {
		t.Fatal(err)
	}
	if f.calls != 4 || f.asked != 2+3+4 {
		t.Errorf("%d calls with %d prefixes, want 4 with 9", f.calls, f.asked)
	}
}

func TestNoPicture(t *testing.T) {
	got, err := Beam(t.Context(), nil, 0, nil)
	if err != nil || len(got) != 0 {
		t.Errorf("Beam of no picture = %v, %v, want none", got, err)
	}
}

// next is a Model that answers with a function.
type next func(ctx context.Context, words, parents []int) ([][]float32, error)

func (f next) Next(ctx context.Context, words, parents []int) ([][]float32, error) {
	return f(ctx, words, parents)
}

func TestErrors(t *testing.T) {
	broken := errors.New("broken")
	second := func(bad []float32) next { // a good first step, then bad
		calls := 0
		return func(ctx context.Context, words, parents []int) ([][]float32, error) {
			calls++
			if calls == 1 {
				return [][]float32{{-9, -9, -9, -9, -1}}, nil
			}
			return slices.Repeat([][]float32{bad}, len(words)), nil
		}
	}
	nan := float32(math.NaN())
	tests := []struct {
		name  string
		model Model
		opts  *Options
		want  string
	}{
		{"NaN", second([]float32{-1, -1, nan, -1, -1}), nil, "search: step 2: picture 0: log-probability of word 2 is NaN"},
		{"NaN of a forbidden word", second([]float32{nan, -1, -1, -1, -1}), nil, "search: step 2: picture 0: log-probability of word 0 is NaN"},
		{"above 0", second([]float32{-1, -1, 3, -1, -1}), nil, "search: step 2: picture 0: log-probability of word 2 is 3"},
		{"short row", second([]float32{-1, -1, -1, -1}), nil, "search: step 2: row 0 has 4 words, want 5"},
		{"model's own", next(func(context.Context, []int, []int) ([][]float32, error) { return nil, broken }), nil, "search: step 1: broken"},
		{"no rows", next(func(context.Context, []int, []int) ([][]float32, error) { return nil, nil }), nil, "search: step 1: 0 rows for 1 prefixes"},
		{"no end", second(nil), &Options{End: 5}, "search: step 1: 5 words in a row, and the end token is 5"},
		{"beams", nil, &Options{Beams: -1}, "search: Beams is -1, below 0"},
		{"power", nil, &Options{LengthPower: math.NaN()}, "search: LengthPower is NaN"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := Beam(t.Context(), test.model, 1, test.opts)
			if err == nil || err.Error() != test.want {
				t.Errorf("error %q, want %q", err, test.want)
			}
		})
	}
	_, err := Beam(t.Context(), tests[4].model, 1, nil)
	if !errors.Is(err, broken) {
		t.Errorf("%v does not wrap the model's error", err)
	}
}

func TestCancel(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	f := &fake{score: func(_ int, words []int) []float32 {
		if len(words) == 2 {
			cancel()
		}
		return random(1, 9, false)(0, words)
	}}
	if got, err := Beam(ctx, f, 2, nil); err != context.Canceled || got != nil {
		t.Errorf("Beam = %v, %v, want nothing and %v", got, err, context.Canceled)
	}
}

func BenchmarkBeam(b *testing.B) {
	row := random(1, 8000, false)(0, nil)
	rows := make([][]float32, 32*3)
	for i := range rows {
		rows[i] = row
	}
	m := next(func(_ context.Context, words, _ []int) ([][]float32, error) { return rows[:len(words)], nil })
	for b.Loop() {
		if _, err := Beam(b.Context(), m, 32, nil); err != nil {
			b.Fatal(err)
		}
	}
}

func Example() {
	words := []string{4: "a", 5: "dog"}
	m := next(func(_ context.Context, last, _ []int) ([][]float32, error) {
		follow := map[int]int{1: 4, 4: 5, 5: 2} // start a dog end
		rows := make([][]float32, len(last))
		for i, w := range last {
			rows[i] = []float32{-5, -5, -5, -5, -5, -5}
			rows[i][follow[w]] = -0.1
		}
		return rows, nil
	})
	lists, err := Beam(context.Background(), m, 1, &Options{Beams: 5})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, id := range lists[0][0].Words {
		fmt.Print(words[id], " ")
	}
	fmt.Printf("%.2f\n", lists[0][0].LogProb)
	// Output: a dog -0.30
}

// A model that would rather say nothing says MinWords words first.
func TestMinWords(t *testing.T) {
	for _, want := range []int{0, 1, 3} {
		m := eager{}
		got, err := Beam(t.Context(), m, 1, &Options{MinWords: want, MaxWords: 5, Beams: 3})
		if err != nil {
			t.Fatal(err)
		}
		if r := got[0][0]; len(r.Words) != want || !r.Ended {
			t.Errorf("MinWords %d gave %v", want, r.Words)
		}
	}
}

// eager wants to end at once, always; then words 4 and 5 are alike.
type eager struct{}

func (eager) Next(_ context.Context, words, _ []int) ([][]float32, error) {
	rows := make([][]float32, len(words))
	for i := range rows {
		rows[i] = []float32{-9, -9, -0.01, -9, -6, -6}
	}
	return rows, nil
}
