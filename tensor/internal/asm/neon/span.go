package main

import "fmt"

// A span is how a row of up to 12 values is loaded and stored: by parts of the same size, the last
// of which ends with the last value and may overlap the one before it.
type span struct {
	name  string
	least int // values that take it
	parts int
	size  int // values of a part
}

var spans = []span{{"three", 9, 3, 4}, {"two", 5, 2, 4}, {"one", 4, 1, 4}, {"pair", 2, 2, 2}, {"single", 1, 1, 1}}

// eachSpan writes a way through the function for each span, chosen by the number of values in a
// register. It must end the function.
func (w *writer) eachSpan(values string, body func(s span)) {
	for i, s := range spans {
		w.label(s.name)
		if i+1 < len(spans) {
			w.op("CMP $%d, %s", s.least, values)
			w.op("BLT %s", spans[i+1].name)
		}
		body(s)
	}
}

// lastPart puts into to where the last part of a row begins.
func (w *writer) lastPart(s span, row, values, to string) {
	if s.parts > 1 {
		w.op("ADD %s<<2, %s, %s", values, row, to)
		w.op("SUB $%d, %s", 4*s.size, to)
	}
}

// load and store move the parts of a row to and from registers v, v+1, ...
func (w *writer) load(s span, row, last string, v int) {
	for part := range s.parts {
		w.op("%s %s, F%d", s.move(), s.place(part, row, last), v+part)
	}
}

func (w *writer) store(s span, v int, row, last string) {
	for part := range s.parts {
		w.op("%s F%d, %s", s.move(), v+part, s.place(part, row, last))
	}
}

// advance moves the pointers of a row on by a register.
func (w *writer) advance(s span, by, row, last string) {
	w.op("ADD %s, %s", by, row)
	if s.parts > 1 {
		w.op("ADD %s, %s", by, last)
	}
}

func (s span) move() string { return map[int]string{4: "FMOVQ", 2: "FMOVD", 1: "FMOVS"}[s.size] }

func (s span) place(part int, row, last string) string {
	if part > 0 && part == s.parts-1 {
		return "(" + last + ")"
	}
	return fmt.Sprintf("%d(%s)", 4*s.size*part, row)
}
