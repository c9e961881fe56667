package tokenizer

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// minimal definitions, with a place to change something
const (
	minimalBERT = `{"added_tokens": [],
 "normalizer": {"type": "BertNormalizer", "lowercase": true},
 "pre_tokenizer": {"type": "BertPreTokenizer"},
 "post_processor": null,
 "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": true},
 "model": {"type": "WordPiece", "vocab": {"[UNK]": 0, "a": 1, "##b": 2}}}`
	minimalGPT2 = `{"pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false},
 "decoder": {"type": "ByteLevel"},
 "model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2, "abab": 3}, "merges": ["a b", ["ab", "ab"]]}}`
)

func TestParseRefuses(t *testing.T) {
	for _, c := range []struct{ name, base, old, new, want string }{
		{"not JSON", minimalBERT, `"decoder"`, `decoder`, "x.json:5: invalid character"},
		{"cut off", minimalBERT, `"##b": 2}}}`, `"##b"`, "x.json:6: unexpected end"},
		{"no object", minimalBERT, minimalBERT, `[]`, "x.json:1: "},
		{"nothing", minimalBERT, minimalBERT, `{}`, "x.json: model.vocab has no tokens"},
		{"null", minimalBERT, minimalBERT, `null`, "x.json: model.vocab has no tokens"},
		{"Unigram", minimalBERT, `"type": "WordPiece", "vocab"`, `"type": "Unigram", "vocab"`, `x.json: model type "Unigram" is not supported`},
		{"another normalizer", minimalBERT, "BertNormalizer", "Lowercase", `x.json: normalizer type "Lowercase" is not supported: it must be BertNormalizer`},
		{"another splitter", minimalBERT, "BertPreTokenizer", "Metaspace", `pre_tokenizer type "Metaspace"`},
		{"another decoder", minimalBERT, `"type": "WordPiece", "prefix"`, `"type": "CTC", "prefix"`, `decoder type "CTC"`},
		{"prefixes that differ", minimalBERT, `"##", "cleanup"`, `"@@", "cleanup"`, `decoder.prefix is "@@"`},
		{"no unknown token", minimalBERT, `"[UNK]": 0, `, ``, `lacks the unknown token "[UNK]"`},
		{"an id that is text", minimalBERT, `"a": 1`, `"a": "1"`, `the id of "a" is not a whole number`},
		{"an id that is an object", minimalBERT, `"a": 1`, `"a": {"b": 1}`, `the id of "a" is not a whole number`},
		{"a negative id", minimalBERT, `"a": 1`, `"a": -1`, `the id of "a" is not a whole number`},
		{"a huge id", minimalBERT, `"a": 1`, `"a": 4294967295`, `the id of "a" is not a whole number`},
		{"words without end", minimalBERT, `"vocab": {`, `"max_input_chars_per_word": 100000, "vocab": {`, "max_input_chars_per_word 100000 is not from 0 to 1000"},
		{"two tokens with one id", minimalBERT, `"a": 1`, `"a": 2`, `"##b" and "a" have the same id, 2`},
		{"a vocabulary that is a list", minimalBERT, `{"[UNK]": 0, "a": 1, "##b": 2}`, `[["a", 0.5]]`, "vocab: not an object"},
		{"a flag that is a number", minimalBERT, `"lowercase": true`, `"lowercase": 1`, "normalizer: "},
		{"added tokens that are numbers", minimalBERT, `"added_tokens": []`, `"added_tokens": [7]`, "x.json:1: added_tokens: number where an object was expected"},
		{"an unknown post-processor", minimalBERT, `"post_processor": null`, `"post_processor": {"type": "Magic"}`, `post_processor: type "Magic" is not supported`},
		{"a template without text", minimalBERT, `"post_processor": null`, `"post_processor": {"type": "TemplateProcessing", "single": []}`, "single has the text 0 times"},
		{"a template with nothing in a piece", minimalBERT, `"post_processor": null`, `"post_processor": {"type": "TemplateProcessing", "single": [{}]}`, "single[0] is neither"},
		{"special tokens that are not there", minimalBERT, `"post_processor": null`, `"post_processor": {"type": "BertProcessing", "cls": ["[CLS]", 7], "sep": ["[SEP]", 8]}`, "there is no token with id 7"},
		{"half a post-processor", minimalBERT, `"post_processor": null`, `"post_processor": {"type": "BertProcessing"}`, "lacks cls or sep"},
		{"CLIP's ends of words", minimalGPT2, `"type": "BPE"`, `"type": "BPE", "end_of_word_suffix": "</w>"`, `model.end_of_word_suffix "</w>" is not supported`},
		{"bytes as tokens", minimalGPT2, `"type": "BPE"`, `"type": "BPE", "byte_fallback": true`, "model.byte_fallback is not supported"},
		{"chance", minimalGPT2, `"type": "BPE"`, `"type": "BPE", "dropout": 0.1`, "model.dropout 0.1 is not supported"},
		{"a normalizer for BPE", minimalGPT2, `"pre_tokenizer"`, `"normalizer": {"type": "NFC"}, "pre_tokenizer"`, `normalizer type "NFC" is not supported with BPE`},
		{"a merge of three", minimalGPT2, `"a b"`, `"a b c"`, `merge 1: "a b c" is not two tokens`},
		{"a merge of one", minimalGPT2, `["ab", "ab"]`, `["ab"]`, "merge 2: not a list of two tokens"},
		{"a merge of numbers", minimalGPT2, `["ab", "ab"]`, `[1, 2]`, "merge 2: not a list of two tokens"},
		{"a merge out of nowhere", minimalGPT2, `"a b"`, `"a c"`, `merge 1, "a" and "c": one of them`},
		{"merges that are text", minimalGPT2, `["a b", ["ab", "ab"]]`, `"a b"`, "merges: not a list"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if !strings.Contains(c.base, c.old) {
				t.Fatalf("the definition has no %q", c.old)
			}
			_, err := Parse("x.json", []byte(strings.Replace(c.base, c.old, c.new, 1)))
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "x.json:") {
				t.Errorf("Parse() error = %v, want %q", err, c.want)
			}
		})
	}
}

