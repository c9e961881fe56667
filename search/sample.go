package search

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

// Sampling says how Sample draws.
type Sampling struct {
	// Seeds of the pictures. What a picture gets depends on its seed alone, not on
	// the batch.
	Seeds []uint64
	// Temperature divides log-probabilities before a draw: below 1 the probable
	// words come more often. 0 means 1.
	Temperature float64
	// TopP keeps the fewest words whose probabilities sum to it (nucleus sampling,
	// Holtzman et al. 2020). 0 means 1: all words.
	TopP float64
}

// Sample draws NBest sentences for each of pictures 0 to n-1, word by word, in the
// order they were drawn; some may be the same. LogProb is the model's, whatever the
// temperature. Beams is not used.
func Sample(ctx context.Context, m Model, n int, opts *Options, s Sampling) ([][]Result, error) {
	o, err := opts.resolved()
	if err != nil {
		return nil, err
	}
	if s, err = s.resolved(n); err != nil {
		return nil, err
	}
	c := &caller{model: m, opts: &o}
	all := make([]*drawn, n*o.NBest)
	for i := range all {
		all[i] = &drawn{
			hypothesis: &hypothesis{word: o.Start, row: i / o.NBest},
			rng:        rand.New(rand.NewPCG(s.Seeds[i/o.NBest], uint64(i%o.NBest))),
		}
	}
	open := slices.Clone(all)
	var bans *bans
	var urn urn
	for step := 0; step < o.MaxWords && len(open) > 0; step++ {
		words, parents := make([]int, len(open)), make([]int, len(open))
		for i, d := range open {
			words[i], parents[i] = d.word, d.row
			d.row = i
		}
		rows, attention, err := c.next(ctx, words, parents)
		if err != nil {
			return nil, err
		}
		if bans == nil {
			bans = newBans(&o, c.width)
		}
		still := open[:0]
		for _, d := range open {
			bans.mark(d.hypothesis)
			err := urn.fill(rows[d.row], bans.banned, s)
			bans.unmark()
			if err != nil {
				return nil, c.errorf("picture %d: %w", slices.Index(all, d)/o.NBest, err)
			}
			if len(urn.words) == 0 { // none may follow
				continue
			}
			w := urn.draw(d.rng)
			logProb := min(0, float64(rows[d.row][w]))
			next := &hypothesis{parent: d.hypothesis, word: w, logProb: logProb, total: d.total + logProb, length: d.length + 1, row: d.row, ended: w == o.End}
			if attention != nil {
				next.attention = slices.Clone(attention[d.row])
			}
			next.score = o.score(next.total, next.length)
			d.hypothesis = next
			if !next.ended {
				still = append(still, d)
			}
		}
		open = still
	}
	results := make([][]Result, n)
	for i, d := range all {
		results[i/o.NBest] = append(results[i/o.NBest], d.result())
	}
	return results, nil
}

func (s Sampling) resolved(n int) (Sampling, error) {
	s.Temperature, s.TopP = cmp.Or(s.Temperature, 1), cmp.Or(s.TopP, 1)
	switch {
	case len(s.Seeds) != n:
		return s, fmt.Errorf("search: %d seeds for %d pictures", len(s.Seeds), n)
	case !(s.Temperature > 0 && s.Temperature <= 100):
		return s, fmt.Errorf("search: Temperature is %v, want above 0 to 100", s.Temperature)
	case !(s.TopP > 0 && s.TopP <= 1):
		return s, fmt.Errorf("search: TopP is %v, want above 0 to 1", s.TopP)
	}
	return s, nil
}

// A drawn is a sentence on its way.
type drawn struct {
	*hypothesis
	rng *rand.Rand
}

// An urn holds the words that may be drawn, with their shares.
type urn struct {
	words  []int
	shares []float64
	total  float64
}

// fill puts in what a row of log-probabilities leaves.
func (u *urn) fill(row []float32, banned []bool, s Sampling) error {
	u.words, u.shares, u.total = u.words[:0], u.shares[:0], 0
	highest := math.Inf(-1)
	for w, v := range row {
		if !(v <= slack) {
			return fmt.Errorf("log-probability of word %d is %v", w, v)
		}
		if !banned[w] && !math.IsInf(float64(v), -1) {
			u.words = append(u.words, w)
			highest = max(highest, float64(v))
		}
	}
	share := func(w int) float64 { return math.Exp((float64(row[w]) - highest) / s.Temperature) }
	if s.TopP < 1 {
		slices.SortFunc(u.words, func(a, b int) int { return cmp.Or(cmp.Compare(row[b], row[a]), a-b) })
	}
	for _, w := range u.words {
		u.shares = append(u.shares, share(w))
		u.total += u.shares[len(u.shares)-1]
	}
	if s.TopP == 1 {
		return nil
	}
	sum := 0.0
	for i, p := range u.shares {
		if sum += p; sum >= s.TopP*u.total {
			u.words, u.shares, u.total = u.words[:i+1], u.shares[:i+1], sum
			break
		}
	}
	return nil
}

// draw takes a word.
func (u *urn) draw(rng *rand.Rand) int {
	left := rng.Float64() * u.total
	for i, p := range u.shares {
		if left -= p; left < 0 {
			return u.words[i]
		}
	}
	return u.words[len(u.words)-1] // by rounding
}
