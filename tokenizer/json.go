package tokenizer

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
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

func (v *vocab) UnmarshalJSON(b []byte) error {
	var m map[string]int
	if err := json.Unmarshal(b, &m); err != nil {
		return fmt.Errorf("vocab: %w", err)
	}
	for token, id := range m {
		if id < 0 || id >= maxTokens {
			return fmt.Errorf("vocab: id %d of %.40q is not from 0 to %d", id, token, maxTokens-1)
		}
	}
	*v = m
	return nil
}

// A mergeList has the pairs of tokens that BPE merges, first come first.
type mergeList [][2]string

// UnmarshalJSON reads pairs as ["a", "b"] or, as older files have them, as "a b".
func (l *mergeList) UnmarshalJSON(b []byte) error {
	var pairs [][]string
	if json.Unmarshal(b, &pairs) == nil {
		*l = make(mergeList, len(pairs))
		for i, p := range pairs {
			if len(p) != 2 {
				return fmt.Errorf("merge %d: %d tokens, not 2", i+1, len(p))
			}
			(*l)[i] = [2]string(p)
		}
		return nil
	}
	var lines []string
	if err := json.Unmarshal(b, &lines); err != nil {
		return fmt.Errorf("merges: %w", err)
	}
	*l = make(mergeList, len(lines))
	for i, line := range lines {
		var err error
		if (*l)[i], err = splitMerge(line); err != nil {
			return fmt.Errorf("merge %d: %w", i+1, err)
		}
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