func TestParseAccepts(t *testing.T) {
	for _, c := range []struct {
		name, base, old, new string
		text                 string
		want                 []int
		decoded              string
	}{
		{"BERT", minimalBERT, "", "", "ABB c", []int{1, 2, 2, 0}, "abb [UNK]"},
		{"BERT's model without its type", minimalBERT, `"type": "WordPiece", "vocab"`, `"max_input_chars_per_word": 2, "vocab"`, "AB abb", []int{1, 2, 0}, "ab [UNK]"},
		{"BERT without a normalizer", minimalBERT, `{"type": "BertNormalizer", "lowercase": true}`, "null", "A ab", []int{0, 1, 2}, "[UNK] ab"},
		{"BertProcessing", minimalBERT, `"post_processor": null`, `"post_processor": {"type": "BertProcessing", "cls": ["a", 1], "sep": ["[UNK]", 0]}`, "a", []int{1, 1, 0}, "a a [UNK]"},
		{"processors in sequence", minimalBERT, `"post_processor": null`, `"post_processor": {"type": "Sequence", "processors": [{"type": "ByteLevel"}, {"type": "RobertaProcessing", "cls": ["a", 1], "sep": ["a", 1]}]}`, "ab", []int{1, 1, 2, 1}, "a ab a"},
		{"GPT-2", minimalGPT2, "", "", "ababab", []int{3, 2}, "ababab"},
		{"GPT-2's model without its type", minimalGPT2, `"type": "BPE", `, "", "abb", []int{2, 1}, "abb"},
		{"bytes that the vocabulary lacks vanish", minimalGPT2, "", "", "aéb", []int{2}, "ab"},
		{"unless there is an unknown token", minimalGPT2, `"type": "BPE", `, `"type": "BPE", "unk_token": "b", `, "a??", []int{0, 1, 1}, "abb"},
		{"of which several may be one", minimalGPT2, `"type": "BPE", `, `"type": "BPE", "fuse_unk": true, "unk_token": "abab", `, "a??b?", []int{0, 3, 1, 3}, "aababbabab"},
		{"whole words before merges", minimalGPT2, `"type": "BPE", `, `"type": "BPE", "ignore_merges": true, `, "abab", []int{3}, "abab"},
		{"text that is not split", minimalGPT2, `"add_prefix_space": false`, `"add_prefix_space": false, "use_regex": false`, "ab?ab", []int{3}, "abab"},
	} {
		t.Run(c.name, func(t *testing.T) {
			tok, err := Parse("x.json", []byte(strings.Replace(c.base, c.old, c.new, 1)))
			if err != nil {
				t.Fatal(err)
			}
			for _, tok := range []*Tokenizer{tok, again(t, tok)} {
				got := tok.EncodeSpecial(c.text)
				if !slices.Equal(got, c.want) {
					t.Errorf("EncodeSpecial(%q) = %v, want %v", c.text, got, c.want)
				}
				if text := tok.Decode(got); text != c.decoded {
					t.Errorf("Decode(%v) = %q, want %q", got, text, c.decoded)
				}
			}
		})
	}
}

