package eval

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strings"

	"showtell"
	"showtell/confidence"
	"showtell/dataset"
	"showtell/metric"
	"showtell/text"
)

// A Result is how a model did on a number of pictures.
//
// Its JSON has these fields in lower snake case and holds everything but the
// attention.
type Result struct {
	Scores    Scores            // of all pictures together, in the order of metric.Names
	Intervals []metric.Interval // of 95 % of resamples of the pictures, for each of Scores; nil: not computed

	References       int     // in all
	DistinctCaptions int     // different captions among the Items
	WordsUsed        int     // different words in them
	MeanWords        float64 // in a caption
	BadEndings       int     // captions that end in "a", "of", "with" and the like
	Seconds          float64 // that captioning took

	CaptionLengths   []LengthBin // scores by the words of the caption
	ReferenceLengths []LengthBin // scores by the words of the references, their mean
	Words            []WordUse   // of captions and references, the most frequent first

	Confidence *Confidence // how good the model's own judgement is; nil where it has none

	Search        showtell.SearchDefaults // as it was
	Rows, Columns int                     // of the grid that Word.Attention is over

	Items    []Item            // in the order of the data set
	Problems []dataset.Problem // pictures that could not be captioned; not scored
	Warnings []string          // what to know before trusting the scores

	metrics []metric.Result // that Scores come from
}

// Confidence tells how good a model's own judgement of its captions is.
type Confidence struct {
	Bar      float64          `json:"bar"`      // CIDEr-D from which a caption is good
	Error    float64          `json:"error"`    // expected calibration error
	Bins     []confidence.Bin `json:"bins"`     // by tenths of the probability
	Coverage []float64        `json:"coverage"` // mean CIDEr-D of the surest tenth, two tenths, ... of the pictures
}

// judge fills Confidence, where the captions have one and CIDEr-D was computed.
func (r *Result) judge(c *confidence.Calibration) {
	if c == nil {
		return
	}
	var p, scores []float64
	for _, item := range r.Items {
		score, ok := item.Scores.Of("CIDEr-D")
		if !ok {
			return
		}
		p, scores = append(p, item.Caption.Confidence), append(scores, score)
	}
	bins := confidence.Bins(p, confidence.Good(scores, c.Bar))
	r.Confidence = &Confidence{c.Bar, confidence.Error(bins), bins, confidence.Coverage(p, scores)}
}

// An Item is a picture with its caption and how good that is.
type Item struct {
	Name       string // as the data set names it
	Path       string // of the file
	Caption    showtell.Caption
	References []string
	Scores     Scores // of this picture
}

// Scores in the order of metric.Names, each as the field's code computes it:
// BLEU and ROUGE-L from 0 to 1, CIDEr and CIDEr-D from 0 to 10. Their JSON is an
// object, {"bleu_1": 0.63, ...}.
type Scores []Score

// A Score is what one metric says.
type Score struct {
	Name  string // of metric.Names
	Value float64
}

// Of returns the score of a metric, and false where it was not computed.
func (s Scores) Of(name string) (float64, bool) {
	for _, score := range s {
		if score.Name == name {
			return score.Value, true
		}
	}
	return 0, false
}

// interval is that of a metric as text, times 100; "" where there is none.
func (r *Result) interval(name string) string {
	for i, s := range r.Scores {
		if s.Name == name && i < len(r.Intervals) {
			return fmt.Sprintf("%.1f to %.1f", 100*r.Intervals[i].Low, 100*r.Intervals[i].High)
		}
	}
	return ""
}

