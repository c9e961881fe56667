package showtell

import (
	"cmp"
	"context"
	"image"
	"math"
	"slices"

	"showtell/search"
	"showtell/text"
)

// A Step is one word of a caption, and what the model nearly said instead.
type Step struct {
	Word      string    // "" is the end of the sentence
	Prob      float64   // of the word after those before it
	Choices   []Choice  // the most probable words at this place, the best first
	Attention []float32 // as Word.Attention
}

// A Choice is a word that could have come; "" is the end of the sentence.
type Choice struct {
	Word string
	Prob float64
}

// Explain describes a picture and tells for each word, and for the end, the n most
// probable words at its place. A search may say another than the most probable:
// it looks at whole sentences.
func (m *Model) Explain(ctx context.Context, img image.Image, o *Options, n int) (Caption, []Step, error) {
	grid := make([]float32, m.features())
	if err := m.see(grid, img); err != nil {
		return Caption{}, nil, err
	}
	all, err := m.DescribeGrids(ctx, grid, o, 1)
	if err != nil {
		return Caption{}, nil, err
	}
	caption := all[0][0]
	said := make([]int, 0, len(caption.Words)+1)
	for _, w := range caption.Words {
		said = append(said, m.vocab.ID(w.Text))
	}
	if len(said) < m.options(o).MaxWords { // else the sentence was cut
		said = append(said, text.End)
	}
	steps := make([]Step, len(said))
	session := m.start(grid)
	before := text.Start
	for i, id := range said {
		rows, err := session.Next(ctx, []int{before}, []int{0})
		if err != nil {
			return Caption{}, nil, err
		}
		steps[i] = Step{Word: m.spoken(id), Prob: math.Exp(float64(rows[0][id])), Choices: m.choices(rows[0], n)}
		if s, ok := session.(search.Attender); ok && s.Attention() != nil {
			steps[i].Attention = slices.Clone(s.Attention()[0])
		}
		before = id
	}
	return caption, steps, nil
}

// spoken is a word for people; the end of the sentence is "".
func (m *Model) spoken(id int) string {
	if id == text.End {
		return ""
	}
	return m.vocab.Word(id)
}

// choices are the n most probable words of a row of log-probabilities.
func (m *Model) choices(row []float32, n int) []Choice {
	var ids []int
	for id := range row {
		if id != text.Pad && id != text.Start && id != text.Unknown {
			ids = append(ids, id)
		}
	}
	slices.SortStableFunc(ids, func(a, b int) int { return cmp.Compare(row[b], row[a]) })
	list := make([]Choice, min(n, len(ids)))
	for i := range list {
		list[i] = Choice{m.spoken(ids[i]), math.Exp(float64(row[ids[i]]))}
	}
	return list
}
