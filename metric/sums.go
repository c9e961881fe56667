package metric

// statistics are what a metric counted of each image. The corpus score of any
// choice of images follows from them.
type statistics interface {
	// corpus is the score if image i stood times[i] times in the corpus.
	corpus(times []int32) float64
	// mixed is the score with the images of another where swap says so. The other
	// must be of the same metric; false if it is not.
	mixed(other statistics, swap []bool) (float64, bool)
}

// sums are statistics S of images that add up to those of the corpus.
type sums[S any] struct {
	images []S
	add    func(total, image *S)
	score  func(total *S) float64
}

func (s *sums[S]) corpus(times []int32) float64 {
	var total S
	for i, n := range times {
		for range n {
			s.add(&total, &s.images[i])
		}
	}
	return s.score(&total)
}

func (s *sums[S]) mixed(other statistics, swap []bool) (float64, bool) {
	o, ok := other.(*sums[S])
	if !ok || len(o.images) != len(s.images) {
		return 0, false
	}
	var total S
	for i := range s.images {
		if swap[i] {
			s.add(&total, &o.images[i])
		} else {
			s.add(&total, &s.images[i])
		}
	}
	return s.score(&total), true
}

// means are the statistics of a metric whose corpus score is the mean over images.
func means(perImage []float64) statistics {
	return &sums[float64]{
		images: perImage,
		add:    func(total, image *float64) { *total += *image },
		score:  func(total *float64) float64 { return *total / float64(max(1, len(perImage))) },
	}
}

// counted returns the statistics of a result.
func (r *Result) counted() statistics {
	if r.statistics != nil {
		return r.statistics
	}
	return means(r.PerImage)
}
