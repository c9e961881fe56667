package results

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzRows compares the rows of a CSV file with those of encoding/csv.
func FuzzRows(f *testing.F) {
	for _, text := range []string{
		"a,b\nc,d\n", "a,\"b,\n\r\n\"\"c\"\r\n\r\nd,e", "a\nb,c\n", "a,b\"\n", "\"a\"b\n", "\"a\n", "\"a\n\nb\",c\n\"", "a,\n,b\n,\n", "\"\",\"\"\n\"\",\n", "a\r", "\r\n\"a\r\n", "\"a\r\rb\"\r\n",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if !utf8.ValidString(text) || strings.Contains(text, "\ufeff") || text == "" {
			return
		}
		want := csvRows(text)
		in, err := open("f", strings.NewReader(text))
		if err != nil {
			return // it begins like a packed file
		}
		var got []string
		err = (&collector{input: in}).rows(header{separator: ',', none: true}, func(fields [][]byte, _ int, p Place) error {
			got = append(got, fmt.Sprintf("%d %q", p.Line, fields))
			return nil
		})
		if err != nil {
			got = append(got, err.Error())
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	})
}

// csvRows are the rows that encoding/csv reads, without space around fields, each
// with its line; the last may be an error.
func csvRows(text string) (rows []string) {
	r := csv.NewReader(strings.NewReader(text))
	for {
		fields, err := r.Read()
		var wrong *csv.ParseError
		if err == io.EOF {
			return rows
		} else if errors.As(err, &wrong) {
			return append(rows, fmt.Sprintf("f:%d: %v", wrong.StartLine, wrong.Err))
		}
		for i := range fields {
			fields[i] = strings.TrimSpace(fields[i])
		}
		line, _ := r.FieldPos(0)
		rows = append(rows, fmt.Sprintf("%d %q", line, fields))
	}
}
