package encoder

// Operations is how many floating-point operations the convolutions, or the matrix
// products, take for one picture; a multiply-add is two.
func (n *Network) Operations() int64 {
	if n.vit != nil {
		return n.vitOperations()
	}
	var sum int64
	extents := n.extents()
	for i, l := range n.layers {
		if l.weighted() {
			sum += 2 * int64(extents[i].h*extents[i].w*l.taps()*l.weightShape()[1]*l.out)
		}
	}
	return sum
}
