package text

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Coverage tells which words of a vocabulary have a vector.
type Coverage struct {
	Dim          int      // numbers in a vector
	Found        int      // words with a vector, the four specials not counted
	MissingWords []string // words without one, in the order of the vocabulary: the most frequent first
}

// Missing counts the words without a vector.
func (c Coverage) Missing() int { return len(c.MissingWords) }

// String says it in a line: `94.2 % of 2535 words have a vector; without: a, longboard, ...`.
func (c Coverage) String() string {
	total := c.Found + c.Missing()
	s := fmt.Sprintf("%.1f %% of %d words have a vector", 100*float64(c.Found)/float64(max(total, 1)), total)
	if c.Missing() == 0 {
		return s
	}
	s += "; without: " + strings.Join(c.MissingWords[:min(10, c.Missing())], ", ")
	if c.Missing() > 10 {
		s += ", ..."
	}
	return s
}

// ReadVectors reads the vectors of v's words from a file of GloVe (Pennington
// et al. 2014) or word2vec (Mikolov et al. 2013): a word and its numbers on a
// line, or word2vec's binary form, both plain or gzipped and told apart by
// content. Vector i belongs to word i and is nil where the file has none. Of
// two vectors for one word the first counts. Errors name file and line or word.
func ReadVectors(path string, v *Vocab) ([][]float32, Coverage, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, Coverage{}, err
	}
	defer f.Close()
	return readVectors(path, f, v)
}

func readVectors(name string, r io.Reader, v *Vocab) ([][]float32, Coverage, error) {
	b, err := plain(r)
	if err != nil {
		return nil, Coverage{}, fmt.Errorf("%s: %w", name, err)
	}
	vectors := make([][]float32, v.Len())
	dim := 0
	if isBinary(b) {
		dim, err = readBinary(name, b, v, vectors)
	} else {
		dim, err = readLines(name, b, v, vectors)
	}
	if err != nil {
		return nil, Coverage{}, err
	}
	return vectors, coverage(v, vectors, dim), nil
}

// A VectorFile is what a file of word vectors holds.
type VectorFile struct {
	Words  int  `json:"words"`
	Dim    int  `json:"dim"` // numbers in a vector
	Binary bool `json:"binary"`
}

// LookAtVectors tells what a file of word vectors holds, as ReadVectors takes it,
// by its first lines and by how many lines there are. Vectors have two numbers or
// more.
func LookAtVectors(path string) (VectorFile, error) {
	f, err := os.Open(path)
	if err != nil {
		return VectorFile{}, err
	}
	defer f.Close()
	v, err := lookAtVectors(f)
	if err != nil {
		return v, fmt.Errorf("%s: %w", path, err)
	}
	return v, nil
}

func lookAtVectors(r io.Reader) (v VectorFile, err error) {
	b, err := plain(r)
	if err != nil {
		return v, err
	}
	v.Binary = isBinary(b)
	begin, _ := b.Peek(1 << 16) // shorter files give what they have
	line, rest, _ := strings.Cut(string(begin), "\n")
	if isHeader(line) {
		if _, err := fmt.Sscan(line, &v.Words, &v.Dim); err != nil || v.Dim < 1 || v.Dim > 1<<16 {
			return v, fmt.Errorf("%q words and numbers, want 1 to %d numbers", line, 1<<16)
		}
		if line, _, _ = strings.Cut(rest, "\n"); v.Binary {
			return v, nil
		}
	}
	dim := countNumbers(line)
	if _, _, err := cutVector(strings.TrimRight(line, " \t\r"), dim); err != nil || dim < 2 || v.Dim > 0 && dim != v.Dim || !utf8.ValidString(line) {
		return v, errors.New("no word vectors; each line should be a word and its numbers")
	}
	if v.Dim == 0 {
		v.Dim = dim
		v.Words, err = countLines(b)
	}
	return v, err
}

func countLines(b *bufio.Reader) (n int, err error) {
	inLine := false
	for {
		part, err := b.ReadSlice('\n')
		if len(part) > 0 && !inLine {
			n++
		}
		inLine = err == bufio.ErrBufferFull
		if err == io.EOF {
			return n, nil
		}
		if err != nil && !inLine {
			return n, err
		}
	}
}

// readLines reads the text form into vectors and returns their length.
func readLines(name string, r io.Reader, v *Vocab, vectors [][]float32) (dim int, err error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	n := 0
	for lines.Scan() {
		n++
		line := strings.TrimRight(lines.Text(), " \t\r")
		if line == "" || n == 1 && isHeader(line) {
			continue
		}
		if dim == 0 {
			dim = countNumbers(line)
		}
		word, numbers, err := cutVector(line, dim)
		if err != nil {
			return 0, fmt.Errorf("%s:%d: %w", name, n, err)
		}
		if id, ok := v.wants(word, vectors); ok {
			if vectors[id], err = parseVector(numbers, dim); err != nil {
				return 0, fmt.Errorf("%s:%d: %w", name, n, err)
			}
		}
	}
	if err := lines.Err(); err != nil {
		return 0, fmt.Errorf("%s:%d: %w", name, n+1, err)
	}
	if dim == 0 {
		return 0, fmt.Errorf("%s: no vectors; each line should be a word and its numbers", name)
	}
	return dim, nil
}

// wants returns the number of a word that has no vector yet.
func (v *Vocab) wants(word string, vectors [][]float32) (id int, ok bool) {
	id, ok = v.ids[word]
	return id, ok && id >= len(specials) && vectors[id] == nil
}

