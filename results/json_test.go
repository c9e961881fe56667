package results

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"
)

// jsonTexts are texts for FuzzJSON, some of them wrong.
var jsonTexts = []string{
	`{"a": [1, -0.5e+3, "x\u00e9\ud83d\ude00\ud83d\n\/"], "b": {"c": null, "": true}, "d": false}`,
	`"\ud83d\u0041\udc00 \\\" \b\f\r\t"`, ` [ ] `, `{ }`, `0`, `-`, `01`, `1.`, `1.x`, `1e`, `1e+x`, `-x`,
	`tru`, `trux`, `nul`, `falsy`, `"a`, "\"a\n\"", `"\x"`, `"\u12x4"`, `[1`, `[1,]`, `[1 2]`, `[,]`,
	`{"a"}`, `{"a":}`, `{"a":1,}`, `{"a":1 "b"}`, `{a}`, `{"a":1]`, `{"a":"b".0}`, `[{}5]`, `]`, `}`, ``, "\x00", "\xff", `"é"`, "[\n\n{}\n,\n]",
}

// readAll reads a text as one value, a few bytes at a time if slow.
func readAll(text string, slow bool) ([]byte, error) {
	var r io.Reader = strings.NewReader(text)
	if slow {
		r = iotest.OneByteReader(r)
	}
	t := newJSONText("f", r)
	if slow {
		t.buf = make([]byte, 0, 1)
	}
	raw, _, err := t.value()
	if err != nil {
		return nil, err
	}
	raw = bytes.Clone(raw)
	return raw, t.finish()
}

// checkJSON compares the readers of JSON with encoding/json.
func checkJSON(t *testing.T, text string) {
	var want any
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	wrong := d.Decode(&want)
	valid := json.Valid([]byte(text))
	for _, slow := range []bool{false, true} {
		raw, err := readAll(text, slow)
		if valid && utf8.ValidString(text) != (err == nil) || !valid && err == nil {
			t.Fatalf("%q: error %v, but valid is %v", text, err, valid)
		}
		if wrong != nil && wrong != io.EOF && wrong != io.ErrUnexpectedEOF && utf8.ValidString(text) && !strings.HasSuffix(err.Error(), ": "+wrong.Error()) {
			t.Fatalf("%q: error %v, want %v", text, err, wrong)
		}
		if err != nil {
			continue
		}
		if got := anyOf(raw); !reflect.DeepEqual(got, want) {
			t.Fatalf("%q: read as %v, want %v", text, got, want)
		}
	}
}

// anyOf is a raw value as encoding/json makes it.
func anyOf(raw []byte) any {
	var scratch []byte
	switch raw[0] {
	case '{':
		object := map[string]any{}
		for key, value := range members(raw) {
			object[string(textOf(&scratch, key))] = anyOf(value)
		}
		return object
	case '[':
		list := []any{}
		for value := range elements(raw) {
			list = append(list, anyOf(value))
		}
		return list
	case '"':
		return string(textOf(&scratch, raw))
	case 't', 'f':
		return raw[0] == 't'
	case 'n':
		return nil
	}
	return json.Number(raw)
}

func TestJSON(t *testing.T) {
	for _, text := range jsonTexts {
		checkJSON(t, text)
	}
	deep := strings.Repeat("[", deepestJSON)
	checkJSON(t, deep+strings.Repeat("]", deepestJSON))
	if _, err := readAll("["+deep, false); err == nil || err.Error() != "f:1: more than 10000 brackets around a value" {
		t.Errorf("deep: error %v", err)
	}
}

func FuzzJSON(f *testing.F) {
	for _, text := range jsonTexts {
		f.Add(text)
	}
	f.Fuzz(checkJSON)
}

// TestLargeValues has values longer than any buffer, in parts that are read and in
// parts that are not.
func TestLargeValues(t *testing.T) {
	long := strings.Repeat("dog \\u0041\n", 40000)
	text := fmt.Sprintf("{\"images\": [{\"id\": 1}], \"info\": [%q, %s0],\n\n\"annotations\": [\n{\"image_id\": 1, \"caption\": %q},\n{\"image_id\": 2, \"caption\": 5}]}", long, strings.Repeat("1, ", 100000), long)
	_, err := Read("f", strings.NewReader(text), References)
	if want := `f:5: entry 2: "caption": want a caption, found 5`; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
	f := mustRead(t, "f", strings.Replace(text, `"caption": 5`, `"caption": "x"`, 1), References)
	if got := f.Entries[0].References[0]; got != long {
		t.Errorf("a caption of %d bytes became one of %d", len(long), len(got))
	}
}
