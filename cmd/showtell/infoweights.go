package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"showtell/encoder"
	"showtell/imageprep"
	"showtell/weightfile"
)

// A weightsReport tells of a file of weights, of any program. No values are read
// for it.
type weightsReport struct {
	File       string            `json:"file"`
	Bytes      int64             `json:"bytes"`
	Format     string            `json:"format"`
	Model      string            `json:"model,omitempty"` // class and name, as Keras tells them
	Meta       map[string]string `json:"meta,omitempty"`  // what the file says of itself
	Parameters int               `json:"parameters"`

	Encoder    string            `json:"encoder,omitempty"` // which network it is
	NoEncoder  string            `json:"no_encoder,omitempty"`
	Recipe     *imageprep.Recipe `json:"recipe,omitempty"`
	Grid       []int             `json:"grid,omitempty"`
	Weights    int               `json:"weights,omitempty"` // parameters that the encoder takes
	Operations int64             `json:"operations,omitempty"`
	Unused     []string          `json:"unused,omitempty"`
	Next       string            `json:"next"` // command

	Layers []layerReport `json:"layers"`
}

// A layerReport is a layer with its tensors.
type layerReport struct {
	Name       string         `json:"name"`
	Parameters int            `json:"parameters"`
	Tensors    []tensorReport `json:"tensors"`
}

type tensorReport struct {
	Name  string `json:"name"`
	DType string `json:"dtype"`
	Shape []int  `json:"shape"`
}

// describeWeights tells of a file of weights.
func describeWeights(out io.Writer, f *weightfile.File, asJSON bool) error {
	r := &weightsReport{File: f.Name, Format: f.Format, Model: kerasModel(f.Config), Meta: f.Meta}
	if info, err := os.Stat(f.Name); err == nil {
		r.Bytes = info.Size()
	}
	r.layers(f)
	r.recognise(f)
	if asJSON {
		return json.NewEncoder(out).Encode(r)
	}
	return r.write(out)
}

// kerasModel is the class and the name of a model that Keras describes.
func kerasModel(config []byte) string {
	var model struct {
		Class  string `json:"class_name"`
		Config struct {
			Name string `json:"name"`
		} `json:"config"`
	}
	if json.Unmarshal(config, &model) != nil {
		return ""
	}
	return strings.TrimSpace(model.Class + " " + model.Config.Name)
}

// layers are those of the file, or what the names of its tensors make of them.
func (r *weightsReport) layers(f *weightfile.File) {
	layerOf := map[string]string{}
	for _, l := range f.Layers {
		for _, t := range l.Tensors {
			if layerOf[t.Name] = l.Name; l.Name == "" || l.Name != l.Group && strings.Contains(l.Group, "/") {
				layerOf[t.Name] = strings.TrimSpace(l.Group + " " + l.Name)
			}
		}
	}
	for _, t := range f.Tensors() {
		name, ok := layerOf[t.Name]
		if !ok {
			name = parent(t.Name)
		}
		short := t.Name[strings.LastIndexAny(t.Name, "./")+1:]
		if n := len(r.Layers); n == 0 || r.Layers[n-1].Name != name {
			r.Layers = append(r.Layers, layerReport{Name: name})
		}
		l := &r.Layers[len(r.Layers)-1]
		l.Tensors = append(l.Tensors, tensorReport{short, string(t.DType), t.Shape})
		l.Parameters += size(t.Shape)
		r.Parameters += size(t.Shape)
	}
}

// size is how many elements a tensor has. A file may claim any number: more than
// there can be counts as that many.
func size(shape []int) int {
	const most = 1 << 48
	if slices.Contains(shape, 0) {
		return 0
	}
	n := 1
	for _, d := range shape {
		if d > most/n {
			return most
		}
		n *= d
	}
	return n
}

