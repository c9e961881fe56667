package results

import (
	"bufio"
	"encoding/binary"
	"io"
	"math"
)

// Of the format's enumerations (parquet.thrift), those that a table of required
// texts and numbers needs.
const (
	parquetDouble    = 5 // types
	parquetByteArray = 6
	parquetPlain     = 0 // encodings
	parquetRLE       = 3
	parquetUTF8      = 0 // converted type
)

// pageSize is about how many bytes of values a page holds.
const pageSize = 1 << 20

// A parquetColumn is a column of texts or, if those are nil, of numbers, and where
// it was written.
type parquetColumn struct {
	name         string
	texts        []string
	numbers      []float64
	offset, size int64
}

// kind is the column's type in the format.
func (c *parquetColumn) kind() int64 {
	if c.texts != nil {
		return parquetByteArray
	}
	return parquetDouble
}

// writeParquet writes the table as Apache Parquet, version 1: one group of rows,
// all columns required, values plain and not compressed.
func (t *Table) writeParquet(w io.Writer) error {
	columns := []*parquetColumn{{name: "image", texts: t.Images}, {name: "caption", texts: t.Caption}}
	if t.System != nil {
		columns = append([]*parquetColumn{{name: "system", texts: t.System}}, columns...)
	}
	for _, c := range t.Columns {
		columns = append(columns, &parquetColumn{name: c.Name, numbers: c.Values})
	}
	out := bufio.NewWriterSize(w, 1<<16)
	out.WriteString("PAR1")
	offset := int64(4)
	for _, c := range columns {
		c.offset = offset
		for i := 0; i < len(t.Images); {
			values, n := c.page(i)
			head := pageHead(len(values), n)
			out.Write(head)
			out.Write(values)
			offset += int64(len(head) + len(values))
			i += n
		}
		c.size = offset - c.offset
	}
	foot := parquetFoot(columns, int64(len(t.Images)))
	out.Write(foot)
	out.Write(binary.LittleEndian.AppendUint32(nil, uint32(len(foot))))
	out.WriteString("PAR1")
	return out.Flush() // which returns the first error of all writes
}

// page is the plain values from row i on, and how many rows these are.
func (c *parquetColumn) page(i int) (values []byte, n int) {
	if c.texts == nil {
		for ; i+n < len(c.numbers) && len(values) < pageSize; n++ {
			values = binary.LittleEndian.AppendUint64(values, math.Float64bits(c.numbers[i+n]))
		}
		return values, n
	}
	for ; i+n < len(c.texts) && len(values) < pageSize; n++ {
		values = binary.LittleEndian.AppendUint32(values, uint32(len(c.texts[i+n])))
		values = append(values, c.texts[i+n]...)
	}
	return values, n
}

// pageHead is the PageHeader of a data page.
func pageHead(bytes, rows int) []byte {
	var s thrift
	s.number(1, thriftI32, 0) // a data page
	s.number(2, thriftI32, int64(bytes))
	s.number(3, thriftI32, int64(bytes))
	s.open(5)
	s.number(1, thriftI32, int64(rows))
	s.number(2, thriftI32, parquetPlain)
	s.number(3, thriftI32, parquetRLE) // of levels, which required columns do not have
	s.number(4, thriftI32, parquetRLE)
	s.close()
	s.close()
	return s.b
}

// parquetFoot is the FileMetaData.
func parquetFoot(columns []*parquetColumn, rows int64) []byte {
	var s thrift
	s.number(1, thriftI32, 1)
	s.list(2, thriftStruct, 1+len(columns))
	s.element()
	s.text(4, "showtell")
	s.number(5, thriftI32, int64(len(columns)))
	s.close()
	for _, c := range columns {
		s.element()
		s.number(1, thriftI32, c.kind())
		s.number(3, thriftI32, 0) // required
		s.text(4, c.name)
		if c.texts != nil {
			s.number(6, thriftI32, parquetUTF8)
			s.open(10)
			s.open(1) // a string
			s.close()
			s.close()
		}
		s.close()
	}
	s.number(3, thriftI64, rows)
	s.list(4, thriftStruct, 1)
	s.element()
	s.list(1, thriftStruct, len(columns))
	total := int64(0)
	for _, c := range columns {
		s.element()
		s.number(2, thriftI64, c.offset)
		s.open(3)
		c.meta(&s, rows)
		s.close()
		s.close()
		total += c.size
	}
	s.number(2, thriftI64, total)
	s.number(3, thriftI64, rows)
	s.close()
	s.text(6, "showtell")
	s.close()
	return s.b
}

// meta writes the fields of the column's ColumnMetaData.
func (c *parquetColumn) meta(s *thrift, rows int64) {
	s.number(1, thriftI32, c.kind())
	s.list(2, thriftI32, 1)
	s.varint(parquetPlain)
	s.list(3, thriftBinary, 1)
	s.bytes(c.name)
	s.number(4, thriftI32, 0) // not compressed
	s.number(5, thriftI64, rows)
	s.number(6, thriftI64, c.size)
	s.number(7, thriftI64, c.size)
	s.number(9, thriftI64, c.offset)
}

// Types of Thrift's compact protocol.
const (
	thriftI32    = 5
	thriftI64    = 6
	thriftBinary = 8
	thriftList   = 9
	thriftStruct = 12
)

// thrift appends the fields of structures in Thrift's compact protocol, in rising
// order of their numbers.
type thrift struct {
	b     []byte
	last  int   // the field before, in the structure that is open
	outer []int // and in those around it
}

// field begins a field; numbers of fields are less than 16 apart.
func (s *thrift) field(id, kind int) {
	s.b = append(s.b, byte((id-s.last)<<4|kind))
	s.last = id
}

// varint appends a number in zigzag order.
func (s *thrift) varint(n int64) { s.b = binary.AppendVarint(s.b, n) }

func (s *thrift) bytes(text string) {
	s.b = append(binary.AppendUvarint(s.b, uint64(len(text))), text...)
}

func (s *thrift) number(id, kind int, n int64) {
	s.field(id, kind)
	s.varint(n)
}

func (s *thrift) text(id int, text string) {
	s.field(id, thriftBinary)
	s.bytes(text)
}

// list begins a list of n elements.
func (s *thrift) list(id, kind, n int) {
	s.field(id, thriftList)
	if n < 15 {
		s.b = append(s.b, byte(n<<4|kind))
		return
	}
	s.b = binary.AppendUvarint(append(s.b, byte(0xf0|kind)), uint64(n))
}

// open begins a structure that is a field, element one in a list.
func (s *thrift) open(id int) {
	s.field(id, thriftStruct)
	s.element()
}

func (s *thrift) element() {
	s.outer = append(s.outer, s.last)
	s.last = 0
}

// close ends a structure; the outermost is open from the start.
func (s *thrift) close() {
	s.b = append(s.b, 0)
	if n := len(s.outer); n > 0 {
		s.last, s.outer = s.outer[n-1], s.outer[:n-1]
	}
}
