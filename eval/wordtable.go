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

// The words of a model are those that stand out.
type modelWords struct {
	Name, Class string
	Model       int
	Lists       []wordList
	Never       neverSaid
}

// A wordList is a few words.
type wordList struct {
	Title  string
	Find   string // what a click on a word looks for among the pictures: "said", "missed"
	Header []string
	Rows   []wordRow
}

type wordRow struct {
	Word  string
	Cells []string
}

// A neverSaid tells of the words that references have and a model does not say.
type neverSaid struct {
	Said    int // different words that it says
	Written int // different words of the references
	Never   int // of these, those it never says
	Once    int // of these, those of one picture
	Unknown int // of these, those that are not in its vocabulary
	Words   []neverWord
}

type neverWord struct {
	Word, Pictures string
	Unknown        bool
}

// wordsOf are, for each model, the words that it says wrongly and that it misses most
// often, those that it says more or less often than the first model does, and those
// that it never says.
func wordsOf(runs []Named) []modelWords {
	var list []modelWords
	for i, run := range runs {
		words := run.Result.Words
		if len(words) == 0 {
			continue
		}
		m := modelWords{Name: run.Name, Class: class(i), Model: i, Never: neverSays(words, run.Model.Words)}
		wrong := wordList{Title: "Said where no reference does", Find: "said", Header: []string{"Captions", "Wrong", "Precision"}}
		for _, w := range ranked(words, func(w WordUse) int { return w.Said - w.Right }) {
			wrong.Rows = append(wrong.Rows, wordRow{w.Word, []string{grouped(w.Said), grouped(w.Said - w.Right), whole(w.Precision())}})
		}
		missed := wordList{Title: "Missed most", Find: "missed", Header: []string{"Pictures", "Said of them", "Recall"}}
		for _, w := range ranked(words, func(w WordUse) int { return w.Missed }) {
			missed.Rows = append(missed.Rows, wordRow{w.Word, []string{grouped(w.Pictures), grouped(w.Right), whole(w.Recall())}})
		}
		m.Lists = []wordList{wrong, missed}
		if i > 0 {
			m.Lists = append(m.Lists, otherwise(words, runs[0]))
		}
		m.Lists = slices.DeleteFunc(m.Lists, func(l wordList) bool { return len(l.Rows) == 0 })
		list = append(list, m)
	}
	return list
}

// ranked are the few words with the highest rank above 0, without articles and the like.
func ranked(words []WordUse, rank func(WordUse) int) []WordUse {
	words = slices.DeleteFunc(slices.Clone(words), func(w WordUse) bool { return rank(w) <= 0 || text.Dangling(w.Word) })
	slices.SortStableFunc(words, func(a, b WordUse) int { return cmp.Compare(rank(b), rank(a)) })
	return words[:min(fewWords, len(words))]
}

// otherwise lists what is said more or less often than by the first model.
func otherwise(words []WordUse, first Named) wordList {
	l := wordList{Title: "Said more or less often than by " + first.Name, Find: "said", Header: []string{"By that", "By this", "More"}}
	before := map[string]int{}
	for _, w := range first.Result.Words {
		before[w.Word] = w.Said
	}
	more := func(w WordUse) int { return w.Said - before[w.Word] }
	for _, w := range ranked(words, func(w WordUse) int { return max(more(w), -more(w)) }) {
		l.Rows = append(l.Rows, wordRow{w.Word, []string{grouped(before[w.Word]), grouped(w.Said), fmt.Sprintf("%+d", more(w))}})
	}
	return l
}

// neverSays are the words of the references that a model never says, those of the most
// pictures first. An empty vocabulary is one that is not known.
func neverSays(words []WordUse, vocabulary []string) neverSaid {
	var n neverSaid
	known := set(vocabulary)
	unknown := func(word string) bool { return len(known) > 0 && !known[word] }
	var never []WordUse
	for _, w := range words {
		n.Said += min(1, w.Said)
		n.Written += min(1, w.Pictures)
		if w.Said > 0 {
			continue
		}
		never = append(never, w)
		if w.Pictures == 1 {
			n.Once++
		}
		if unknown(w.Word) {
			n.Unknown++
		}
	}
	n.Never = len(never)
	slices.SortStableFunc(never, func(a, b WordUse) int { return cmp.Compare(b.Pictures, a.Pictures) })
	for _, w := range never[:min(neverWords, len(never))] {
		n.Words = append(n.Words, neverWord{w.Word, grouped(w.Pictures), unknown(w.Word)})
	}
	return n
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
