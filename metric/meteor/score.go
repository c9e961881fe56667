package meteor

import (
	"math"
	"strconv"
	"strings"
)

// Parameters of METEOR 1.5 for English, task rank.
const alpha, beta, gamma, delta = .85, .2, .6, .75

// A module is a way in which words match.
type module int

const (
	exact module = iota
	stem
	synonym
	paraphrase
	modules = iota
)

// weights of a matched word in the score.
var weights = [modules]float64{1, .6, .8, .6}

// Words counts words: those that carry content, and function words.
type Words struct{ Content, Function int }

func (w *Words) add(function bool) {
	if function {
		w.Function++
	} else {
		w.Content++
	}
}

func (w Words) sum() int { return w.Content + w.Function }

func (w Words) weighted() float64 {
	return delta*float64(w.Content) + (1-delta)*float64(w.Function)
}

// A Side is what was counted in hypotheses or in references.
type Side struct {
	Words   Words
	Matched [modules]Words // exact, by stem, by synonym, by paraphrase
}

func (s *Side) matched() int {
	n := 0
	for _, w := range s.Matched {
		n += w.sum()
	}
	return n
}

func (s *Side) weighted() float64 {
	sum := 0.0
	for k, w := range s.Matched {
		sum += weights[k] * w.weighted()
	}
	return sum
}

// Stats are what METEOR counts of a hypothesis and the reference that fits best,
// or of many.
type Stats struct {
	Hyp, Ref Side
	Chunks   int // runs of matches that stand in the same order on both sides
}

// whole says if all words of both sides are matched in one run.
func (s *Stats) whole() bool {
	return s.Chunks == 1 && s.Hyp.matched() == s.Hyp.Words.sum() && s.Ref.matched() == s.Ref.Words.sum()
}

// Terms are the sums that METEOR is made of. Those of a corpus are the sums of
// those of its hypotheses.
type Terms [6]float64

// Terms returns the weighted matched words and weighted words of both sides, the
// chunks, 0 where one holds all words, and the matched words.
func (s *Stats) Terms() Terms {
	chunks := s.Chunks
	if s.whole() {
		chunks = 0
	}
	return Terms{
		s.Hyp.weighted(), s.Hyp.Words.weighted(), s.Ref.weighted(), s.Ref.Words.weighted(),
		float64(chunks), float64(s.Hyp.matched()+s.Ref.matched()) / 2,
	}
}

// Score is METEOR (Denkowski and Lavie 2014), 0 to 1: with the shares P and R of
// matched words in hypothesis and reference, words weighed by how they match and
// if they carry content, and the number of chunks per matched word,
//
//	F = 1/((1-alpha)/P + alpha/R)
//	score = F * (1 - gamma*(chunks/matched)^beta)
//
// where there is no penalty if all is one chunk.
func (t Terms) Score() float64 {
	f := 1 / ((1-alpha)/(t[0]/t[1]) + alpha/(t[2]/t[3]))
	score := f * (1 - gamma*math.Pow(t[4]/t[5], beta))
	if math.IsNaN(score) || score < 0 {
		return 0
	}
	return score
}

// Score is that of its Terms.
func (s *Stats) Score() float64 { return s.Terms().Score() }

// Add adds the counts of a hypothesis to those of a corpus, whose score is that
// of the sums. As the official program has it, the chunk of a hypothesis that
// matches as a whole does not count.
func (s *Stats) Add(o *Stats) {
	s.Hyp.add(&o.Hyp)
	s.Ref.add(&o.Ref)
	if !o.whole() {
		s.Chunks += o.Chunks
	}
}

func (s *Side) add(o *Side) {
	s.Words.Content += o.Words.Content
	s.Words.Function += o.Words.Function
	for k, w := range o.Matched {
		s.Matched[k].Content += w.Content
		s.Matched[k].Function += w.Function
	}
}

// String writes the 23 numbers as the official program does.
func (s *Stats) String() string {
	numbers := []int{s.Hyp.Words.sum(), s.Ref.Words.sum(), s.Hyp.Words.Function, s.Ref.Words.Function}
	for k := range s.Hyp.Matched {
		h, r := s.Hyp.Matched[k], s.Ref.Matched[k]
		numbers = append(numbers, h.Content, r.Content, h.Function, r.Function)
	}
	numbers = append(numbers, s.Chunks, s.Hyp.matched(), s.Ref.matched())
	text := make([]string, len(numbers))
	for i, n := range numbers {
		text[i] = strconv.Itoa(n) + ".0"
	}
	return strings.Join(text, " ")
}
