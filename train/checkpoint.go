package train

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"showtell"
	"showtell/modelfile"
)

// identity is what must be the same for a training to go on.
type identity struct {
	Recipe  string
	Data    string
	Encoder string
	Start   string `json:",omitempty"` // the model whose decoder is fine-tuned
	Text    string `json:",omitempty"` // captions that are learned before pictures
}

func (t *trainer) identity() identity {
	id := identity{Recipe: t.Recipe.String(), Data: t.Set.Fingerprint(), Encoder: t.Network.Fingerprint(), Text: t.textHash}
	if t.Start != nil {
		h := sha256.New()
		fmt.Fprintf(h, "%q\n", t.Start.Words)
		for _, p := range t.Start.Params() {
			binary.Write(h, binary.LittleEndian, p.Data) // a hash takes everything
		}
		id.Start = hex.EncodeToString(h.Sum(nil))
	}
	return id
}

const checkpointKey = "showtell.checkpoint"

type checkpoint struct {
	Identity identity
	State    state
}

// A CheckpointSummary is how far a stopped training is.
type CheckpointSummary struct {
	Recipe  string           `json:"recipe"`  // TOML
	Data    string           `json:"data"`    // fingerprint of the data set
	Encoder string           `json:"encoder"` // fingerprint of the encoder
	Step    int              `json:"step"`    // steps done
	Best    int              `json:"best"`    // best epoch so far; 0: none yet
	History []showtell.Epoch `json:"history"`
}

// DescribeCheckpoint tells what a checkpoint holds, and whether the file is one.
func DescribeCheckpoint(f *modelfile.File) (s CheckpointSummary, ok bool, err error) {
	raw, ok := f.Meta[checkpointKey]
	if !ok {
		return s, false, nil
	}
	var c checkpoint
	if err := json.Unmarshal([]byte(raw), &c); err != nil {
		return s, true, fmt.Errorf("%s: not a checkpoint of a training: %w", f.Name, err)
	}
	return CheckpointSummary{c.Identity.Recipe, c.Identity.Data, c.Identity.Encoder, c.State.Before + c.State.Step, c.State.Best, c.State.History}, true, nil
}

// arrays are the weights of a checkpoint by the names of their tensors.
func (t *trainer) arrays() map[string][]float32 {
	all := map[string][]float32{}
	for _, p := range t.weights() {
		all["weights."+p.Name] = p.Data
	}
	for i, p := range t.opt.params {
		all["m."+p.Name], all["v."+p.Name] = t.opt.m[i], t.opt.v[i]
		if t.opt.average != nil {
			all["average."+p.Name] = t.opt.average[i]
		}
		if t.Best > 0 {
			all["best."+p.Name] = t.best[i]
		}
		for k, kept := range t.kept {
			all[fmt.Sprintf("kept.%d.%s", k, p.Name)] = kept[i]
		}
		if r := t.rival; r != nil {
			all["rival.weights."+p.Name], all["rival.m."+p.Name], all["rival.v."+p.Name] = r.weights[i], r.m[i], r.v[i]
			if r.average != nil {
				all["rival.average."+p.Name] = r.average[i]
			}
		}
	}
	return all
}

// checkpoint writes everything that is needed to go on.
func (t *trainer) checkpoint() error {
	if t.Checkpoint == "" {
		return nil
	}
	raw, err := json.Marshal(checkpoint{t.identity(), t.state})
	if err != nil {
		return err
	}
	var tensors []modelfile.Tensor
	for name, data := range t.arrays() {
		tensors = append(tensors, modelfile.Float32(name, []int{len(data)}, data))
	}
	if err := modelfile.Write(t.Checkpoint, map[string]string{checkpointKey: string(raw)}, tensors); err != nil {
		return err
	}
	t.saved = time.Now()
	return nil
}

// restore reads what checkpoint wrote.
func (t *trainer) restore(ctx context.Context) error {
	f, err := modelfile.Open(t.Checkpoint)
	if err != nil {
		return fmt.Errorf("nothing to resume: %w", err)
	}
	defer f.Close()
	var c checkpoint
	if err := json.Unmarshal([]byte(f.Meta[checkpointKey]), &c); err != nil {
		return fmt.Errorf("%s: not a checkpoint of a training: %w", f.Name, err)
	}
	mine := t.identity()
	for _, d := range []struct{ what, was, is string }{
		{"data set", c.Identity.Data, mine.Data}, {"encoder", c.Identity.Encoder, mine.Encoder}, {"recipe", c.Identity.Recipe, mine.Recipe},
		{"model to start from", c.Identity.Start, mine.Start}, {"text", c.Identity.Text, mine.Text},
	} {
		if d.was != d.is {
			return fmt.Errorf("%s: begun with another %s; train without --resume, or with the same one.\nIt was:\n%s\nIt is:\n%s", f.Name, d.what, d.was, d.is)
		}
	}
	if c.State.Stage < 0 || c.State.Stage >= len(t.stages()) {
		return fmt.Errorf("%s: stage %d of %d", f.Name, c.State.Stage, len(t.stages()))
	}
	if err := t.enter(ctx, c.State.Stage); err != nil {
		return err
	}
	t.state = c.State
	if t.Best < 0 || t.Best > len(t.History) {
		return fmt.Errorf("%s: epoch %d is the best of %d", f.Name, t.Best, len(t.History))
	}
	if t.Best > 0 {
		t.best = t.keptWeights() // only for their sizes
	}
	for _, epoch := range t.Kept {
		if epoch < 1 || epoch > len(t.History) || len(t.Kept) > t.Recipe.AverageEpochs {
			return fmt.Errorf("%s: weights of epochs %v of %d for a mean of %d", f.Name, t.Kept, len(t.History), t.Recipe.AverageEpochs)
		}
		t.kept = append(t.kept, t.keptWeights())
	}
	if t.Comparing {
		t.rival = t.newRival()
	}
	for name, data := range t.arrays() {
		tensor, ok := f.Tensor(name)
		if !ok {
			return fmt.Errorf("%s: no tensor %s", f.Name, name)
		}
		values, err := tensor.Float32()
		if err != nil {
			return fmt.Errorf("%s: tensor %s: %w", f.Name, name, err)
		}
		if len(values) != len(data) {
			return fmt.Errorf("%s: tensor %s has %d values, not %d", f.Name, name, len(values), len(data))
		}
		copy(data, values)
	}
	return nil
}
