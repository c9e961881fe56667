package eval

import "fmt"

// A lengthTable is the scores by length, with a cell for each model in a row.
type lengthTable struct {
	Title string
	Rows  []lengthRow
}

type lengthRow struct {
	Words string
	Cells []lengthCell
}

type lengthCell struct {
	Class           string
	Pictures, Score string // "" where there is no picture
	Width           string // of the bar, in %
	Few             bool   // pictures
}

// fewPictures are too few for a mean that says something.
const fewPictures = 5

// lengthTables are those of captions and of references, in a metric.
func lengthTables(runs []Named, metric string) []lengthTable {
	var tables []lengthTable
	for _, t := range []struct {
		title string
		bins  func(*Result) []LengthBin
	}{
		{"By the length of the caption", func(r *Result) []LengthBin { return r.CaptionLengths }},
		{"By the mean length of the references", func(r *Result) []LengthBin { return r.ReferenceLengths }},
	} {
		table := lengthTable{Title: t.title}
		highest := 0.0
		for _, run := range runs {
			for _, b := range t.bins(run.Result) {
				if v, _ := b.Scores.Of(metric); b.Pictures >= fewPictures {
					highest = max(highest, v)
				}
			}
		}
		for from := 1; from <= lastWords; from += binWords {
			if row, ok := lengthRowOf(runs, from, t.bins, metric, highest); ok {
				table.Rows = append(table.Rows, row)
			}
		}
		if len(table.Rows) > 0 {
			tables = append(tables, table)
		}
	}
	return tables
}

// lengthRowOf is the row of the bins that begin at from words, if there are any.
func lengthRowOf(runs []Named, from int, bins func(*Result) []LengthBin, metric string, highest float64) (row lengthRow, ok bool) {
	row.Words = fmt.Sprintf("%d–%d", from, from+binWords-1)
	if from == lastWords {
		row.Words = fmt.Sprintf("%d or more", from)
	}
	for i, run := range runs {
		cell := lengthCell{Class: class(i)}
		for _, b := range bins(run.Result) {
			if v, scored := b.Scores.Of(metric); b.From == from && scored {
				cell.Pictures, cell.Score, ok = grouped(b.Pictures), percent(v), true
				cell.Width, cell.Few = px(100*min(1, max(0, v)/max(highest, 1e-9))), b.Pictures < fewPictures
			}
		}
		row.Cells = append(row.Cells, cell)
	}
	return row, ok
}
