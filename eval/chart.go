package eval

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"showtell"
)

// The drawing of a chart, in units of its view box, which the page scales.
const (
	chartWidth, chartHeight = 360.0, 220.0
	left, right             = 40.0, 348.0 // of the plot
	top, bottom             = 22.0, 186.0
)

// A chart is one drawing with axes: lines with dots, or bars.
type chart struct {
	Of, Class      string // the model and its colour, where the chart is of one of several
	Title          string // what is drawn
	Below          string // what runs along the horizontal axis
	Summary        string // the chart in words
	XTicks, YTicks []tick
	Lines          []line
	Bars           []bar
	Marks          []mark // vertical lines
	Lanes          []lane // below the axes, the stages of a training

	MidX, EndX, TopY, EndY, BelowY, LabelY, MarkY, Width, Height string
}

// A tick is a place on an axis with its label.
type tick struct {
	At, Label string
}

// A mark is a vertical line.
type mark struct {
	At, Label, Class string
}

// A lane tells of a model which stages its training had, each over its epochs.
type lane struct {
	Class, Y, TextY string
	Stages          []span
}

type span struct {
	X, Width, MidX string
	Label          string
	Fits           bool // the label into the width
}

type line struct {
	Class, Path string
	Dots        []dot
}

type dot struct {
	X, Y, Label string
	Kept        bool // the epoch whose weights the model has
}

type bar struct {
	Class, X, Y, Width, Height, Label string
}

// An axis maps values from low to high onto from to to.
type axis struct {
	low, high, step float64
	from, to        float64
}

// newAxis rounds a range outwards to steps of 1, 2 or 5 times a power of ten,
// n of them or a little fewer.
func newAxis(low, high float64, n int, from, to float64) axis {
	if !(high-low > 1e-9*math.Max(math.Abs(low), math.Abs(high))) || math.IsInf(high-low, 0) {
		pad := max(1e-3, 0.1*math.Abs(low))
		low, high = low-pad, low+pad
	}
	raw := (high - low) / float64(n)
	power := math.Pow(10, math.Floor(math.Log10(raw)))
	step := 10 * power
	for _, k := range []float64{5, 2, 1} {
		if raw <= k*power*1.001 {
			step = k * power
		}
	}
	return axis{step * math.Floor(low/step+1e-9), step * math.Ceil(high/step-1e-9), step, from, to}
}

func (a axis) at(v float64) float64 {
	return a.from + (a.to-a.from)*(v-a.low)/(a.high-a.low)
}

func (a axis) ticks() []tick {
	decimals := max(0, int(math.Ceil(-math.Log10(a.step)-1e-9)))
	var list []tick
	for i := range 1 + min(20, int((a.high-a.low)/a.step+1e-6)) {
		v := a.low + float64(i)*a.step
		list = append(list, tick{px(a.at(v)), strconv.FormatFloat(v, 'f', decimals, 64)})
	}
	return list
}

// px is a length in a drawing.
func px(v float64) string { return strconv.FormatFloat(math.Round(10*v)/10, 'f', -1, 64) }

func newChart(title, below string) chart {
	return chart{
		Title: title, Below: below,
		MidX: px((left + right) / 2), EndX: px(right), TopY: px(top), EndY: px(bottom), LabelY: px(bottom + 15), BelowY: px(chartHeight - 3), MarkY: px(top - 7),
		Width: px(chartWidth), Height: px(chartHeight),
	}
}

// curves draws the loss or the reward, and what was measured on dev, by epoch, a line
// for each model that has a history.
func curves(runs []Named) []chart {
	var charts []chart
	for _, c := range []struct {
		title string
		of    func(showtell.Epoch) float64
	}{
		{"Training loss per word", func(e showtell.Epoch) float64 { return measured(e.Loss, e.Reward == 0 && e.Averaged == 0) }},
		{"CIDEr-D of what was drawn", func(e showtell.Epoch) float64 { return measured(100*e.Reward, e.Reward != 0) }},
		{"CIDEr-D on dev", func(e showtell.Epoch) float64 { return measured(100*e.CiderD, e.Stage != "text") }},
		{"BLEU-4 on dev", func(e showtell.Epoch) float64 { return measured(100*e.Bleu4, e.Stage != "text") }},
		{"Different words on dev", func(e showtell.Epoch) float64 { return measured(float64(e.Words), e.Words > 0) }},
		{"Bad endings on dev, %", func(e showtell.Epoch) float64 { return measured(100*e.BadEndings, e.Words > 0) }},
	} {
		low, high, last := math.Inf(1), math.Inf(-1), 1
		for _, run := range runs {
			last = max(last, len(run.Model.Origin.History))
			for _, e := range run.Model.Origin.History {
				if v := c.of(e); !math.IsNaN(v) {
					low, high = min(low, v), max(high, v)
				}
			}
		}
		if low > high || low == 0 && high == 0 || !(max(-low, high) < 1e9) {
			continue // nothing was measured, or nonsense
		}
		charts = append(charts, curve(c.title, runs, c.of, newAxis(low, high, 5, bottom, top), last))
	}
	return charts
}

// measured is v, or NaN where there was nothing to measure.
func measured(v float64, there bool) float64 {
	if !there {
		return math.NaN()
	}
	return v
}

