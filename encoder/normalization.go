package encoder

import (
	"fmt"
	"math"
	"path"
	"slices"
	"strings"

	"showtell/modelfile"
)

// Keras's EfficientNet keeps what is done to pixels with its weights, in a layer
// called normalization: pixels from 0 to 1, less a mean, over the square root of a
// variance. As the network was published the "variance" is ImageNet's deviation,
// and a rescaling layer, of which weights tell nothing, divides by its root once
// more.

// A normalization is that layer's weights; nil are ImageNet's.
type normalization struct{ mean, variance []float32 }

// normalizationNames are those of its tensors.
var normalizationNames = [2]string{"normalization.mean", "normalization.variance"}

// readNormalization makes the recipe what the weights say, if the network is of the kind
// and the file has any. It tells what is wrong with them.
func (n *Network) readNormalization(get Getter, prefix string) (faults []string) {
	_, _, ok := get(normalizationNames[0])
	if !n.normalized || !ok {
		return nil
	}
	var values [2][]float32
	for i, name := range normalizationNames {
		data, fault := one(get, prefix, name, []int{3})
		if fault != "" {
			return []string{fault}
		}
		if data == nil { // only names and shapes are asked for
			return nil
		}
		values[i] = data
	}
	n.pixels = &normalization{values[0], values[1]}
	if k := slices.IndexFunc(n.pixels.variance, func(v float32) bool { return v <= 0 }); k >= 0 {
		return []string{fmt.Sprintf("tensor %s%s holds %v", prefix, normalizationNames[1], n.pixels.variance[k])}
	}
	n.recipe.Mean, n.recipe.Std = n.pixels.recipe()
	return nil
}

// recipe is the mean and the deviation for pixels from 0 to 255.
func (z *normalization) recipe() (mean, std [3]float32) {
	published := torch.recipe().Std
	asPublished := true
	for c, v := range z.variance {
		asPublished = asPublished && math.Abs(float64(255*v-published[c])) < 0.01*float64(published[c])
	}
	for c := range 3 {
		mean[c], std[c] = 255*z.mean[c], float32(255*math.Sqrt(float64(z.variance[c])))
	}
	if asPublished {
		std = published
	}
	return mean, std
}

// tensors are the weights under their names.
func (z *normalization) tensors(prefix string) []modelfile.Tensor {
	if z == nil {
		return nil
	}
	return []modelfile.Tensor{
		modelfile.Float32(prefix+normalizationNames[0], []int{3}, z.mean),
		modelfile.Float32(prefix+normalizationNames[1], []int{3}, z.variance),
	}
}

// normalizes tells whether it is that layer.
func (k KerasLayer) normalizes() bool {
	return len(k.Weights) >= 2 && (strings.HasPrefix(k.Name, "normalization") || strings.HasPrefix(path.Base(k.Group), "normalization"))
}

// translateNormalization adds its tensors to found.
func (k KerasLayer) translateNormalization(found map[string]kerasTensor) {
	for i, name := range normalizationNames {
		found[name] = kerasTensor{k.Weights[i].Shape, copied(k.Weights[i].Values)}
	}
}