func TestLoadRefuses(t *testing.T) {
	const config = "tokenizer_config.json"
	vocab := map[string]string{"vocab.txt": "[UNK]\na\n"}
	gpt2 := map[string]string{"vocab.json": `{"a": 0, "b": 1, "ab": 2}`, "merges.txt": "#version: 0.2\na b\n"}
	for _, c := range []struct {
		name       string
		base       map[string]string
		file, text string
		want       string
	}{
		{"a vocabulary in Latin-1", vocab, "vocab.txt", "[UNK]\n\xe9\n", "vocab.txt:2: not UTF-8"},
		{"an empty vocabulary", vocab, "vocab.txt", "", "model.vocab has no tokens"},
		{"the wrong class", vocab, config, `{"tokenizer_class": "BertJapaneseTokenizer"}`, `vocab.txt: tokenizer_class "BertJapaneseTokenizer" is not supported`},
		{"RoBERTa", gpt2, config, `{"tokenizer_class": "RobertaTokenizer"}`, `vocab.json: tokenizer_class "RobertaTokenizer" is not supported`},
		{"a configuration cut off", vocab, config, "{\n\"a\":", config + ":2: unexpected end"},
		{"a flag that is text", vocab, config, "{\n\"do_lower_case\": \"no\"}", config + ":2: do_lower_case: string where true or false was expected"},
		{"accents that are text", vocab, config, `{"strip_accents": "no"}`, "strip_accents of tokenizer_config.json"},
		{"a special token that is a number", vocab, config, `{"mask_token": 7}`, config + ": mask_token: "},
		{"an added token without an id", vocab, config, `{"added_tokens_decoder": {"x": {}}}`, `added_tokens_decoder: "x" is no id`},
		{"no merges", map[string]string{"vocab.json": `{"a": 0}`}, "", "", "merges.txt"},
		{"CLIP", gpt2, "merges.txt", "#version: 0.2\na b</w>\n", `merges.txt:2: "a b</w>": BPE with marks at the ends of words`},
		{"a merge of one", gpt2, "merges.txt", "#version: 0.2\na b\n\nb a\n", "merges.txt:3: \"\" is not two tokens"},
		{"a vocabulary cut off", gpt2, "vocab.json", "{\n\"a\": 0", "vocab.json:2: unexpected end"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			for name, content := range c.base {
				writeFile(t, dir, name, content)
			}
			if c.file != "" {
				writeFile(t, dir, c.file, c.text)
			}
			_, err := Load(dir)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("Load() error = %v, want %q", err, c.want)
			}
		})
	}
}

func TestLoadWithoutFiles(t *testing.T) {
	dir := t.TempDir()
	if _, err := Load(dir); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), dir) {
		t.Errorf("Load() error = %v, want one that is fs.ErrNotExist and names %s", err, dir)
	}
}

func TestLoadRefusesHugeFiles(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "vocab.txt")
	writeFile(t, dir, "vocab.txt", "[UNK]\n")
	if err := os.Truncate(name, maxFile+1); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(dir); err == nil || !strings.Contains(err.Error(), "larger than 32 MiB") {
		t.Errorf("Load() error = %v, want one about the size", err)
	}
}

// Windows ends lines otherwise, and a file may lack its last end of line.
func TestLoadEndsOfLines(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, dir, "vocab.txt", "[UNK]\r\na\r\n##b")
	tok, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := tok.Encode("ab"), []int{1, 2}; !slices.Equal(got, want) {
		t.Errorf("Encode(ab) = %v, want %v", got, want)
	}
}

// What tokenizer_config.json says goes before what tokenizer.json says.
func TestConfigurationGoesFirst(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, dir, "tokenizer.json", minimalBERT)
	writeFile(t, dir, "tokenizer_config.json", `{"do_lower_case": false, "clean_up_tokenization_spaces": true, "mask_token": {"content": "[M]"}}`)
	tok, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := tok.Encode("A a[M]"), []int{0, 1, 3}; !slices.Equal(got, want) {
		t.Errorf("Encode() = %v, want %v", got, want)
	}
}

func TestTokenAndID(t *testing.T) {
	tok, err := Parse("x.json", []byte(minimalGPT2))
	if err != nil {
		t.Fatal(err)
	}
	for id, want := range map[int]string{-1: "", 0: "a", 3: "abab", 4: "", 1 << 40: ""} {
		if got := tok.Token(id); got != want {
			t.Errorf("Token(%d) = %q, want %q", id, got, want)
		}
	}
	if id, ok := tok.ID("abba"); ok {
		t.Errorf("ID(abba) = %d, want none", id)
	}
	if got := tok.Decode([]int{-5, 0, 99, 1, 1 << 40}); got != "ab" {
		t.Errorf("Decode() = %q, want ab: ids that are not there vanish", got)
	}
	if got := tok.Len(); got != 4 {
		t.Errorf("Len() = %d, want 4", got)
	}
}
