package eval

import (
	"bytes"
	"cmp"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"showtell"
	"showtell/builtin"
	"showtell/imageprep"
	"showtell/internal/testutil"
)

// explained writes the page of two pictures and returns it with their steps.
func explained(t *testing.T) (page []byte, list []Explained) {
	t.Helper()
	m, err := builtin.Open()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"astronaut.jpg", "coffee.jpg"} {
		e := Explained{Name: "<" + name + ">"}
		if e.Picture, err = imageprep.ReadFile(filepath.Join(testutil.Root(), "testdata", name), nil); err != nil {
			t.Fatal(err)
		}
		if e.Caption, e.Steps, err = m.Explain(t.Context(), e.Picture, &showtell.Options{Beams: 2}, 5); err != nil {
			t.Fatal(err)
		}
		list = append(list, e)
	}
	var b bytes.Buffer
	if err := WriteExplanation(&b, "Why?", m, list); err != nil {
		t.Fatal(err)
	}
	return b.Bytes(), list
}

func TestExplanation(t *testing.T) {
	raw, list := explained(t)
	page := string(raw)
	steps := 0
	for _, e := range list {
		steps += len(e.Steps)
		if !strings.Contains(page, ">"+e.Caption.Text+"</h2>") {
			t.Errorf("%q is missing", e.Caption.Text)
		}
	}
	for what, want := range map[string]int{
		`<li class="step">`: steps, `<li class="spoken">`: steps, "data:image/png": steps, "data:image/jpeg": 2, "&lt;coffee.jpg&gt;": 1,
		"<i style=": 5 * steps, "ZgotmplZ": 0, "<script": 1, "http": 1, // http-equiv
	} {
		if got := strings.Count(page, what); got != want && what != `<li class="spoken">` || what == `<li class="spoken">` && got > want {
			t.Errorf("%q stands there %d times, want %d", what, got, want)
		}
	}
	if err := WriteExplanation(&bytes.Buffer{}, "", nil, nil); err == nil {
		t.Error("no error without pictures")
	}
}

func TestExplanationInBrowser(t *testing.T) {
	page, list := explained(t)
	file := filepath.Join(t.TempDir(), "why.html")
	if err := os.WriteFile(file, page, 0o644); err != nil {
		t.Fatal(err)
	}
	b := openPage(t, file)
	press := func(key string) {
		b.is(`(document.activeElement.dispatchEvent(new KeyboardEvent("keydown", {key: "`+key+`", bubbles: true})), 1)`, "1")
	}
	b.is(`document.querySelectorAll(".large .seen").length`, "0")
	b.is(`(document.querySelector(".step").focus(), document.activeElement.className)`, "step shown")
	b.is(`document.querySelectorAll(".large .seen").length`, "1")
	press("ArrowRight")
	b.is(`document.activeElement.querySelector("h3").firstChild.textContent.trim()`, list[0].Steps[1].Word)
	b.is(`document.querySelector(".large .seen img").src == document.activeElement.querySelector("img").src`, "true")
	b.is(`document.querySelector(".large .seen img").naturalWidth`, "7")
	press("End")
	last := list[0].Steps[len(list[0].Steps)-1]
	b.is(`document.activeElement.querySelector("h3").firstChild.textContent.trim()`, cmp.Or(last.Word, "end"))
	b.is(`document.documentElement.scrollWidth <= innerWidth`, "true")
	b.quiet()
}
