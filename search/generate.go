package search

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
)

// Rules are the settings of generate in Hugging Face's transformers, with the
// names that generation_config.json gives them in the comments. Zero means the
// default there, except for LengthPenalty.
type Rules struct {
	Prompt        []int   // the start token and what follows it, the same for all pictures; at least one id
	End           []int   // eos_token_id: the ids that end a sentence; none: only the length does
	Beams         int     // num_beams; 1, the default, takes the best word at each step (greedy)
	NBest         int     // num_return_sequences, at most Beams; 0 means 1
	LengthPenalty float64 // length_penalty, whose default is 1: a score is divided by length^LengthPenalty
	EarlyStopping string  // early_stopping: "false" or "", "true", "never"

	MaxLength    int // max_length, prompt included; 0: MaxNewTokens decides
	MaxNewTokens int // max_new_tokens, before MaxLength; 0 and no MaxLength: 20
	MinLength    int // min_length, prompt included: nothing ends below it
	MinNewTokens int // min_new_tokens, before MinLength

	RepetitionPenalty   float64 // repetition_penalty of the ids that are there, prompt included; 0 means 1, none
	NoRepeat            int     // no_repeat_ngram_size: so many ids never come twice, prompt included; 0 allows it
	BadWords            [][]int // bad_words_ids: sequences that do not appear
	SuppressTokens      []int   // suppress_tokens: ids that do not appear
	BeginSuppressTokens []int   // begin_suppress_tokens: ids that do not come first
	ForcedBegin         []int   // forced_bos_token_id: at most one, which follows a prompt of one id
	ForcedEnd           []int   // forced_eos_token_id: one of them comes last, at the maximal length
}

// A Scorer is a Model that has the scores (logits) of which its rows are the
// log-softmax. Logits returns those of the last call, as Next does.
type Scorer interface {
	Logits() [][]float32
}

// Generate makes the sentences that generate of transformers 4.54 and later makes
// for pictures 0 to n-1: NBest of each, best first. The ids are the same, and
// Result.Score is its sequences_scores (that of greedy, which has none there, is
// the LogProb); LogProbs are the model's own, before the rules change them. In a
// batch a picture gets what it gets alone.
//
// A prompt is handed to the model word by word. Greedy, with a RepetitionPenalty,
// needs a [Scorer], since it punishes logits; beams punish log-probabilities.
//
// Where fewer than NBest sentences can be finished, as in a tiny vocabulary, there
// are fewer results; where none can, there is one without words and a score of -1e9.
//
// A cancelled ctx returns ctx.Err(). A score that is not a number, or a
// log-probability above 0, is an error that names the step.
func Generate(ctx context.Context, m Model, n int, rules *Rules) ([][]Result, error) {
	r, err := rules.resolved()
	if err != nil {
		return nil, err
	}
	if n < 0 {
		return nil, fmt.Errorf("search: %d pictures", n)
	}
	g := newGenerator(m, n, &r)
	if err := g.prompt(ctx, n); err != nil {
		return nil, err
	}
	pictures := make([]generated, n)
	for i := range pictures {
		pictures[i] = g.picture(i)
	}
	words, parents := make([]int, 0, n*r.Beams), make([]int, 0, n*r.Beams)
	for ; ; g.length++ {
		words, parents = words[:0], parents[:0]
		for i := range pictures {
			words, parents = pictures[i].ask(words, parents)
		}
		if len(words) == 0 {
			break
		}
		if err := g.next(ctx, words, parents); err != nil {
			return nil, err
		}
		for i := range pictures {
			if err := pictures[i].advance(g); err != nil {
				return nil, g.errorf("picture %d: %w", i, err)
			}
		}
	}
	results := make([][]Result, n)
	for i := range pictures {
		results[i] = pictures[i].results(r.NBest)
	}
	return results, nil
}

// IDs are all ids of a result, as transformers returns them: the prompt, the
// words and, if it ended, the end token. There is no padding.
func (r *Rules) IDs(result Result) []int {
	ids := slices.Concat(r.Prompt, result.Words)
	if result.Ended {
		ids = append(ids, result.End)
	}
	return ids
}

const (
	maxBeams = 1 << 12
	never    = "never"
)

// resolved returns the rules with the defaults filled in: MaxLength and MinLength
// are those that count.
func (r *Rules) resolved() (Rules, error) {
	var o Rules
	if r != nil {
		o = *r
	}
	o.Beams, o.NBest, o.RepetitionPenalty = cmp.Or(o.Beams, 1), cmp.Or(o.NBest, 1), cmp.Or(o.RepetitionPenalty, 1)
	if len(o.Prompt) == 0 {
		return o, fmt.Errorf("search: a prompt without a start token")
	}
	for _, f := range []struct {
		name  string
		value int
	}{
		{"MaxLength", o.MaxLength}, {"MaxNewTokens", o.MaxNewTokens}, {"MinLength", o.MinLength},
		{"MinNewTokens", o.MinNewTokens}, {"NoRepeat", o.NoRepeat},
	} {
		if f.value < 0 {
			return o, fmt.Errorf("search: %s is %d, below 0", f.name, f.value)
		}
	}
	if o.MaxNewTokens == 0 && o.MaxLength == 0 {
		o.MaxNewTokens = 20
	}
	if o.MaxNewTokens > 0 {
		o.MaxLength = len(o.Prompt) + min(o.MaxNewTokens, math.MaxInt32)
	}
	if o.MinNewTokens > 0 {
		o.MinLength = len(o.Prompt) + min(o.MinNewTokens, math.MaxInt32)
	}
	return o, o.check()
}

