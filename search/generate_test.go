package search

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
)

// A toy gives the scores that testdata/generate.py gives.
type toy struct {
	width    int
	pictures []int // what pictures 0 to n-1 are
	prefixes []prefix
	logits   [][]float32
	began    bool
	asked    int
}

func (m *toy) Next(ctx context.Context, words, parents []int) ([][]float32, error) {
	next := make([]prefix, len(words))
	rows := make([][]float32, len(words))
	m.logits = make([][]float32, len(words))
	for i, parent := range parents {
		old := prefix{picture: parent}
		if m.began {
			old = m.prefixes[parent]
		} else if m.pictures != nil {
			old.picture = m.pictures[parent]
		}
		next[i] = prefix{old.picture, append(slices.Clone(old.words), words[i])}
		m.logits[i] = toyLogits(next[i], m.width)
		rows[i] = logSoftmax(m.logits[i])
	}
	m.prefixes, m.began = next, true
	m.asked += len(words)
	return rows, nil
}

func (m *toy) Logits() [][]float32 { return m.logits }

func toyLogits(p prefix, width int) []float32 {
	h := uint32(p.picture+1) * 40503
	for _, id := range p.words {
		h = (h ^ uint32(id+1)) * 2654435761
		h ^= h >> 15
	}
	row := make([]float32, width)
	for w := range row {
		x := h + uint32(w+1)*2246822519
		x = (x ^ x>>13) * 3266489917
		row[w] = (float32(x>>16) - 32768) / 8192
	}
	return row
}

func logSoftmax(logits []float32) []float32 {
	sum := 0.0
	for _, v := range logits {
		sum += math.Exp(float64(v))
	}
	row := make([]float32, len(logits))
	for i, v := range logits {
		row[i] = float32(float64(v) - math.Log(sum))
	}
	return row
}

// A golden is a line of testdata/generate.json.
type golden struct {
	Setting  json.RawMessage
	Pictures [][]struct {
		IDs   []int
		Score *float64
	}
}

// toyRules are the rules of a setting, and the toy's vocabulary.
func toyRules(t *testing.T, setting []byte) (Rules, int) {
	t.Helper()
	s := struct {
		Vocab               int      `json:"vocab"`
		Prompt              []int    `json:"prompt"`
		Beams               int      `json:"num_beams"`
		NBest               int      `json:"num_return_sequences"`
		LengthPenalty       *float64 `json:"length_penalty"`
		Early               any      `json:"early_stopping"`
		MaxLength           int      `json:"max_length"`
		MaxNewTokens        int      `json:"max_new_tokens"`
		MinLength           int      `json:"min_length"`
		MinNewTokens        int      `json:"min_new_tokens"`
		RepetitionPenalty   float64  `json:"repetition_penalty"`
		NoRepeat            int      `json:"no_repeat_ngram_size"`
		BadWords            [][]int  `json:"bad_words_ids"`
		SuppressTokens      []int    `json:"suppress_tokens"`
		BeginSuppressTokens []int    `json:"begin_suppress_tokens"`
		ForcedBegin         any      `json:"forced_bos_token_id"`
		ForcedEnd           any      `json:"forced_eos_token_id"`
		End                 any      `json:"eos_token_id"`
	}{Vocab: 12, Prompt: []int{1}, End: 2.0}
	d := json.NewDecoder(strings.NewReader(string(setting)))
	d.DisallowUnknownFields()
	if err := d.Decode(&s); err != nil {
		t.Fatal(err)
	}
	r := Rules{
		Prompt: s.Prompt, End: ids(s.End), Beams: s.Beams, NBest: s.NBest, LengthPenalty: 1, MaxLength: s.MaxLength,
		MaxNewTokens: s.MaxNewTokens, MinLength: s.MinLength, MinNewTokens: s.MinNewTokens, RepetitionPenalty: s.RepetitionPenalty,
		NoRepeat: s.NoRepeat, BadWords: s.BadWords, SuppressTokens: s.SuppressTokens, BeginSuppressTokens: s.BeginSuppressTokens,
		ForcedBegin: ids(s.ForcedBegin), ForcedEnd: ids(s.ForcedEnd),
	}
	if s.LengthPenalty != nil {
		r.LengthPenalty = *s.LengthPenalty
	}
	if s.Early != nil {
		r.EarlyStopping = fmt.Sprint(s.Early)
	}
	if r.NBest == 0 {
		r.NBest = r.Beams
	}
	return r, s.Vocab
}

