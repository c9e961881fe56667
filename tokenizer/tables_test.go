package tokenizer

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"strconv"
	"testing"
	"unicode/utf8"
)

// TestFoldEveryCodePoint holds decomposition, marks and lower case to the reference. It fails
// when Go or golang.org/x/text learn of letters that the reference does not know, or knows
// otherwise: then see newerNFD and newerCase.
func TestFoldEveryCodePoint(t *testing.T) {
	var all bytes.Buffer
	for r := range rune(utf8.MaxRune + 1) {
		if s := string(r); utf8.ValidRune(r) {
			all.WriteString(strconv.FormatInt(int64(r), 16) + " " + stripAccents(s) + " " + lower(s) + "\n")
		}
	}
	if got := fmt.Sprintf("%x", sha256.Sum256(all.Bytes())); got != foldDigest {
		t.Errorf("digest of all code points = %s, want %s", got, foldDigest)
	}
}