// candidates is how many continuations of a picture are looked at: even if all
// beams end, Beams of them go on.
func (r *Rules) candidates() int { return (1 + max(len(r.End), 1)) * r.Beams }

func (r *Rules) check() error {
	for name, ids := range map[string][]int{
		"Prompt": r.Prompt, "End": r.End, "SuppressTokens": r.SuppressTokens, "BeginSuppressTokens": r.BeginSuppressTokens,
		"ForcedBegin": r.ForcedBegin, "ForcedEnd": r.ForcedEnd, "BadWords": slices.Concat(r.BadWords...),
	} {
		for _, id := range ids {
			if id < 0 {
				return fmt.Errorf("search: %s has the id %d", name, id)
			}
		}
	}
	longest := math.Pow(float64(r.MaxLength), math.Abs(r.LengthPenalty))
	switch {
	case len(r.Prompt) >= r.MaxLength:
		return fmt.Errorf("search: a prompt of %d ids and a MaxLength of %d leave no room for words", len(r.Prompt), r.MaxLength)
	case r.Beams < 1 || r.Beams > maxBeams:
		return fmt.Errorf("search: Beams is %d, want 1 to %d", r.Beams, maxBeams)
	case r.NBest < 1 || r.NBest > r.Beams:
		return fmt.Errorf("search: NBest is %d, want 1 to the %d of Beams", r.NBest, r.Beams)
	case !slices.Contains([]string{"", "false", "true", never}, r.EarlyStopping):
		return fmt.Errorf(`search: EarlyStopping is %q, want "false", "true" or "never"`, r.EarlyStopping)
	case !(r.RepetitionPenalty > 0 && r.RepetitionPenalty <= 1e6):
		return fmt.Errorf("search: RepetitionPenalty is %v, want above 0 to 1e6", r.RepetitionPenalty)
	case !(longest < 1e9):
		return fmt.Errorf("search: LengthPenalty is %v, too much for %d words", r.LengthPenalty, r.MaxLength)
	case len(r.ForcedBegin) > 1:
		return fmt.Errorf("search: %d ids in ForcedBegin, want one at most", len(r.ForcedBegin))
	}
	return nil
}

// A generator advances the sentences of all pictures by a word at a time.
type generator struct {
	caller
	*rewriter
	rules     *Rules
	last      int         // the highest id that the rules speak of
	length    int         // of the sentences, prompt included
	rows      [][]float32 // log-probabilities, of the last call
	logits    [][]float32 // or the rows, where they are as good
	highest   float32     // that logits may be
	attention [][]float32
	tree      *scratch
	chosen    []candidate // room
}

func newGenerator(m Model, n int, r *Rules) *generator {
	last := slices.Max(r.Prompt)
	for _, ids := range [][]int{r.End, r.ForcedBegin, r.ForcedEnd, slices.Concat(r.BadWords...)} {
		for _, id := range ids {
			last = max(last, id)
		}
	}
	return &generator{
		caller:   caller{model: m, opts: &Options{}},
		last:     last,
		rewriter: newRewriter(r),
		rules:    r,
		length:   len(r.Prompt),
		tree:     newScratch(n, &Options{Beams: r.Beams, MaxWords: r.MaxLength - len(r.Prompt)}),
		chosen:   make([]candidate, 0, r.candidates()+1),
	}
}

// prompt hands over all of the prompt but its last id, which begins the search.
func (g *generator) prompt(ctx context.Context, n int) error {
	if n == 0 {
		return nil
	}
	words, parents := make([]int, n), make([]int, n)
	for i := range parents {
		parents[i] = i
	}
	for _, id := range g.rules.Prompt[:len(g.rules.Prompt)-1] {
		for i := range words {
			words[i] = id
		}
		if err := g.next(ctx, words, parents); err != nil {
			return err
		}
	}
	return nil
}

// next asks the model, and checks that its vocabulary is large enough.
func (g *generator) next(ctx context.Context, words, parents []int) (err error) {
	g.rows, g.attention, err = g.caller.next(ctx, words, parents)
	if err != nil {
		return err
	}
	if g.width <= g.last {
		return g.errorf("%d words in a row, and id %d is in the rules", g.width, g.last)
	}
	if g.width < 1+len(g.rules.End) {
		return g.errorf("%d words in a row, %d of which end a sentence", g.width, len(g.rules.End))
	}
	g.logits, g.highest = g.rows, slack
	if g.rules.Beams > 1 {
		return nil
	}
	if s, ok := g.model.(Scorer); ok {
		g.logits, g.highest = s.Logits(), math.MaxFloat32
		if len(g.logits) != len(g.rows) || len(g.logits[0]) != g.width {
			return g.errorf("logits of %d prefixes, want %d", len(g.logits), len(g.rows))
		}
	} else if g.rules.RepetitionPenalty != 1 {
		return g.errorf("RepetitionPenalty without beams needs logits, which the model does not give")
	}
	return nil
}

// extend makes the hypothesis in which a word follows h.
func (g *generator) extend(h *hypothesis, word int) *hypothesis {
	logProb := min(0, float64(g.rows[h.row][word]))
	next := g.tree.hypothesis(hypothesis{
		parent: h, word: word, logProb: logProb, total: h.total + logProb, length: h.length + 1, row: h.row,
		ended: slices.Contains(g.rules.End, word),
	})
	if g.attention != nil {
		next.attention = g.tree.attention(g.attention[h.row])
	}
	return next
}