// ids are those of a JSON number or list.
func ids(v any) (list []int) {
	switch v := v.(type) {
	case float64:
		return []int{int(v)}
	case []any:
		for _, x := range v {
			list = append(list, int(x.(float64)))
		}
	}
	return list
}

// Goldens: testdata/generate.json, made by transformers with testdata/generate.py.
func TestGenerateAsTransformers(t *testing.T) {
	data, err := os.ReadFile("testdata/generate.json")
	if err != nil {
		t.Fatal(err)
	}
	var goldens []golden
	if err := json.Unmarshal(data, &goldens); err != nil {
		t.Fatal(err)
	}
	if len(goldens) < 140 {
		t.Errorf("%d goldens", len(goldens))
	}
	for _, g := range goldens {
		rules, width := toyRules(t, g.Setting)
		together, err := Generate(t.Context(), &toy{width: width}, len(g.Pictures), &rules)
		if err != nil {
			t.Errorf("%s: %v", g.Setting, err)
			continue
		}
		for i, want := range g.Pictures {
			alone, err := Generate(t.Context(), &toy{width: width, pictures: []int{i}}, 1, &rules)
			if err != nil {
				t.Fatal(err)
			}
			for what, got := range map[string][]Result{"together": together[i], "alone": alone[0]} {
				if len(got) != len(want) {
					t.Errorf("%s: picture %d %s: %d results, want %d", g.Setting, i, what, len(got), len(want))
					continue
				}
				for k, r := range got {
					if ids := rules.IDs(r)[len(rules.Prompt):]; !slices.Equal(ids, want[k].IDs) {
						t.Errorf("%s: picture %d %s: result %d is %v, want %v", g.Setting, i, what, k, ids, want[k].IDs)
					} else if s := want[k].Score; s != nil && math.Abs(*s-r.Score) > 1e-5*max(1, math.Abs(*s)) {
						t.Errorf("%s: picture %d %s: result %d scores %v, want %v", g.Setting, i, what, k, r.Score, *s)
					}
				}
			}
		}
	}
}

