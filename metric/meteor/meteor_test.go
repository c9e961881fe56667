package meteor

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"unicode/utf8"

	"github.com/klauspost/compress/zstd"

	"showtell/tensor"
)

// pack makes a table of paraphrases of words, one a line, and blocks. The last word
// is the rarest of all of them.
func pack(words string, blocks ...[]byte) []byte {
	index := words + "\n\n"
	for range strings.Count(words, "\n") {
		index += "\x00\x00"
	}
	return packIndex(append([]byte(index), 0, 0), blocks...)
}

func packIndex(index []byte, blocks ...[]byte) []byte {
	numbers := []uint32{uint32(1 + len(blocks))}
	var body []byte
	for _, part := range append([][]byte{index}, blocks...) {
		z := squeeze(part)
		numbers = append(numbers, uint32(len(z)))
		body = append(body, z...)
	}
	out := []byte(magic)
	for _, n := range numbers {
		out = binary.LittleEndian.AppendUint32(out, n)
	}
	return append(out, body...)
}

var encoder, _ = zstd.NewWriter(nil) // no option can be wrong

func squeeze(text []byte) []byte { return encoder.EncodeAll(text, nil) }

// tiny is data made up for tests: "hot dog" is "sausage" and "long sausage", and
// "sausage" is "hot dog".
func tiny() fstest.MapFS {
	return fstest.MapFS{
		"paraphrase-en.pack": {Data: pack("hot\ndog\nsausage\nlong", tinyBlock)},
		"synonyms.txt.zst":   {Data: squeeze([]byte("bark 7\ndog 3 5\nhound 2 00000003 x\n\nmice mouse\n"))},
		"function.txt":       {Data: []byte("the\na\n")},
		"prefixes.txt":       {Data: []byte("Mr\nNo number\n")},
	}
}

// tinyBlock is the block of tiny's table: left sides with a number of bytes and the
// right sides behind them.
var tinyBlock = []byte{2, 96, 97, 5, 1, 98, 2, 99, 98, 1, 98, 3, 2, 96, 97}

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
		{"two", "paraphrase-en.pack synonyms.txt.zst", "METEOR (no paraphrases, synonyms)"},
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
	if got := score(t, m, []string{"dogs run"}, [][]string{{"a dog runs"}})[0].String(); got != "2.0 3.0 0.0 0.0 0.0 0.0 0.0 0.0 2.0 2.0 0.0 0.0 0.0 0.0 0.0 0.0 0.0 0.0 0.0 0.0 1.0 2.0 2.0" {
		t.Errorf("without data: %s", got) // by hand: two stems in a row
	}
}

func TestDamage(t *testing.T) {
	words := "hot\ndog"
	for _, test := range []struct {
		name, file string
		data       []byte
		want       string
	}{
		{"empty", "paraphrase-en.pack", nil, "not a table of paraphrases: unexpected EOF"},
		{"other file", "paraphrase-en.pack", []byte("MPARA3\x00\x00    "), "not a table of paraphrases"},
		{"old file", "paraphrase-en.pack", []byte("MPARA1\x00\x00    "), "the format of an older showtell, take the file of this one"},
		{"no parts", "paraphrase-en.pack", []byte(magic + "\x00\x00\x00\x00"), "0 parts"},
		{"sizes cut off", "paraphrase-en.pack", pack(words, tinyBlock)[:16], "2 parts"},
		{"cut off", "paraphrase-en.pack", pack(words, tinyBlock)[:60], "unexpected EOF"},
		{"no blocks of words", "paraphrase-en.pack", packIndex([]byte(words)), "2 words with 0 bytes of blocks"},
		{"few blocks of words", "paraphrase-en.pack", packIndex([]byte(words + "\n\n123")), "2 words with 3 bytes of blocks"},
		{"no zstd", "synonyms.txt.zst", []byte("dog 3"), "invalid input: magic number mismatch"},
		{"no bases", "synonyms.txt.zst", squeeze([]byte("a 1\ndog x\n")), "no empty line"},
		{"cut off synonyms", "synonyms.txt.zst", squeeze([]byte("a 1\ndog 5\n"))[:15], "unexpected EOF"},
		{"prefix", "prefixes.txt", []byte("Mr\nDr often\n"), "line 2: \"Dr often\", want a word and perhaps \"number\""},
	} {
		files := tiny()
		files[test.file] = &fstest.MapFile{Data: test.data}
		if _, err := New(files); err == nil || err.Error() != "METEOR data "+test.file+": "+test.want {
			t.Errorf("%s: error %v, want %s", test.name, err, test.want)
		}
	}
}

