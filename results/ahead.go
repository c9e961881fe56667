package results

import (
	"errors"
	"sync/atomic"
)

// A batch is values that were read and not yet understood.
type batch struct {
	raw   []byte // one behind the other
	ends  []int
	lines []int32
}

// batchBytes is where a batch ends, and batches how many may be underway.
const batchBytes, batches = 1 << 15, 4

// errStopped ends reading ahead whose values nobody wants any more.
var errStopped = errors.New("stopped")

// ahead understands the values of a text, numbered from 1, while those behind are
// read: each calls a function where each value is to be read. What is wrong first in
// the text is the error.
func (c *collector) ahead(t *jsonText, each func(f func() error) error, read reader) error {
	full, empty := make(chan *batch, batches), make(chan *batch, batches)
	for range batches {
		empty <- &batch{}
	}
	var stopped atomic.Bool
	var unread error // good when full is closed
	go func() {
		defer close(full)
		b := <-empty
		unread = each(func() error {
			raw, line, err := t.value()
			if err != nil {
				return err
			}
			b.raw = append(b.raw, raw...)
			b.ends, b.lines = append(b.ends, len(b.raw)), append(b.lines, int32(line))
			if len(b.raw) >= batchBytes {
				full <- b
				b = <-empty
			}
			if stopped.Load() {
				return errStopped
			}
			return nil
		})
		full <- b
	}()
	n := int32(0)
	var wrong error
	for b := range full {
		start := 0
		for i := 0; i < len(b.ends) && wrong == nil; i++ {
			n++
			c.scratch = c.scratch[:0]
			wrong = read(b.raw[start:b.ends[i]:b.ends[i]], Place{b.lines[i], n})
			start = b.ends[i]
		}
		if wrong != nil {
			stopped.Store(true)
		}
		b.raw, b.ends, b.lines = b.raw[:0], b.ends[:0], b.lines[:0]
		empty <- b
	}
	if wrong != nil {
		return wrong
	}
	return unread
}