func TestGenerateErrors(t *testing.T) {
	start := []int{1}
	for _, c := range []struct {
		name  string
		rules *Rules
		want  string
	}{
		{"nothing", nil, "a prompt without a start token"},
		{"no room", &Rules{Prompt: []int{1, 2, 3}, MaxLength: 3}, "a prompt of 3 ids and a MaxLength of 3 leave no room for words"},
		{"negative length", &Rules{Prompt: start, MaxNewTokens: -1}, "MaxNewTokens is -1, below 0"},
		{"negative id", &Rules{Prompt: []int{-1}}, "Prompt has the id -1"},
		{"negative bad word", &Rules{Prompt: start, BadWords: [][]int{{2, -3}}}, "BadWords has the id -3"},
		{"too many results", &Rules{Prompt: start, Beams: 2, NBest: 3}, "NBest is 3, want 1 to the 2 of Beams"},
		{"results of greedy", &Rules{Prompt: start, NBest: 3}, "NBest is 3, want 1 to the 1 of Beams"},
		{"beams below 0", &Rules{Prompt: start, Beams: -1}, "Beams is -1, want 1 to 4096"},
		{"many beams", &Rules{Prompt: start, Beams: 1 << 30}, "Beams is 1073741824, want 1 to 4096"},
		{"stopping", &Rules{Prompt: start, EarlyStopping: "maybe"}, `EarlyStopping is "maybe", want "false", "true" or "never"`},
		{"penalty below 0", &Rules{Prompt: start, RepetitionPenalty: -1}, "RepetitionPenalty is -1, want above 0 to 1e6"},
		{"penalty", &Rules{Prompt: start, RepetitionPenalty: math.NaN()}, "RepetitionPenalty is NaN, want above 0 to 1e6"},
		{"power", &Rules{Prompt: start, LengthPenalty: math.NaN()}, "LengthPenalty is NaN, too much for 21 words"},
		{"low power", &Rules{Prompt: start, LengthPenalty: math.Inf(-1)}, "LengthPenalty is -Inf, too much for 21 words"},
		{"two beginnings", &Rules{Prompt: start, ForcedBegin: []int{2, 3}}, "2 ids in ForcedBegin, want one at most"},
		{"prompt beyond the words", &Rules{Prompt: []int{1, 12}}, "step 1: 12 words in a row, and id 12 is in the rules"},
		{"end beyond the words", &Rules{Prompt: start, End: []int{2, 99}}, "step 1: 12 words in a row, and id 99 is in the rules"},
		{"bad word beyond the words", &Rules{Prompt: start, BadWords: [][]int{{12, 1}}}, "step 1: 12 words in a row, and id 12 is in the rules"},
		{"all end", &Rules{Prompt: start, End: []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}}, "step 1: 12 words in a row, 12 of which end a sentence"},
	} {
		_, err := Generate(t.Context(), &toy{width: 12}, 2, c.rules)
		if want := "search: " + c.want; err == nil || err.Error() != want {
			t.Errorf("%s: error %v, want %s", c.name, err, want)
		}
	}
	if _, err := Generate(t.Context(), &toy{width: 12}, -1, &Rules{Prompt: start}); err == nil {
		t.Error("-1 pictures: no error")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Generate(ctx, &toy{width: 12}, 1, &Rules{Prompt: start}); err != context.Canceled {
		t.Errorf("cancelled: error %v", err)
	}
	if got, err := Generate(t.Context(), &toy{width: 12}, 0, &Rules{Prompt: start}); err != nil || len(got) != 0 {
		t.Errorf("no pictures: %v, %v", got, err)
	}
}

// Rows that are wrong, or say that nothing can follow.
func TestGenerateOddRows(t *testing.T) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	for _, c := range []struct {
		name string
		row  []float32
		want string // the error, or ids and score of the results
	}{
		{"not a number", []float32{-1, nan, -1, -1}, "step 1: picture 0: log-probability of word 1 is NaN"},
		{"not a number, early", []float32{nan, -1, -1, -1}, "step 1: picture 0: log-probability of word 0 is NaN"},
		{"above 0", []float32{-1, -1, 0.5, -1}, "step 1: picture 0: log-probability of word 2 is 0.5"},
		{"infinite", []float32{-1, -1, -1, inf}, "step 1: picture 0: log-probability of word 3 is +Inf"},
		{"nothing follows", []float32{-inf, -inf, -inf, -inf}, "[1] -1e+09"},
		{"only the end", []float32{-inf, -inf, -1, -inf}, "[1 2] -1"},
		{"a word and the end", []float32{-2, -inf, -1, -inf}, "[1 2] -1 [1 0 2] -1.5"},
	} {
		for _, beams := range []int{1, 2} {
			f := &fake{score: func(int, []int) []float32 { return c.row }}
			rules := &Rules{Prompt: []int{1}, End: []int{2}, Beams: beams, NBest: beams, LengthPenalty: 1, MaxLength: 4}
			results, err := Generate(t.Context(), f, 1, rules)
			if beams == 1 { // it need only not fail
				if bad := strings.HasPrefix(c.want, "step"); bad != (err != nil) {
					t.Errorf("%s, greedy: error %v", c.name, err)
				}
				continue
			}
			got := ""
			if err != nil {
				got = strings.TrimPrefix(err.Error(), "search: ")
			} else {
				for _, r := range results[0] {
					got += fmt.Sprint(" ", rules.IDs(r), " ", r.Score)
				}
			}
			if strings.TrimSpace(got) != c.want {
				t.Errorf("%s: got %q, want %q", c.name, got, c.want)
			}
		}
	}
}

