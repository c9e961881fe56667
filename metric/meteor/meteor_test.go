package meteor

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"unicode/utf8"

	"showtell/tensor"
)

// pack makes a table of paraphrases of words and two coded streams.
func pack(words string, pairs int, heads, ids []byte) []byte {
	var out, body bytes.Buffer
	out.WriteString(magic)
	numbers := []uint32{uint32(strings.Count(words, "\n")), uint32(pairs)}
	for _, stream := range [][]byte{[]byte(words), heads, ids} {
		from := body.Len()
		z := zlib.NewWriter(&body)
		z.Write(stream)
		z.Close()
		numbers = append(numbers, uint32(body.Len()-from))
	}
	binary.Write(&out, binary.LittleEndian, numbers)
	out.Write(body.Bytes())
	return out.Bytes()
}

func gzipped(text string) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write([]byte(text))
	z.Close()
	return b.Bytes()
}

// tiny is data made up for tests: "hot dog" is "sausage" and "long sausage", and
// "sausage" is "hot dog".
func tiny() fstest.MapFS {
	heads := []byte{newLeft, 2, 1, 2, newLeft, 1, 2}
	ids := []byte{96, 97, 98, 99, 98, 98, 96, 97}
	return fstest.MapFS{
		"paraphrase-en.pack": {Data: pack("hot\ndog\nsausage\nlong\n", 3, heads, ids)},
		"synonyms.txt.gz":    {Data: gzipped("bark 7\nhound 2 00000003\ndog 3 5\n\nmice mouse\n")},
		"function.txt":       {Data: []byte("the\na\n")},
		"prefixes.txt":       {Data: []byte("Mr\nNo number\n")},
	}
}

