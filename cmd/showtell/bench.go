package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"showtell"
	"showtell/imageprep"
	"showtell/tensor"
)

type benchCommand struct {
	streams
	model    string
	encoders []string
	rounds   int
	json     bool
}

func newBench(s streams) *cobra.Command {
	c := &benchCommand{streams: s}
	cmd := &cobra.Command{
		Use: "bench [IMAGE...]",
		Example: `  showtell bench                        the model inside, on a drawn picture of 500 x 375 pixels
  showtell bench photo.jpg -m model.safetensors --json
  showtell bench --encoders all         every encoder, with random weights, on one core`,
		Short: "time this machine, step by step",
		Long: `Time the steps of captioning a picture: reading it, resizing it, encoding it and
searching for the words, with 1, 2, 4, ... threads up to all cores. The speed of the
encoder is also told as a share of what the processor can do at most, which is
measured too. Times are medians; those of several threads count the pictures that
all of them finish.`,
		RunE: c.run,
	}
	flags := cmd.Flags()
	flags.StringVarP(&c.model, "model", "m", "", "model file (default: the one inside this program)")
	flags.StringSliceVar(&c.encoders, "encoders", nil, "time these networks instead, or all, with random weights on one core")
	flags.IntVar(&c.rounds, "rounds", 7, "how often each is timed")
	flags.BoolVar(&c.json, "json", false, "print one JSON object")
	return cmd
}

// A benchReport is what the machine can do and how long each step takes.
type benchReport struct {
	Processor string      `json:"processor"`
	Cores     int         `json:"cores"`
	Kernels   string      `json:"kernels"` // instructions in use
	Encoder   string      `json:"encoder"`
	Picture   string      `json:"picture"`
	Machine   []benchPeak `json:"machine"`
	Steps     []benchStep `json:"steps"`
}

// A benchPeak is the most that a number of threads can do.
type benchPeak struct {
	Threads int     `json:"threads"`
	GFLOPS  float64 `json:"gflops"`  // 1e9 floating-point operations a second, in registers
	Read    float64 `json:"read_gb"` // 1e9 bytes a second, from memory
}

// A benchStep is how long a step takes a picture, while each thread has one.
type benchStep struct {
	Step    string  `json:"step"`
	Threads int     `json:"threads"`
	MS      float64 `json:"ms"`
	GFLOPS  float64 `json:"gflops,omitempty"`
	Share   float64 `json:"share_of_peak,omitempty"`
}

func (c *benchCommand) run(cmd *cobra.Command, args []string) error {
	if c.rounds < 1 {
		return usageError("--rounds %d: not a number of rounds", c.rounds)
	}
	if c.encoders != nil {
		return c.runEncoders(cmd.Context())
	}
	m, err := openModel(c.model)
	if err != nil {
		return err
	}
	var pictures [][]byte
	for _, path := range args {
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if _, err := imageprep.Decode(data, nil); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		pictures = append(pictures, data)
	}
	r := &benchReport{
		Processor: processorName(), Cores: runtime.NumCPU(), Kernels: tensor.CPU(),
		Encoder: m.Network().Name(), Picture: strings.Join(args, ", "),
	}
	if len(args) == 0 {
		pictures, r.Picture = [][]byte{drawnPicture(500, 375)}, "drawn, 500 x 375 pixels"
	}
	if err := c.measure(cmd.Context(), r, m, pictures); err != nil {
		return err
	}
	if c.json {
		return json.NewEncoder(c.out).Encode(r)
	}
	return r.write(c.out)
}

