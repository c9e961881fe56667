package search

import (
	"context"
	"fmt"
	"math"

	"showtell/tensor"
)

// Ensemble is the Model whose probability of a word is the mean of those that
// several models give. Its attention is that of the first that has one.
func Ensemble(models ...Model) Model { return &ensemble{models: models} }

type ensemble struct {
	models []Model
	rows   [][]float32 // the answer, used again
	powers []float32   // room for the probabilities of a row
}

func (e *ensemble) Next(ctx context.Context, words, parents []int) ([][]float32, error) {
	for k, m := range e.models {
		rows, err := m.Next(ctx, words, parents)
		if err != nil {
			return nil, err
		}
		if len(rows) != len(words) {
			return nil, fmt.Errorf("search: model %d of the ensemble gave %d rows for %d prefixes", k+1, len(rows), len(words))
		}
		for i, row := range rows {
			if k == 0 {
				e.start(i, len(row))
			}
			if len(row) != len(e.rows[i]) {
				return nil, fmt.Errorf("search: model %d of the ensemble knows %d words, the first %d", k+1, len(row), len(e.rows[i]))
			}
			tensor.Exp(e.powers, row)
			tensor.Add(e.rows[i], e.rows[i], e.powers)
		}
	}
	for _, row := range e.rows[:len(words)] {
		for i, sum := range row {
			row[i] = float32(min(0, math.Log(float64(sum)/float64(len(e.models)))))
		}
	}
	return e.rows[:len(words)], nil
}

// start makes row i one of zeros.
func (e *ensemble) start(i, width int) {
	if len(e.powers) != width {
		e.rows, e.powers = nil, make([]float32, width)
	}
	if i == len(e.rows) {
		e.rows = append(e.rows, make([]float32, width))
	}
	clear(e.rows[i])
}

func (e *ensemble) Attention() [][]float32 {
	for _, m := range e.models {
		if a, ok := m.(Attender); ok {
			if rows := a.Attention(); rows != nil {
				return rows
			}
		}
	}
	return nil
}
