package search

import (
	"context"
	"math"
	"strings"
	"testing"
)

// answers gives every prefix with the row of its last word.
type answers [][]float64

func (t answers) Next(_ context.Context, words, _ []int) ([][]float32, error) {
	rows := make([][]float32, len(words))
	for i, w := range words {
		for _, p := range t[w%len(t)] {
			rows[i] = append(rows[i], float32(math.Log(p)))
		}
	}
	return rows, nil
}

type seeing struct{ answers }

func (seeing) Attention() [][]float32 { return [][]float32{{1}} }

func TestEnsemble(t *testing.T) {
	a := answers{{.5, .5, 0}, {.2, .3, .5}}
	b := seeing{answers{{.1, .7, .2}, {0, 1, 0}}}
	e := Ensemble(a, b)
	for range 2 { // the second time in used memory
		rows, err := e.Next(t.Context(), []int{0, 1}, []int{0, 0})
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range [][]float64{{.3, .6, .1}, {.1, .65, .25}} {
			for k, p := range want {
				if got := math.Exp(float64(rows[i][k])); math.Abs(got-p) > 1e-6 {
					t.Errorf("row %d, word %d: %v, want %v", i, k, got, p)
				}
			}
		}
	}
	if a := e.(Attender).Attention(); len(a) != 1 {
		t.Errorf("attention %v", a)
	}
	rows, err := Ensemble(b, b, b).Next(t.Context(), []int{1}, []int{0}) // a sure word stays one
	if err != nil || rows[0][1] != 0 || !math.IsInf(float64(rows[0][0]), -1) {
		t.Errorf("%v, %v", rows, err)
	}
	if _, err := Ensemble(a, answers{{1}}).Next(t.Context(), []int{0}, []int{0}); err == nil || !strings.Contains(err.Error(), "model 2 of the ensemble knows 1 words") {
		t.Errorf("error %v", err)
	}
}
