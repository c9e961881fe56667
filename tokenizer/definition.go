package tokenizer

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
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
