package train

import (
	"math"

	"showtell/nn"
	"showtell/tensor"
)

// optimizer is AdamW (Loshchilov and Hutter 2019) with clipped gradients, and
// the moving average of the weights.
type optimizer struct {
	recipe  *Recipe
	params  []*nn.Param // that learn
	rates   []float64   // of each, as a share of the rate; nil: all of it
	m, v    [][]float32
	average [][]float32 // nil without averaging
}

func newOptimizer(r *Recipe, params []*nn.Param, rates []float64) *optimizer {
	o := &optimizer{recipe: r, params: params, rates: rates}
	for _, p := range params {
		o.m = append(o.m, make([]float32, len(p.Data)))
		o.v = append(o.v, make([]float32, len(p.Data)))
		if r.Average > 0 {
			o.average = append(o.average, append([]float32(nil), p.Data...))
		}
	}
	return o
}

// update takes one step, counted from 1, and clears the gradients.
func (o *optimizer) update(step int, rate float64) {
	if o.recipe.Clip > 0 {
		o.clip()
	}
	adam := tensor.AdamW{
		Beta1: float32(o.recipe.Beta1), Beta2: float32(o.recipe.Beta2), Eps: 1e-8, Step: step,
	}
	// The average follows faster at first, or it would remember the random start.
	decay := float32(min(o.recipe.Average, float64(1+step)/float64(10+step)))
	for i, p := range o.params {
		adam.Rate, adam.Decay = float32(rate), 0
		if o.rates != nil {
			adam.Rate = float32(rate * o.rates[i])
		}
		if !p.Bias {
			adam.Decay = float32(o.recipe.Decay)
		}
		adam.Update(p.Data, p.Grad(), o.m[i], o.v[i])
		p.ZeroGrad()
		if o.average != nil {
			tensor.EMA(o.average[i], p.Data, decay)
		}
	}
}

// clip scales all gradients so that their norm is at most Clip.
func (o *optimizer) clip() {
	sums := make([]float64, len(o.params))
	for _, p := range o.params {
		p.Grad() // there may be none yet
	}
	tensor.Parallel(len(o.params), func(i int) { sums[i] = tensor.SumSquares(o.params[i].Grad()) })
	total := 0.0
	for _, s := range sums {
		total += s
	}
	if norm := math.Sqrt(total); norm > o.recipe.Clip {
		s := float32(o.recipe.Clip / norm)
		tensor.Parallel(len(o.params), func(i int) { g := o.params[i].Grad(); tensor.Scale(g, g, s) })
	}
}

// kept is the weights that are measured and saved: the average if there is
// one.
func (o *optimizer) kept(i int) []float32 {
	if o.average != nil {
		return o.average[i]
	}
	return o.params[i].Data
}

// rate is the learning rate at a step, counted from 1.
func (r *Recipe) rate(step, stepsPerEpoch int) float64 {
	if step <= r.WarmUp {
		return r.Rate * float64(step) / float64(r.WarmUp)
	}
	if r.Schedule == "step" {
		return r.Rate * math.Pow(0.5, float64((step-1)/stepsPerEpoch/r.StepEpochs))
	}
	total := r.Epochs * stepsPerEpoch
	x := float64(step-r.WarmUp) / float64(max(1, total-r.WarmUp))
	return r.Rate * (r.FinalRate + (1-r.FinalRate)*(1+math.Cos(math.Pi*min(1, x)))/2)
}
