package tokenizer

import (
	"os"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func FuzzText(f *testing.F) {
	bert, err := Load("testdata/bert")
	if err != nil {
		f.Fatal(err)
	}
	gpt2, err := Load("testdata/gpt2")
	if err != nil {
		f.Fatal(err)
	}
	for _, s := range []string{"A dog isn't  here.", "[SEP]\n中é\u0301", "<|endoftext|> 's", "\xf0\x9f a", "\xed\xa0\x80"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, tok := range []*Tokenizer{bert, gpt2} {
			ids := tok.Encode(s)
			for _, id := range ids {
				if tok.Token(id) == "" {
					t.Errorf("Encode(%q) has %d, which is no token", s, id)
				}
			}
			if text := tok.Decode(ids); !utf8.ValidString(text) {
				t.Errorf("Decode(Encode(%q)) = %q, not UTF-8", s, text)
			}
		}
		// byte-level BPE loses nothing
		if got, want := gpt2.Decode(gpt2.Encode(s)), strings.ReplaceAll(valid(s), "<|endoftext|>", ""); got != want {
			t.Errorf("Decode(Encode(%q)) = %q, want %q", s, got, want)
		}
		// BERT's text, once normalized, stays
		once := bert.model.normalize(valid(s))
		if got, want := bert.model.encode(nil, bert.model.normalize(once)), bert.model.encode(nil, once); !slices.Equal(got, want) {
			t.Errorf("%q encodes to %v, normalized again to %v", s, want, got)
		}
	})
}

func FuzzValid(f *testing.F) {
	f.Add([]byte("a\xf0\x9f\x90b\xff"))
	f.Fuzz(func(t *testing.T, b []byte) {
		got := valid(string(b))
		// the standard library gives one U+FFFD for a run of broken bytes
		want := strings.ToValidUTF8(string(b), "\ufffd")
		squeeze := func(s string) string {
			for strings.Contains(s, "\ufffd\ufffd") {
				s = strings.ReplaceAll(s, "\ufffd\ufffd", "\ufffd")
			}
			return s
		}
		if squeeze(got) != squeeze(want) {
			t.Errorf("valid(%q) = %q, want as %q", b, got, want)
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(minimalBERT), "ab AB")
	f.Add([]byte(minimalGPT2), "ab ab")
	f.Add([]byte(strings.Replace(minimalBERT, `"added_tokens": []`, `"added_tokens": [{"content": "a", "normalized": true, "single_word": true, "lstrip": true, "rstrip": true}]`, 1)), " a ")
	f.Add([]byte(strings.Replace(minimalBERT, `"post_processor": null`, `"post_processor": {"type": "Sequence", "processors": [{"type": "BertProcessing", "cls": ["a", 1], "sep": ["a", 1]}]}`, 1)), "x")
	f.Fuzz(func(t *testing.T, definition []byte, text string) {
		tok, err := Parse("x", definition)
		if err != nil {
			return
		}
		ids := tok.EncodeSpecial(text)
		decoded := tok.Decode(ids)
		for _, id := range ids {
			if id < 0 || id >= tok.Len() {
				t.Errorf("EncodeSpecial(%q) has %d, of %d", text, id, tok.Len())
			}
		}
		parsed := again(t, tok)
		if got := parsed.EncodeSpecial(text); !slices.Equal(got, ids) {
			t.Errorf("EncodeSpecial(%q) = %v after Definition and Parse, want %v", text, got, ids)
		}
		if got := parsed.Decode(ids); got != decoded {
			t.Errorf("Decode(%v) = %q after Definition and Parse, want %q", ids, got, decoded)
		}
	})
}

func FuzzLoad(f *testing.F) {
	f.Add([]byte("[UNK]\na"), []byte(`{"mask_token": "a", "added_tokens_decoder": {"3": {"content": "x"}}}`), []byte(`{"pad_token": null}`), []byte(""))
	f.Add([]byte(`{"a": 0, "b": 1, "ab": 2}`), []byte(`{"add_bos_token": true}`), []byte(`{"additional_special_tokens": ["<x>"]}`), []byte("#version\na b"))
	f.Fuzz(func(t *testing.T, vocabulary, config, special, merges []byte) {
		dir := t.TempDir()
		name := "vocab.txt"
		if len(vocabulary) > 0 && vocabulary[0] == '{' {
			name = "vocab.json"
		}
		for name, b := range map[string][]byte{name: vocabulary, "tokenizer_config.json": config, "special_tokens_map.json": special, "merges.txt": merges} {
			if err := os.WriteFile(dir+"/"+name, b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		tok, err := Load(dir)
		if err != nil {
			return
		}
		tok.Decode(tok.EncodeSpecial("a ab [SEP] <x>"))
		again(t, tok)
	})
}
