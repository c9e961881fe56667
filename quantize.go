package showtell

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"

	"showtell/encoder"
	"showtell/modelfile"
	"showtell/tensor"
)

// Int8 tells how an int8 model came about.
type Int8 struct {
	Pictures int     `json:"pictures"`         // that the encoder was calibrated with
	Before   float64 `json:"before,omitempty"` // CIDEr-D on dev of the model it was made from; 0: not measured
	After    float64 `json:"after,omitempty"`  // and of this one
}

// Quantize makes an int8 model: the encoder computes with int8 weights and
// bytes between its layers, the decoder's matrices are kept in int8. The
// pictures, a few hundred that are like those to come, show what range the
// encoder's numbers have. Step, unless it is nil, is told of each picture, and
// of the error of one that can't be read.
func (m *Model) Quantize(ctx context.Context, pictures iter.Seq[Source], step func(done int, err error)) (*Model, error) {
	if m.Int8 != nil || m.network.Quantized() {
		return nil, errors.New("the model is int8 already")
	}
	c, err := encoder.NewCalibration(m.network)
	if err != nil {
		return nil, err
	}
	done, used := 0, 0
	var waiting []Source
	flush := func() error {
		good, errs := m.inputs(waiting)
		waiting = waiting[:0]
		c.Add(good...)
		used += len(good)
		for _, err := range errs {
			if done++; step != nil {
				step(done, err)
			}
		}
		return ctx.Err()
	}
	for s := range pictures {
		if waiting = append(waiting, s); len(waiting) == together {
			if err := flush(); err != nil {
				return nil, err
			}
		}
	}
	if err := flush(); err != nil {
		return nil, err
	}
	network, err := c.Network()
	if err != nil {
		return nil, err
	}
	q := *m
	q.network, q.Int8 = network, &Int8{Pictures: used}
	return q.reread()
}

// inputs reads pictures and makes the network's inputs of those that can be
// read.
func (m *Model) inputs(sources []Source) (good [][]float32, errs []error) {
	all := make([][]float32, len(sources))
	errs = make([]error, len(sources))
	tensor.Parallel(len(sources), func(i int) { all[i], errs[i] = m.input(sources[i]) })
	for i, x := range all {
		if errs[i] == nil {
			good = append(good, x)
		}
	}
	return good, errs
}

// input reads a picture. A decoder's panic is that picture's error.
func (m *Model) input(s Source) (x []float32, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("reading the picture: %v", r)
		}
	}()
	img, err := s()
	if err != nil {
		return nil, err
	}
	if err := checkSize(img); err != nil {
		return nil, err
	}
	return m.network.Recipe().Apply(img), nil
}

// reread is the model as a file would hold it.
func (m *Model) reread() (*Model, error) {
	meta, tensors, err := m.parts()
	if err != nil {
		return nil, err
	}
	var buf bytes.Buffer
	if err := modelfile.Encode(&buf, meta, tensors); err != nil {
		return nil, err
	}
	return Parse("int8 model", buf.Bytes())
}