// MarshalJSON writes an object in the order of s, values to twelve decimals.
func (s Scores) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, score := range s {
		if i > 0 {
			b.WriteByte(',')
		}
		value, err := json.Marshal(math.Round(1e12*score.Value) / 1e12)
		if err != nil {
			return nil, err
		}
		b.WriteString(`"` + key(score.Name) + `":`)
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// key is the JSON name of a metric: "cider_d" for "CIDEr-D".
func key(metric string) string {
	words := strings.FieldsFunc(strings.ToLower(metric), func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') })
	return strings.Join(words, "_")
}

// PicturesPerSecond is the speed of captioning.
func (r *Result) PicturesPerSecond() float64 {
	if r.Seconds <= 0 {
		return 0
	}
	return float64(len(r.Items)) / r.Seconds
}

func (r *Result) count() {
	captions, words := map[string]bool{}, map[string]bool{}
	total := 0
	for _, item := range r.Items {
		captions[item.Caption.Raw()] = true
		total += len(item.Caption.Words)
		for _, w := range item.Caption.Words {
			words[w.Text] = true
		}
		if n := len(item.Caption.Words); n > 0 && text.Dangling(item.Caption.Words[n-1].Text) {
			r.BadEndings++
		}
		r.References += len(item.References)
	}
	r.DistinctCaptions, r.WordsUsed = len(captions), len(words)
	r.MeanWords = float64(total) / float64(len(r.Items))
}

// score computes the metrics, in the order of metric.Names.
func (r *Result) score(o *Options) error {
	hyps, refs := make([]string, len(r.Items)), make([][]string, len(r.Items))
	for i, item := range r.Items {
		hyps[i], refs[i] = item.Caption.Raw(), item.References
	}
	c, err := metric.NewCorpus(hyps, refs)
	if err != nil {
		return err
	}
	c.Meteor = o.Meteor
	results, err := metric.Compute(c, o.Metrics...)
	if err != nil {
		return err
	}
	warnings := c.Warnings()
	r.metrics = results
	for _, m := range results {
		warnings = append(warnings, m.Warnings...)
		r.Scores = append(r.Scores, Score{m.Name, m.Corpus})
		for i, value := range m.PerImage {
			r.Items[i].Scores = append(r.Items[i].Scores, Score{m.Name, value})
		}
	}
	for _, w := range warnings {
		line := w.Text
		if w.Image >= 0 {
			line = r.Items[w.Image].Name + ": " + line
		}
		r.Warnings = append(r.Warnings, line)
	}
	return nil
}

type jsonCaption struct {
	Text    string     `json:"text"`
	Raw     string     `json:"raw"`
	LogProb float64    `json:"log_prob"`
	Score   float64    `json:"score"`
	Sure    float64    `json:"confidence,omitempty"`
	Words   []jsonWord `json:"words"`
}

type jsonWord struct {
	Text    string  `json:"text"`
	LogProb float64 `json:"log_prob"`
}

type jsonProblem struct {
	Name  string `json:"name"`
	Kind  string `json:"kind"`
	Error string `json:"error,omitempty"`
}

// MarshalJSON writes the fields in lower snake case, numbers without an endless
// tail, and no attention.
func (i Item) MarshalJSON() ([]byte, error) {
	c := jsonCaption{i.Caption.Text, i.Caption.Raw(), short(i.Caption.LogProb), short(i.Caption.Score), short(i.Caption.Confidence), []jsonWord{}}
	for _, w := range i.Caption.Words {
		c.Words = append(c.Words, jsonWord{w.Text, short(w.LogProb)})
	}
	return json.Marshal(struct {
		Name       string      `json:"name"`
		Path       string      `json:"path"`
		Caption    jsonCaption `json:"caption"`
		References []string    `json:"references"`
		Scores     Scores      `json:"scores"`
	}{i.Name, i.Path, c, i.References, i.Scores})
}

// short rounds to six decimals; JSON has no infinity.
func short(x float64) float64 {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return math.Copysign(math.MaxFloat32, x)
	}
	return math.Round(x*1e6) / 1e6
}

// MarshalJSON writes the fields in lower snake case.
func (r *Result) MarshalJSON() ([]byte, error) {
	problems := []jsonProblem{}
	for _, p := range r.Problems {
		j := jsonProblem{Name: p.Name, Kind: p.Kind}
		if p.Err != nil {
			j.Error = p.Err.Error()
		}
		problems = append(problems, j)
	}
	intervals := Scores{}
	for i, s := range r.Intervals {
		low, high := r.Scores[i].Name+" low", r.Scores[i].Name+" high"
		intervals = append(intervals, Score{low, s.Low}, Score{high, s.High})
	}
	return json.Marshal(struct {
		Scores            Scores                  `json:"scores"`
		Intervals         Scores                  `json:"intervals,omitempty"`
		Search            showtell.SearchDefaults `json:"search"`
		Pictures          int                     `json:"pictures"`
		References        int                     `json:"references"`
		DistinctCaptions  int                     `json:"distinct_captions"`
		WordsUsed         int                     `json:"words_used"`
		MeanWords         float64                 `json:"mean_words"`
		BadEndings        int                     `json:"bad_endings"`
		CaptionLengths    []LengthBin             `json:"caption_lengths"`
		ReferenceLengths  []LengthBin             `json:"reference_lengths"`
		Words             []WordUse               `json:"words"`
		Confidence        *Confidence             `json:"confidence,omitempty"`
		Seconds           float64                 `json:"seconds"`
		PicturesPerSecond float64                 `json:"pictures_per_second"`
		Warnings          []string                `json:"warnings"`
		Problems          []jsonProblem           `json:"problems"`
		Items             []Item                  `json:"items"`
	}{
		r.Scores, intervals, r.Search, len(r.Items), r.References, r.DistinctCaptions, r.WordsUsed, short(r.MeanWords), r.BadEndings,
		append([]LengthBin{}, r.CaptionLengths...), append([]LengthBin{}, r.ReferenceLengths...), append([]WordUse{}, r.Words...), r.Confidence,
		short(r.Seconds), short(r.PicturesPerSecond()), append([]string{}, r.Warnings...), problems, append([]Item{}, r.Items...),
	})
}
