package text

import (
	"slices"
	"strings"
	"testing"
)

var captions = []string{"A dog runs .", "a Dog sits", "the dog 's ball", "a cat sits"}

func TestBuildVocab(t *testing.T) {
	tests := []struct {
		name string
		min  int
		want string
	}{
		{"all, by count then alphabet", 1, "<pad> <start> <end> <unk> a dog sits 's ball cat runs the"},
		{"zero means one", 0, "<pad> <start> <end> <unk> a dog sits 's ball cat runs the"},
		{"twice", 2, "<pad> <start> <end> <unk> a dog sits"},
		{"none left", 9, "<pad> <start> <end> <unk>"},
	}
	for _, tt := range tests {
		v := BuildVocab(slices.Values(captions), tt.min)
		if got := strings.Join(v.Words(), " "); got != tt.want {
			t.Errorf("%s: BuildVocab(captions, %d) = %q, want %q", tt.name, tt.min, got, tt.want)
		}
	}
}

func TestEncodeDecode(t *testing.T) {
	v := BuildVocab(slices.Values(captions), 1)
	ids := v.Encode("The DOG's zebra sits!")
	if want := []int{11, 5, 7, Unknown, 6}; !slices.Equal(ids, want) {
		t.Errorf("Encode(...) = %v, want %v", ids, want)
	}
	if got, want := v.Decode([]int{Start, 11, 5, 7, Unknown, 6, End, Pad, Pad}), "the dog's <unk> sits"; got != want {
		t.Errorf("Decode(...) = %q, want %q", got, want)
	}
	if got := v.Word(-1) + v.Word(99); got != "<unk><unk>" {
		t.Errorf("words out of range are %q, want <unk> twice", got)
	}
	for id, w := range v.Words() {
		if v.ID(w) != id || v.Word(id) != w {
			t.Errorf("ID(%q) = %d and Word(%d) = %q, want each other", w, v.ID(w), id, v.Word(id))
		}
	}
}

func TestNewVocab(t *testing.T) {
	saved := BuildVocab(slices.Values(captions), 1).Words()
	v, err := NewVocab(saved)
	if err != nil || !slices.Equal(v.Words(), saved) {
		t.Errorf("NewVocab(Words()) = %v, %v, want the same words", v, err)
	}
	with := func(w ...string) []string { return append(slices.Clone(saved[:4]), w...) }
	tests := []struct {
		name  string
		words []string
		want  string
	}{
		{"empty", nil, "begins with"},
		{"no specials", []string{"a", "dog", "runs", "fast", "x"}, "begins with"},
		{"twice", with("a", "dog", "a"), `"a" is word 4 and word 6`},
		{"a special twice", with("<unk>"), "is word 3 and word 4"},
		{"nothing", with("a", ""), `word 5 is ""`},
		{"blank", with("\u00a0"), "word 4 is"},
		{"two words", with("a dog"), "word 4 is"},
		{"bytes", with("\xff"), "word 4 is"},
	}
	for _, tt := range tests {
		if _, err := NewVocab(tt.words); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: NewVocab: error %v, want one with %q", tt.name, err, tt.want)
		}
	}
}
