package search

import "context"

// Greedy takes the most probable word at each step, the lower id where two are
// equal, for pictures 0 to n-1. It is [Beam] with one beam; Beams, Groups and
// NBest of the options are not used.
func Greedy(ctx context.Context, m Model, n int, opts *Options) ([]Result, error) {
	one := Options{}
	if opts != nil {
		one = *opts
	}
	one.Beams, one.Groups, one.NBest = 1, 1, 1
	lists, err := Beam(ctx, m, n, &one)
	if err != nil {
		return nil, err
	}
	results := make([]Result, n)
	for i, list := range lists {
		results[i] = list[0]
	}
	return results, nil
}
