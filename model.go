package showtell

import (
	"encoding/json"
	"errors"
	"fmt"

	"showtell/confidence"
	"showtell/decoder"
	"showtell/encoder"
	"showtell/imageprep"
	"showtell/modelfile"
	"showtell/nn"
	"showtell/text"
)

// Version of the program, stored in the models that it makes.
const Version = "0.1.0"

// format is the version of the model file. Another one is refused.
const format = 1

// metaKey is where a model file keeps its Manifest.
const metaKey = "showtell"

// A Manifest is what a model file says of itself, beside its weights.
type Manifest struct {
	Format  int              `json:"format"`
	Encoder string           `json:"encoder"` // name of the network
	Recipe  imageprep.Recipe `json:"recipe"`  // how a picture becomes its input
	Decoder decoder.Config   `json:"decoder"`
	Words   []string         `json:"words"` // the vocabulary, in the order of its numbers
	Search  SearchDefaults   `json:"search"`
	Origin  Origin           `json:"origin"`
	Int8    *Int8            `json:"int8,omitempty"` // of a quantised model

	Confidence *confidence.Calibration `json:"confidence,omitempty"` // of its captions; nil: not known
}

// SearchDefaults are the Options that suit the model.
type SearchDefaults struct {
	Beams       int     `json:"beams" toml:"beams"`
	MaxWords    int     `json:"max_words" toml:"max_words"`
	LengthPower float64 `json:"length_power" toml:"length_power"`
	NoRepeat    int     `json:"no_repeat,omitempty" toml:"no_repeat"`
}

// An Origin tells how a model was made.
type Origin struct {
	Tool    string             `json:"tool"`    // "showtell 0.1.0"
	Dataset string             `json:"dataset"` // format and size, for people
	Data    string             `json:"data"`    // fingerprint of the data set
	Recipe  string             `json:"recipe"`  // the training recipe, TOML
	Seed    uint64             `json:"seed"`
	Epoch   int                `json:"epoch"`   // whose weights these are
	Dev     map[string]float64 `json:"dev"`     // scores on the dev split, with the model's search
	History []Epoch            `json:"history"` // of the training

	FineTuned *FineTuned `json:"fine_tuned,omitempty"` // nil if the encoder stayed as it was
}

// FineTuned tells what of an encoder learned to caption.
type FineTuned struct {
	What    string `json:"what"`    // as it was asked for: all, last:2, from:layer4.0
	From    string `json:"from"`    // the first layer that learned; batch norms and biases stay
	Encoder string `json:"encoder"` // fingerprint of the encoder before
}

// An Epoch is one pass over the training captions.
type Epoch struct {
	Epoch    int     `json:"epoch"`
	Stage    string  `json:"stage,omitempty"`    // "text", "fine-tune", "reward"; "" where the decoder learned alone
	Loss     float64 `json:"loss"`               // mean cross-entropy per word, smoothed as trained
	Averaged int     `json:"averaged,omitempty"` // of how many epochs these are the mean weights, tried at the end of the stage; nothing was learned then
	Reward   float64 `json:"reward,omitempty"`   // in place of the loss, where the decoder learned by the CIDEr-D of what it said: the mean
	CiderD   float64 `json:"cider_d"`            // on dev, by decoding; 0 in the stage "text", which sees no pictures
	Bleu4    float64 `json:"bleu_4"`             // on dev, by decoding

	Words      int     `json:"words,omitempty"`       // different words in the captions of dev
	Length     float64 `json:"length,omitempty"`      // words of one of them, on average
	BadEndings float64 `json:"bad_endings,omitempty"` // share of them that end in "a", "of", "with" and the like
}

// Open reads a model file.
func Open(path string) (*Model, error) {
	f, err := modelfile.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return load(f)
}

// Parse reads a model from memory. The name is for messages.
func Parse(name string, data []byte) (*Model, error) {
	f, err := modelfile.Parse(name, data)
	if err != nil {
		return nil, err
	}
	return load(f)
}

// ErrNoModel says that a file holds weights alone, of an encoder perhaps.
var ErrNoModel = errors.New("weights, but not a showtell model")

