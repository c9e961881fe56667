package meteor

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"slices"
	"strings"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// longest is how many words a phrase has at most.
const longest = 7

const (
	magic    = "MPARA2\x00\x00"
	oldMagic = "MPARA1\x00\x00"
)

// A table is a file of paraphrases, pairs of a left and a right side. Left sides
// lie in blocks by their rarest word, so that a vocabulary needs few of the blocks.
// The format is described beside the data.
type table struct {
	data  fs.FS
	file  string
	words string   // a line each
	home  []byte   // by word: the block of left sides in which it is the rarest, uint16
	ends  []uint32 // by block: its end in the file; the first entry is its start
}

// decoder unpacks parts of files; 64 MB is far more than any has.
var decoder = sync.OnceValue(func() *zstd.Decoder {
	d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecoderMaxMemory(64<<20))
	if err != nil {
		panic(err) // options that are wrong
	}
	return d
})

// readTable reads the index of a table, after which its blocks can be read.
func readTable(data fs.FS, file string) (*table, error) {
	t := &table{data: data, file: file}
	err := t.open(func(file io.ReaderAt, size int64) error {
		var start [len(magic) + 4]byte
		if n, err := file.ReadAt(start[:], 0); n < len(start) {
			return fmt.Errorf("not a table of paraphrases: %w", cut(err))
		}
		switch string(start[:len(magic)]) {
		case magic:
		case oldMagic:
			return errors.New("the format of an older showtell, take the file of this one")
		default:
			return errors.New("not a table of paraphrases")
		}
		parts := int64(binary.LittleEndian.Uint32(start[len(magic):]))
		if parts < 1 || parts > math.MaxUint16 || int64(len(start))+4*parts > size {
			return fmt.Errorf("%d parts", parts)
		}
		sizes := make([]byte, 4*parts)
		if n, err := file.ReadAt(sizes, int64(len(start))); n < len(sizes) {
			return cut(err)
		}
		end := int64(len(start) + len(sizes))
		from := end
		for ; len(sizes) > 0; sizes = sizes[4:] {
			if end += int64(binary.LittleEndian.Uint32(sizes)); end > min(size, math.MaxUint32) {
				return io.ErrUnexpectedEOF
			}
			t.ends = append(t.ends, uint32(end))
		}
		return t.readIndex(file, from)
	})
	return t, err
}

// readIndex reads the words and the block of each.
func (t *table) readIndex(file io.ReaderAt, from int64) error {
	index, err := new(unpacker).unpack(file, from, int64(t.ends[0]))
	if err != nil {
		return err
	}
	words, home, ok := bytes.Cut(index, []byte("\n\n"))
	if n := bytes.Count(words, []byte("\n")) + 1; !ok || len(home) != 2*n || n > math.MaxUint16 {
		return fmt.Errorf("%d words with %d bytes of blocks", n, len(home))
	}
	t.words, t.home = string(words), home
	return nil
}

// open calls f with the file and its size.
func (t *table) open(f func(file io.ReaderAt, size int64) error) error {
	file, err := t.data.Open(t.file)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	at, ok := file.(io.ReaderAt)
	if !ok {
		all, err := io.ReadAll(file)
		if err != nil {
			return err
		}
		at = bytes.NewReader(all)
	}
	return f(at, info.Size())
}

// An unpacker unpacks parts of a file. What it returns is valid until the next.
type unpacker struct{ packed, part []byte }

func (u *unpacker) unpack(file io.ReaderAt, from, end int64) ([]byte, error) {
	n := int(end - from)
	u.packed = slices.Grow(u.packed[:0], n)[:n]
	if n, err := file.ReadAt(u.packed, from); n < len(u.packed) {
		return nil, cut(err)
	}
	var err error
	u.part, err = decoder().DecodeAll(u.packed, u.part[:0])
	return u.part, err
}

