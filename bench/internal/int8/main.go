// Command int8 encodes one picture again and again, in float32 and in int8; bench/int8 runs it.
//
//	int8 NETWORK
//
// Weights are random. For every line "float32" or "int8" that it reads it prints the milliseconds of
// the median of 20 runs.
package main

import (
	"bufio"
	"fmt"
	"io"
	"log"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"time"

	"showtell/encoder"
	"showtell/imageprep"
)

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: int8 NETWORK")
	}
	if err := run(os.Args[1], os.Stdin, os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(name string, in io.Reader, out io.Writer) error {
	n, err := encoder.Random(name, rand.New(rand.NewPCG(1, 2)))
	if err != nil {
		return err
	}
	frame := picture(n)
	q, err := quantize(n, n.Recipe().Apply(frame))
	if err != nil {
		return err
	}
	runs := map[string]func(){}
	for kind, n := range map[string]*encoder.Network{"float32": n, "int8": q} {
		plan, err := n.Compile()
		if err != nil {
			return err
		}
		h, w, c := n.Grid()
		grid := make([]float32, h*w*c)
		runs[kind] = func() { plan.See(grid, frame) }
		runs[kind]() // the first makes buffers
	}
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		see, ok := runs[lines.Text()]
		if !ok {
			return fmt.Errorf("%q: neither float32 nor int8", lines.Text())
		}
		if _, err := fmt.Fprintf(out, "%.3f\n", median(20, see)); err != nil {
			return err
		}
	}
	return lines.Err()
}

// median is that of the milliseconds of some runs.
func median(runs int, f func()) float64 {
	times := make([]float64, runs)
	for i := range times {
		began := time.Now()
		f()
		times[i] = float64(time.Since(began).Nanoseconds()) / 1e6
	}
	slices.Sort(times)
	return times[runs/2]
}

func quantize(n *encoder.Network, pictures ...[]float32) (*encoder.Network, error) {
	c, err := encoder.NewCalibration(n)
	if err != nil {
		return nil, err
	}
	c.Add(pictures...)
	return c.Network()
}

// picture is made-up, of the size that n takes.
func picture(n *encoder.Network) *imageprep.RGB {
	r := n.Recipe()
	rng := rand.New(rand.NewPCG(3, 4))
	m := &imageprep.RGB{W: r.Width, H: r.Height, Pix: make([]uint8, 3*r.Width*r.Height)}
	for i := range m.Pix {
		m.Pix[i] = uint8(min(max(128+60*math.Sin(float64(i/3%m.W)/17)+40*math.Cos(float64(i/3/m.W)/11)+10*rng.NormFloat64(), 0), 255))
	}
	return m
}