func load(f *modelfile.File) (*Model, error) {
	raw, ok := f.Meta[metaKey]
	if !ok {
		return nil, fmt.Errorf("%s: %w (train one with: showtell train DATA --encoder %s -o MODEL)", f.Name, ErrNoModel, f.Name)
	}
	var man Manifest
	if err := json.Unmarshal([]byte(raw), &man); err != nil {
		return nil, fmt.Errorf("%s: manifest: %w", f.Name, err)
	}
	if man.Format != format {
		return nil, fmt.Errorf("%s: model format %d, this program reads %d", f.Name, man.Format, format)
	}
	network, err := encoder.Load(f, "encoder.")
	if err != nil {
		return nil, err
	}
	d, err := decoder.Load(f, "decoder.", man.Decoder)
	if err != nil {
		return nil, err
	}
	return New(man, network, d)
}

// New joins the parts of a model. The weights must no longer change.
func New(man Manifest, network *encoder.Network, d decoder.Decoder) (*Model, error) {
	vocab, err := text.NewVocab(man.Words)
	if err != nil {
		return nil, fmt.Errorf("vocabulary: %w", err)
	}
	h, w, c := network.Grid()
	if man.Decoder.Vocab != vocab.Len() || man.Decoder.Cells != h*w || man.Decoder.Channels != c {
		return nil, fmt.Errorf("the decoder is for %d words and a grid of %d x %d, not for %d and %d x %d",
			man.Decoder.Vocab, man.Decoder.Cells, man.Decoder.Channels, vocab.Len(), h*w, c)
	}
	plan, err := network.Compile()
	if err != nil {
		return nil, err
	}
	man.Format, man.Encoder, man.Recipe = format, network.Name(), network.Recipe()
	decoder.Freeze(d)
	return &Model{
		Manifest: man, network: network, vocab: vocab,
		eyes:     []eye{{network: network, plan: plan, size: h * w * c}},
		speakers: []speaker{{decoder: d, cells: h * w, channels: c}},
	}, nil
}

// Save writes the model to a file, with matrices in half precision: scores do
// not move, and the file is half as large. Those of an int8 model are in int8.
func (m *Model) Save(path string) error {
	meta, tensors, err := m.parts()
	if err != nil {
		return err
	}
	return modelfile.Write(path, meta, tensors)
}

// Size is the bytes of the file that Save writes.
func (m *Model) Size() (int64, error) {
	meta, tensors, err := m.parts()
	if err != nil {
		return 0, err
	}
	layout, err := modelfile.Plan(meta, tensors)
	return layout.Size, err
}

// parts are what a model file holds.
func (m *Model) parts() (meta map[string]string, tensors []modelfile.Tensor, err error) {
	if len(m.speakers) > 1 {
		return nil, nil, errors.New("an ensemble is no single file")
	}
	raw, err := json.Marshal(m.Manifest)
	if err != nil {
		return nil, nil, err
	}
	for _, t := range m.network.Tensors("encoder.") {
		if t.DType == modelfile.I8 {
			tensors = append(tensors, t)
			continue
		}
		data, err := t.Float32()
		if err != nil {
			return nil, nil, err
		}
		tensors = append(tensors, compact(t.Name, t.Shape, data))
	}
	for _, p := range m.Params() {
		if m.Int8 != nil && len(p.Shape) > 1 {
			tensors = append(tensors, modelfile.Int8("decoder."+p.Name, p.Shape, p.Data)...)
		} else {
			tensors = append(tensors, compact("decoder."+p.Name, p.Shape, p.Data))
		}
	}
	return map[string]string{metaKey: string(raw)}, tensors, nil
}

func compact(name string, shape []int, data []float32) modelfile.Tensor {
	if len(shape) < 2 {
		return modelfile.Float32(name, shape, data)
	}
	return modelfile.Float16(name, shape, data)
}

// Params lists the weights of the decoder; of an ensemble, those of the first.
func (m *Model) Params() []*nn.Param { return m.speakers[0].decoder.Params() }