// recognise finds out which encoder the file holds, by shapes.
func (r *weightsReport) recognise(f *weightfile.File) {
	used := map[string]bool{}
	n, err := networkOf(f, "", func(t weightfile.Tensor) ([]float32, error) {
		used[t.Name] = true
		return nil, nil
	})
	if err == nil {
		r.Unused, err = leftOver(f, n, used)
	}
	if err != nil {
		r.NoEncoder = strings.TrimPrefix(err.Error(), f.Name+": ")
		r.Next = fmt.Sprintf("showtell convert %s --encoder NAME -o encoder.safetensors", quote(f.Name))
		return
	}
	for _, t := range f.Tensors() {
		if used[t.Name] {
			r.Weights += size(t.Shape)
		}
	}
	r.of(n)
	r.Next = fmt.Sprintf("showtell convert %s -o %s.safetensors", quote(f.Name), n.Name())
	if f.Meta["encoder"] == n.Name() && f.Meta["tool"] != "" { // by convert
		r.Next = "showtell train DATA --encoder " + quote(f.Name) + " -o model.safetensors"
	}
}

// of takes over what the network tells of itself.
func (r *weightsReport) of(n *encoder.Network) {
	h, w, c := n.Grid()
	recipe := n.Recipe()
	r.Encoder, r.Grid, r.Recipe, r.Operations = n.Name(), []int{h, w, c}, &recipe, n.Operations()
}

// quote makes one word of a path for a shell.
func quote(path string) string {
	if path == "" || strings.ContainsAny(path, " \t\n'\"\\$&;()<>|*?[]#~`!{}") {
		return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
	}
	return path
}

func (r *weightsReport) write(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	row := func(name, format string, args ...any) { fmt.Fprintf(w, "%s\t%s\n", name, fmt.Sprintf(format, args...)) }
	row("file", "%s, %.1f MB, %s", filepath.Base(r.File), float64(r.Bytes)/1e6, r.Format)
	if r.Model != "" {
		row("model", "%.100s", r.Model)
	}
	for _, key := range slices.Sorted(maps.Keys(r.Meta)) {
		row("says "+printable(key), "%s", printable(r.Meta[key]))
	}
	row("parameters", "%s in %d layers", millions(r.Parameters), len(r.Layers))
	if r.Encoder == "" {
		row("encoder", "none recognised: %s", r.NoEncoder)
	} else {
		p := r.Recipe
		row("encoder", "%s, %d x %d pixels to a grid of %d x %d x %d", r.Encoder, p.Width, p.Height, r.Grid[0], r.Grid[1], r.Grid[2])
		row("pictures", "%s, %s, %s, less %v, divided by %v", p.Fit, p.Filter, p.Channels, p.Mean, p.Std)
		row("weights", "%s", millions(r.Weights))
		row("work", "%.2f billion operations a picture", float64(r.Operations)/1e9)
	}
	if len(r.Unused) > 0 {
		row("not used", "%d tensors: %s", len(r.Unused), few(r.Unused, 4))
	}
	row("next", "%s", r.Next)
	if len(r.Layers) > 0 {
		fmt.Fprintf(w, "\nlayer\tparameters\ttensors\n")
	}
	for _, l := range r.Layers {
		var shapes []string
		for _, t := range l.Tensors {
			shapes = append(shapes, t.String())
		}
		fmt.Fprintf(w, "%s\t%d\t%s\n", printable(l.Name), l.Parameters, strings.Join(shapes, ", "))
	}
	return w.Flush()
}

// millions are those of n, if it is as large.
func millions(n int) string {
	if n < 1e5 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%.2f million", float64(n)/1e6)
}

// few names the first n of a list.
func few(names []string, n int) string {
	if len(names) > n {
		return printable(strings.Join(names[:n], ", ")) + ", ..."
	}
	return printable(strings.Join(names, ", "))
}

func (t tensorReport) String() string {
	s := printable(t.Name)
	for i, d := range t.Shape {
		s += fmt.Sprintf("%c%d", " x"[min(i, 1)], d)
	}
	if t.DType != "F32" {
		s += " " + strings.ToLower(t.DType)
	}
	return s
}

// printable shortens what a file says, and leaves out what would upset a
// terminal.
func printable(s string) string {
	s = strings.Map(func(c rune) rune {
		if c < ' ' || c == 0x7f || c >= 0x80 && c < 0xa0 {
			return ' '
		}
		return c
	}, s[:min(len(s), 300)])
	if runes := []rune(s); len(runes) > 150 {
		return string(runes[:150]) + "..."
	}
	return s
}
