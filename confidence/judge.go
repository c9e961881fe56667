package confidence

import (
	"cmp"
	"slices"
)

// A Bin holds the captions with a probability in one tenth of 0 to 1.
type Bin struct {
	Count      int
	Confidence float64 // mean probability
	Good       float64 // share that was good
}

// Bins sorts captions into ten bins of equal width by their probabilities.
func Bins(probabilities []float64, good []bool) []Bin {
	bins := make([]Bin, 10)
	for i, p := range probabilities {
		b := &bins[min(9, int(10*p))]
		b.Count++
		b.Confidence += p
		if good[i] {
			b.Good++
		}
	}
	for i := range bins {
		if n := float64(bins[i].Count); n > 0 {
			bins[i].Confidence /= n
			bins[i].Good /= n
		}
	}
	return bins
}

// Error is the expected calibration error: the mean distance of confidence from
// the share of good captions, bins weighed by their counts (Naeini et al. 2015).
func Error(bins []Bin) float64 {
	sum, n := 0.0, 0
	for _, b := range bins {
		sum += float64(b.Count) * max(b.Confidence-b.Good, b.Good-b.Confidence)
		n += b.Count
	}
	if n == 0 {
		return 0
	}
	return sum / float64(n)
}

// Coverage is the mean score of the most probable captions: of a tenth of them, of
// two tenths, and so on to all. Nil for none.
func Coverage(probabilities, scores []float64) []float64 {
	if len(scores) == 0 {
		return nil
	}
	order := make([]int, len(scores))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(probabilities[b], probabilities[a]) })
	means := make([]float64, 10)
	sum, done := 0.0, 0
	for k := range means {
		for end := max(1, (k+1)*len(order)/10); done < end; done++ {
			sum += scores[order[done]]
		}
		means[k] = sum / float64(done)
	}
	return means
}
