package eval

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"showtell"
	"showtell/imageprep"
)

// A fact is a line of a table with a column for each model.
type fact struct {
	Name   string
	Values []string // by model
}

// counts tells how many of what there are in each result.
func counts(runs []Named) []fact {
	return tell(runs, []question{
		{"Pictures", func(n Named) string { return grouped(len(n.Result.Items)) }},
		{"References", func(n Named) string { return grouped(n.Result.References) }},
		{"Distinct captions", func(n Named) string { return grouped(n.Result.DistinctCaptions) }},
		{"Different words", func(n Named) string { return grouped(n.Result.WordsUsed) }},
		{"Words in a caption", func(n Named) string { return fmt.Sprintf("%.1f", n.Result.MeanWords) }},
		{"Bad endings", func(n Named) string { return grouped(n.Result.BadEndings) }},
		{"Calibration error", func(n Named) string {
			if c := n.Result.Confidence; c != nil {
				return percent(c.Error) + " %"
			}
			return ""
		}},
		{"Pictures a second", func(n Named) string { return fmt.Sprintf("%.1f", n.Result.PicturesPerSecond()) }},
	})
}

// facts tells of each model what it is made of and how.
func facts(runs []Named) []fact {
	of := func(f func(showtell.Manifest) string) func(Named) string {
		return func(n Named) string { return f(n.Model) }
	}
	return tell(runs, []question{
		{"Encoder", of(encoderFact)},
		{"Decoder", of(decoderFact)},
		{"Vocabulary", of(vocabularyFact)},
		{"Search", searchFact},
		{"Trained on", func(n Named) string { return n.Model.Origin.Dataset }},
		{"Data fingerprint", func(n Named) string { return fmt.Sprintf("%.16s", n.Model.Origin.Data) }},
		{"Seed", of(seedFact)},
		{"Fine-tuned", of(tunedFact)},
		{"Weights", of(weightsFact)},
		{"Dev scores", of(devFact)},
		{"Made by", func(n Named) string { return n.Model.Origin.Tool }},
	})
}

// A question has an answer from each run.
type question struct {
	name   string
	answer func(n Named) string
}

// tell asks all questions. Those that no run has an answer to are left out.
func tell(runs []Named, questions []question) []fact {
	var list []fact
	for _, q := range questions {
		f := fact{Name: q.name}
		for _, run := range runs {
			f.Values = append(f.Values, q.answer(run))
		}
		if strings.Join(f.Values, "") != "" {
			list = append(list, f)
		}
	}
	return list
}

func encoderFact(m showtell.Manifest) string {
	if m.Encoder == "" {
		return ""
	}
	fit := "the whole picture"
	if m.Recipe.Fit == imageprep.Crop {
		fit = "the centre"
	}
	return fmt.Sprintf("%s; %s at %d × %d pixels", m.Encoder, fit, m.Recipe.Width, m.Recipe.Height)
}

func decoderFact(m showtell.Manifest) string {
	d := m.Decoder
	if d.Kind == "" {
		return ""
	}
	s := fmt.Sprintf("%s; word vectors of %d, hidden %d", d.Kind, d.Embed, d.Hidden)
	if d.Layers > 0 {
		s += fmt.Sprintf(", %s of %s", count(d.Layers, "layer"), count(d.Heads, "head"))
	}
	return s
}

func vocabularyFact(m showtell.Manifest) string {
	if len(m.Words) == 0 {
		return ""
	}
	return count(len(m.Words), "word")
}

func searchFact(n Named) string {
	s := n.Result.Search
	switch {
	case s.Beams == 0:
		return ""
	case s.Beams == 1:
		return fmt.Sprintf("greedy, up to %s", count(s.MaxWords, "word"))
	}
	return fmt.Sprintf("%s, up to %s, score / length^%g", count(s.Beams, "beam"), count(s.MaxWords, "word"), max(0, s.LengthPower))
}

func seedFact(m showtell.Manifest) string {
	if m.Origin.Tool == "" {
		return ""
	}
	return fmt.Sprint(m.Origin.Seed)
}

func tunedFact(m showtell.Manifest) string {
	f := m.Origin.FineTuned
	if f == nil {
		return ""
	}
	return fmt.Sprintf("%s, from %s on", f.What, f.From)
}

func weightsFact(m showtell.Manifest) string {
	if len(m.Origin.History) == 0 {
		return ""
	}
	return fmt.Sprintf("epoch %d of %d", m.Origin.Epoch, len(m.Origin.History))
}

func devFact(m showtell.Manifest) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(m.Origin.Dev)) {
		parts = append(parts, name+" "+percent(m.Origin.Dev[name]))
	}
	return strings.Join(parts, ", ")
}
