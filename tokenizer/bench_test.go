package tokenizer

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// syntheticGPT2 is a tokenizer.json of GPT-2's size: 50,257 tokens, 50,000 merges.
func syntheticGPT2(tb testing.TB) []byte {
	tb.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	m := modelDefinition{Type: "BPE", Vocab: vocab{}}
	var tokens []string
	for _, letter := range byteLetters {
		tokens = append(tokens, string(letter))
	}
	for _, t := range tokens {
		m.Vocab[t] = len(m.Vocab)
	}
	letters := strings.Split("etaoinshrdlucmfwypĠĠĠ", "")
	for len(m.Merges) < 50_000 {
		left, right := letters[r.IntN(len(letters))], tokens[r.IntN(len(tokens))]
		if r.IntN(2) == 0 {
			left, right = tokens[r.IntN(len(tokens))], letters[r.IntN(len(letters)-3)]
		}
		both := left + right
		if _, ok := m.Vocab[both]; ok || len(both) > 12 {
			continue
		}
		m.Vocab[both] = len(m.Vocab)
		tokens = append(tokens, both)
		m.Merges = append(m.Merges, [2]string{left, right})
	}
	d := &definition{
		Version:      "1.0",
		Added:        []addedToken{{Content: "<|endoftext|>", Special: true}},
		PreTokenizer: asJSON(byteLevelStep{"ByteLevel", false, true, true}),
		Decoder:      asJSON(byteLevelStep{"ByteLevel", true, true, true}),
		Model:        m,
	}
	return indented(tb, d)
}

// syntheticBERT is a tokenizer.json of bert-base-uncased's size: 30,522 tokens.
func syntheticBERT(tb testing.TB) []byte {
	tb.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	m := modelDefinition{Type: "WordPiece", Vocab: vocab{"[UNK]": 0}}
	for c := 'a'; c <= 'z'; c++ {
		m.Vocab[string(c)] = len(m.Vocab)
		m.Vocab["##"+string(c)] = len(m.Vocab)
	}
	for len(m.Vocab) < 30_522 {
		token := make([]byte, 2+r.IntN(8))
		for i := range token {
			token[i] = "etaoinshrdlucmfwyp"[r.IntN(18)]
		}
		s := string(token)
		if r.IntN(4) == 0 {
			s = "##" + s
		}
		if _, ok := m.Vocab[s]; !ok {
			m.Vocab[s] = len(m.Vocab)
		}
	}
	d := &definition{
		Version:      "1.0",
		Normalizer:   asJSON(bertStep{"BertNormalizer", bertNormalizer{CleanText: true, Chinese: true, Lowercase: true}}),
		PreTokenizer: asJSON(step{"BertPreTokenizer"}),
		Decoder:      json.RawMessage(`{"type":"WordPiece","prefix":"##","cleanup":true}`),
		Model:        m,
	}
	return indented(tb, d)
}

// indented is d as published files have it: a token a line.
func indented(tb testing.TB, d *definition) []byte {
	tb.Helper()
	b, err := json.MarshalIndent(d, "", " ")
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

var syntheticFiles = []struct {
	name string
	make func(testing.TB) []byte
}{{"BERT", syntheticBERT}, {"GPT-2", syntheticGPT2}}

func BenchmarkParse(b *testing.B) {
	for _, f := range syntheticFiles {
		b.Run(f.name, func(b *testing.B) {
			definition := f.make(b)
			b.SetBytes(int64(len(definition)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Parse(f.name, definition); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

var benchmarkTexts = []struct{ name, text string }{
	{"caption", "Two brown dogs and a man in a red hat are running along the beach, aren't they?"},
	{"accents", strings.Repeat("Ein Hündchen läuft über die Straße, très élégant. ", 4)},
	{"1 MB of a", strings.Repeat("a", 1<<20)},
	{"1 MB of letters", strings.Repeat("etaoinshrdlucmfwyp", 1<<20/18)},
	{"1 MB of blanks", strings.Repeat(" ", 1<<20)},
	{"1 MB of captions", strings.Repeat("two brown dogs and a man in a red hat are running along the beach. ", 1<<20/67)},
}

func BenchmarkEncode(b *testing.B) {
	for _, f := range syntheticFiles {
		tok, err := Parse(f.name, f.make(b))
		if err != nil {
			b.Fatal(err)
		}
		for _, t := range benchmarkTexts {
			b.Run(fmt.Sprintf("%s/%s", f.name, t.name), func(b *testing.B) {
				b.SetBytes(int64(len(t.text)))
				b.ReportAllocs()
				for b.Loop() {
					tok.Encode(t.text)
				}
			})
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	for _, f := range syntheticFiles {
		tok, err := Parse(f.name, f.make(b))
		if err != nil {
			b.Fatal(err)
		}
		ids := tok.Encode(benchmarkTexts[0].text)
		b.Run(f.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				tok.Decode(ids)
			}
		})
	}
}
