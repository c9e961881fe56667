package train

import (
	"math/rand/v2"

	"showtell/encoder"
	"showtell/imageprep"
)

// An eye looks at pictures anew each time, by the part of an encoder that does
// not learn. It is safe for concurrent use.
type eye struct {
	recipe imageprep.Recipe
	vary   imageprep.Variation
	trunk  *encoder.Plan     // nil: pixels are what is learned from
	paths  map[string]string // of the pictures
}

func (e *eye) look(dst []float32, name string, mirror bool, rng *rand.Rand) error {
	img, err := imageprep.ReadFile(e.paths[name], &imageprep.Options{Least: e.vary.Least(e.recipe)})
	if err != nil {
		return err
	}
	var pixels []float32
	if rng == nil {
		pixels = e.recipe.Apply(img)
	} else {
		pixels = e.recipe.Vary(img, e.vary, rng)
	}
	if mirror {
		imageprep.Mirror(pixels, e.recipe.Height, e.recipe.Width, 3)
	}
	if e.trunk == nil {
		copy(dst, pixels)
		return nil
	}
	e.trunk.Run(dst, pixels)
	return nil
}
