package weightfile

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strings"
)

// unpickle reads the part of Python's pickle that torch.save writes for state
// dicts (https://docs.python.org/3/library/pickletools.html, protocols 2 to
// 4). It runs nothing: the few functions it knows make values here, and any
// other name ends it with an error that tells that name. load is told of
// references to storages.
//
// Values are nil, bool, int, float64, string, tuple, *list, *dict, global and
// what the functions and load return.
func unpickle(data []byte, load func(id tuple) (any, error)) (any, error) {
	p := &pickle{data: data, memo: map[int]any{}, load: load}
	for {
		at := p.at
		done, err := p.step()
		if err != nil {
			return nil, fmt.Errorf("at byte %d: %w", at, err)
		}
		if done {
			return p.pop()
		}
	}
}

type (
	tuple []any
	list  struct{ items []any }
	dict  struct {
		keys   []string // in the order of the file; other keys than strings are left out
		values map[string]any
	}
	global string   // a name such as "torch.FloatStorage"
	mark   struct{} // where a list of items begins on the stack
)

type pickle struct {
	data   []byte
	at     int
	stack  []any
	memo   map[int]any
	paired int // items of lists that were made into dicts
	load   func(tuple) (any, error)
}

var errShort = errors.New("the pickle is cut short")

func (p *pickle) take(n int) ([]byte, error) {
	if n < 0 || n > len(p.data)-p.at {
		return nil, errShort
	}
	b := p.data[p.at:][:n]
	p.at += n
	return b, nil
}

// number reads a little-endian number of n bytes, without a sign.
func (p *pickle) number(n int) (int, error) {
	b, err := p.take(n)
	if err != nil {
		return 0, err
	}
	var x uint64
	for i, v := range b {
		x |= uint64(v) << (8 * i)
	}
	if x > math.MaxInt {
		return 0, errShort // no length or count in a pickle can be so large
	}
	return int(x), nil
}

// text reads a string whose length takes n bytes.
func (p *pickle) text(n int) error {
	length, err := p.number(n)
	if err != nil {
		return err
	}
	b, err := p.take(length)
	return p.push(string(b), err)
}

func (p *pickle) line() (string, error) {
	s, _, ok := strings.Cut(string(p.data[p.at:min(len(p.data), p.at+1024)]), "\n")
	if !ok {
		return "", errors.New("a name without an end")
	}
	p.at += len(s) + 1
	return s, nil
}

func (p *pickle) push(v any, err error) error {
	if err == nil {
		p.stack = append(p.stack, v)
	}
	return err
}

func (p *pickle) pop() (any, error) {
	n := len(p.stack) - 1
	if n < 0 {
		return nil, errors.New("the stack is empty")
	}
	v := p.stack[n]
	p.stack = p.stack[:n]
	return v, nil
}

// items pops what lies above the last mark.
func (p *pickle) items() ([]any, error) {
	for i := len(p.stack) - 1; i >= 0; i-- {
		if _, ok := p.stack[i].(mark); ok {
			items := append([]any(nil), p.stack[i+1:]...)
			p.stack = p.stack[:i]
			return items, nil
		}
	}
	return nil, errors.New("no mark on the stack")
}

// last pops n values.
func (p *pickle) last(n int) ([]any, error) {
	if n > len(p.stack) {
		return nil, errors.New("the stack is too short")
	}
	items := append([]any(nil), p.stack[len(p.stack)-n:]...)
	p.stack = p.stack[:len(p.stack)-n]
	return items, nil
}

// step does one instruction and reports whether it was the last.
func (p *pickle) step() (done bool, err error) {
	op, err := p.number(1)
	if err != nil {
		return false, err
	}
	switch op {
	case '.':
		return true, nil
	case 0x80: // protocol
		_, err = p.take(1)
	case 0x95: // frame
		_, err = p.take(8)
	case '(':
		err = p.push(mark{}, nil)
	case 'X', 'T':
		err = p.text(4)
	case 'U', 0x8c:
		err = p.text(1)
	case 0x8d:
		err = p.text(8)
	case 'q', 'r', 0x94, 'h', 'j':
		err = p.remember(op)
	case 'c', 0x93:
		err = p.global(op)
	case 'Q':
		err = p.persistent()
	case 'R':
		err = p.call()
	case 'b':
		err = p.build()
	case ')', ']', '}', 't', 0x85, 0x86, 0x87:
		err = p.collection(op)
	case 'a', 'e', 's', 'u':
		err = p.insert(op)
	default:
		err = p.scalar(op)
	}
	return false, err
}

