package dataset

import "strings"

type quotes int

const (
	quoteClosed quotes = iota // every quoted field ends
	quoteOpen                 // the last field is quoted and goes on
	quoteLoose                // a quote that quotes nothing
)

// splitRecord splits a line of a table into fields. A field in double quotes
// may hold separators, and quotes written twice, as in RFC 4180. Where a quote
// at the start of a field doesn't follow those rules it is part of the text:
// `a.jpg,"sale" sign` has the fields `a.jpg` and `"sale" sign`.
func splitRecord(line string, sep byte) (fields []string, state quotes) {
	for rest := line; ; {
		field, after, q := cutField(rest, sep)
		if q != quoteClosed {
			state = max(state, q)
			end := strings.IndexByte(rest, sep)
			if end < 0 {
				return append(fields, rest), state
			}
			field, after = rest[:end], rest[end:]
		}
		fields = append(fields, field)
		if after == "" {
			return fields, state
		}
		rest = after[1:]
	}
}

// cutField cuts off the first field; after is empty or begins with the separator.
func cutField(s string, sep byte) (field, after string, q quotes) {
	if !strings.HasPrefix(s, `"`) {
		if end := strings.IndexByte(s, sep); end >= 0 {
			return s[:end], s[end:], quoteClosed
		}
		return s, "", quoteClosed
	}
	var b strings.Builder
	for rest := s[1:]; ; {
		end := strings.IndexByte(rest, '"')
		if end < 0 {
			return "", "", quoteOpen
		}
		b.WriteString(rest[:end])
		rest = rest[end+1:]
		switch {
		case rest == "" || rest[0] == sep:
			return b.String(), rest, quoteClosed
		case rest[0] == '"':
			b.WriteByte('"')
			rest = rest[1:]
		default:
			return "", "", quoteLoose
		}
	}
}
