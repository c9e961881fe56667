package results

import "strings"

// chunk is the size of the pieces of memory that texts share, in bytes, and of
// those that lists share, in texts.
const (
	chunkBytes = 1 << 16
	chunkTexts = 1 << 10
)

// A store holds texts and lists of texts, many in one piece of memory.
type store struct {
	texts strings.Builder
	lists []string
	kept  map[string]string // texts that come again and again
}

// copy keeps a text.
func (s *store) copy(b []byte) string {
	if len(b) > chunkBytes/8 {
		return string(b)
	}
	if s.texts.Cap()-s.texts.Len() < len(b) {
		s.texts.Reset()
		s.texts.Grow(chunkBytes)
	}
	start := s.texts.Len()
	s.texts.Write(b)
	return s.texts.String()[start:]
}

// list keeps a list.
func (s *store) list(texts []string) []string {
	if len(texts) == 0 {
		return texts[:0:0]
	}
	if len(texts) > chunkTexts/8 {
		return append([]string(nil), texts...)
	}
	if cap(s.lists)-len(s.lists) < len(texts) {
		s.lists = make([]string, 0, chunkTexts)
	}
	start := len(s.lists)
	s.lists = append(s.lists, texts...)
	return s.lists[start:len(s.lists):len(s.lists)]
}

// word keeps a text once, however often it comes.
func (s *store) word(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	word, ok := s.kept[string(b)]
	if !ok {
		if s.kept == nil {
			s.kept = map[string]string{}
		}
		word = string(b)
		s.kept[word] = word
	}
	return word
}
