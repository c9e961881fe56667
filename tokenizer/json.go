package tokenizer

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// maxTokens bounds ids, and with them the memory that a hostile file takes.
const maxTokens = 1 << 20

// decodeJSON reads b into v; errors tell the line of the file called name.
func decodeJSON(name string, b []byte, v any) error {
	err := json.Unmarshal(b, v)
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &syntax):
		return fmt.Errorf("%s:%d: %w", name, lineOf(b, syntax.Offset), err)
	case errors.As(err, &kind):
		return fmt.Errorf("%s:%d: %s: %s where %s was expected", name, lineOf(b, kind.Offset), kind.Field, kind.Value, plainKind(kind))
	}
	return fmt.Errorf("%s: %w", name, err)
}

func lineOf(b []byte, offset int64) int {
	return 1 + bytes.Count(b[:min(max(offset, 0), int64(len(b)))], []byte("\n"))
}

// plainKind names what JSON should have had.
func plainKind(err *json.UnmarshalTypeError) string {
	switch kind := err.Type.Kind().String(); kind {
	case "int":
		return "a whole number"
	case "float64":
		return "a number"
	case "slice", "array":
		return "a list"
	case "struct", "map":
		return "an object"
	case "bool":
		return "true or false"
	default:
		return "a " + kind
	}
}

// A vocab has the id of each token.
type vocab map[string]int

// UnmarshalJSON reads an object of ids. Like that of mergeList it scans by hand, which is several
// times faster than encoding/json for tens of thousands of tokens; that b is JSON has been
// checked by then.
func (v *vocab) UnmarshalJSON(b []byte) error {
	s := scanner{string(b)}
	if s.rest == "null" {
		return nil
	}
	if !s.eat('{') {
		return errors.New("vocab: not an object")
	}
	*v = make(vocab, min(len(b)/24, maxTokens)) // GPT-2's has 25 bytes a token
	for !s.eat('}') {
		token := s.str()
		s.eat(':')
		id, err := strconv.Atoi(s.scalar())
		if err != nil || id < 0 || id >= maxTokens {
			return fmt.Errorf("vocab: the id of %.40q is not a whole number from 0 to %d", token, maxTokens-1)
		}
		(*v)[token] = id
		s.eat(',')
	}
	return nil
}

// A mergeList has the pairs of tokens that BPE merges, first come first.
type mergeList [][2]string

// UnmarshalJSON reads pairs as ["a", "b"] or, as older files have them, as "a b".
func (l *mergeList) UnmarshalJSON(b []byte) error {
	s := scanner{string(b)}
	if s.rest == "null" {
		return nil
	}
	if !s.eat('[') {
		return errors.New("merges: not a list")
	}
	*l = make(mergeList, 0, min(len(b)/24, maxTokens))
	for !s.eat(']') {
		m, err := s.merge()
		if err == nil && len(*l) == maxTokens {
			err = errors.New("too many")
		}
		if err != nil {
			return fmt.Errorf("merge %d: %w", len(*l)+1, err)
		}
		*l = append(*l, m)
		s.eat(',')
	}
	return nil
}

func splitMerge(line string) ([2]string, error) {
	left, right, ok := strings.Cut(line, " ")
	if !ok || left == "" || right == "" || strings.Contains(right, " ") {
		return [2]string{}, fmt.Errorf("%.40q is not two tokens with a blank between them", line)
	}
	return [2]string{left, right}, nil
}

// A scanner reads values off the front of JSON that is known to be valid.
type scanner struct{ rest string }

// eat skips white space, and c if it comes next.
func (s *scanner) eat(c byte) bool {
	i := 0
	for i < len(s.rest) && s.rest[i] <= ' ' {
		i++
	}
	found := i < len(s.rest) && s.rest[i] == c
	if found {
		i++
	}
	s.rest = s.rest[i:]
	return found
}

// str reads a string; what is none reads as "", and stays.
func (s *scanner) str() string {
	if !s.eat('"') {
		return ""
	}
	end := strings.IndexAny(s.rest, `"\`)
	if s.rest[end] == '"' {
		t := s.rest[:end]
		s.rest = s.rest[end+1:]
		return valid(t)
	}
	for s.rest[end] != '"' {
		if s.rest[end] == '\\' {
			end++
		}
		end++
	}
	var t string
	_ = json.Unmarshal([]byte(`"`+s.rest[:end+1]), &t) // valid, as said
	s.rest = s.rest[end+1:]
	return t
}

// scalar reads a number, true, false or null; what is none of them reads as "", and stays.
func (s *scanner) scalar() string {
	s.eat(' ')
	end := 0
	for end < len(s.rest) && (s.rest[end] >= '0' && s.rest[end] <= '9' || s.rest[end]|0x20 >= 'a' && s.rest[end]|0x20 <= 'z' || strings.IndexByte("+-.", s.rest[end]) >= 0) {
		end++
	}
	t := s.rest[:end]
	s.rest = s.rest[end:]
	return t
}

// merge reads a pair of tokens.
func (s *scanner) merge() ([2]string, error) {
	if !s.eat('[') {
		return splitMerge(s.str())
	}
	left := s.str()
	s.eat(',')
	right := s.str()
	if !s.eat(']') || left == "" || right == "" {
		return [2]string{}, errors.New("not a list of two tokens")
	}
	return [2]string{left, right}, nil
}
