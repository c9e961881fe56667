package text

import (
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"strings"
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

// ReadGloVe reads the vectors of v's words from a text file with a word and
// its numbers on a line (Pennington et al. 2014), plain or gzipped; the first
// line of word2vec's text files, two counts, is passed over. Vector i belongs
// to word i and is nil where the file has none. Of two vectors for one word
// the first counts. Errors name file and line.
func ReadGloVe(path string, v *Vocab) ([][]float32, Coverage, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, Coverage{}, err
	}
	defer f.Close()
	return readGloVe(path, f, v)
}

func readGloVe(name string, r io.Reader, v *Vocab) ([][]float32, Coverage, error) {
	lines, err := plain(r)
	if err != nil {
		return nil, Coverage{}, fmt.Errorf("%s: %w", name, err)
	}
	vectors := make([][]float32, v.Len())
	dim, n := 0, 0
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
			return nil, Coverage{}, fmt.Errorf("%s:%d: %w", name, n, err)
		}
		id, ok := v.ids[word]
		if !ok || id < len(specials) || vectors[id] != nil {
			continue
		}
		if vectors[id], err = parseVector(numbers, dim); err != nil {
			return nil, Coverage{}, fmt.Errorf("%s:%d: %w", name, n, err)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, Coverage{}, fmt.Errorf("%s:%d: %w", name, n+1, err)
	}
	if dim == 0 {
		return nil, Coverage{}, fmt.Errorf("%s: no vectors; each line should be a word and its numbers", name)
	}
	return vectors, coverage(v, vectors, dim), nil
}

// plain returns the lines of r, unzipped if it begins as gzip does.
func plain(r io.Reader) (*bufio.Scanner, error) {
	br := bufio.NewReaderSize(r, 1<<16)
	r = br
	if magic, _ := br.Peek(2); string(magic) == "\x1f\x8b" {
		z, err := gzip.NewReader(br)
		if err != nil {
			return nil, err
		}
		r = z
	}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	return lines, nil
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
