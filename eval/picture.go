package eval

import (
	"bytes"
	"context"
	"encoding/base64"
	"html/template"
	"image"
	"image/jpeg"
	"math"
	"sync"

	"showtell/imageprep"
	"showtell/tensor"
)

// A picture is a card of the page, with the caption of the first model that has
// one; the script puts in those of the others.
type picture struct {
	Index         int
	Name          string
	Source        template.HTMLAttr // src and size; "" if there is no picture to show
	Caption       string
	Scores        []cell
	References    []string
	path          string
	width, height int // of the original
}

// data is what the script reads. Names are short, since they stand there a
// thousand times.
type data struct {
	Metrics  []string      `json:"metrics"`
	Models   []dataModel   `json:"models"`
	Pictures []dataPicture `json:"pictures"`
	Seed     uint32        `json:"seed"`
}

type dataModel struct {
	Name    string `json:"name"`
	Class   string `json:"class"`
	Rows    int    `json:"rows"` // of the attention
	Columns int    `json:"columns"`
}

type dataPicture struct {
	Name    string    `json:"name"`
	Answers []*answer `json:"answers"` // by model; null: none
}

// An answer is what a model said of a picture.
type answer struct {
	Caption   string      `json:"c"`
	Scores    []float64   `json:"s"`           // by metric, times 100; -1: none
	Words     []string    `json:"w"`           // as the model said them
	Chances   []float64   `json:"p"`           // of each word, 0 to 1
	Attention string      `json:"a,omitempty"` // base64 of a byte a cell, 255 where the word looked most; word after word
	Box       *[4]float64 `json:"b,omitempty"` // left, top, width, height of what the network saw; none: the whole
}

// addPictures fills Pictures and Data.
func (r *report) addPictures(ctx context.Context) error {
	r.gather()
	r.Total = len(r.Pictures)
	keep := sample(r.Total, r.options.Pictures, r.options.Seed)
	answers := r.Data.Pictures
	all := r.Pictures
	r.Pictures, r.Data.Pictures = nil, make([]dataPicture, 0, len(keep))
	for i, k := range keep {
		all[k].Index = i
		r.Pictures = append(r.Pictures, all[k])
		r.Data.Pictures = append(r.Data.Pictures, answers[k])
	}
	if err := r.embed(ctx); err != nil {
		return err
	}
	r.Data.Metrics, r.Data.Seed = r.Metrics, uint32(r.options.Seed)
	for i, run := range r.runs {
		r.Data.Models = append(r.Data.Models, dataModel{run.Name, class(i), run.Result.Rows, run.Result.Columns})
		if run.Model.Recipe.Fit != imageprep.Crop {
			continue
		}
		for k, p := range r.Data.Pictures {
			if a := p.Answers[i]; a != nil && a.Attention != "" {
				a.Box = seen(run.Model.Recipe, r.Pictures[k].width, r.Pictures[k].height)
			}
		}
	}
	return nil
}

// gather lists the pictures of all runs, in the order of the first.
func (r *report) gather() {
	at := map[string]int{}
	for m, run := range r.runs {
		for _, item := range run.Result.Items {
			a := newAnswer(item, r.Metrics, run.Result.Rows*run.Result.Columns)
			i, ok := at[item.Name]
			if !ok {
				i = len(r.Pictures)
				at[item.Name] = i
				p := picture{Name: item.Name, Caption: item.Caption.Text, References: item.References, path: item.Path}
				for k, name := range r.Metrics {
					p.Scores = append(p.Scores, cell{Name: name, Text: percent(a.Scores[k] / 100)})
				}
				r.Pictures = append(r.Pictures, p)
				r.Data.Pictures = append(r.Data.Pictures, dataPicture{item.Name, make([]*answer, len(r.runs))})
			}
			r.Data.Pictures[i].Answers[m] = a
		}
	}
}