func TestGenerateNeedsLogits(t *testing.T) {
	f := &fake{score: random(1, 9, false)}
	_, err := Generate(t.Context(), f, 1, &Rules{Prompt: []int{1}, RepetitionPenalty: 2})
	if want := "search: step 1: RepetitionPenalty without beams needs logits, which the model does not give"; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

// A prompt costs one prefix a picture, and copies of it are not asked about.
func TestGenerateAsksOnce(t *testing.T) {
	m := &toy{width: 12}
	if _, err := Generate(t.Context(), m, 3, &Rules{Prompt: []int{1, 3, 4}, Beams: 4, MaxNewTokens: 1}); err != nil {
		t.Fatal(err)
	}
	if m.asked != 9 {
		t.Errorf("%d prefixes asked about, want 9", m.asked)
	}
}

func TestGenerateAttention(t *testing.T) {
	f := &fake{score: func(picture int, words []int) []float32 { return []float32{-3, -3, -5, -0.5, -2} }}
	results, err := Generate(t.Context(), f, 2, &Rules{Prompt: []int{1, 4}, End: []int{2}, Beams: 2, MaxLength: 5})
	if err != nil {
		t.Fatal(err)
	}
	r := results[1][0]
	if got, want := fmt.Sprint(r.Words, r.LogProbs, r.LogProb, r.Ended, r.Attention), "[3 3 3] [-0.5 -0.5 -0.5] -1.5 false [[1 1] [1 2] [1 3]]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// Whatever the rules are, there is an error or results that keep to them, and a
// batch gives what its pictures give alone.
func FuzzGenerate(f *testing.F) {
	f.Add(uint64(1), byte(1), byte(12), byte(9), byte(0), byte(0), 1.0, 1.0, false)
	f.Add(uint64(2), byte(3), byte(5), byte(9), byte(2), byte(4), 0.5, 1.3, true)
	f.Add(uint64(3), byte(6), byte(3), byte(7), byte(1), byte(9), -1.0, 0.7, true)
	f.Add(uint64(4), byte(2), byte(2), byte(30), byte(3), byte(3), 2.0, 2.0, true)
	f.Fuzz(func(t *testing.T, seed uint64, beams, width, length, noRepeat, least byte, power, penalty float64, coarse bool) {
		early := []string{"false", "true", "never"}
		r := &Rules{
			Prompt: []int{1, 0}[:1+seed%2], End: []int{1, 0}[:seed%3%2+seed%2], Beams: int(beams) % 9, MaxLength: int(length) % 40,
			EarlyStopping: early[seed%3], LengthPenalty: power, RepetitionPenalty: penalty, NoRepeat: int(noRepeat) % 5, MinLength: int(least) % 20,
		}
		r.NBest = r.Beams
		if seed%5 == 0 {
			r.ForcedBegin, r.ForcedEnd, r.SuppressTokens = []int{1}, []int{0}, []int{2, 3}
		}
		score := random(seed, int(width)%50, coarse)
		both, err := Generate(t.Context(), &fake{score: score}, 2, r)
		second, err2 := Generate(t.Context(), &fake{score: func(_ int, words []int) []float32 { return score(1, words) }}, 1, r)
		if (err == nil) != (err2 == nil) {
			t.Fatalf("%+v: errors %v and %v", r, err, err2)
		}
		if err != nil {
			return
		}
		if got, want := fmt.Sprint(both[1]), fmt.Sprint(second[0]); strings.ReplaceAll(got, "[1 ", "[0 ") != strings.ReplaceAll(want, "[1 ", "[0 ") {
			t.Errorf("%+v: in a batch %s, alone %s", r, got, want)
		}
		for _, results := range both {
			if len(results) == 0 || len(results) > max(r.NBest, 1) {
				t.Errorf("%+v: %d results", r, len(results))
			}
			for i, result := range results {
				if n := len(r.IDs(result)); r.MaxLength > 0 && n > r.MaxLength {
					t.Errorf("%+v: %d ids", r, n)
				}
				if i > 0 && result.Score > results[i-1].Score {
					t.Errorf("%+v: scores %v before %v", r, results[i-1].Score, result.Score)
				}
			}
		}
	})
}
