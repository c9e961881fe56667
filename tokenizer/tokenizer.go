// Package tokenizer turns text into the tokens of published language models, and back:
// WordPiece (BERT) and byte-level BPE (GPT-2), as the Python packages transformers and
// tokenizers do, id for id.
//
// Start with Load, which reads a Hugging Face folder; then Encode or EncodeSpecial, and
// Decode. Definition and Parse keep a tokenizer inside a file of ours.
//
// Load takes the first of these that the folder has:
//
//   - tokenizer.json, which says everything itself;
//   - vocab.txt, for WordPiece;
//   - vocab.json and merges.txt, for byte-level BPE.
//
// Beside any of them, tokenizer_config.json may set do_lower_case, strip_accents,
// tokenize_chinese_chars (BERT), add_prefix_space (GPT-2), the special tokens by name, and
// clean_up_tokenization_spaces, which is false if nothing says so, as in transformers 5 (4.57
// takes true for a folder of BERT's that has vocab.txt only; 5 never cleans up GPT-2's text).
// special_tokens_map.json and added_tokens.json of older folders are read too. Models and
// steps that are not BERT's or GPT-2's are refused by name.
//
// An id written beside an added token that the vocabulary lacks is not heeded, as in the
// reference: such tokens are numbered behind the vocabulary. Truncation and padding of a
// tokenizer.json are left out.
//
// Unicode is that of the reference, to the code point (tables.go): BERT's tables are older
// than GPT-2's there. Bytes that are not UTF-8 count as U+FFFD.
//
// The module github.com/sugarme/tokenizer was tried (v0.3.0): 15 of 600 strings come out
// wrong (accents, exotic blanks, <|endoftext|> within the text).
package tokenizer

import "strings"

// A Tokenizer turns text into ids and back. It is safe for concurrent use.
type Tokenizer struct {
	def        *definition
	model      model
	tokens     []string // by id; "" if there is none
	added      map[string]int
	special    map[int]bool // skipped in decoding
	raw        matcher      // added tokens, found in the text as it is
	normalized matcher      // added tokens, found in the normalized text
	before     []int        // put around by EncodeSpecial
	after      []int
}

// A model does what differs between BERT and GPT-2.
type model interface {
	normalize(s string) string
	encode(ids []int, s string) []int // appends the ids of a normalized text
	decode(tokens []string) string
}

// Encode returns the ids of s, without special tokens around it. Special tokens written in
// s, such as "[SEP]", become their ids.
func (t *Tokenizer) Encode(s string) []int {
	var ids []int
	for part := range t.raw.split(valid(s)) {
		if part.id >= 0 {
			ids = append(ids, part.id)
			continue
		}
		for p := range t.normalized.split(t.model.normalize(part.text)) {
			if p.id >= 0 {
				ids = append(ids, p.id)
			} else {
				ids = t.model.encode(ids, p.text)
			}
		}
	}
	return ids
}

// EncodeSpecial returns the ids of s between those that the model expects around a text:
// [CLS] and [SEP] for BERT, none for GPT-2.
func (t *Tokenizer) EncodeSpecial(s string) []int {
	ids := append([]int(nil), t.before...)
	ids = append(ids, t.Encode(s)...)
	return append(ids, t.after...)
}

// Decode returns the text of ids, without special tokens and without ids that the tokenizer
// lacks, its spaces cleaned up if the folder says so. A character cut in half becomes U+FFFD.
func (t *Tokenizer) Decode(ids []int) string {
	s := t.DecodeRaw(ids)
	if t.def.CleanUp {
		s = cleanUp(s)
	}
	return s
}

// DecodeRaw is Decode without the clean-up of spaces. WordPiece joins punctuation to the
// word before even so.
func (t *Tokenizer) DecodeRaw(ids []int) string {
	tokens := make([]string, 0, len(ids))
	for _, id := range ids {
		if token := t.Token(id); token != "" && !t.special[id] {
			tokens = append(tokens, token)
		}
	}
	return t.model.decode(tokens)
}

// Token returns the token with that id, "" if there is none.
func (t *Tokenizer) Token(id int) string {
	if id < 0 || id >= len(t.tokens) {
		return ""
	}
	return t.tokens[id]
}

// ID returns the id of a token, spelt as in the vocabulary: "##ing", "Ġdog".
func (t *Tokenizer) ID(token string) (int, bool) {
	if id, ok := t.added[token]; ok {
		return id, true
	}
	id, ok := t.def.Model.Vocab[token]
	return id, ok
}

// Len is one more than the highest id.
func (t *Tokenizer) Len() int { return len(t.tokens) }

// artifacts are what joining tokens by blanks leaves, and what is meant, in the order in
// which transformers replaces them.
var artifacts = [][2]string{
	{" .", "."}, {" ?", "?"}, {" !", "!"}, {" ,", ","}, {" ' ", "'"}, {" n't", "n't"},
	{" 'm", "'m"}, {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"},
}

// cleanUp takes out the blanks before punctuation and within English contractions.
func cleanUp(s string) string {
	for _, a := range artifacts {
		s = strings.ReplaceAll(s, a[0], a[1])
	}
	return s
}
