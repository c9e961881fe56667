package showtell

import (
	"errors"
	"fmt"
	"image"
	"slices"

	"showtell/decoder"
	"showtell/encoder"
	"showtell/nn"
	"showtell/search"
)

// A speaker is a decoder and where its grid stands among the features of a picture.
// A model has one, an ensemble several.
type speaker struct {
	decoder             decoder.Decoder
	at, cells, channels int
}

// An eye is an encoder and where it writes among the features of a picture.
type eye struct {
	network  *encoder.Network
	plan     *encoder.Plan
	at, size int
}

// Ensemble joins models of the same words into one, whose probability of a word is
// the mean of theirs. Search settings, and attention, are those of the first; models
// with the same encoder look at a picture once. The ensemble cannot be saved, and has
// no confidence, since it is another model than those that were calibrated.
func Ensemble(models ...*Model) (*Model, error) {
	if len(models) == 0 {
		return nil, errors.New("an ensemble of no models")
	}
	if len(models) == 1 {
		return models[0], nil
	}
	e := *models[0]
	e.eyes, e.speakers, e.Confidence = nil, nil, nil
	for i, m := range models {
		if len(m.speakers) != 1 {
			return nil, fmt.Errorf("model %d of the ensemble is one itself", i+1)
		}
		if !slices.Equal(m.Words, e.Words) {
			return nil, fmt.Errorf("model %d of the ensemble has other words than the first: train them on the same captions", i+1)
		}
		e.Decoder.MaxWords = min(e.Decoder.MaxWords, m.Decoder.MaxWords)
		s := m.speakers[0]
		s.at = e.look(m.eyes[0])
		e.speakers = append(e.speakers, s)
	}
	return &e, nil
}

// look adds an eye, unless there is one that sees the same, and returns where it
// writes.
func (m *Model) look(new eye) int {
	for _, old := range m.eyes {
		if old.network == new.network || old.network.Fingerprint() == new.network.Fingerprint() {
			return old.at
		}
	}
	new.at = m.features()
	m.eyes = append(m.eyes, new)
	return new.at
}

// features is how many numbers describe a picture: the grids of all eyes.
func (m *Model) features() int {
	n := 0
	for _, e := range m.eyes {
		n += e.size
	}
	return n
}

// see writes the features of a picture.
func (m *Model) see(features []float32, img image.Image) error {
	if err := checkSize(img); err != nil {
		return err
	}
	for _, e := range m.eyes {
		e.plan.See(features[e.at:e.at+e.size], img)
	}
	return nil
}

func checkSize(img image.Image) error {
	if b := img.Bounds(); b.Dx() < 1 || b.Dy() < 1 {
		return fmt.Errorf("a picture of %d x %d pixels", b.Dx(), b.Dy())
	}
	return nil
}

// start begins to caption pictures, whose features stand one behind the other.
func (m *Model) start(features []float32) search.Model {
	var list []search.Model
	for _, s := range m.speakers {
		list = append(list, s.decoder.Start(nn.Const(s.grids(features, m.features()), len(features)/m.features()*s.cells, s.channels)))
	}
	if len(list) == 1 {
		return list[0]
	}
	return search.Ensemble(list...)
}

// grids are the grids of a speaker, out of features of so many numbers a picture.
func (s speaker) grids(features []float32, each int) []float32 {
	size := s.cells * s.channels
	if size == each {
		return features
	}
	grids := make([]float32, 0, len(features)/each*size)
	for at := s.at; at < len(features); at += each {
		grids = append(grids, features[at:at+size]...)
	}
	return grids
}
