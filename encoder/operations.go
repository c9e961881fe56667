package encoder

import "showtell/tensor"

// Operations is how many floating-point operations the convolutions take for
// one picture; a multiply-add is two.
func (n *Network) Operations() int64 {
	var sum int64
	h, w := n.recipe.Height, n.recipe.Width
	for _, l := range n.layers {
		h, _, _ = tensor.SamePadding(h, l.kernel, l.stride)
		w, _, _ = tensor.SamePadding(w, l.kernel, l.stride)
		sum += 2 * int64(h*w*l.kernel*l.kernel*l.weightShape()[1]*l.out)
	}
	return sum
}