func curve(title string, runs []Named, of func(showtell.Epoch) float64, y axis, last int) chart {
	c := newChart(title, "epoch")
	staged := slices.ContainsFunc(runs, func(n Named) bool { return len(stages(n.Model.Origin.History)) > 1 })
	x := axis{1, float64(max(last, 2)), float64((last + 7) / 8), left + 8, right}
	c.XTicks, c.YTicks = x.ticks(), y.ticks()
	var told []string
	for i, run := range runs {
		history := run.Model.Origin.History
		if len(history) == 0 {
			continue
		}
		l := line{Class: class(i)}
		var path strings.Builder
		var known []showtell.Epoch
		for k, e := range history {
			if math.IsNaN(of(e)) {
				continue
			}
			known = append(known, e)
			d := dot{X: px(x.at(float64(k + 1))), Y: px(y.at(of(e))), Kept: e.Epoch == run.Model.Origin.Epoch}
			d.Label = fmt.Sprintf("%s, epoch %d: %.4g", run.Name, e.Epoch, of(e))
			if e.Stage != "" {
				d.Label += ", " + e.Stage
			}
			if d.Kept {
				d.Label += " (kept)"
			}
			l.Dots = append(l.Dots, d)
			path.WriteString("ML"[min(len(known)-1, 1):][:1] + d.X + " " + d.Y)
		}
		if len(known) == 0 {
			continue
		}
		l.Path = path.String()
		c.Lines = append(c.Lines, l)
		first, end := known[0], known[len(known)-1]
		told = append(told, fmt.Sprintf("%s from %.4g in epoch %d to %.4g in epoch %d", run.Name, of(first), first.Epoch, of(end), end.Epoch))
		if staged {
			c.addStages(history, class(i), x)
			for _, s := range stages(history) {
				told[len(told)-1] += fmt.Sprintf(", %s up to epoch %d", s.name, s.end)
			}
		}
	}
	c.Summary = title + ": " + strings.Join(told, "; ")
	return c
}

// A stage of a training is epochs from one up to another, counted from 0.
type stage struct {
	name       string
	first, end int
}

// stages splits a history; in a file that anybody may have written, what comes after
// the first few is one more.
func stages(history []showtell.Epoch) (list []stage) {
	const most = 8
	for k, e := range history {
		name := cmp.Or(e.Stage, "decoder")
		if n := len(list); n == 0 || n < most && list[n-1].name != name {
			list = append(list, stage{name, k, k})
		}
		list[len(list)-1].end = k + 1
	}
	return list
}

// addStages draws where the stages of a training begin, and names them in a lane.
func (c *chart) addStages(history []showtell.Epoch, class string, x axis) {
	const height, gap, letter = 15.0, 3.0, 5.6
	y := chartHeight + gap + float64(len(c.Lanes))*(height+gap)
	l := lane{Class: class, Y: px(y), TextY: px(y + height - 4)}
	for _, s := range stages(history) {
		from, to := max(left, x.at(float64(s.first)+0.5)), min(right, x.at(float64(s.end)+0.5))
		l.Stages = append(l.Stages, span{px(from), px(to - from), px((from + to) / 2), s.name, letter*float64(len(s.name)) < to-from})
		if s.first > 0 {
			c.Marks = append(c.Marks, mark{px(from), "", class})
		}
	}
	c.Lanes = append(c.Lanes, l)
	c.Height = px(y + height + 1)
}

// histograms counts the pictures of each run by their score, times 100, all on
// the same axes.
func histograms(runs []Named, metric string) []chart {
	values := make([][]float64, len(runs))
	most := 1.0
	for i, run := range runs {
		for _, item := range run.Result.Items {
			if v, ok := item.Scores.Of(metric); ok && v >= 0 && v <= 1e6 {
				values[i] = append(values[i], 100*v)
				most = max(most, 100*v)
			}
		}
	}
	const bins = 40
	x := newAxis(0, most, bins, left, right)
	counts := make([][]int, len(runs))
	peak := 1
	for i := range runs {
		counts[i] = make([]int, int(math.Round(x.high/x.step)))
		for _, v := range values[i] {
			k := min(len(counts[i])-1, int(v/x.step))
			counts[i][k]++
			peak = max(peak, counts[i][k])
		}
	}
	y := newAxis(0, float64(max(peak, 5)), 5, bottom, top)
	var charts []chart
	for i, run := range runs {
		if len(values[i]) > 0 {
			c := histogram(run.Name, metric, class(i), values[i], counts[i], x, y)
			if len(runs) > 1 {
				c.Of, c.Class = run.Name, class(i)
			}
			charts = append(charts, c)
		}
	}
	return charts
}

func histogram(name, metric, class string, values []float64, counts []int, x, y axis) chart {
	c := newChart(metric+" of single pictures", metric)
	c.YTicks = y.ticks()
	c.XTicks = axis{0, x.high, newAxis(0, x.high, 6, 0, 0).step, left, right}.ticks()
	for k, n := range counts {
		if n == 0 {
			continue
		}
		low, high := float64(k)*x.step, float64(k+1)*x.step
		c.Bars = append(c.Bars, bar{
			class, px(x.at(low) + 0.5), px(y.at(float64(n))), px(x.at(high) - x.at(low) - 1), px(bottom - y.at(float64(n))),
			fmt.Sprintf("%g to %g: %s", low, high, count(n, "picture")),
		})
	}
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	mean := sum / float64(len(values))
	c.Marks = []mark{{px(x.at(mean)), fmt.Sprintf("mean %.1f", mean), ""}}
	c.Summary = fmt.Sprintf("%s of %s of %s: mean %.1f, highest %.1f", metric, count(len(values), "picture"), name, mean, slices.Max(values))
	return c
}
