// Command finetune takes steps of fine-tuning an encoder for bench/finetune, which tells it on standard
// input what to do, a line at a time, and reads a line of answer.
package main

import (
	"bufio"
	"fmt"
	"log"
	"math"
	"math/rand/v2"
	"os"
	"runtime"
	"runtime/pprof"
	"slices"
	"strconv"
	"strings"
	"time"

	"showtell/encoder"
	"showtell/modelfile"
	"showtell/nn"
	"showtell/tensor"
)

const pictures = 16

func main() {
	log.SetFlags(0)
	s := newStep("efficientnet_lite0")
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		words := strings.Fields(in.Text())
		answer := "ok"
		var err error
		switch words[0] {
		case "learn": // PARTS: the last layers learn, one of so many parts; 1: all
			err = s.learn(words[1])
		case "save": // FILE: weights, pictures, targets and gradients
			err = s.save(words[1])
		case "time": // THREADS STEPS: the milliseconds of each
			answer, err = s.time(words[1], words[2])
		case "profile": // FILE THREADS STEPS
			err = s.profile(words[1], words[2], words[3])
		case "memory": // MB that the process has taken, and that a step allocates
			answer = s.memory()
		default:
			err = fmt.Errorf("no command %q", words[0])
		}
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(answer)
	}
}

// A step is of AdamW, on the mean square of the grid's distance from a target.
type step struct {
	network *encoder.Network
	params  []*nn.Param
	m, v    [][]float32
	count   int
	tape    *nn.Tape
	x       *nn.Var
	target  []float32
}

func newStep(name string) *step {
	rng := rand.New(rand.NewPCG(1, 1))
	n, err := encoder.Random(name, rng)
	if err != nil {
		log.Fatal(err)
	}
	r := n.Recipe()
	h, w, c := n.Grid()
	s := &step{network: n, params: n.Params(), tape: nn.NewTape(nil), target: make([]float32, pictures*h*w*c)}
	pixels := make([]float32, pictures*r.Height*r.Width*3)
	for p := range pictures { // waves: in noise, gradients nearly cancel
		fx, fy := rng.Float64()/10, rng.Float64()/10
		for i := range r.Height * r.Width * 3 {
			pixels[p*r.Height*r.Width*3+i] = float32(math.Sin(fx*float64(i/3%r.Width) + fy*float64(i/3/r.Width) + float64(i%3)))
		}
	}
	for i := range s.target {
		s.target[i] = rng.Float32() - 1
	}
	s.x = nn.Const(pixels, pictures, r.Height, r.Width, 3)
	for _, p := range s.params {
		s.m, s.v = append(s.m, make([]float32, len(p.Data))), append(s.v, make([]float32, len(p.Data)))
	}
	return s
}

func (s *step) learn(parts string) error {
	n, err := strconv.Atoi(parts)
	if err != nil {
		return err
	}
	for i, p := range s.params {
		p.Fixed = i < len(s.params)-len(s.params)/n
	}
	return nil
}

// gradients leaves those of the loss in the params.
func (s *step) gradients() {
	s.tape.Reset()
	y := s.network.Forward(s.tape, s.x, s.params)
	dy, scale := y.Grad(), 2/float32(len(s.target))
	for i, v := range y.Data {
		dy[i] = scale * (v - s.target[i])
	}
	s.tape.Backward(s.tape.New(1))
}

func (s *step) run() {
	s.gradients()
	s.count++
	adam := tensor.AdamW{Rate: 1e-5, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, Decay: 0.01, Step: s.count}
	for i, p := range s.params {
		if !p.Fixed {
			adam.Update(p.Data, p.Grad(), s.m[i], s.v[i])
			p.ZeroGrad()
		}
	}
}

func (s *step) save(path string) error {
	s.gradients()
	all := slices.DeleteFunc(s.network.Tensors(""), func(t modelfile.Tensor) bool { return strings.HasSuffix(t.Name, ".conv.weight") })
	for _, p := range s.params {
		all = append(all, modelfile.Float32(p.Name, p.Shape, p.Data))
		if !p.Fixed {
			all = append(all, modelfile.Float32("grad."+p.Name, p.Shape, slices.Clone(p.Grad())))
			p.ZeroGrad()
		}
	}
	h, w, c := s.network.Grid()
	all = append(all, modelfile.Float32("x", s.x.Shape, s.x.Data), modelfile.Float32("target", []int{pictures, h, w, c}, s.target))
	return modelfile.Write(path, nil, all)
}

func (s *step) time(threads, steps string) (string, error) {
	n, err := strconv.Atoi(threads)
	if err != nil {
		return "", err
	}
	count, err := strconv.Atoi(steps)
	if err != nil {
		return "", err
	}
	runtime.GOMAXPROCS(n)
	tensor.SetWorkers(n)
	var all []string
	for range count {
		start := time.Now()
		s.run()
		all = append(all, fmt.Sprintf("%.2f", time.Since(start).Seconds()*1e3))
	}
	return strings.Join(all, " "), nil
}

func (s *step) profile(path, threads, steps string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := pprof.StartCPUProfile(f); err != nil {
		return err
	}
	defer pprof.StopCPUProfile()
	_, err = s.time(threads, steps)
	return err
}

func (s *step) memory() string {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	s.run()
	runtime.ReadMemStats(&after)
	return fmt.Sprintf("%.0f %.2f", float64(after.Sys)/1e6, float64(after.TotalAlloc-before.TotalAlloc)/1e6)
}
