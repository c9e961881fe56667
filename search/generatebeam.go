package search

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// outside is the score of a place that no hypothesis has.
const outside = -1e9

// A beam is a hypothesis with the float32 sum of what the rules left of its
// log-probabilities; once finished, that is divided by a power of the length.
type beam struct {
	*hypothesis
	worth    float32
	finished bool
}

// A generated is the search of one picture. Its lists hold as many beams as the
// rules have, best first.
type generated struct {
	running []beam // none: it has ended
	done    []beam
}

// picture begins a search: all places hold the prompt, but only the first is
// worth going on from.
func (g *generator) picture(i int) generated {
	root := g.tree.hypothesis(hypothesis{word: g.rules.Prompt[len(g.rules.Prompt)-1], row: i})
	p := generated{running: make([]beam, g.rules.Beams)}
	for i := range p.running {
		p.running[i] = beam{hypothesis: root, worth: outside}
	}
	p.done = slices.Clone(p.running)
	p.running[0].worth = 0
	return p
}

// ask appends the prefixes to ask the model about: places that hold the same
// hypothesis share a row.
func (p *generated) ask(words, parents []int) (_, _ []int) {
	for i, b := range p.running {
		if i > 0 && b.hypothesis == p.running[i-1].hypothesis {
			continue
		}
		words, parents = append(words, b.word), append(parents, b.row)
		b.row = len(words) - 1
	}
	return words, parents
}

// advance moves a picture that has not ended on by a word.
func (p *generated) advance(g *generator) error {
	switch {
	case len(p.running) == 0:
		return nil
	case g.rules.Beams == 1:
		return p.greedy(g)
	}
	if err := p.choose(g); err != nil {
		return err
	}
	full := g.length+1 == g.rules.MaxLength
	p.finish(g, full)
	if !full {
		p.run(g)
	}
	if full || p.closed(g) {
		p.running = nil
	}
	return nil
}

// greedy goes on with the best word, the lowest id of equal ones.
func (p *generated) greedy(g *generator) error {
	h := p.running[0].hypothesis
	best, most := 0, float32(math.Inf(-1))
	for word, v := range g.rewrite(g.logits[h.row], h) {
		if v <= most {
			continue
		}
		if !(v <= g.highest) {
			return fmt.Errorf("score of word %d is %v", word, v)
		}
		best, most = word, v
	}
	h = g.extend(h, best)
	p.running[0].hypothesis = h
	if h.ended || g.length+1 == g.rules.MaxLength {
		p.done[0] = beam{hypothesis: h, worth: float32(h.total), finished: true}
		p.running = nil
	}
	return nil
}

// A candidate is a word that may follow a hypothesis.
type candidate struct {
	after *hypothesis
	word  int
	worth float32
	stops bool
}

// choose collects the best candidates, best first; of equal ones those from lower
// beams come first, then those of lower ids.
func (p *generated) choose(g *generator) error {
	limit := min(g.rules.candidates(), g.width*g.rules.Beams)
	best, least := g.chosen[:0], float32(math.NaN()) // which nothing is below
	for _, b := range p.running {
		if b.worth <= least {
			continue // log-probabilities are not above 0
		}
		for word, v := range g.rewrite(g.rows[b.row], b.hypothesis) {
			worth := b.worth + v
			if worth <= least {
				continue
			}
			if !(v <= slack) {
				return fmt.Errorf("log-probability of word %d is %v", word, v)
			}
			i := len(best)
			for i > 0 && best[i-1].worth < worth {
				i--
			}
			best = slices.Insert(best, i, candidate{after: b.hypothesis, word: word, worth: worth})
			if len(best) >= limit {
				best = best[:limit]
				least = best[limit-1].worth
			}
		}
	}
	g.chosen = best
	return nil
}

// finish moves candidates that stop to the finished ones, if they are better than
// the worst of those. Only candidates that are among the best Beams may.
func (p *generated) finish(g *generator, full bool) {
	divisor := g.divisor(g.length + 1)
	for i := range g.chosen {
		c := &g.chosen[i]
		c.stops = full || slices.Contains(g.rules.End, c.word)
		if !c.stops || i >= g.rules.Beams {
			continue
		}
		last := len(p.done) - 1
		worth := c.worth / divisor
		if worth <= p.done[last].worth {
			continue
		}
		at := last
		for ; at > 0 && p.done[at-1].worth < worth; at-- {
			p.done[at] = p.done[at-1]
		}
		p.done[at] = beam{hypothesis: g.extend(c.after, c.word), worth: worth, finished: true}
	}
}

// run goes on with the candidates that do not stop; if there are too few, with
// those that do too, as transformers would.
func (p *generated) run(g *generator) {
	for i, c := range g.chosen {
		if c.stops {
			g.chosen[i].worth += outside
		}
	}
	slices.SortStableFunc(g.chosen, func(a, b candidate) int { return cmp.Compare(b.worth, a.worth) })
	p.running = p.running[:0]
	for _, c := range g.chosen[:min(g.rules.Beams, len(g.chosen))] {
		p.running = append(p.running, beam{hypothesis: g.extend(c.after, c.word), worth: c.worth})
	}
}

// closed tells whether the picture has ended: its finished hypotheses are as many
// as there may be, and either that is enough or no running one is worth more.
func (p *generated) closed(g *generator) bool {
	worst := p.done[len(p.done)-1]
	if worst.finished && g.rules.EarlyStopping == "true" {
		return true
	}
	length := g.length + 1
	if g.rules.EarlyStopping == never && g.rules.LengthPenalty > 0 {
		length = g.rules.MaxLength
	}
	return !(p.running[0].worth/g.divisor(length) > worst.worth)
}

// divisor is the power of a length, prompt included, that scores are divided by.
func (g *generator) divisor(length int) float32 {
	return float32(math.Pow(float64(length-len(g.rules.Prompt)), g.rules.LengthPenalty))
}

func (p *generated) results(n int) []Result {
	results := make([]Result, 0, n)
	for i, b := range p.done[:n] {
		if i > 0 && !b.finished {
			break
		}
		b.hypothesis.score = float64(b.worth)
		results = append(results, b.result())
	}
	return results
}
