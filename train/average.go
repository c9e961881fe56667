package train

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"showtell"
)

// remember keeps the weights of an epoch for the mean at the end of the stage, if it is
// one of the best.
func (t *trainer) remember(epoch int, weights [][]float32) {
	most := t.Recipe.AverageEpochs
	if most == 0 {
		return
	}
	t.Kept, t.kept = append(t.Kept, epoch), append(t.kept, weights)
	if len(t.Kept) <= most {
		return
	}
	worst := 0 // the earliest of equals
	for i, e := range t.Kept {
		if t.History[e-1].CiderD < t.History[t.Kept[worst]-1].CiderD {
			worst = i
		}
	}
	t.Kept, t.kept = slices.Delete(t.Kept, worst, worst+1), slices.Delete(t.kept, worst, worst+1)
}

// endStage scores the mean of the weights that were remembered, which lies further down
// than any of them where they lie around a minimum (Izmailov et al. 2018), and takes it if
// it is better than the best.
func (t *trainer) endStage(ctx context.Context) error {
	n := len(t.kept)
	if t.Ended || n < 2 || len(t.devItems()) == 0 {
		t.Ended = true
		return nil
	}
	mean := copies(t.kept[0])
	for i, m := range mean {
		for k := range m {
			sum := 0.0
			for _, weights := range t.kept {
				sum += float64(weights[i][k])
			}
			m[k] = float32(sum / float64(n))
		}
	}
	epoch := showtell.Epoch{Epoch: len(t.History) + 1, Stage: t.stage.name, Averaged: n}
	if err := t.score(ctx, mean, &epoch); err != nil {
		return err
	}
	best := t.History[t.Best-1]
	t.Ended = true
	verdict := fmt.Sprintf("no better than epoch %d with %.1f", best.Epoch, 100*best.CiderD)
	if epoch.CiderD > best.CiderD {
		t.History = append(t.History, epoch)
		t.Best, t.best = epoch.Epoch, mean
		verdict = fmt.Sprintf("kept as epoch %d: the best had %.1f", epoch.Epoch, 100*best.CiderD)
	}
	epochs := strings.Trim(fmt.Sprint(t.Kept), "[]")
	return t.note("mean of the weights of epochs %s: dev CIDEr-D %.1f, %s", strings.ReplaceAll(epochs, " ", ", "), 100*epoch.CiderD, verdict)
}
