package dataset

import (
	"fmt"
	"slices"
	"strings"

	"showtell/text"
)

// Stats are the numbers of a data set that a person wants before training.
type Stats struct {
	Format     string         `json:"format"`
	Images     int            `json:"images"`
	Captions   int            `json:"captions"`
	PerImage   Range          `json:"captions_per_image"`
	Splits     []SplitStats   `json:"splits"`     // train, dev, test, and "" if some picture is in none
	Words      int            `json:"words"`      // of all captions, cleaned
	Vocabulary Vocabulary     `json:"vocabulary"` // of the training captions; of all, if there is no such split
	Lengths    []int          `json:"lengths"`    // Lengths[n]: captions of n words
	Problems   map[string]int `json:"problems"`   // by kind
	Ready      bool           `json:"ready"`      // a model can be trained and chosen with it
	Verdict    string         `json:"verdict"`    // Ready in words, and what to do if not
}

// A Range tells the least, the mean and the most.
type Range struct {
	Min  int     `json:"min"`
	Mean float64 `json:"mean"`
	Max  int     `json:"max"`
}

// SplitStats are the numbers of one split.
type SplitStats struct {
	Name     string `json:"name"`
	Images   int    `json:"images"`
	Captions int    `json:"captions"`
}

// Vocabulary counts the different words.
type Vocabulary struct {
	All     int     `json:"all"`     // that occur at all
	Five    int     `json:"five"`    // that occur five times or more
	Covered float64 `json:"covered"` // share of the running words that Five covers
}

// Stats counts.
func (s *Set) Stats() Stats {
	st := Stats{Format: s.Format, Images: len(s.Items), Problems: s.Counts()}
	counts := map[string]int{}
	train := s.Split("train")
	for _, item := range s.Items {
		n := len(item.Captions)
		st.Captions += n
		if st.PerImage.Min == 0 || n < st.PerImage.Min {
			st.PerImage.Min = n
		}
		st.PerImage.Max = max(st.PerImage.Max, n)
		for _, c := range item.Captions {
			words := text.Words(c)
			st.Words += len(words)
			for len(st.Lengths) <= len(words) {
				st.Lengths = append(st.Lengths, 0)
			}
			st.Lengths[len(words)]++
			if item.Split == "train" || len(train) == 0 {
				for _, w := range words {
					counts[w]++
				}
			}
		}
	}
	st.PerImage.Mean = float64(st.Captions) / float64(max(st.Images, 1))
	st.Vocabulary = vocabulary(counts)
	for _, name := range []string{"train", "dev", "test", ""} {
		if items := s.Split(name); name != "" || len(items) > 0 {
			st.Splits = append(st.Splits, SplitStats{name, len(items), countCaptions(items)})
		}
	}
	st.Ready, st.Verdict = verdict(st.Splits)
	return st
}

func countCaptions(items []Item) int {
	n := 0
	for _, item := range items {
		n += len(item.Captions)
	}
	return n
}

func vocabulary(counts map[string]int) Vocabulary {
	v := Vocabulary{All: len(counts)}
	all, covered := 0, 0
	for _, n := range counts {
		all += n
		if n >= 5 {
			v.Five++
			covered += n
		}
	}
	v.Covered = float64(covered) / float64(max(all, 1))
	return v
}

// verdict says whether a set with these splits (train, dev, test, ...) can be trained on.
func verdict(splits []SplitStats) (ready bool, sentence string) {
	train, dev, test := splits[0], splits[1], splits[2]
	switch {
	case train.Images == 0:
		return false, "Not ready: no picture is in the split train."
	case dev.Images == 0:
		return false, "Not ready: no picture is in the split dev, so the best epoch can't be chosen."
	case test.Images == 0:
		return true, fmt.Sprintf("Ready to train with %d pictures; no picture is in the split test, so the result can't be measured.", train.Images)
	case train.Images < 1000:
		return true, fmt.Sprintf("Ready, but %d pictures to train with are few: expect plain captions; some thousand are better.", train.Images)
	}
	return true, fmt.Sprintf("Ready: %d pictures to train with, %d to choose the best epoch by, %d to measure the result.", train.Images, dev.Images, test.Images)
}

// Table writes the numbers for a person, with a small histogram of lengths.
func (st Stats) Table() string {
	var b strings.Builder
	fmt.Fprintf(&b, "format      %s\n", st.Format)
	fmt.Fprintf(&b, "pictures    %d\n", st.Images)
	fmt.Fprintf(&b, "captions    %d (%d to %d a picture, mean %.2f)\n", st.Captions, st.PerImage.Min, st.PerImage.Max, st.PerImage.Mean)
	for _, s := range st.Splits {
		name := s.Name
		if name == "" {
			name = "no split"
		}
		fmt.Fprintf(&b, "  %-9s %d pictures, %d captions\n", name, s.Images, s.Captions)
	}
	fmt.Fprintf(&b, "words       %d\n", st.Words)
	fmt.Fprintf(&b, "vocabulary  %d different words; %d occur five times or more and cover %.1f %%\n", st.Vocabulary.All, st.Vocabulary.Five, 100*st.Vocabulary.Covered)
	b.WriteString("lengths     words: captions\n")
	st.histogram(&b)
	fmt.Fprintf(&b, "%s\n", st.Verdict)
	return b.String()
}

// The histogram counts barWords lengths together, and all from the last bar on.
const barWords, bars = 4, 10

func (st Stats) histogram(b *strings.Builder) {
	var sums [bars]int
	for n, captions := range st.Lengths {
		sums[min(max(n-1, 0)/barWords, bars-1)] += captions
	}
	most := max(slices.Max(sums[:]), 1)
	for i, n := range sums {
		to := fmt.Sprintf("to %2d", (i+1)*barWords)
		if i == bars-1 {
			to = "or more"
		}
		fmt.Fprintf(b, "  %2d %-7s %6d %s\n", i*barWords+1, to, n, strings.Repeat("▇", (n*40+most-1)/most))
	}
}
