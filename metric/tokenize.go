package metric

import "strings"

// Tokenize returns the words of a caption in lower case, with single blanks
// between them and without punctuation. It is not yet the official tokenizer:
// it knows full stops and commas only.
func Tokenize(caption string) string {
	plain := strings.NewReplacer(".", " ", ",", " ").Replace(strings.ToLower(caption))
	return strings.Join(strings.Fields(plain), " ")
}
