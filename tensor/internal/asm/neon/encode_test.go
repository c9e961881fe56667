package main

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Words that GNU as makes of these instructions.
func TestGoText(t *testing.T) {
	for text, want := range map[string]string{
		"fadd v1.4s, v2.4s, v31.4s":     "WORD $0x4e3fd441 // fadd v1.4s, v2.4s, v31.4s",
		"fmla v31.4s, v2.4s, v21.s[3]":  "WORD $0x4fb5185f // fmla v31.4s, v2.4s, v21.s[3]",
		"fmla v31.4s, v2.4s, v21.s[1]":  "WORD $0x4fb5105f // fmla v31.4s, v2.4s, v21.s[1]",
		"sshr v3.4s, v4.4s, #31":        "WORD $0x4f210483 // sshr v3.4s, v4.4s, #31",
		"faddp d5, v6.2d":               "WORD $0x7e70d8c5 // faddp d5, v6.2d",
		"sub v1.4s, v2.4s, v3.4s":       "VSUB V3.S4, V2.S4, V1.S4",
		"dup v1.4s, v2.s[3]":            "VDUP V2.S[3], V1.S4",
		"shl v1.4s, v2.4s, #23":         "VSHL $23, V2.S4, V1.S4",
		"bsl v1.16b, v2.16b, v3.16b":    "VBSL V3.B16, V2.B16, V1.B16",
		"fcvtl2 v12.2d, v30.4s":         "WORD $0x4e617bcc // fcvtl2 v12.2d, v30.4s",
		"fcmgt v30.4s, v20.4s, v10.4s":  "WORD $0x6eaae69e // fcmgt v30.4s, v20.4s, v10.4s",
		"zip2 v11.2d, v20.2d, v31.2d":   "VZIP2 V31.D2, V20.D2, V11.D2",
		"frintn v17.4s, v9.4s":          "WORD $0x4e218931 // frintn v17.4s, v9.4s",
		"fcvtn2 v17.8h, v9.4s":          "WORD $0x4e216931 // fcvtn2 v17.8h, v9.4s",
		"fmla v0.2d, v16.2d, v8.2d":     "VFMLA V8.D2, V16.D2, V0.D2",
		"mov v8.16b, v31.16b":           "VMOV V31.B16, V8.B16",
		"fmla v12.4s, v11.4s, v10.s[2]": "WORD $0x4f8a196c // fmla v12.4s, v11.4s, v10.s[2]",
	} {
		if got := goText(text); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

// Every word of the generated files is what GNU as makes of the comment behind it.
func TestWordsAreWhatTheAssemblerMakes(t *testing.T) {
	as, err := exec.LookPath("aarch64-linux-gnu-as")
	if err != nil {
		t.Skip("no aarch64-linux-gnu-as: apt install binutils-aarch64-linux-gnu")
	}
	all, err := files()
	if err != nil {
		t.Fatal(err)
	}
	words := map[string]string{} // by instruction
	unused := maps.Clone(encodings)
	for _, text := range all {
		for _, m := range regexp.MustCompile(`WORD \$0x([0-9a-f]{8}) // (.*)`).FindAllStringSubmatch(string(text), -1) {
			words[m[2]] = m[1]
			delete(unused, shape(parse(m[2])))
		}
	}
	for shape := range unused {
		t.Errorf("nothing uses the encoding of %s", shape)
	}
	var source, want strings.Builder
	for instruction, word := range words {
		fmt.Fprintln(&source, instruction)
		fmt.Fprintln(&want, word, instruction)
	}
	dir := t.TempDir()
	from, object := filepath.Join(dir, "words.s"), filepath.Join(dir, "words.o")
	if err := os.WriteFile(from, []byte(source.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(as, "-o", object, from).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	out, err := exec.Command("aarch64-linux-gnu-objdump", "-d", object).Output()
	if err != nil {
		t.Fatal(err)
	}
	got := regexp.MustCompile(`(?m)^ *[0-9a-f]+:\t([0-9a-f]{8}) `).FindAllStringSubmatch(string(out), -1)
	lines := strings.Split(strings.TrimSpace(want.String()), "\n")
	if len(got) != len(lines) {
		t.Fatalf("%d instructions became %d words", len(lines), len(got))
	}
	for i, m := range got {
		if !strings.HasPrefix(lines[i], m[1]) {
			t.Errorf("the assembler makes %s, not %s", m[1], lines[i])
		}
	}
}