// plain returns r, unzipped if it begins as gzip does.
func plain(r io.Reader) (*bufio.Reader, error) {
	br := bufio.NewReaderSize(r, 1<<16)
	if magic, _ := br.Peek(2); string(magic) == "\x1f\x8b" {
		z, err := gzip.NewReader(br)
		if err != nil {
			return nil, err
		}
		return bufio.NewReaderSize(z, 1<<16), nil
	}
	return br, nil
}

// isBinary reports whether a file is word2vec's binary form: a line of two
// counts, then bytes that no text has.
func isBinary(b *bufio.Reader) bool {
	begin, _ := b.Peek(1 << 15) // shorter files give what they have
	header, rest, ok := bytes.Cut(begin, []byte("\n"))
	return ok && isHeader(string(header)) && bytes.ContainsFunc(rest, func(c rune) bool {
		return c < ' ' && c != '\n' && c != '\r' && c != '\t'
	})
}

// readBinary reads the binary form, "words numbers\n", then for each word its
// letters, a blank and float32s, little-endian, in some files with a line
// break before the next.
func readBinary(name string, b *bufio.Reader, v *Vocab, vectors [][]float32) (dim int, err error) {
	header, err := b.ReadString('\n')
	if err != nil {
		return 0, fmt.Errorf("%s: %w", name, err)
	}
	var words int
	if _, err := fmt.Sscan(header, &words, &dim); err != nil || dim < 1 || dim > 1<<16 {
		return 0, fmt.Errorf("%s: %q words and numbers, want 1 to %d numbers", name, strings.TrimSpace(header), 1<<16)
	}
	row := make([]byte, 4*dim)
	for n := range words {
		word, err := readWord(b)
		if err == nil {
			_, err = io.ReadFull(b, row)
		}
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			err = errors.New("the file ends here: it is truncated")
		}
		if err == nil {
			if id, ok := v.wants(word, vectors); ok {
				vectors[id], err = decodeVector(row)
			}
		}
		if err != nil {
			return 0, fmt.Errorf("%s: word %d of %d: %w", name, n+1, words, err)
		}
	}
	return dim, nil
}

// readWord reads up to a blank.
func readWord(b *bufio.Reader) (string, error) {
	var word []byte
	for len(word) < 1<<12 {
		c, err := b.ReadByte()
		switch {
		case err != nil:
			return "", err
		case c == ' ':
			return string(word), nil
		case c == '\n' && len(word) == 0: // that of the line before
		default:
			word = append(word, c)
		}
	}
	return "", errors.New("no blank after a word")
}

func decodeVector(row []byte) ([]float32, error) {
	vec := make([]float32, len(row)/4)
	for i := range vec {
		x := math.Float32frombits(binary.LittleEndian.Uint32(row[4*i:]))
		if f := float64(x); math.IsNaN(f) || math.IsInf(f, 0) {
			return nil, fmt.Errorf("%v is not finite", x)
		}
		vec[i] = x
	}
	return vec, nil
}

// isHeader reports whether a first line is word2vec's: words and dimensions.
func isHeader(line string) bool {
	f := strings.Fields(line)
	if len(f) != 2 {
		return false
	}
	_, err1 := strconv.ParseUint(f[0], 10, 32)
	_, err2 := strconv.ParseUint(f[1], 10, 32)
	return err1 == nil && err2 == nil
}

// countNumbers counts the numbers at the end of a line; the first field is the word.
func countNumbers(line string) int {
	f := strings.Fields(line)
	n := 0
	for i := len(f) - 1; i > 0 && isNumber(f[i]); i-- {
		n++
	}
	return n
}

func isNumber(s string) bool {
	_, err := strconv.ParseFloat(s, 32)
	return err == nil
}

// cutVector cuts a line before its last dim fields. The word may hold blanks
// (". . ." in GloVe 840B) but not a number as its last part: that would be a longer vector.
func cutVector(line string, dim int) (word, numbers string, err error) {
	at := len(line)
	for range dim {
		if at = strings.LastIndexAny(line[:at], " \t"); at < 0 {
			break
		}
	}
	if dim == 0 || at <= 0 {
		return "", "", fmt.Errorf("%d numbers, want a word and %d", countNumbers(line), max(dim, 1))
	}
	word, numbers = line[:at], line[at+1:]
	if first, _, _ := strings.Cut(numbers, " "); !isNumber(first) {
		return "", "", fmt.Errorf("%d numbers, want %d as on the lines before", countNumbers(line), dim)
	}
	if i := strings.LastIndexAny(word, " \t"); i >= 0 && isNumber(word[i+1:]) {
		return "", "", fmt.Errorf("%d numbers, want %d as on the lines before", countNumbers(line), dim)
	}
	return word, numbers, nil
}

func parseVector(numbers string, dim int) ([]float32, error) {
	vec := make([]float32, 0, dim)
	for f := range strings.FieldsSeq(numbers) {
		x, err := strconv.ParseFloat(f, 32)
		if err != nil {
			return nil, fmt.Errorf("%q is no number", f)
		}
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return nil, fmt.Errorf("%q is not finite", f)
		}
		vec = append(vec, float32(x))
	}
	if len(vec) != dim {
		return nil, errors.New("two blanks between numbers")
	}
	return vec, nil
}

func coverage(v *Vocab, vectors [][]float32, dim int) Coverage {
	c := Coverage{Dim: dim}
	for id := len(specials); id < v.Len(); id++ {
		if vectors[id] == nil {
			c.MissingWords = append(c.MissingWords, v.words[id])
		} else {
			c.Found++
		}
	}
	return c
}
