package tokenizer

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// A definition is a tokenizer.json, as far as it matters here, and one field of ours, so that it
// is complete by itself.
type definition struct {
	Version       string          `json:"version"`
	Truncation    *struct{}       `json:"truncation"` // never ours: who generates knows the lengths
	Padding       *struct{}       `json:"padding"`
	Added         []addedToken    `json:"added_tokens"`
	Normalizer    json.RawMessage `json:"normalizer"`
	PreTokenizer  json.RawMessage `json:"pre_tokenizer"`
	PostProcessor json.RawMessage `json:"post_processor"`
	Decoder       json.RawMessage `json:"decoder"`
	Model         modelDefinition `json:"model"`
	CleanUp       bool            `json:"clean_up_tokenization_spaces,omitempty"`
}

// A modelDefinition is that of WordPiece or that of BPE.
type modelDefinition struct {
	Type    string  `json:"type"` // old files have none
	Unknown *string `json:"unk_token"`
	Prefix  *string `json:"continuing_subword_prefix"`
	Vocab   vocab   `json:"vocab"`

	MaxLength *int `json:"max_input_chars_per_word,omitempty"` // WordPiece; nil is 100

	Dropout      *float64  `json:"dropout,omitempty"` // BPE, down to the end
	Suffix       *string   `json:"end_of_word_suffix,omitempty"`
	FuseUnknown  bool      `json:"fuse_unk,omitempty"`
	ByteFallback bool      `json:"byte_fallback,omitempty"`
	IgnoreMerges bool      `json:"ignore_merges,omitempty"`
	Merges       mergeList `json:"merges,omitempty"`
}

// A step is what all steps of a tokenizer.json share.
type step struct {
	Type string `json:"type"`
}

// Parse reads what Definition gave, or a tokenizer.json. Errors begin with name.
func Parse(name string, definition []byte) (*Tokenizer, error) {
	d, err := parseDefinition(name, definition)
	if err != nil {
		return nil, err
	}
	return d.build(name)
}

// Definition returns all that makes the tokenizer, in the form of a tokenizer.json. If spaces
// are to be cleaned up, it has a field that tokenizer.json lacks: clean_up_tokenization_spaces.
func (t *Tokenizer) Definition() ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(t.def); err != nil {
		return nil, fmt.Errorf("definition of a tokenizer: %w", err)
	}
	return b.Bytes(), nil
}

func parseDefinition(name string, b []byte) (*definition, error) {
	var d definition
	if err := decodeJSON(name, b, &d); err != nil {
		return nil, err
	}
	d.Truncation, d.Padding = nil, nil
	return &d, nil
}

// build makes the tokenizer that d describes. All errors begin with name.
func (d *definition) build(name string) (*Tokenizer, error) {
	t := &Tokenizer{def: d, added: map[string]int{}, special: map[int]bool{}}
	for _, build := range []func(*definition) error{t.buildTokens, t.buildModel, t.buildAdded, t.buildPost} {
		if err := build(d); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return t, nil
}

// buildTokens numbers the tokens, those added included.
func (t *Tokenizer) buildTokens(d *definition) error {
	if len(d.Model.Vocab) == 0 {
		return fmt.Errorf("model.vocab has no tokens")
	}
	d.numberAdded()
	highest := 0
	for _, id := range d.Model.Vocab {
		highest = max(highest, id)
	}
	for _, a := range d.Added {
		highest = max(highest, a.ID)
	}
	if highest >= maxTokens {
		return fmt.Errorf("more than %d tokens", maxTokens)
	}
	t.tokens = make([]string, highest+1)
	for token, id := range d.Model.Vocab {
		if err := t.number(token, id); err != nil {
			return fmt.Errorf("model.vocab: %w", err)
		}
	}
	for _, a := range d.Added {
		if err := t.number(a.Content, a.ID); err != nil {
			return fmt.Errorf("added_tokens: %w", err)
		}
		t.added[a.Content] = a.ID
	}
	return nil
}

// numberAdded numbers the added tokens that the vocabulary lacks behind it, in their order: the
// reference heeds no other ids. Of those with the same content the first stays.
func (d *definition) numberAdded() {
	have := map[string]bool{"": true}
	d.Added = slices.DeleteFunc(d.Added, func(a addedToken) bool {
		again := have[a.Content]
		have[a.Content] = true
		return again
	})
	next := 0
	for _, id := range d.Model.Vocab {
		next = max(next, id+1)
	}
	for i := range d.Added {
		a := &d.Added[i]
		if id, ok := d.Model.Vocab[a.Content]; ok {
			a.ID = id
		} else {
			a.ID = next
			next++
		}
	}
}

// number notes the id of a token.
func (t *Tokenizer) number(token string, id int) error {
	if have := t.tokens[id]; have != "" && have != token {
		return fmt.Errorf("%.40q and %.40q have the same id, %d", min(have, token), max(have, token), id)
	}
	t.tokens[id] = token
	return nil
}

// buildAdded prepares the search for added tokens.
func (t *Tokenizer) buildAdded(d *definition) error {
	for _, a := range d.Added {
		if a.Special {
			t.special[a.ID] = true
		}
		if a.Normalized {
			t.normalized.add(t.model.normalize(a.Content), a)
		} else {
			t.raw.add(a.Content, a)
		}
	}
	return nil
}

func (t *Tokenizer) buildModel(d *definition) (err error) {
	m := &d.Model
	if m.Type == "" && m.Merges != nil {
		m.Type = "BPE"
	} else if m.Type == "" && m.MaxLength != nil {
		m.Type = "WordPiece"
	}
	switch m.Type {
	case "WordPiece":
		t.model, err = newWordPiece(d)
	case "BPE":
		t.model, err = newByteBPE(d)
	default:
		err = fmt.Errorf("model type %.40q is not supported: only WordPiece and byte-level BPE are", m.Type)
	}
	return err
}

// readStep reads the JSON of a step into v, if it is of the type wanted.
func readStep(field string, raw json.RawMessage, want string, v any) error {
	var s step
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, &s); err != nil {
			return fmt.Errorf("%s: %w", field, err)
		}
	}
	if s.Type != want {
		return fmt.Errorf("%s type %.40q is not supported: it must be %s", field, s.Type, want)
	}
	if err := json.Unmarshal(raw, v); err != nil {
		return fmt.Errorf("%s: %w", field, err)
	}
	return nil
}

