package eval

import (
	"bytes"
	_ "embed"
	"encoding/base64"
	"errors"
	"fmt"
	"html/template"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"math"

	"showtell"
	"showtell/imageprep"
)

// An Explained is a picture, its caption, and what the model could have said.
type Explained struct {
	Name    string
	Picture image.Image
	Caption showtell.Caption
	Steps   []showtell.Step
}

//go:embed explain.html.tmpl
var explainTemplate string

//go:embed explain.css
var explainStyle string

//go:embed explain.js
var explainScript string

var explainPage = template.Must(template.New("explain").Parse(explainTemplate))

// explainWidth is the width of the large pictures, in pixels.
const explainWidth = 640

type explanation struct {
	Title, About string
	CSS          template.CSS
	JS           template.JS
	Pictures     []explainedPicture
}

type explainedPicture struct {
	Name, Sentence string
	Photo          template.CSS // the picture, as CSS
	Ratio          template.CSS // its width / height
	Box            template.CSS // what the network saw of it
	Steps          []explainedStep
}

type explainedStep struct {
	Word    string       // "" is the end
	Chance  string       // in %
	Veil    template.URL // a small picture, dark where the word did not look; "" without attention
	Choices []explainedChoice
}

type explainedChoice struct {
	Word, Chance string
	Bar          template.CSS // the length of its bar
	Said         bool
}

// WriteExplanation writes one HTML page that shows, word by word, where a model
// looked and what it nearly said. The page holds everything it needs.
func WriteExplanation(w io.Writer, title string, m *showtell.Model, list []Explained) error {
	if len(list) == 0 {
		return errors.New("explain: no picture to show")
	}
	page := explanation{Title: title, CSS: template.CSS(style + explainStyle), JS: template.JS(explainScript),
		About: fmt.Sprintf("%s on %s", m.Decoder.Kind, m.Encoder)}
	rows, columns := m.Grid()
	for _, e := range list {
		p, err := explain(m, e, rows, columns)
		if err != nil {
			return fmt.Errorf("%s: %w", e.Name, err)
		}
		page.Pictures = append(page.Pictures, p)
	}
	return explainPage.Execute(w, page)
}

func explain(m *showtell.Model, e Explained, rows, columns int) (explainedPicture, error) {
	size := e.Picture.Bounds().Size()
	shown := thumb(size, explainWidth)
	var photo bytes.Buffer
	if err := jpeg.Encode(&photo, small(e.Picture, shown), &jpeg.Options{Quality: 85}); err != nil {
		return explainedPicture{}, err
	}
	p := explainedPicture{
		Name: e.Name, Sentence: e.Caption.Text,
		Photo: template.CSS("url(data:image/jpeg;base64," + base64.StdEncoding.EncodeToString(photo.Bytes()) + ")"),
		Ratio: template.CSS(fmt.Sprintf("%d/%d", shown.X, shown.Y)),
		Box:   "left:0;top:0;width:100%;height:100%",
	}
	if m.Recipe.Fit == imageprep.Crop {
		if b := seen(m.Recipe, size.X, size.Y); b != nil {
			p.Box = template.CSS(fmt.Sprintf("left:%.2f%%;top:%.2f%%;width:%.2f%%;height:%.2f%%", 100*b[0], 100*b[1], 100*b[2], 100*b[3]))
		}
	}
	for _, s := range e.Steps {
		step := explainedStep{Word: s.Word, Chance: likely(s.Prob)}
		if len(s.Attention) == rows*columns && rows*columns > 0 {
			veil, err := veil(s.Attention, rows, columns)
			if err != nil {
				return p, err
			}
			step.Veil = veil
		}
		for _, c := range s.Choices {
			step.Choices = append(step.Choices, explainedChoice{c.Word, likely(c.Prob), template.CSS(fmt.Sprintf("width:%.1f%%", 100*c.Prob)), c.Word == s.Word})
		}
		p.Steps = append(p.Steps, step)
	}
	return p, nil
}

// likely is a probability in %.
func likely(p float64) string {
	if 0 < p && p < .005 {
		return "< 1"
	}
	return fmt.Sprint(math.Round(100 * p))
}

// veil is a picture with a pixel a cell, black and less transparent the less the
// word looked there.
func veil(attention []float32, rows, columns int) (template.URL, error) {
	img := image.NewNRGBA(image.Rect(0, 0, columns, rows))
	for i, level := range levels(attention) {
		img.SetNRGBA(i%columns, i/columns, color.NRGBA{A: uint8(0.75*(255-math.Sqrt(255*float64(level))) + 0.5)})
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		return "", err
	}
	return template.URL("data:image/png;base64," + base64.StdEncoding.EncodeToString(b.Bytes())), nil
}