// TestDamagedBlock is about what is read only where sentences need it.
func TestDamagedBlock(t *testing.T) {
	for _, test := range []struct {
		name  string
		block []byte
		want  string
	}{
		{"unknown word", []byte{1, 98, 0}, "no phrase at 0"},
		{"half a number", []byte{1, 1}, "no phrase at 0"},
		{"no word", []byte{1, 0, 0}, "no phrase at 0"},
		{"empty phrase", []byte{1, 96, 0, 0}, "no phrase at 3"},
		{"too long", []byte{8, 96, 96, 96, 96, 96, 96, 96, 96, 0}, "no phrase at 0"},
		{"nothing to share", []byte{0x11, 96, 0}, "no phrase at 0"},
		{"no size", []byte{1, 96}, "no right sides at 0"},
		{"size too large", []byte{1, 96, 0, 1, 97, 5, 1, 96}, "no right sides at 3"},
		{"endless size", []byte{1, 96, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255}, "no right sides at 0"},
		{"no right side", []byte{1, 96, 1, 1}, "no phrase for that at 0"},
	} {
		files := tiny()
		files["paraphrase-en.pack"] = &fstest.MapFile{Data: pack("hot\ndog", test.block)}
		m := mustNew(t, files)
		_, err := m.Score([]string{"hot dog"}, [][]string{{"a dog"}})
		if want := "METEOR data paraphrase-en.pack: block 1: " + test.want; err == nil || err.Error() != want {
			t.Errorf("%s: error %v, want %s", test.name, err, want)
		}
		if _, err := m.Score([]string{"a cat"}, [][]string{{"the cat"}}); err != nil {
			t.Errorf("%s: error %v without need for the block", test.name, err)
		}
	}
	files := tiny()
	m := mustNew(t, files)
	data := slices.Clone(files["paraphrase-en.pack"].Data)
	data[len(data)-6] ^= 1
	files["paraphrase-en.pack"] = &fstest.MapFile{Data: data}
	if _, err := m.Score([]string{"hot dog"}, [][]string{{"a dog"}}); err == nil {
		t.Error("no error for a bit that has changed")
	}
	delete(files, "paraphrase-en.pack")
	if _, err := m.Score([]string{"hot dog"}, [][]string{{"a dog"}}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v of a file that has gone", err)
	}
}

// TestFind looks words up in sorted lines.
func TestFind(t *testing.T) {
	lines := []byte("ax 1\nax 2\nb 3\nbc 4 5\nd\n\u00e9 6")
	for _, test := range []struct{ word, want string }{
		{"ax", "[1 2]"}, {"b", "[3]"}, {"bc", "[4 5]"}, {"d", "[]"}, {"\u00e9", "[6]"}, {"", "[]"}, {"a", "[]"}, {"c", "[]"}, {"z", "[]"}, {"\u00ea", "[]"},
	} {
		if got := fmt.Sprintf("%s", entries(lines, test.word)); got != test.want {
			t.Errorf("entries(%q) = %s, want %s", test.word, got, test.want)
		}
	}
	if got := entries(nil, "a"); got != nil {
		t.Errorf("entries of nothing: %q", got)
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
		s := score(t, m, []string{test.hyp}, [][]string{{test.ref}})[0]
		got := fmt.Sprintf("%d; %d %d %d %d; %d", s.Hyp.Words.sum(), s.Hyp.Matched[0].sum(), s.Hyp.Matched[1].sum(), s.Hyp.Matched[2].sum(), s.Hyp.Matched[3].sum(), s.Chunks)
		if got != test.want {
			t.Errorf("%s: %q for %q: %s, want %s", test.name, test.hyp, test.ref, got, test.want)
		}
	}
	if s := score(t, m, []string{"a dog"}, [][]string{nil})[0]; s != (Stats{}) {
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
	want := score(t, m, hyps, refs)
	tensor.SetWorkers(4)
	if got := score(t, m, hyps, refs); !slices.Equal(got, want) {
		t.Error("results depend on the number of workers")
	}
}

// TestLongText is about time: the official program needs minutes for it.
func TestLongText(t *testing.T) {
	m := mustNew(t, tiny())
	s := score(t, m, []string{strings.Repeat("the hot dog ", 100)}, [][]string{{strings.Repeat("hot dog the ", 90)}})[0]
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
		s := score(t, m, []string{hyp, hyp}, [][]string{{ref, other}, {ref}})
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
	f.Add(tinyBlock)
	f.Add([]byte{2, 96, 97, 5, 1, 98, 0x11, 99, 0x21, 98})
	f.Fuzz(func(t *testing.T, block []byte) {
		scoreAny(t, "paraphrase-en.pack", pack("hot\ndog\nsausage\nlong", block))
	})
}

func FuzzTableFile(f *testing.F) {
	f.Add(pack("hot\ndog\nsausage\nlong", tinyBlock))
	f.Add(packIndex([]byte("hot\ndog\n\n\x00\x00\x01\x00"), tinyBlock))
	f.Fuzz(func(t *testing.T, file []byte) { scoreAny(t, "paraphrase-en.pack", file) })
}

func FuzzIndex(f *testing.F) {
	f.Add([]byte("hot\ndog\n\n\x00\x00\x01\x00"))
	f.Add([]byte("hot\ndog\n\n\x00\x00"))
	f.Fuzz(func(t *testing.T, index []byte) { scoreAny(t, "paraphrase-en.pack", packIndex(index, tinyBlock)) })
}

func FuzzSynonyms(f *testing.F) {
	f.Add("dog 3 5\nhot 99999999999 5\n\nsausage dog\nsausage hot\n")
	f.Add("hot\n\n\n")
	f.Fuzz(func(t *testing.T, text string) { scoreAny(t, "synonyms.txt.zst", squeeze([]byte(text))) })
}

// scoreAny scores with a file of any content, unless that is an error.
func scoreAny(t *testing.T, file string, data []byte) {
	files := tiny()
	files[file] = &fstest.MapFile{Data: data}
	m, err := New(files)
	if err != nil {
		return
	}
	stats, err := m.Score([]string{"hot dog long sausages"}, [][]string{{"sausage dog long hot"}})
	if err != nil {
		return
	}
	if score := stats[0].Score(); !(score >= 0 && score <= 1+tolerance) {
		t.Errorf("score %v", score)
	}
}
