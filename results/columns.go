package results

import (
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
)

// A Column is a number for each of some images.
type Column struct {
	Name   string
	Values []float64
}

// A numbersRow is a row of a table of numbers.
type numbersRow struct {
	fields []string
	place  Place
}

// ReadColumns reads a file as [Columns] does.
func ReadColumns(path string, images []string) ([]Column, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return Columns(path, f, images)
}

// Columns reads numbers that others computed, such as SPICE, from a CSV or TSV
// file: a column of images and columns of numbers, or columns of numbers alone if
// images are lines. The numbers are in the order of images, all of which must be
// in the file. Columns without any number are left out.
func Columns(name string, r io.Reader, images []string) ([]Column, error) {
	in, err := open(name, r)
	if err != nil {
		return nil, err
	}
	c := &collector{input: in}
	h, names := columnsOf(in.head.first)
	rows, err := c.rowsOf(h, images)
	if err != nil {
		return nil, err
	}
	var columns []Column
	for k, title := range names {
		if k == h.image {
			continue
		}
		values, err := c.numbers(rows, k, title)
		if err != nil {
			return nil, err
		}
		if values != nil {
			columns = append(columns, Column{title, values})
		}
	}
	if len(columns) == 0 {
		return nil, fmt.Errorf("%s: no column of numbers", name)
	}
	return columns, nil
}

// columnsOf understands the first line of a table of numbers: where its images
// are, and the names of its columns.
func columnsOf(line string) (header, []string) {
	h, names := header{separator: ',', image: -1}, split(line, ',')
	for _, sep := range separators {
		if list := split(line, sep); len(list) > 1 {
			h.separator, names = sep, list
			break
		}
	}
	h.image = column(lower(names), imageNames)
	return h, names
}

// rowsOf are the rows of images, in their order.
func (c *collector) rowsOf(h header, images []string) ([]numbersRow, error) {
	order := make(map[string]int, len(images))
	for i, image := range images {
		order[image] = i
	}
	rows := make([]numbersRow, len(images))
	err := c.rows(h, func(fields []string, n int, p Place) error {
		image := strconv.Itoa(n)
		if h.image >= 0 {
			image = fields[h.image]
		}
		i, ok := order[image]
		if !ok {
			return nil // it is not scored
		}
		if rows[i].fields != nil {
			return c.at(p, "image %s stands already in %s", image, rows[i].place)
		}
		rows[i] = numbersRow{slices.Clone(fields), p}
		return nil
	})
	if err != nil {
		return nil, err
	}
	var missing []string
	for i, image := range images {
		if rows[i].fields == nil {
			missing = append(missing, image)
		}
	}
	if len(missing) > 0 {
		return nil, fmt.Errorf("%s: no numbers for %d of %d images: %s", c.name, len(missing), len(images), strings.Join(missing[:min(5, len(missing))], ", "))
	}
	return rows, nil
}

// numbers are those of a column, nil if it has none.
func (c *collector) numbers(rows []numbersRow, column int, title string) ([]float64, error) {
	values := make([]float64, len(rows))
	var wrong error
	good := 0
	for i, row := range rows {
		x, err := strconv.ParseFloat(row.fields[column], 64)
		if err == nil {
			good++
		}
		if wrong == nil && (err != nil || math.IsNaN(x) || math.IsInf(x, 0)) {
			wrong = c.at(row.place, "%s: %q is no number", title, row.fields[column])
		}
		values[i] = x
	}
	if good == 0 {
		return nil, nil
	}
	return values, wrong
}
