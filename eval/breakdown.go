package eval

import (
	"cmp"
	"encoding/json"
	"math"
	"slices"
	"strings"

	"showtell/metric"
)

// A LengthBin is the pictures whose captions, or references, are about as long.
type LengthBin struct {
	From     int    `json:"from"` // words, after the tokenizer of the metrics
	To       int    `json:"to"`   // 0: any number
	Pictures int    `json:"pictures"`
	Scores   Scores `json:"scores"` // means over these pictures
}

// Lengths of captions in words: bins of two, and one for all from 21 on.
const (
	binWords  = 2
	lastWords = 21
)

// A WordUse is how captions use a word that they or the references say.
type WordUse struct {
	Word       string
	Said       int     // captions that say it
	Pictures   int     // with a reference that says it
	Right      int     // captions that say it of such a picture
	References int     // sentences that say it
	Missed     int     // of these, those of pictures whose caption does not say it
	CiderD     float64 // mean of the captions that say it; NaN where none does, or without CIDEr-D
}

// Precision is the share of the captions with the word that some reference bears out.
func (w WordUse) Precision() float64 { return float64(w.Right) / float64(max(1, w.Said)) }

// Recall is the share of the pictures with the word in a reference whose caption has it.
func (w WordUse) Recall() float64 { return float64(w.Right) / float64(max(1, w.Pictures)) }

// MarshalJSON writes the fields in lower snake case, with precision and recall where
// there are some.
func (w WordUse) MarshalJSON() ([]byte, error) {
	of := func(value float64, there bool) *float64 {
		if !there {
			return nil
		}
		value = short(value)
		return &value
	}
	return json.Marshal(struct {
		Word       string   `json:"word"`
		Said       int      `json:"said"`
		Pictures   int      `json:"pictures"`
		Right      int      `json:"right"`
		References int      `json:"references"`
		Missed     int      `json:"missed"`
		Precision  *float64 `json:"precision,omitempty"`
		Recall     *float64 `json:"recall,omitempty"`
		CiderD     *float64 `json:"cider_d,omitempty"`
	}{w.Word, w.Said, w.Pictures, w.Right, w.References, w.Missed, of(w.Precision(), w.Said > 0), of(w.Recall(), w.Pictures > 0), of(w.CiderD, !math.IsNaN(w.CiderD))})
}

// breakDown fills the lengths and the words of a result that has scores.
func (r *Result) breakDown() {
	captions, references := make([][]string, len(r.Items)), make([][][]string, len(r.Items))
	said, wanted := make([]float64, len(r.Items)), make([]float64, len(r.Items))
	for i, item := range r.Items {
		captions[i] = strings.Fields(metric.Tokenize(item.Caption.Raw()))
		said[i] = float64(len(captions[i]))
		for _, ref := range item.References {
			words := strings.Fields(metric.Tokenize(ref))
			references[i] = append(references[i], words)
			wanted[i] += float64(len(words)) / float64(len(item.References))
		}
	}
	r.CaptionLengths, r.ReferenceLengths = lengths(r.Items, said), lengths(r.Items, wanted)
	r.Words = wordUses(r.Items, captions, references)
}

// lengths sorts the items into bins, by the lengths of each in words, and leaves out
// bins without any.
func lengths(items []Item, words []float64) []LengthBin {
	bins := make([]LengthBin, (lastWords-1)/binWords+1)
	for i := range bins {
		bins[i].From, bins[i].To = binWords*i+1, binWords*(i+1)
	}
	bins[len(bins)-1].To = 0
	for i, item := range items {
		n := min(max(int(math.Round(words[i])), 1), lastWords)
		b := &bins[(n-1)/binWords]
		b.Pictures++
		for k, s := range item.Scores {
			if k == len(b.Scores) {
				b.Scores = append(b.Scores, Score{Name: s.Name})
			}
			b.Scores[k].Value += (s.Value - b.Scores[k].Value) / float64(b.Pictures)
		}
	}
	return slices.DeleteFunc(bins, func(b LengthBin) bool { return b.Pictures == 0 })
}

// wordUses counts words, those that are said and written most first.
func wordUses(items []Item, captions [][]string, references [][][]string) []WordUse {
	uses := map[string]*WordUse{}
	use := func(word string) *WordUse {
		if uses[word] == nil {
			uses[word] = &WordUse{Word: word, CiderD: math.NaN()}
		}
		return uses[word]
	}
	for i, item := range items {
		said, written := set(captions[i]), map[string]int{}
		for _, ref := range references[i] {
			for word := range set(ref) {
				written[word]++
			}
		}
		score, ok := item.Scores.Of("CIDEr-D")
		for word := range said {
			u := use(word)
			u.Said++
			switch {
			case ok && u.Said == 1:
				u.CiderD = score
			case ok:
				u.CiderD += (score - u.CiderD) / float64(u.Said)
			}
			if written[word] > 0 {
				u.Right++
			}
		}
		for word, n := range written {
			u := use(word)
			u.Pictures++
			u.References += n
			if !said[word] {
				u.Missed += n
			}
		}
	}
	list := make([]WordUse, 0, len(uses))
	for _, u := range uses {
		list = append(list, *u)
	}
	slices.SortFunc(list, func(a, b WordUse) int {
		return cmp.Or(cmp.Compare(b.Said+b.References, a.Said+a.References), strings.Compare(a.Word, b.Word))
	})
	return list
}

func set(words []string) map[string]bool {
	s := make(map[string]bool, len(words))
	for _, w := range words {
		s[w] = true
	}
	return s
}
