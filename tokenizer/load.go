package tokenizer

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxFile bounds the size of a file, in bytes. GPT-2's tokenizer.json has 2 MB.
const maxFile = 32 << 20

// Load reads the tokenizer of a Hugging Face folder, from the files that the package's comment
// lists. Errors name the file. A folder without any gives one that is fs.ErrNotExist.
func Load(dir string) (*Tokenizer, error) {
	c, err := readConfig(dir)
	if err != nil {
		return nil, err
	}
	d, name, err := readDefinition(dir, c)
	if err != nil {
		return nil, err
	}
	if err := c.apply(d); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	c.addTokens(d)
	return d.build(name)
}

// readDefinition reads the first of the files that the folder has, and tells which it was.
func readDefinition(dir string, c *config) (*definition, string, error) {
	name := filepath.Join(dir, "tokenizer.json")
	b, err := readFile(name)
	if err == nil {
		d, err := parseDefinition(name, b)
		return d, name, err
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, name, err
	}
	for _, route := range []struct {
		file string
		read func(name string, vocab []byte, c *config) (*definition, error)
	}{{"vocab.txt", readVocabTxt}, {"vocab.json", readVocabJSON}} {
		name := filepath.Join(dir, route.file)
		b, err := readFile(name)
		if err == nil {
			d, err := route.read(name, b, c)
			return d, name, err
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return nil, name, err
		}
	}
	return nil, dir, fmt.Errorf("%s: no tokenizer.json, vocab.txt or vocab.json: %w", dir, fs.ErrNotExist)
}

func readFile(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, err
	}
	if len(b) > maxFile {
		return nil, fmt.Errorf("%s: larger than %d MiB", name, maxFile>>20)
	}
	return b, nil
}

// lines returns the lines of a text file, without their ends.
func lines(b []byte) []string {
	s := strings.TrimSuffix(strings.ReplaceAll(string(b), "\r\n", "\n"), "\n")
	if s == "" {
		return nil
	}
	return strings.Split(s, "\n")
}

// readVocabTxt makes BERT's definition from its vocabulary: a token a line.
func readVocabTxt(name string, b []byte, c *config) (*definition, error) {
	if err := c.checkClass(name, "Bert", "DistilBert", "Electra"); err != nil {
		return nil, err
	}
	c.useDefaults(map[string]string{
		"unk_token": "[UNK]", "sep_token": "[SEP]", "pad_token": "[PAD]", "cls_token": "[CLS]", "mask_token": "[MASK]",
	})
	unknown, prefix, maxLength := c.special("unk_token"), "##", 100
	d := &definition{
		Version:      "1.0",
		Normalizer:   asJSON(bertStep{"BertNormalizer", bertNormalizer{CleanText: true, Chinese: true, Lowercase: true}}),
		PreTokenizer: asJSON(step{"BertPreTokenizer"}),
		Decoder:      json.RawMessage(`{"type":"WordPiece","prefix":"##","cleanup":true}`),
		Model:        modelDefinition{Type: "WordPiece", Unknown: &unknown, Prefix: &prefix, MaxLength: &maxLength, Vocab: vocab{}},
	}
	for i, token := range lines(b) {
		if !utf8.ValidString(token) {
			return nil, fmt.Errorf("%s:%d: not UTF-8", name, i+1)
		}
		if i >= maxTokens {
			return nil, fmt.Errorf("%s:%d: more than %d tokens", name, i+1, maxTokens)
		}
		d.Model.Vocab[token] = i
	}
	c.addTokens(d)
	d.PostProcessor = template(d, c.special("cls_token"), c.special("sep_token"))
	return d, nil
}

// readVocabJSON makes GPT-2's definition from its vocabulary and the merges.txt beside it.
func readVocabJSON(name string, b []byte, c *config) (*definition, error) {
	if err := c.checkClass(name, "GPT2"); err != nil {
		return nil, err
	}
	end := "<|endoftext|>"
	c.useDefaults(map[string]string{"unk_token": end, "bos_token": end, "eos_token": end})
	d := &definition{
		Version:       "1.0",
		PreTokenizer:  asJSON(byteLevelStep{"ByteLevel", false, true, true}),
		PostProcessor: asJSON(byteLevelStep{"ByteLevel", true, false, true}),
		Decoder:       asJSON(byteLevelStep{"ByteLevel", true, true, true}),
		Model:         modelDefinition{Type: "BPE"},
	}
	if err := decodeJSON(name, b, &d.Model.Vocab); err != nil {
		return nil, err
	}
	merges := filepath.Join(filepath.Dir(name), "merges.txt")
	b, err := readFile(merges)
	if err != nil {
		return nil, err
	}
	if d.Model.Merges, err = readMerges(merges, b); err != nil {
		return nil, err
	}
	if c.AddBOS {
		c.addTokens(d)
		d.PostProcessor = template(d, c.special("bos_token"), "")
	}
	return d, nil
}

// readMerges reads merges.txt: two tokens a line, after a line with the version.
func readMerges(name string, b []byte) (mergeList, error) {
	merges := mergeList{}
	for i, line := range lines(b) {
		if i == 0 && strings.HasPrefix(line, "#version") {
			continue
		}
		m, err := splitMerge(line)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, i+1, err)
		}
		if strings.HasSuffix(m[1], "</w>") {
			return nil, fmt.Errorf("%s:%d: %q: BPE with marks at the ends of words, as CLIP's, is not supported", name, i+1, line)
		}
		merges = append(merges, m)
	}
	return merges, nil
}

// A bertStep is BERT's normalizer in a tokenizer.json.
type bertStep struct {
	Type string `json:"type"`
	bertNormalizer
}

// A byteLevelStep is any step of GPT-2's in a tokenizer.json.
type byteLevelStep struct {
	Type        string `json:"type"`
	PrefixSpace bool   `json:"add_prefix_space"`
	TrimOffsets bool   `json:"trim_offsets"`
	Regex       bool   `json:"use_regex"`
}

// template is the post-processor that puts special tokens around a text; "" is none.
func template(d *definition, before, after string) json.RawMessage {
	type object = map[string]any
	tokens := object{}
	single := []object{{"Sequence": object{"id": "A", "type_id": 0}}}
	piece := func(token string) object {
		i := slices.IndexFunc(d.Added, func(a addedToken) bool { return a.Content == token })
		tokens[token] = object{"id": token, "ids": []int{d.Added[i].ID}, "tokens": []string{token}}
		return object{"SpecialToken": object{"id": token, "type_id": 0}}
	}
	if before != "" {
		single = append([]object{piece(before)}, single...)
	}
	if after != "" {
		single = append(single, piece(after))
	}
	pair := append(slices.Clone(single), object{"Sequence": object{"id": "B", "type_id": 1}})
	return asJSON(object{"type": "TemplateProcessing", "single": single, "pair": pair, "special_tokens": tokens})
}

// asJSON is the JSON of values of our own, which always have one.
func asJSON(v any) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}

// atoi reads the ids that are keys in JSON.
func atoi(name, field, s string) (int, error) {
	id, err := strconv.Atoi(s)
	if err != nil || id < 0 || id >= maxTokens {
		return 0, fmt.Errorf("%s: %s: %.40q is no id from 0 to %d", name, field, s, maxTokens-1)
	}
	return id, nil
}
