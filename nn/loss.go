package nn

import (
	"fmt"

	"showtell/tensor"
)

// CrossEntropy is the mean over rows of the cross-entropy between
// softmax(logits) and the target words, of which label smoothing gives the
// share `smoothing` to all words alike (Szegedy et al. 2016). A target below
// zero is padding: its row does not count. With weights not nil, row i counts
// weights[i] times. The sum is divided by the number of rows that count.
func CrossEntropy(t *Tape, logits *Var, targets []int, smoothing float32, weights []float32) *Var {
	rows, words := logits.Rows(), logits.Cols()
	if len(targets) != rows || weights != nil && len(weights) != rows {
		panic(fmt.Sprintf("nn: %d targets for logits of %v", len(targets), logits.Shape))
	}
	n := 0
	for _, target := range targets {
		if target >= 0 {
			n++
		}
	}
	prob := t.New(rows, words)
	losses := make([]float64, rows)
	eachRow(rows, words, func(i int) {
		p, x := prob.Row(i), logits.Row(i)
		if targets[i] < 0 {
			clear(p)
			return
		}
		copy(p, x)
		lse := tensor.Softmax(p)
		mean := float64(tensor.Sum(x)) / float64(words)
		s := float64(smoothing)
		losses[i] = weight(weights, i) * (lse - (1-s)*float64(x[targets[i]]) - s*mean)
	})
	sum := 0.0
	for _, l := range losses {
		sum += l
	}
	loss := t.New(1)
	loss.Data[0] = float32(sum / float64(max(n, 1)))
	t.record(func() {
		if loss.grad == nil || !logits.WantsGrad() {
			return
		}
		g := loss.grad[0] / float32(max(n, 1))
		eachRow(rows, words, func(i int) {
			if targets[i] < 0 {
				return
			}
			p := prob.Row(i)
			base := smoothing / float32(words)
			for j := range p {
				p[j] -= base
			}
			p[targets[i]] -= 1 - smoothing
			tensor.Scale(p, p, g*float32(weight(weights, i)))
		})
		if logits.grad == nil && logits.parent == nil && logits.tape == t {
			logits.grad = prob.Data
		} else {
			addGrad(logits, prob.Data)
		}
	})
	return loss
}

func weight(weights []float32, i int) float64 {
	if weights == nil {
		return 1
	}
	return float64(weights[i])
}
