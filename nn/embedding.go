package nn

import (
	"fmt"

	"showtell/tensor"
)

// Embedding takes the rows of table with the given ids: (len(ids), width).
func Embedding(t *Tape, table *Param, ids []int) *Var {
	for _, id := range ids {
		if id < 0 || id >= table.Shape[0] {
			panic(fmt.Sprintf("nn: row %d of %s, which has %d", id, table.Name, table.Shape[0]))
		}
	}
	cols := table.Cols()
	y := t.New(len(ids), cols)
	operands{y: y.Data, a: table.Data, cols: cols, ids: ids}.rows(len(ids), cols, gatherRows)
	if !t.learns() {
		return y
	}
	t.record(func() {
		if y.grad == nil {
			return
		}
		d := table.Grad()
		for i, id := range ids { // in order: an id may stand several times
			row := d[id*cols : (id+1)*cols]
			tensor.Add(row, row, y.grad[i*cols:(i+1)*cols])
		}
	})
	return y
}
