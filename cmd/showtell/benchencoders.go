package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"text/tabwriter"

	"showtell/encoder"
	"showtell/modelfile"
	"showtell/tensor"
)

// An encoderReport is a line of the table of encoders in docs/encoders.md.
type encoderReport struct {
	Encoder    string  `json:"encoder"`
	Side       int     `json:"side"`       // of the picture, pixels
	Grid       []int   `json:"grid"`       // rows, columns, channels
	Parameters int     `json:"parameters"` // weights, and the statistics of batch norms
	Bytes      int64   `json:"bytes"`      // of its file, in float32
	Operations int64   `json:"operations"` // floating-point, a picture
	MS         float64 `json:"ms"`         // processor time of a picture, on one core
}

// runEncoders times networks with random weights, on which speed does not depend, by
// processor time, which other programs disturb less.
func (c *benchCommand) runEncoders(ctx context.Context) error {
	names := c.encoders
	if slices.Equal(names, []string{"all"}) {
		names = encoder.Names()
	}
	for _, name := range names {
		if !slices.Contains(encoder.Names(), name) {
			return usageError("--encoders: no network %q (there are all, %s)", name, strings.Join(encoder.Names(), ", "))
		}
	}
	defer tensor.SetWorkers(tensor.Workers())
	bar := c.bar("timing", len(names))
	defer bar.finish()
	var all []encoderReport
	for i, name := range names {
		r, err := c.timeEncoder(ctx, name)
		if err != nil {
			return err
		}
		all = append(all, r)
		bar.set(i + 1)
	}
	if c.json {
		return json.NewEncoder(c.out).Encode(all)
	}
	w := tabwriter.NewWriter(c.out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "encoder\tside\tgrid\tmillion parameters\tfile MB\tbillion operations\tms on one core\n")
	for _, r := range all {
		fmt.Fprintf(w, "%s\t%d\t%d x %d x %d\t%.1f\t%.1f\t%.1f\t%.1f\n", r.Encoder, r.Side, r.Grid[0], r.Grid[1], r.Grid[2],
			float64(r.Parameters)/1e6, float64(r.Bytes)/1e6, float64(r.Operations)/1e9, r.MS)
	}
	return w.Flush()
}

func (c *benchCommand) timeEncoder(ctx context.Context, name string) (r encoderReport, err error) {
	n, err := encoder.Random(name, rand.New(rand.NewPCG(1, 2)))
	if err != nil {
		return r, err
	}
	plan, err := n.Compile()
	if err != nil {
		return r, err
	}
	tensors := n.Tensors("")
	layout, err := modelfile.Plan(map[string]string{"encoder": name}, tensors)
	if err != nil {
		return r, err
	}
	recipe := n.Recipe()
	rows, columns, channels := n.Grid()
	r = encoderReport{
		Encoder: name, Side: recipe.Width, Grid: []int{rows, columns, channels},
		Bytes: layout.Size, Operations: n.Operations(),
	}
	for _, t := range tensors {
		r.Parameters += t.Len()
	}
	pixels, grid := make([]float32, recipe.Width*recipe.Height*3), make([]float32, rows*columns*channels)
	for i := range pixels {
		pixels[i] = float32(i%255)/127.5 - 1
	}
	tensor.SetWorkers(1)
	plan.Run(grid, pixels) // to warm up
	r.MS = 1000 * c.median(ctx, func() float64 {
		began, calls := processorSeconds(), 0.0
		for calls == 0 || processorSeconds()-began < .05 {
			plan.Run(grid, pixels)
			calls++
		}
		return (processorSeconds() - began) / calls
	})
	return r, ctx.Err()
}
