package results

import (
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"strings"
)

// A Column is a number for each of some images.
type Column struct {
	Name   string
	Values []float64
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
	all, err := c.numbers(h, names, images)
	if err != nil {
		return nil, err
	}
	var columns []Column
	for _, n := range all {
		switch {
		case !n.some:
		case n.wrong != nil:
			return nil, n.wrong
		default:
			columns = append(columns, n.Column)
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

// numbers are a column of a table.
type numbers struct {
	Column
	some  bool  // it has numbers
	wrong error // of the first field that is no number
}

// numbers reads the columns of a table in the order of images.
func (c *collector) numbers(h header, names, images []string) ([]numbers, error) {
	order := newIndex(func(i int) string { return images[i] })
	for _, image := range images {
		order.add([]byte(image))
	}
	columns := make([]numbers, len(names))
	for k, name := range names {
		columns[k].Column = Column{name, make([]float64, len(images))}
	}
	places := make([]Place, len(images))
	var number []byte
	err := c.rows(h, func(fields [][]byte, n int, p Place) error {
		if len(fields) < len(names) {
			return c.at(p, "%d fields, want %d", len(fields), len(names))
		}
		number = strconv.AppendInt(number[:0], int64(n), 10)
		image := number
		if h.image >= 0 {
			image = fields[h.image]
		}
		i, ok := order.find(image)
		if !ok {
			return nil // it is not scored
		}
		if places[i].Line > 0 {
			return c.at(p, "image %s stands already in %s", image, places[i])
		}
		places[i] = p
		for k := range columns {
			if k != h.image {
				c.number(&columns[k], i, fields[k], p)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return columns, c.missing(images, places)
}

// missing is an error if some images have no place.
func (c *collector) missing(images []string, places []Place) error {
	var missing []string
	for i, image := range images {
		if places[i].Line == 0 {
			missing = append(missing, image)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return fmt.Errorf("%s: no numbers for %d of %d images: %s", c.name, len(missing), len(images), strings.Join(missing[:min(5, len(missing))], ", "))
}

// number reads a number of image i.
func (c *collector) number(column *numbers, i int, field []byte, p Place) {
	var x float64
	err := strconv.ErrSyntax
	if len(field) > 0 && strings.IndexByte("+-.0123456789iInN", field[0]) >= 0 { // an error of ParseFloat costs time
		x, err = strconv.ParseFloat(string(field), 64)
	}
	if err == nil {
		column.some = true
		column.Values[i] = x
	}
	if column.wrong == nil && (err != nil || math.IsNaN(x) || math.IsInf(x, 0)) {
		column.wrong = c.at(p, "%s: %q is no number", column.Name, field)
	}
}