// measure fills in the report.
func (c *benchCommand) measure(ctx context.Context, r *benchReport, m *showtell.Model, pictures [][]byte) error {
	most := tensor.Workers()
	defer tensor.SetWorkers(most)
	steps, err := benchSteps(ctx, m, pictures)
	if err != nil {
		return err
	}
	var counts []int
	for n := 1; n < most; n *= 2 {
		counts = append(counts, n)
	}
	bar := c.bar("timing", (len(counts)+1)*(len(steps)+2))
	defer bar.finish()
	done := 0
	for _, threads := range append(counts, most) {
		tensor.SetWorkers(threads)
		peak := benchPeak{Threads: threads}
		peak.GFLOPS = c.flops(ctx, threads)
		done++
		bar.set(done)
		peak.Read = c.bandwidth(ctx, threads)
		done++
		bar.set(done)
		r.Machine = append(r.Machine, peak)
		for _, s := range steps {
			t := benchStep{Step: s.name, Threads: threads, MS: 1000 * c.seconds(ctx, threads, s)}
			if s.operations > 0 {
				t.GFLOPS = float64(s.operations) / t.MS / 1e6
				t.Share = t.GFLOPS / peak.GFLOPS
			}
			r.Steps = append(r.Steps, t)
			done++
			bar.set(done)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

// A timedStep is one step of captioning.
type timedStep struct {
	name       string
	alone      bool        // one picture, in which all threads have a part
	operations int64       // floating-point, of one picture
	pictures   int         // that one call does
	do         func(i int) // picture i, which repeat
}

func benchSteps(ctx context.Context, m *showtell.Model, pictures [][]byte) ([]timedStep, error) {
	network := m.Network()
	recipe := network.Recipe()
	plan, err := network.Compile()
	if err != nil {
		return nil, err
	}
	rows, columns, channels := network.Grid()
	size := rows * columns * channels
	small := &imageprep.Options{Least: recipe.Least()}
	images := make([]image.Image, len(pictures))
	pixels, grids := make([][]float32, len(pictures)), make([][]float32, len(pictures))
	for i, data := range pictures {
		if images[i], err = imageprep.Decode(data, small); err != nil {
			return nil, err
		}
		pixels[i], grids[i] = recipe.Apply(images[i]), make([]float32, size)
		plan.Run(grids[i], pixels[i])
	}
	const batch = 16 // as many as are captioned together
	var many []float32
	for i := range batch {
		many = append(many, grids[i%len(grids)]...)
	}
	at := func(i int) int { return i % len(pictures) }
	steps := []timedStep{
		{name: "read", pictures: 1, do: func(i int) { imageprep.Decode(pictures[at(i)], small) }},
		{name: "resize", pictures: 1, do: func(i int) { recipe.Apply(images[at(i)]) }},
		{name: "encode", pictures: 1, operations: network.Operations(), do: func(i int) { plan.Run(make([]float32, size), pixels[at(i)]) }},
		{name: "search", pictures: batch, do: func(int) { m.DescribeGrids(ctx, many, nil, 1) }},
		{name: "all", pictures: batch, do: func(int) {
			for range m.Sources(ctx, sourcesOf(pictures, batch, small), nil) {
			}
		}},
		{name: "one alone", pictures: 1, alone: true, do: func(i int) {
			if img, err := imageprep.Decode(pictures[at(i)], small); err == nil {
				m.Caption(ctx, img, nil)
			}
		}},
	}
	return steps, nil
}

func sourcesOf(pictures [][]byte, n int, o *imageprep.Options) func(yield func(showtell.Source) bool) {
	return func(yield func(showtell.Source) bool) {
		for i := range n {
			data := pictures[i%len(pictures)]
			if !yield(func() (image.Image, error) { return imageprep.Decode(data, o) }) {
				return
			}
		}
	}
}

// seconds is how long a step takes a picture, the median of rounds of a twentieth of
// a second or more.
func (c *benchCommand) seconds(ctx context.Context, threads int, s timedStep) float64 {
	calls := 1
	run := func() float64 {
		start := time.Now()
		if s.alone || s.pictures > 1 {
			for i := range calls {
				s.do(i)
			}
		} else {
			tensor.Parallel(calls, s.do)
		}
		return time.Since(start).Seconds()
	}
	run() // to warm up
	for run() < .05 && ctx.Err() == nil {
		calls *= 2
	}
	return c.median(ctx, run) / float64(calls*s.pictures)
}

// median repeats f for all rounds.
func (c *benchCommand) median(ctx context.Context, f func() float64) float64 {
	var all []float64
	for range c.rounds {
		if ctx.Err() == nil {
			all = append(all, f())
		}
	}
	if len(all) == 0 {
		return math.NaN()
	}
	slices.Sort(all)
	return all[len(all)/2]
}

func (c *benchCommand) flops(ctx context.Context, threads int) float64 {
	tensor.FloatingPoint()
	return c.median(ctx, func() float64 {
		start := time.Now()
		done := make([]int64, 20*threads)
		tensor.Parallel(len(done), func(i int) { done[i] = tensor.FloatingPoint() })
		return float64(done[0]) * float64(len(done)) / time.Since(start).Seconds() / 1e9
	})
}

// bandwidth reads an array that no cache holds.
func (c *benchCommand) bandwidth(ctx context.Context, threads int) float64 {
	const values, part = 64 << 20, 1 << 20
	array := make([]float32, values)
	for i := range array {
		array[i] = float32(i)
	}
	return c.median(ctx, func() float64 {
		start := time.Now()
		tensor.Parallel(values/part, func(i int) { tensor.Max(array[i*part : (i+1)*part]) })
		return 4 * values / time.Since(start).Seconds() / 1e9
	})
}

func (r *benchReport) write(out io.Writer) error {
	fmt.Fprintf(out, "%s, %d cores, kernels for %s\n", r.Processor, r.Cores, r.Kernels)
	fmt.Fprintf(out, "%s, picture: %s\n\n", r.Encoder, r.Picture)
	w := tabwriter.NewWriter(out, 0, 0, 3, ' ', 0)
	row := func(name string, cell func(p benchPeak, i int) string) {
		fmt.Fprint(w, name)
		for i, p := range r.Machine {
			fmt.Fprintf(w, "\t%s", cell(p, i))
		}
		fmt.Fprintln(w)
	}
	row("threads", func(p benchPeak, _ int) string { return fmt.Sprint(p.Threads) })
	row("most that can be computed", func(p benchPeak, _ int) string { return fmt.Sprintf("%.0f GFLOP/s", p.GFLOPS) })
	row("reading of memory", func(p benchPeak, _ int) string { return fmt.Sprintf("%.1f GB/s", p.Read) })
	each := len(r.Steps) / len(r.Machine)
	for k := range each {
		row(r.Steps[k].Step, func(_ benchPeak, i int) string {
			s := r.Steps[i*each+k]
			text := fmt.Sprintf("%.2f ms", s.MS)
			switch {
			case s.GFLOPS > 0:
				return text + fmt.Sprintf(", %.0f %% of the most", 100*s.Share)
			case s.Step == "all":
				return text + fmt.Sprintf(", %.0f a second", 1000/s.MS)
			}
			return text
		})
	}
	return w.Flush()
}

// drawnPicture is a JPEG with about as much detail as a photograph.
func drawnPicture(w, h int) []byte {
	rng := rand.New(rand.NewPCG(1, 2))
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			var c [3]float64
			for k := range c {
				c[k] = 128 + 60*math.Sin(float64(x*(k+1))/37)*math.Cos(float64(y)/float64(23+9*k)) + 12*rng.NormFloat64()
			}
			img.SetRGBA(x, y, color.RGBA{uint8(min(max(c[0], 0), 255)), uint8(min(max(c[1], 0), 255)), uint8(min(max(c[2], 0), 255)), 255})
		}
	}
	var b bytes.Buffer
	jpeg.Encode(&b, img, &jpeg.Options{Quality: 90}) // a buffer takes all that is written
	return b.Bytes()
}

// processorName is how the machine calls itself.
func processorName() string {
	data, err := os.ReadFile("/proc/cpuinfo")
	if err == nil {
		for line := range bytes.Lines(data) {
			if name, value, ok := bytes.Cut(line, []byte(":")); ok && string(bytes.TrimSpace(name)) == "model name" {
				return string(bytes.TrimSpace(value))
			}
		}
	}
	return runtime.GOARCH
}
