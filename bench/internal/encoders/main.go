// Command encoders runs networks of convolutions for bench/encoders, which tells it on standard input
// what to do, a line at a time, and reads a line of answer.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"log"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unsafe"

	"showtell/encoder"
	"showtell/modelfile"
)

func main() {
	log.SetFlags(0)
	var run func()
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		words := strings.Fields(in.Text())
		var err error
		answer := "ok"
		switch words[0] {
		case "graph": // DIR: do the network there once
			run, _, err = prepareGraph(words[1])
		case "layer": // DIR: the same, but then time the last node alone
			_, run, err = prepareGraph(words[1])
		case "plan": // NAME DIR: do a network of package encoder once
			run, err = preparePlan(words[1], words[2])
		case "time": // SECONDS: the milliseconds of each run
			answer = timed(run, words[1])
		default:
			err = fmt.Errorf("no command %q", words[0])
		}
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(answer)
	}
}

// timed repeats run for some seconds, and at least once.
func timed(run func(), seconds string) string {
	limit, err := time.ParseDuration(seconds + "s")
	if err != nil {
		log.Fatal(err)
	}
	var all []string
	for begin := time.Now(); len(all) == 0 || time.Since(begin) < limit; {
		start := time.Now()
		run()
		all = append(all, fmt.Sprintf("%.4f", time.Since(start).Seconds()*1e3))
	}
	return strings.Join(all, " ")
}

// prepareGraph reads graph.json, weights.bin and input.bin, and writes output.bin.
func prepareGraph(dir string) (run, last func(), err error) {
	text, err := os.ReadFile(filepath.Join(dir, "graph.json"))
	if err != nil {
		return nil, nil, err
	}
	var nodes []node
	if err := json.Unmarshal(text, &nodes); err != nil {
		return nil, nil, err
	}
	weights, err := readFloats(dir, "weights.bin")
	if err != nil {
		return nil, nil, err
	}
	input, err := readFloats(dir, "input.bin")
	if err != nil {
		return nil, nil, err
	}
	g := newGraph(nodes, weights, input)
	g.run()
	return g.run, g.steps[len(g.steps)-1], writeFloats(dir, "output.bin", g.output())
}

// preparePlan makes a network with random weights, writes them as model.safetensors, reads input.bin
// and writes output.bin.
func preparePlan(name, dir string) (func(), error) {
	net, err := encoder.Random(name, rand.New(rand.NewPCG(1, 1)))
	if err != nil {
		return nil, err
	}
	if err := modelfile.Write(filepath.Join(dir, "model.safetensors"), nil, net.Tensors("")); err != nil {
		return nil, err
	}
	plan, err := net.Compile()
	if err != nil {
		return nil, err
	}
	input, err := readFloats(dir, "input.bin")
	if err != nil {
		return nil, err
	}
	h, w, c := net.Grid()
	out := make([]float32, h*w*c)
	run := func() { plan.Run(out, input) }
	run()
	return run, writeFloats(dir, "output.bin", out)
}

func readFloats(dir, name string) ([]float32, error) {
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		return nil, err
	}
	x := make([]float32, len(b)/4)
	for i := range x {
		x[i] = math.Float32frombits(uint32(b[4*i]) | uint32(b[4*i+1])<<8 | uint32(b[4*i+2])<<16 | uint32(b[4*i+3])<<24)
	}
	return x, nil
}

func writeFloats(dir, name string, x []float32) error {
	return os.WriteFile(filepath.Join(dir, name), unsafe.Slice((*byte)(unsafe.Pointer(&x[0])), 4*len(x)), 0o644)
}