func absent(raw json.RawMessage) bool { return len(raw) == 0 || string(raw) == "null" }

func newWordPiece(d *definition) (*wordPiece, error) {
	m := &wordPiece{first: d.Model.Vocab, inner: map[string]int{}, maxLength: 100, prefix: "##"}
	if !absent(d.Normalizer) {
		if err := readStep("normalizer", d.Normalizer, "BertNormalizer", &m.bertNormalizer); err != nil {
			return nil, err
		}
	}
	if err := readStep("pre_tokenizer", d.PreTokenizer, "BertPreTokenizer", &step{}); err != nil {
		return nil, err
	}
	decoder := struct {
		Prefix  string `json:"prefix"`
		CleanUp bool   `json:"cleanup"`
	}{"##", true}
	if err := readStep("decoder", d.Decoder, "WordPiece", &decoder); err != nil {
		return nil, err
	}
	m.tidy = decoder.CleanUp
	if d.Model.Prefix != nil {
		m.prefix = *d.Model.Prefix
	}
	if m.prefix == "" || m.prefix != decoder.Prefix {
		return nil, fmt.Errorf("model.continuing_subword_prefix is %.40q and decoder.prefix is %.40q: they must be the same and not empty", m.prefix, decoder.Prefix)
	}
	if d.Model.MaxLength != nil {
		m.maxLength = *d.Model.MaxLength
	}
	for token, id := range d.Model.Vocab {
		if piece, inner := strings.CutPrefix(token, m.prefix); inner {
			m.inner[piece] = id
		}
		m.longest = max(m.longest, len(token))
	}
	unknown := "[UNK]"
	if d.Model.Unknown != nil {
		unknown = *d.Model.Unknown
	}
	id, ok := d.Model.Vocab[unknown]
	if !ok {
		return nil, fmt.Errorf("model.vocab lacks the unknown token %.40q", unknown)
	}
	m.unknown = id
	return m, nil
}

func newByteBPE(d *definition) (*byteBPE, error) {
	if err := refuseBPE(d); err != nil {
		return nil, err
	}
	m := &byteBPE{unknown: -1, fuseUnknown: d.Model.FuseUnknown}
	pre := struct {
		PrefixSpace bool `json:"add_prefix_space"`
		Regex       bool `json:"use_regex"`
	}{true, true}
	if err := readStep("pre_tokenizer", d.PreTokenizer, "ByteLevel", &pre); err != nil {
		return nil, err
	}
	m.prefixSpace, m.oneWord = pre.PrefixSpace, !pre.Regex
	if err := readStep("decoder", d.Decoder, "ByteLevel", &step{}); err != nil {
		return nil, err
	}
	if name := d.Model.Unknown; name != nil {
		if id, ok := d.Model.Vocab[*name]; ok {
			m.unknown = id
		}
	}
	for b, letter := range byteLetters {
		m.bytes[b] = -1
		if id, ok := d.Model.Vocab[string(letter)]; ok {
			m.bytes[b] = id
		}
	}
	if d.Model.IgnoreMerges {
		m.words = make(map[string]int, len(d.Model.Vocab))
		for token, id := range d.Model.Vocab {
			if raw, ok := letterBytes(nil, token); ok {
				m.words[string(raw)] = id
			}
		}
	}
	var err error
	m.merges, err = d.Model.mergeTable()
	return m, err
}

// refuseBPE names what GPT-2 does not have.
func refuseBPE(d *definition) error {
	m := &d.Model
	switch {
	case !absent(d.Normalizer):
		var s step
		_ = json.Unmarshal(d.Normalizer, &s) // for its name only
		return fmt.Errorf("normalizer type %.40q is not supported with BPE", s.Type)
	case m.Dropout != nil && *m.Dropout != 0:
		return fmt.Errorf("model.dropout %v is not supported", *m.Dropout)
	case m.Prefix != nil && *m.Prefix != "":
		return fmt.Errorf("model.continuing_subword_prefix %.40q is not supported with BPE", *m.Prefix)
	case m.Suffix != nil && *m.Suffix != "":
		return fmt.Errorf("model.end_of_word_suffix %.40q is not supported", *m.Suffix)
	case m.ByteFallback:
		return fmt.Errorf("model.byte_fallback is not supported")
	}
	return nil
}

// mergeTable looks up the ids of the merges.
func (d *modelDefinition) mergeTable() (map[pair]merge, error) {
	table := make(map[pair]merge, len(d.Merges))
	for rank, m := range d.Merges {
		left, ok1 := d.Vocab[m[0]]
		right, ok2 := d.Vocab[m[1]]
		both, ok3 := d.Vocab[m[0]+m[1]]
		if !ok1 || !ok2 || !ok3 {
			return nil, fmt.Errorf("merge %d, %.40q and %.40q: one of them or what they make is not in the vocabulary", rank+1, m[0], m[1])
		}
		table[pair{int32(left), int32(right)}] = merge{int32(rank), int32(both)}
	}
	return table, nil
}