// scalar pushes a constant or a number.
func (p *pickle) scalar(op int) error {
	switch op {
	case 'N':
		return p.push(nil, nil)
	case 0x88, 0x89:
		return p.push(op == 0x88, nil)
	case 'K':
		n, err := p.number(1)
		return p.push(n, err)
	case 'M':
		n, err := p.number(2)
		return p.push(n, err)
	case 'J':
		n, err := p.number(4)
		return p.push(int(int32(n)), err)
	case 'G':
		b, err := p.take(8)
		if err != nil {
			return err
		}
		return p.push(math.Float64frombits(binary.BigEndian.Uint64(b)), nil)
	case 0x8a:
		n, err := p.number(1)
		if err != nil {
			return err
		}
		if n > 8 {
			return fmt.Errorf("a whole number of %d bytes", n)
		}
		b, err := p.take(n)
		if err != nil || n == 0 {
			return p.push(0, err)
		}
		var full [8]byte
		copy(full[:], b)
		shift := 64 - 8*n
		return p.push(int(int64(binary.LittleEndian.Uint64(full[:])<<shift)>>shift), nil)
	}
	return fmt.Errorf("instruction 0x%02x (%q), which state dicts do not need, is refused", op, rune(op))
}

// remember puts the top of the stack into the memo, or gets it from there.
func (p *pickle) remember(op int) error {
	key, err := len(p.memo), error(nil)
	switch op {
	case 'q', 'h':
		key, err = p.number(1)
	case 'r', 'j':
		key, err = p.number(4)
	}
	if err != nil {
		return err
	}
	if op == 'h' || op == 'j' {
		v, ok := p.memo[key]
		if !ok {
			return fmt.Errorf("nothing is remembered as %d", key)
		}
		return p.push(v, nil)
	}
	if len(p.stack) == 0 {
		return errors.New("the stack is empty")
	}
	p.memo[key] = p.stack[len(p.stack)-1]
	return nil
}

func (p *pickle) collection(op int) error {
	var items []any
	var err error
	switch op {
	case ']':
		return p.push(&list{}, nil)
	case '}':
		return p.push(newDict(), nil)
	case 't':
		items, err = p.items()
	case 0x85, 0x86, 0x87:
		items, err = p.last(op - 0x84)
	}
	return p.push(tuple(items), err)
}

// insert appends to a list or sets in a dict, one item or those above the mark.
func (p *pickle) insert(op int) error {
	var items []any
	var err error
	switch op {
	case 'a':
		items, err = p.last(1)
	case 's':
		items, err = p.last(2)
	default:
		items, err = p.items()
	}
	if err != nil || len(p.stack) == 0 {
		return errors.Join(err, p.needs(1))
	}
	switch to := p.stack[len(p.stack)-1].(type) {
	case *list:
		if op == 'a' || op == 'e' {
			to.items = append(to.items, items...)
			return nil
		}
	case *dict:
		if (op == 's' || op == 'u') && len(items)%2 == 0 {
			for i := 0; i < len(items); i += 2 {
				to.set(items[i], items[i+1])
			}
			return nil
		}
	}
	return errors.New("items for what is neither a list nor a dict")
}

func (p *pickle) needs(n int) error {
	if len(p.stack) < n {
		return errors.New("the stack is too short")
	}
	return nil
}

func newDict() *dict { return &dict{values: map[string]any{}} }

func (d *dict) set(key, value any) {
	k, ok := key.(string)
	if !ok {
		return
	}
	if _, there := d.values[k]; !there {
		d.keys = append(d.keys, k)
	}
	d.values[k] = value
}

// build sets attributes: dicts have some of no interest (_metadata).
func (p *pickle) build() error {
	items, err := p.last(2)
	if err != nil {
		return err
	}
	if _, ok := items[0].(*dict); !ok {
		return errors.New("attributes of what is no dict are refused")
	}
	return p.push(items[0], nil)
}

func (p *pickle) persistent() error {
	id, err := p.pop()
	if err != nil {
		return err
	}
	t, ok := id.(tuple)
	if !ok {
		return errors.New("a reference that is no tuple")
	}
	v, err := p.load(t)
	return p.push(v, err)
}
