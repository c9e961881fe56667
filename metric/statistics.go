package metric

import "showtell/tensor"

// Statistics are what a metric counted of each image. The corpus score of any
// choice of images follows from their sums.
type statistics struct {
	columns [][]float64 // by what was counted, and image
	score   func(total []float64) float64
}

// counted returns the statistics of a result.
func (r *Result) counted() *statistics {
	if r.statistics != nil {
		return r.statistics
	}
	return means(r.PerImage)
}

// means are the statistics of a metric whose corpus score is the mean over images.
func means(perImage []float64) *statistics {
	return &statistics{[][]float64{perImage}, func(total []float64) float64 { return total[0] / float64(max(1, len(perImage))) }}
}

// A stack is the columns of several results, those that results share only once.
type stack struct {
	columns [][]float64
	scores  []func(total []float64) float64 // of each result, from the totals of all columns
}

func stackOf(results []Result) stack {
	var all stack
	places := map[*float64]int{} // of the first column of each metric
	for i := range results {
		s := results[i].counted()
		first := &s.columns[0][0]
		at, ok := places[first]
		if !ok {
			at = len(all.columns)
			places[first] = at
			all.columns = append(all.columns, s.columns...)
		}
		end := at + len(s.columns)
		all.scores = append(all.scores, func(total []float64) float64 { return s.score(total[at:end]) })
	}
	return all
}

// total sums columns.
func total(columns [][]float64) []float64 {
	sums := make([]float64, len(columns))
	for k, column := range columns {
		for _, x := range column {
			sums[k] += x
		}
	}
	return sums
}

// together is how many samples are summed at once, and ahead how many images of
// all columns: these stay in a processor's cache.
const together, ahead = 4, 1024

// weighted calls f with the sums of columns for each sample, where image i counts
// weights[i] times. It works on all cores.
func weighted(columns [][]float64, samples int, draw func(sample int, weights []float64), f func(sample int, total []float64)) {
	images := len(columns[0])
	tensor.Parallel((samples+together-1)/together, func(tile int) {
		weights, totals := table(together, images), table(together, len(columns))
		from := tile * together
		count := min(together, samples-from)
		for s := range count {
			draw(from+s, weights[s])
		}
		for i := 0; i < images; i += ahead {
			for k, column := range columns {
				part := column[i:min(images, i+ahead)]
				a, b, c, d := dot4(part, weights[0][i:], weights[1][i:], weights[2][i:], weights[3][i:])
				totals[0][k] += a
				totals[1][k] += b
				totals[2][k] += c
				totals[3][k] += d
			}
		}
		for s := range count {
			f(from+s, totals[s])
		}
	})
}

// dot4 returns the sums of a column with four lists of weights, at least as long.
func dot4(column, w0, w1, w2, w3 []float64) (a, b, c, d float64) {
	w0, w1, w2, w3 = w0[:len(column)], w1[:len(column)], w2[:len(column)], w3[:len(column)]
	for i, x := range column {
		a += x * w0[i]
		b += x * w1[i]
		c += x * w2[i]
		d += x * w3[i]
	}
	return a, b, c, d
}