// cut is the error of a file that ends too early.
func cut(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// A vocabulary is the words that sentences have, and which of them follow each
// other somewhere, with some false ones.
type vocabulary struct {
	numbers []int32  // by word of the table: its number in the corpus, -1: none
	follows []uint64 // bits
}

// bit is where a vocabulary notes that a word follows another.
func (v *vocabulary) bit(before, word int32) (int, uint64) {
	h := (uint64(before)<<32 | uint64(word)) * 0x9E3779B97F4A7C15 >> 32
	return int(h>>6) & (len(v.follows) - 1), 1 << (h & 63)
}

// note notes the words of sentences that follow each other.
func (v *vocabulary) note(sentences []sentence) {
	words := 0
	for i := range sentences {
		words += len(sentences[i].words)
	}
	size := 1
	for 64*size < 8*words {
		size *= 2
	}
	v.follows = make([]uint64, size)
	for i := range sentences {
		for k, w := range sentences[i].words {
			if k > 0 {
				at, bit := v.bit(sentences[i].words[k-1], w)
				v.follows[at] |= bit
			}
		}
	}
}

// find lists the paraphrases of which both sides may be in the sentences: n and n
// words for a right side, -n and n words for the left side before it.
func (t *table) find(ids map[string]int32, sentences []sentence) ([][]int32, error) {
	v := &vocabulary{}
	v.note(sentences)
	needed := make([]bool, len(t.ends))
	rest := t.words
	for k := 0; len(v.numbers) < len(t.home)/2; k += 2 {
		var word string
		word, rest, _ = strings.Cut(rest, "\n")
		id, ok := ids[word]
		if !ok {
			id = -1
		} else if block := int(binary.LittleEndian.Uint16(t.home[k:])) + 1; block < len(needed) {
			needed[block] = true
		}
		v.numbers = append(v.numbers, id)
	}
	var blocks []int
	for block, need := range needed {
		if need {
			blocks = append(blocks, block)
		}
	}
	found, errs := make([][]int32, len(blocks)), make([]error, len(blocks))
	err := t.open(func(file io.ReaderAt, _ int64) error {
		unpackers := sync.Pool{New: func() any { return new(unpacker) }}
		parallel(len(blocks), 1, func(i, _ int) {
			u := unpackers.Get().(*unpacker)
			defer unpackers.Put(u)
			b, err := u.unpack(file, int64(t.ends[blocks[i]-1]), int64(t.ends[blocks[i]]))
			if err == nil {
				found[i], err = v.findIn(b)
			}
			if err != nil {
				errs[i] = fmt.Errorf("block %d: %w", blocks[i], err)
			}
		})
		return cmp.Or(errs...)
	})
	if err != nil {
		return nil, fmt.Errorf("METEOR data %s: %w", t.file, err)
	}
	return found, nil
}

// findIn lists those of a block.
func (v *vocabulary) findIn(b []byte) ([]int32, error) {
	size := len(b)
	var found []int32
	var left, right phrase
	for len(b) > 0 {
		at := size - len(b)
		if b = left.read(b, v); b == nil {
			return nil, fmt.Errorf("no phrase at %d", at)
		}
		n, width := binary.Uvarint(b)
		if width <= 0 || n > uint64(len(b)-width) {
			return nil, fmt.Errorf("no right sides at %d", at)
		}
		rights := b[width : width+int(n)]
		b = b[width+int(n):]
		if left.fit < left.n {
			continue
		}
		found = append(append(found, int32(-left.n)), left.words[:left.n]...)
		right.n, right.fit = 0, 0
		for len(rights) > 0 {
			if rights = right.read(rights, v); rights == nil {
				return nil, fmt.Errorf("no phrase for that at %d", at)
			}
			if right.fit == right.n {
				found = append(append(found, int32(right.n)), right.words[:right.n]...)
			}
		}
	}
	return found, nil
}

// A phrase is a side of a pair while a block is read.
type phrase struct {
	words [longest]int32 // numbers in the corpus, -1: not there
	n     int
	fit   int // how many from the front are in the corpus and follow each other there
}

// read moves to the next phrase, which begins as the one before it, and returns
// the bytes behind it; nil if there is no phrase.
func (p *phrase) read(b []byte, v *vocabulary) []byte {
	same, n := int(b[0]>>4), int(b[0]>>4)+int(b[0]&15)
	if same > p.n || n > longest || n == 0 {
		return nil
	}
	b = b[1:]
	p.n, p.fit = n, min(p.fit, same)
	for i := same; i < n; i++ {
		id, size := wordAt(b)
		if id < 0 || id >= len(v.numbers) {
			return nil
		}
		b = b[size:]
		w := v.numbers[id]
		p.words[i] = w
		if p.fit < i || w < 0 {
			continue
		}
		if i > 0 {
			if at, bit := v.bit(p.words[i-1], w); v.follows[at]&bit == 0 {
				continue
			}
		}
		p.fit++
	}
	return b
}

// wordAt returns the number of the word at the front of b, -1 if there is none,
// and its size.
func wordAt(b []byte) (id, size int) {
	switch {
	case len(b) > 0 && b[0] >= 96:
		return int(b[0]) - 96, 1
	case len(b) > 1 && b[0] > 0 && b[0] < 95:
		return 160 + int(b[0]-1)<<8 + int(b[1]), 2
	case len(b) > 2 && b[0] == 95:
		return 160 + 94<<8 + int(b[1])<<8 + int(b[2]), 3
	}
	return -1, 0
}
