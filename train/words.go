package train

import (
	"fmt"
	"math"
	"slices"

	"showtell/nn"
	"showtell/text"
)

// glove reads word vectors, whose width becomes that of the embedding.
func (t *trainer) glove() ([][]float32, error) {
	vectors, coverage, err := text.ReadVectors(t.Recipe.GloVe, t.vocab)
	if err != nil {
		return nil, err
	}
	if t.Vectors != nil {
		t.Vectors(coverage)
	}
	for _, v := range vectors {
		if v != nil {
			t.config.Embed = len(v)
			return vectors, nil
		}
	}
	return nil, fmt.Errorf("%s: a vector for none of the %d words", t.Recipe.GloVe, t.vocab.Len())
}

// startWords sets the vectors of words. Where the decoder wants others than the
// file has, longer ones are projected, shorter ones fill the first columns, and
// both are brought to the size of the decoder's own.
func startWords(words *nn.Param, vectors [][]float32) {
	scale := float32(1)
	if !slices.ContainsFunc(vectors, func(v []float32) bool { return len(v) == words.Cols() }) {
		vectors = text.Project(vectors, words.Cols())
		if size := meanSize(slices.Concat(vectors...)); size > 0 {
			scale = meanSize(words.Data) / size
		}
	}
	for id, v := range vectors {
		for i, x := range v {
			words.Row(id)[i] = scale * x
		}
	}
}

// meanSize is the root of the mean square.
func meanSize(x []float32) float32 {
	sum := 0.0
	for _, v := range x {
		sum += float64(v) * float64(v)
	}
	return float32(math.Sqrt(sum / float64(max(1, len(x)))))
}
