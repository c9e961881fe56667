package meteor

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
)

// longest is how many words a phrase has at most.
const longest = 7

// A table is the paraphrases of all words: pairs of a left and a right side.
// Phrases are front-coded: a byte holds, times 16, how many words a phrase has in
// common with the one before it, and how many new ones follow.
type table struct {
	words []string
	heads []byte   // newLeft begins a left side; then its byte and those of its right sides
	ids   []uint16 // new words of all phrases
}

const newLeft = 255

const magic = "MPARA1\x00\x00"

func (m *Meteor) readParaphrases(data []byte) error {
	const header = len(magic) + 5*4
	if len(data) < header || string(data[:len(magic)]) != magic {
		return errors.New("not a table of paraphrases")
	}
	numbers := data[len(magic):]
	data = data[header:]
	var streams [3][]byte
	for i := range streams {
		size := int64(binary.LittleEndian.Uint32(numbers[8+4*i:]))
		if size > int64(len(data)) {
			return io.ErrUnexpectedEOF
		}
		z, err := zlib.NewReader(bytes.NewReader(data[:size]))
		if err != nil {
			return err
		}
		if streams[i], err = io.ReadAll(z); err != nil {
			return err
		}
		data = data[size:]
	}
	t := &table{words: strings.Split(strings.TrimSuffix(string(streams[0]), "\n"), "\n"), heads: streams[1]}
	if len(t.words) > math.MaxUint16 {
		return fmt.Errorf("%d words", len(t.words))
	}
	if err := t.readIDs(streams[2]); err != nil {
		return err
	}
	m.paraphrases = t
	return t.check(int(binary.LittleEndian.Uint32(numbers[4:])))
}

func (t *table) readIDs(b []byte) error {
	t.ids = make([]uint16, 0, len(b)*2/3)
	for len(b) > 0 {
		id, n := int(b[0])-96, 1
		switch {
		case b[0] == 95 && len(b) > 2:
			id, n = 160+94*256+int(b[1])<<8+int(b[2]), 3
		case b[0] < 95 && b[0] > 0 && len(b) > 1:
			id, n = 160+int(b[0]-1)<<8+int(b[1]), 2
		}
		if id < 0 || id >= len(t.words) {
			return fmt.Errorf("word %d of %d", id, len(t.words))
		}
		t.ids = append(t.ids, uint16(id))
		b = b[n:]
	}
	return nil
}

// A phrase is a side of a pair while a table is read.
type phrase struct {
	words [longest]uint16
	n     int
}

// read moves to the next phrase and reports how many ids it has taken, -1 if the
// head or ids make no phrase.
func (p *phrase) read(head byte, ids []uint16) int {
	same, fresh := int(head>>4), int(head&15)
	if same > p.n || same+fresh > longest || same+fresh == 0 || fresh > len(ids) {
		return -1
	}
	p.n = same + copy(p.words[same:], ids[:fresh])
	return fresh
}

// check walks over the table, so that nothing later can go wrong.
func (t *table) check(pairs int) error {
	n := 0
	if err := t.walk(func(_, _ *phrase) { n++ }); err != nil {
		return err
	}
	if n != pairs {
		return fmt.Errorf("%d pairs, want %d", n, pairs)
	}
	return nil
}

// walk calls f with each pair, in the order of the table.
func (t *table) walk(f func(left, right *phrase)) error {
	var left, right phrase
	ids := t.ids
	started := false
	for k := 0; k < len(t.heads); k++ {
		p, head := &right, t.heads[k]
		if head == newLeft {
			if k++; k == len(t.heads) {
				return io.ErrUnexpectedEOF
			}
			p, head = &left, t.heads[k]
			right.n, started = 0, true
		}
		n := p.read(head, ids)
		if n < 0 || !started {
			return fmt.Errorf("no phrase at %d", k)
		}
		ids = ids[n:]
		if p == &right {
			f(&left, &right)
		}
	}
	if len(ids) > 0 {
		return fmt.Errorf("%d words too many", len(ids))
	}
	return nil
}

// phrases are the paraphrases whose words are all in a vocabulary, as a tree:
// a phrase is the node of its last word.
type phrases struct {
	nodes  map[uint64]int32 // by the node of the word before, 0 at the start, and the word
	others [][]int32        // by node: its right sides, in the order of the table
}

func (t *table) phrases(vocabulary []string) *phrases {
	known := map[string]int32{}
	for i, w := range vocabulary {
		known[w] = int32(i)
	}
	numbers := make([]int32, len(t.words)) // in the vocabulary
	for i, w := range t.words {
		numbers[i] = -1
		if n, ok := known[w]; ok {
			numbers[i] = n
		}
	}
	p := &phrases{nodes: map[uint64]int32{}, others: make([][]int32, 1)}
	t.walk(func(left, right *phrase) {
		if left.within(numbers) && right.within(numbers) {
			l := p.node(left, numbers)
			r := p.node(right, numbers)
			p.others[l] = append(p.others[l], r)
		}
	})
	return p
}

// within says if all words of a phrase have a number.
func (p *phrase) within(numbers []int32) bool {
	for _, w := range p.words[:p.n] {
		if numbers[w] < 0 {
			return false
		}
	}
	return true
}

func key(node, word int32) uint64 { return uint64(node)<<32 | uint64(word) }

// node returns the node of a phrase, a new one if there is none.
func (p *phrases) node(q *phrase, numbers []int32) int32 {
	node := int32(0)
	for _, w := range q.words[:q.n] {
		k := key(node, numbers[w])
		next, ok := p.nodes[k]
		if !ok {
			next = int32(len(p.others))
			p.nodes[k] = next
			p.others = append(p.others, nil)
		}
		node = next
	}
	return node
}

// each calls f with every phrase of a sentence, from left to right and from short
// to long.
func (p *phrases) each(sentence []int32, f func(from, end int, node int32)) {
	for from := range sentence {
		node := int32(0)
		for end := from; end < len(sentence); end++ {
			next, ok := p.nodes[key(node, sentence[end])]
			if !ok {
				break
			}
			node = next
			f(from, end+1, node)
		}
	}
}