func newAnswer(item Item, metrics []string, cells int) *answer {
	a := &answer{Caption: item.Caption.Text, Words: []string{}, Chances: []float64{}}
	for _, name := range metrics {
		v, ok := item.Scores.Of(name)
		if !ok {
			v = -0.01
		}
		a.Scores = append(a.Scores, math.Round(1000*v)/10)
	}
	var grid []byte
	complete := cells > 0
	for _, w := range item.Caption.Words {
		a.Words = append(a.Words, w.Text)
		a.Chances = append(a.Chances, math.Round(1000*math.Exp(min(w.LogProb, 0)))/1000)
		complete = complete && len(w.Attention) == cells
		grid = append(grid, levels(w.Attention)...)
	}
	if complete {
		a.Attention = base64.StdEncoding.EncodeToString(grid)
	}
	return a
}

// levels scales weights so that the largest is 255.
func levels(weights []float32) []byte {
	var most float32
	for _, w := range weights {
		most = max(most, w)
	}
	b := make([]byte, len(weights))
	if !(most > 0) {
		return b
	}
	for i, w := range weights {
		b[i] = byte(255*max(w, 0)/most + 0.5)
	}
	return b
}

// seen is the part of a picture of w by h pixels that a cropping recipe leaves.
func seen(r imageprep.Recipe, w, h int) *[4]float64 {
	if r.Short <= 0 || w <= 0 || h <= 0 {
		return nil
	}
	scale := float64(r.Short) / float64(min(w, h))
	x, y := min(1, float64(r.Width)/(scale*float64(w))), min(1, float64(r.Height)/(scale*float64(h)))
	round := func(v float64) float64 { return math.Round(1e4*v) / 1e4 }
	return &[4]float64{round((1 - x) / 2), round((1 - y) / 2), round(x), round(y)}
}

// embed reads the pictures and makes small ones of them.
func (r *report) embed(ctx context.Context) error {
	var mu sync.Mutex
	done := 0
	tensor.Parallel(len(r.Pictures), func(i int) {
		if ctx.Err() != nil {
			return
		}
		r.Pictures[i].embed(r.options.Width)
		if r.options.Progress != nil {
			mu.Lock()
			defer mu.Unlock()
			done++
			r.options.Progress(done, len(r.Pictures))
		}
	})
	return ctx.Err()
}

func (p *picture) embed(width int) {
	img, err := imageprep.ReadFile(p.path, &imageprep.Options{Least: image.Pt(2*width, 3*width)})
	if err != nil {
		return // shown as blank
	}
	size := img.Bounds().Size()
	p.width, p.height = size.X, size.Y
	size = thumb(size, width)
	var b bytes.Buffer
	b.WriteString(`src="data:image/jpeg;base64,`)
	to := base64.NewEncoder(base64.StdEncoding, &b)
	if err := jpeg.Encode(to, small(img, size), &jpeg.Options{Quality: 80}); err != nil {
		return
	}
	to.Close()
	b.WriteString(`"`)
	p.Source = template.HTMLAttr(b.String())
}

func small(img image.Image, size image.Point) image.Image {
	rgb := imageprep.Resize(img, size.X, size.Y, imageprep.Bilinear)
	out := image.NewRGBA(image.Rect(0, 0, size.X, size.Y)) // a type that package jpeg is quick with
	for i, j := 0, 0; j+2 < len(rgb.Pix); i, j = i+4, j+3 {
		copy(out.Pix[i:i+3], rgb.Pix[j:j+3])
		out.Pix[i+3] = 255
	}
	return out
}

// thumb fits a size into width and one and a half times that in height, and
// enlarges nothing.
func thumb(from image.Point, width int) image.Point {
	scale := min(1, float64(width)/float64(from.X), 1.5*float64(width)/float64(from.Y))
	side := func(n int) int { return max(1, int(math.Round(scale*float64(n)))) }
	return image.Pt(side(from.X), side(from.Y))
}