func mustNew(t testing.TB, files fstest.MapFS) *Meteor {
	t.Helper()
	m, err := New(files)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestMissing(t *testing.T) {
	for _, test := range []struct {
		name, without string
		want          string
	}{
		{"all there", "", "METEOR"},
		{"no table", "paraphrase-en.pack", "METEOR (no paraphrases)"},
		{"two", "paraphrase-en.pack synonyms.txt.gz", "METEOR (no paraphrases, synonyms)"},
		{"lists", "function.txt prefixes.txt", "METEOR (no function words, abbreviations)"},
	} {
		files := tiny()
		for _, name := range strings.Fields(test.without) {
			delete(files, name)
		}
		if got := mustNew(t, files).Name(); got != test.want {
			t.Errorf("%s: name %q, want %q", test.name, got, test.want)
		}
	}
	m, err := New(nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := m.Score([]string{"dogs run"}, [][]string{{"a dog runs"}})[0].String(); got != "2.0 3.0 0.0 0.0 0.0 0.0 0.0 0.0 2.0 2.0 0.0 0.0 0.0 0.0 0.0 0.0 0.0 0.0 0.0 0.0 1.0 2.0 2.0" {
		t.Errorf("without data: %s", got) // by hand: two stems in a row
	}
}

func TestDamage(t *testing.T) {
	words, heads, ids := "hot\ndog\n", []byte{newLeft, 1, 1}, []byte{96, 97}
	for _, test := range []struct {
		name, file string
		data       []byte
		want       string
	}{
		{"empty", "paraphrase-en.pack", nil, "not a table of paraphrases"},
		{"cut off", "paraphrase-en.pack", pack(words, 1, heads, ids)[:60], "unexpected EOF"},
		{"pairs", "paraphrase-en.pack", pack(words, 2, heads, ids), "1 pairs, want 2"},
		{"unknown word", "paraphrase-en.pack", pack(words, 1, heads, []byte{96, 98}), "word 2 of 2"},
		{"half a number", "paraphrase-en.pack", pack(words, 1, heads, []byte{96, 1}), "word -95 of 2"},
		{"no left side", "paraphrase-en.pack", pack(words, 1, heads[1:], ids), "no phrase at 0"},
		{"empty phrase", "paraphrase-en.pack", pack(words, 1, []byte{newLeft, 1, 0}, ids), "no phrase at 2"},
		{"too long", "paraphrase-en.pack", pack(words, 1, []byte{newLeft, 8, 1}, bytes.Repeat(ids, 5)), "no phrase at 1"},
		{"nothing to share", "paraphrase-en.pack", pack(words, 1, []byte{newLeft, 1, 0x11}, ids), "no phrase at 2"},
		{"head missing", "paraphrase-en.pack", pack(words, 1, []byte{newLeft}, ids), "unexpected EOF"},
		{"words too many", "paraphrase-en.pack", pack(words, 1, heads, append(ids, 96)), "1 words too many"},
		{"no gzip", "synonyms.txt.gz", []byte("dog 3"), "unexpected EOF"},
		{"no number", "synonyms.txt.gz", gzipped("a 1\ndog x\n"), "line 2: strconv.ParseInt: parsing \"x\": invalid syntax"},
		{"cut off synonyms", "synonyms.txt.gz", gzipped("a 1\ndog 5\n")[:30], "unexpected EOF"},
		{"prefix", "prefixes.txt", []byte("Mr\nDr often\n"), "line 2: \"Dr often\", want a word and perhaps \"number\""},
	} {
		files := tiny()
		files[test.file] = &fstest.MapFile{Data: test.data}
		if _, err := New(files); err == nil || err.Error() != "METEOR data "+test.file+": "+test.want {
			t.Errorf("%s: error %v, want %s", test.name, err, test.want)
		}
	}
}

func TestByHand(t *testing.T) {
	m := mustNew(t, tiny())
	for _, test := range []struct {
		name, hyp, ref string
		want           string // words; exact, stem, synonym, paraphrase, matched in hyp; chunks
	}{
		{"equal", "a dog", "a dog", "2; 2 0 0 0; 1"},
		{"nothing", "", "a dog", "0; 0 0 0 0; 0"},
		{"stem", "cats jump", "a cat jumping", "2; 0 2 0 0; 1"},
		{"two ways for a word that are worth no chunk", "dogs purr", "a dog", "2; 0 0 0 0; 0"},
		{"base and synset", "a hound", "a dogs", "2; 1 0 1 0; 1"},
		{"table forwards", "long sausage", "hot dog", "2; 0 0 0 2; 1"},
		{"table backwards", "hot dog", "long sausage", "2; 0 0 0 2; 1"},
		{"two runs", "the hot dog", "hot dog the", "3; 3 0 0 0; 2"},
	} {
		s := m.Score([]string{test.hyp}, [][]string{{test.ref}})[0]
		got := fmt.Sprintf("%d; %d %d %d %d; %d", s.Hyp.Words.sum(), s.Hyp.Matched[0].sum(), s.Hyp.Matched[1].sum(), s.Hyp.Matched[2].sum(), s.Hyp.Matched[3].sum(), s.Chunks)
		if got != test.want {
			t.Errorf("%s: %q for %q: %s, want %s", test.name, test.hyp, test.ref, got, test.want)
		}
	}
	if s := m.Score([]string{"a dog"}, [][]string{nil})[0]; s != (Stats{}) {
		t.Errorf("without reference: %v", &s)
	}
}

func TestSplit(t *testing.T) {
	m := mustNew(t, tiny())
	for _, test := range []struct{ name, in, want string }{
		{"empty", " \x01 ", ""},
		{"stop", "A dog.", "a dog ."},
		{"runs of dots", "so... a..b .5", "so ... a .. b .5"},
		{"commas", "1,000 dogs, cats,1", "1,000 dogs , cats , 1"},
		{"one-letter parts", "a-b-c t-shirt --", "a b-c t shirt -"},
		{"apostrophes", "dogs' it's '90s 90's", "dogs ' it 's ' 90s 90 's"},
		{"abbreviations", "U.S. Mr. Cat No. 5 No. Five end. of", "us mr. cat no. 5 no . five end. of"},
		{"signs", "50% (a) “b”", `50 % ( a ) " b "`},
		{"no UTF-8", "a\xffb", "a \uFFFD b"},
		{"letters and other letters", "ΟΔ Šİж", "ο δ ši\u0307ж"},
		{"marker", "xDOTMULTIy", "x.y"},
	} {
		if got := joined(m.split(test.in)); got != test.want {
			t.Errorf("%s: split(%q) = %q, want %q", test.name, test.in, got, test.want)
		}
	}
}

// TestWorkers compares results on one core and on several.
func TestWorkers(t *testing.T) {
	m := mustNew(t, tiny())
	var hyps []string
	var refs [][]string
	for i := range 100 {
		words := strings.Fields("a hot dog the sausage long sausage hound barks a dog")
		hyps = append(hyps, strings.Join(words[:i%len(words)], " "))
		slices.Reverse(words)
		refs = append(refs, []string{strings.Join(words, " "), "the hot dogs"})
	}
	defer tensor.SetWorkers(0)
	tensor.SetWorkers(1)
	want := m.Score(hyps, refs)
	tensor.SetWorkers(4)
	if got := m.Score(hyps, refs); !slices.Equal(got, want) {
		t.Error("results depend on the number of workers")
	}
}

// TestLongText is about time: the official program needs minutes for it.
func TestLongText(t *testing.T) {
	m := mustNew(t, tiny())
	s := m.Score([]string{strings.Repeat("the hot dog ", 100)}, [][]string{{strings.Repeat("hot dog the ", 90)}})[0]
	if score := s.Score(); !(score > 0.5 && score < 1) || s.Hyp.matched() != 270 {
		t.Errorf("score %v of %v", score, &s)
	}
}

func FuzzSplit(f *testing.F) {
	for _, seed := range []string{"It's a U.S. dog, no. 5.", "a-b-c '' `x’ “y” --", "1,2 ... DOTMULTI.", "\xff\u00a0é\u2028İΣ", "dogs' 90's"} {
		f.Add(seed)
	}
	m := mustNew(f, tiny())
	f.Fuzz(func(t *testing.T, text string) {
		for _, w := range m.split(text) {
			if w == "" || !utf8.ValidString(w) || strings.ContainsFunc(w, blank) {
				t.Errorf("split(%q) has word %q", text, w)
			}
		}
	})
}

func FuzzScore(f *testing.F) {
	f.Add("a dog runs", "the dogs ran", "a hound")
	f.Add("the hot dog the hot dog", "long sausage a hot dog hot", "")
	f.Add("sausage sausage ||| hot dog", "sausage ||| hot dog", "dog hot mice's")
	m := mustNew(f, tiny())
	f.Fuzz(func(t *testing.T, hyp, ref, other string) {
		if len(hyp)+len(ref)+len(other) > 2000 {
			return
		}
		s := m.Score([]string{hyp, hyp}, [][]string{{ref, other}, {ref}})
		for i, x := range s {
			hypMatched, refMatched := x.Hyp.matched(), x.Ref.matched()
			if hypMatched > x.Hyp.Words.sum() || refMatched > x.Ref.Words.sum() || x.Chunks > min(hypMatched, refMatched) {
				t.Errorf("statistics %d of %q for %q, %q: %v", i, hyp, ref, other, &x)
			}
			if score := x.Score(); !(score >= 0 && score <= 1+tolerance) {
				t.Errorf("score %v of %q for %q, %q", score, hyp, ref, other)
			}
		}
		if s[0].Score() < s[1].Score() {
			t.Errorf("%q: another reference %q makes %q worse", hyp, other, ref)
		}
	})
}

func FuzzTable(f *testing.F) {
	f.Add([]byte{newLeft, 2, 1, 2, newLeft, 1, 2}, []byte{96, 97, 98, 99, 98, 98, 96, 97}, 3)
	f.Fuzz(func(t *testing.T, heads, ids []byte, pairs int) {
		m, err := New(fstest.MapFS{"paraphrase-en.pack": {Data: pack("hot\ndog\nsausage\nlong\n", pairs, heads, ids)}})
		if err != nil {
			return
		}
		s := m.Score([]string{"hot dog long sausage"}, [][]string{{"sausage dog long hot"}})[0]
		if score := s.Score(); !(score >= 0 && score <= 1+tolerance) {
			t.Errorf("score %v", score)
		}
	})
}
