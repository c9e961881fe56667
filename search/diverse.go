package search

import "slices"

// Diverse beam search (Vijayakumar et al. 2018) splits the beams of a picture into
// groups. Group g chooses the words of a step after the groups before it, by
//
//	log P(word) - Diversity * how many of their hypotheses chose that word now
//
// summed over the words of a hypothesis (Hamming diversity). The end of a sentence is no
// word: it costs nothing. The score of a result is that of its words alone, without
// penalties.

// group returns the options of one group of the beams.
func (o Options) group() Options {
	o.Beams /= o.Groups
	if o.Groups > 1 {
		o.NBest = o.Beams
	}
	return o
}

// worth is what the hypotheses of a group are chosen by.
func (h *hypothesis) worth() float64 { return h.total - h.penalty }

// taken is the most words that groups before this one can have chosen.
func (p *picture) taken() int {
	n := 0
	for _, q := range p.before {
		n += len(q.open)
	}
	return n
}

// penalty of a word, now that the groups before this one have chosen theirs.
func (p *picture) penalty(word int) float64 {
	n := 0
	for _, q := range p.before {
		for _, h := range q.open {
			if h.word == word {
				n++
			}
		}
	}
	return p.opts.Diversity * float64(n)
}

// reachable tells if an open hypothesis may still be better than a finished one. If
// none may, the group is at its end. One alone is not given up: what takes its place
// would be chosen with other penalties.
func (p *picture) reachable() bool {
	least := p.done[len(p.done)-1].score
	return slices.ContainsFunc(p.open, func(h *hypothesis) bool { return p.opts.score(h.total, p.opts.MaxWords) >= least })
}

// merge returns the n best results of the groups of a picture, all different: the best
// of each group, then the second of each, and so on, sorted by score.
func merge(groups []picture, n int) []Result {
	most := 0
	for i := range groups {
		groups[i].close()
		most = max(most, len(groups[i].done))
	}
	var all picture
	for k := range most {
		for _, p := range groups {
			if k < len(p.done) && len(all.done) < n && !all.found(p.done[k]) {
				all.done, _ = insert(all.done, p.done[k], n, func(h *hypothesis) float64 { return h.score })
			}
		}
	}
	return all.results()
}

// found tells if the sentence of h is among the finished ones.
func (p *picture) found(h *hypothesis) bool {
	return slices.ContainsFunc(p.done, func(other *hypothesis) bool { return compare(h, other) == 0 })
}
