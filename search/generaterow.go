package search

import (
	"math"
	"slices"
)

// A rewriter changes a row of scores as the processors of transformers do, in
// their order.
type rewriter struct {
	rules  *Rules
	always bool      // there are rules for every word
	bad    [][]int   // BadWords but for the end token alone
	row    []float32 // room
	ids    []int     // room
}

func newRewriter(r *Rules) *rewriter {
	w := &rewriter{rules: r, ids: make([]int, 0, min(r.MaxLength, 256))}
	for _, words := range r.BadWords {
		if len(words) > 1 || len(words) == 1 && !slices.Contains(r.End, words[0]) {
			w.bad = append(w.bad, words)
		}
	}
	w.always = r.RepetitionPenalty != 1 || r.NoRepeat > 0 || len(w.bad) > 0 || len(r.SuppressTokens) > 0
	return w
}

// rewrite returns what the rules make of the row of scores that follow h: the
// row itself where they leave it, or one that is valid until the next call.
func (w *rewriter) rewrite(row []float32, h *hypothesis) []float32 {
	r := w.rules
	length := len(r.Prompt) + h.length
	begin := len(r.Prompt) // where BeginSuppressTokens count
	if begin == 1 && len(r.ForcedBegin) > 0 {
		begin++
	}
	forced := []int(nil)
	if length == 1 {
		forced = r.ForcedBegin
	}
	if length == r.MaxLength-1 && len(r.ForcedEnd) > 0 {
		forced = r.ForcedEnd
	}
	young, first := length < r.MinLength, length == begin && len(r.BeginSuppressTokens) > 0
	if !w.always && !young && !first && forced == nil {
		return row
	}
	w.ids = h.appendWords(append(w.ids[:0], r.Prompt...))
	w.row = append(w.row[:0], row...)
	w.penalise(row)
	w.banRepeats()
	w.banSequences()
	if young {
		w.ban(r.End)
	}
	if forced != nil {
		for i := range w.row {
			w.row[i] = float32(math.Inf(-1))
		}
		for _, id := range forced {
			w.row[id] = 0
		}
	}
	w.ban(r.SuppressTokens)
	if first {
		w.ban(r.BeginSuppressTokens)
	}
	return w.row
}

// penalise makes the ids that are there less likely, for a penalty above 1.
func (w *rewriter) penalise(row []float32) {
	if w.rules.RepetitionPenalty == 1 {
		return
	}
	penalty := float32(w.rules.RepetitionPenalty)
	for _, id := range w.ids {
		if v := row[id]; v < 0 {
			w.row[id] = v * penalty
		} else {
			w.row[id] = v / penalty
		}
	}
}

// banRepeats bans what would complete n ids that are there already.
func (w *rewriter) banRepeats() {
	n := w.rules.NoRepeat
	if n == 0 || len(w.ids) < n {
		return
	}
	tail := w.ids[len(w.ids)-(n-1):]
	for i, id := range w.ids[n-1:] {
		if slices.Equal(w.ids[i:i+n-1], tail) {
			w.row[id] = float32(math.Inf(-1))
		}
	}
}

// banSequences bans the last word of BadWords. Sequences longer than what is
// there are not looked at, even if all but their last word would fit.
func (w *rewriter) banSequences() {
	for _, words := range w.bad {
		before := len(words) - 1
		if before == 0 || len(words) <= len(w.ids) && slices.Equal(words[:before], w.ids[len(w.ids)-before:]) {
			w.row[words[before]] = float32(math.Inf(-1))
		}
	}
}

func (w *rewriter) ban(ids []int) {
	for _, id := range ids {
		if id < len(w.row) {
			w.row[id] = float32(math.Inf(-1))
		}
	}
}
