package eval

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"showtell/text"
)

// How many words the page shows; the JSON has all.
const (
	fewWords   = 12  // in a list of the worst
	neverWords = 60  // of those that are never said
	mostWords  = 250 // in the table of all
)

// A wordList is the few words of a model that stand out.
type wordList struct {
	Of, Class string // the model and its colour, where there are several
	Model     int
	Title     string
	Find      string // what a click on a word looks for among the pictures: "said", "missed"
	Header    []string
	Rows      []wordRow
}

type wordRow struct {
	Word  string
	Cells []string
}

// A neverSaid tells of the words that references have and a model does not say.
type neverSaid struct {
	Of, Class string
	Model     int
	Said      int // different words that it says
	Written   int // different words of the references
	Never     int // of these, those it never says
	Once      int // of these, those of one picture
	Unknown   int // of these, those that are not in its vocabulary
	Words     []neverWord
}

type neverWord struct {
	Word, Pictures string
	Unknown        bool
}

// wordLists are, for each model, the words that it says wrongly and that it misses
// most often, and those that it says more or less often than the first model does.
func wordLists(runs []Named) []wordList {
	var lists []wordList
	for i, run := range runs {
		wrong := ranked(run.Result.Words, func(w WordUse) int { return w.Said - w.Right })
		missed := ranked(run.Result.Words, func(w WordUse) int { return w.Missed })
		said := wordList{Title: "Said where no reference does", Find: "said", Header: []string{"Captions", "Wrong", "Precision"}}
		for _, w := range wrong {
			said.Rows = append(said.Rows, wordRow{w.Word, []string{grouped(w.Said), grouped(w.Said - w.Right), whole(w.Precision())}})
		}
		lacking := wordList{Title: "Missed most", Find: "missed", Header: []string{"Pictures", "Said of them", "Recall"}}
		for _, w := range missed {
			lacking.Rows = append(lacking.Rows, wordRow{w.Word, []string{grouped(w.Pictures), grouped(w.Right), whole(w.Recall())}})
		}
		lists = append(lists, said.of(runs, i), lacking.of(runs, i))
		if i > 0 {
			lists = append(lists, otherwise(runs, i).of(runs, i))
		}
	}
	return slices.DeleteFunc(lists, func(l wordList) bool { return len(l.Rows) == 0 })
}

// of says which model a list is of.
func (l wordList) of(runs []Named, i int) wordList {
	l.Model = i
	if len(runs) > 1 {
		l.Of, l.Class = runs[i].Name, class(i)
	}
	return l
}

// ranked are the few words with the highest rank above 0, without articles and the like.
func ranked(words []WordUse, rank func(WordUse) int) []WordUse {
	words = slices.DeleteFunc(slices.Clone(words), func(w WordUse) bool { return rank(w) <= 0 || text.Dangling(w.Word) })
	slices.SortStableFunc(words, func(a, b WordUse) int { return cmp.Compare(rank(b), rank(a)) })
	return words[:min(fewWords, len(words))]
}

// otherwise lists what model i says more or less often than the first.
func otherwise(runs []Named, i int) wordList {
	l := wordList{Title: "Said more or less often than by " + runs[0].Name, Find: "said", Header: []string{"By that", "By this", "More"}}
	before := map[string]int{}
	for _, w := range runs[0].Result.Words {
		before[w.Word] = w.Said
	}
	more := func(w WordUse) int { return w.Said - before[w.Word] }
	words := slices.Clone(runs[i].Result.Words)
	slices.SortStableFunc(words, func(a, b WordUse) int { return cmp.Compare(max(more(b), -more(b)), max(more(a), -more(a))) })
	for _, w := range words[:min(fewWords, len(words))] {
		if more(w) != 0 {
			l.Rows = append(l.Rows, wordRow{w.Word, []string{grouped(before[w.Word]), grouped(w.Said), fmt.Sprintf("%+d", more(w))}})
		}
	}
	return l
}

// neverSaids are the words of the references that the models never say, those of the
// most pictures first.
func neverSaids(runs []Named) []neverSaid {
	var list []neverSaid
	for i, run := range runs {
		n := neverSaid{Of: run.Name, Class: class(i), Model: i}
		known := set(run.Model.Words)
		var never []WordUse
		for _, w := range run.Result.Words {
			n.Said += min(1, w.Said)
			n.Written += min(1, w.Pictures)
			if w.Said > 0 {
				continue
			}
			never = append(never, w)
			if w.Pictures == 1 {
				n.Once++
			}
			if len(known) > 0 && !known[w.Word] {
				n.Unknown++
			}
		}
		slices.SortStableFunc(never, func(a, b WordUse) int { return cmp.Compare(b.Pictures, a.Pictures) })
		n.Never = len(never)
		for _, w := range never[:min(neverWords, len(never))] {
			n.Words = append(n.Words, neverWord{w.Word, grouped(w.Pictures), len(known) > 0 && !known[w.Word]})
		}
		if n.Written > 0 {
			list = append(list, n)
		}
	}
	return list
}

// allWords is the table of the words that captions and references say most often, with
// four cells for each model: captions, precision, recall and CIDEr-D. The first cell
// is the pictures whose references say it.
func allWords(runs []Named) []wordRow {
	uses := make([]map[string]WordUse, len(runs))
	frequency, pictures := map[string]int{}, map[string]int{}
	var words []string
	for i, run := range runs {
		uses[i] = map[string]WordUse{}
		for _, w := range run.Result.Words {
			if _, ok := frequency[w.Word]; !ok {
				words = append(words, w.Word)
			}
			uses[i][w.Word] = w
			frequency[w.Word] += w.Said + w.References
			pictures[w.Word] = max(pictures[w.Word], w.Pictures)
		}
	}
	slices.SortStableFunc(words, func(a, b string) int { return cmp.Compare(frequency[b], frequency[a]) })
	var rows []wordRow
	for _, word := range words[:min(mostWords, len(words))] {
		row := wordRow{word, []string{grouped(pictures[word])}}
		for i := range runs {
			row.Cells = append(row.Cells, uses[i][word].cells()...)
		}
		rows = append(rows, row)
	}
	return rows
}

// cells of a word: captions, precision, recall and CIDEr-D.
func (w WordUse) cells() []string {
	precision, recall, score := "–", "–", "–"
	if w.Said > 0 {
		precision = whole(w.Precision())
	}
	if w.Pictures > 0 {
		recall = whole(w.Recall())
	}
	if w.Said > 0 && !math.IsNaN(w.CiderD) {
		score = percent(w.CiderD)
	}
	return []string{grouped(w.Said), precision, recall, score}
}

// whole is a share in %.
func whole(share float64) string { return fmt.Sprintf("%.0f %%", 100*share) }
