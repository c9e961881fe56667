package tokenizer

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
)

// A config is what tokenizer_config.json says and tokenizer.json does not, or says otherwise.
type config struct {
	Class        string                `json:"tokenizer_class"`
	CleanUp      *bool                 `json:"clean_up_tokenization_spaces"`
	Lowercase    *bool                 `json:"do_lower_case"`
	StripAccents json.RawMessage       `json:"strip_accents"` // null has a meaning
	Chinese      *bool                 `json:"tokenize_chinese_chars"`
	PrefixSpace  *bool                 `json:"add_prefix_space"`
	AddBOS       bool                  `json:"add_bos_token"`
	Decoder      map[string]addedToken `json:"added_tokens_decoder"` // by id

	added    []addedToken // of Decoder, or of added_tokens.json
	specials map[string]namedToken
	more     []namedToken // additional special tokens
}

// A namedToken is a special token of a configuration: its content alone, more, or null.
type namedToken struct {
	addedToken
	known bool // the configuration speaks of it
}

func (n *namedToken) UnmarshalJSON(b []byte) error {
	n.known = true
	if b[0] == '{' {
		return json.Unmarshal(b, &n.addedToken)
	}
	return json.Unmarshal(b, &n.Content)
}

// specialNames are the special tokens of a configuration, in the order in which transformers
// numbers those that the vocabulary lacks.
var specialNames = []string{"bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"}

// readConfig reads tokenizer_config.json, special_tokens_map.json and added_tokens.json, as far
// as they are there.
func readConfig(dir string) (*config, error) {
	c := &config{specials: map[string]namedToken{}}
	name := filepath.Join(dir, "tokenizer_config.json")
	if err := readOptional(name, c); err != nil {
		return nil, err
	}
	for _, name := range []string{name, filepath.Join(dir, "special_tokens_map.json")} {
		if err := c.readSpecials(name); err != nil {
			return nil, err
		}
	}
	for key, a := range c.Decoder {
		var err error
		if a.ID, err = atoi(name, "added_tokens_decoder", key); err != nil {
			return nil, err
		}
		c.added = append(c.added, a)
	}
	if c.Decoder == nil {
		if err := c.readAdded(filepath.Join(dir, "added_tokens.json")); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(c.added, func(a, b addedToken) int { return cmp.Compare(a.ID, b.ID) })
	return c, nil
}

// readOptional reads a JSON file into v, if it is there.
func readOptional(name string, v any) error {
	b, err := readFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return decodeJSON(name, b, v)
}

// readSpecials notes the special tokens of a file that no file before it has.
func (c *config) readSpecials(name string) error {
	var all map[string]json.RawMessage
	if err := readOptional(name, &all); err != nil {
		return err
	}
	for _, field := range specialNames {
		raw, ok := all[field]
		if !ok || c.specials[field].known {
			continue
		}
		var n namedToken
		if err := json.Unmarshal(raw, &n); err != nil {
			return fmt.Errorf("%s: %s: %w", name, field, err)
		}
		c.specials[field] = n
	}
	if raw, ok := all["additional_special_tokens"]; ok && c.more == nil {
		if err := json.Unmarshal(raw, &c.more); err != nil {
			return fmt.Errorf("%s: additional_special_tokens: %w", name, err)
		}
	}
	return nil
}

// readAdded reads added_tokens.json, which has the ids of tokens by their content.
func (c *config) readAdded(name string) error {
	var ids map[string]int
	if err := readOptional(name, &ids); err != nil {
		return err
	}
	for content, id := range ids {
		special := slices.ContainsFunc(c.more, func(n namedToken) bool { return n.Content == content })
		for _, n := range c.specials {
			special = special || n.Content == content
		}
		c.added = append(c.added, addedToken{ID: id, Content: content, Special: special, Normalized: !special})
	}
	return nil
}

// special is the content of a special token, "" if there is none.
func (c *config) special(field string) string { return c.specials[field].Content }

// useDefaults sets special tokens of which the configuration does not speak.
func (c *config) useDefaults(contents map[string]string) {
	for field, content := range contents {
		if !c.specials[field].known {
			c.specials[field] = namedToken{addedToken{Content: content}, true}
		}
	}
}

// checkClass refuses classes whose vocabulary files look alike and mean something else.
func (c *config) checkClass(name string, allowed ...string) error {
	class := strings.TrimSuffix(strings.TrimSuffix(c.Class, "Fast"), "Tokenizer")
	if class == "" || slices.Contains(allowed, class) {
		return nil
	}
	return fmt.Errorf("%s: tokenizer_class %.40q is not supported: only %s", name, c.Class, strings.Join(allowed, ", "))
}

// apply puts into d what the configuration says otherwise.
func (c *config) apply(d *definition) error {
	if c.CleanUp != nil {
		d.CleanUp = *c.CleanUp
	}
	var s step
	if json.Unmarshal(d.Normalizer, &s) == nil && s.Type == "BertNormalizer" {
		var n bertStep
		if err := readStep("normalizer", d.Normalizer, s.Type, &n); err != nil {
			return err
		}
		set(&n.Lowercase, c.Lowercase)
		set(&n.Chinese, c.Chinese)
		if len(c.StripAccents) > 0 {
			n.StripAccents = nil
			if err := json.Unmarshal(c.StripAccents, &n.StripAccents); err != nil {
				return fmt.Errorf("strip_accents of tokenizer_config.json: %w", err)
			}
		}
		d.Normalizer = asJSON(n)
	}
	if json.Unmarshal(d.PreTokenizer, &s) == nil && s.Type == "ByteLevel" {
		pre := byteLevelStep{PrefixSpace: true, Regex: true}
		if err := readStep("pre_tokenizer", d.PreTokenizer, s.Type, &pre); err != nil {
			return err
		}
		set(&pre.PrefixSpace, c.PrefixSpace)
		d.PreTokenizer = asJSON(pre)
	}
	return nil
}

func set(to, from *bool) {
	if from != nil {
		*to = *from
	}
}

// addTokens adds the tokens of the configuration to d, but those that are there.
func (c *config) addTokens(d *definition) {
	d.Added = append(d.Added, c.added...)
	for _, field := range specialNames {
		d.Added = append(d.Added, c.specials[field].asSpecial())
	}
	for _, n := range c.more {
		d.Added = append(d.Added, n.asSpecial())
	}
	d.numberAdded()
}

func (n namedToken) asSpecial() addedToken {
	n.Special = true
	return n.addedToken
}
