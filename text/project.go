package text

import (
	"cmp"
	"math"
	"slices"
)

// Project shortens vectors to dim numbers, such that their products with each
// other change least: it keeps their parts along the dim strongest principal
// axes, not centred (Eckart and Young 1936). Vectors of dim numbers or fewer, and nils,
// come back as they are.
func Project(vectors [][]float32, dim int) [][]float32 {
	d := 0
	for _, v := range vectors {
		d = max(d, len(v))
	}
	if d <= dim {
		return vectors
	}
	gram := make([][]float64, d) // sum of v·vᵀ
	for i := range gram {
		gram[i] = make([]float64, d)
		for _, v := range vectors {
			if i >= len(v) || v[i] == 0 {
				continue
			}
			x := float64(v[i])
			for j, y := range v {
				gram[i][j] += x * float64(y)
			}
		}
	}
	axes := eigenvectors(gram)[:dim]
	out := make([][]float32, len(vectors))
	for k, v := range vectors {
		if v == nil {
			continue
		}
		out[k] = make([]float32, dim)
		for i, axis := range axes {
			sum := 0.0
			for j, x := range v {
				sum += axis[j] * float64(x)
			}
			out[k][i] = float32(sum)
		}
	}
	return out
}

// eigenvectors returns those of a symmetric matrix, which it overwrites, the
// largest eigenvalue first: Jacobi's method (Golub and Van Loan, section 8.5).
func eigenvectors(a [][]float64) [][]float64 {
	n := len(a)
	v := make([][]float64, n) // row i turns into eigenvector i
	total := 0.0
	for i := range v {
		v[i] = make([]float64, n)
		v[i][i] = 1
		for _, x := range a[i] {
			total += x * x
		}
	}
	for range 50 { // sweeps; ten are enough for a thousand numbers
		off := 0.0
		for p := range n {
			for q := p + 1; q < n; q++ {
				off += a[p][q] * a[p][q]
				rotate(a, v, p, q)
			}
		}
		if off <= 1e-20*total {
			break
		}
	}
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(a[j][j], a[i][i]) })
	sorted := make([][]float64, n)
	for i, k := range order {
		sorted[i] = v[k]
	}
	return sorted
}

// rotate makes a[p][q] zero.
func rotate(a, v [][]float64, p, q int) {
	if a[p][q] == 0 {
		return
	}
	tau := (a[q][q] - a[p][p]) / (2 * a[p][q])
	t := 1 / (math.Abs(tau) + math.Hypot(1, tau))
	if tau < 0 {
		t = -t
	}
	c := 1 / math.Hypot(1, t)
	s := t * c
	for k := range a { // rows p and q, of the axes too
		a[p][k], a[q][k] = c*a[p][k]-s*a[q][k], s*a[p][k]+c*a[q][k]
		v[p][k], v[q][k] = c*v[p][k]-s*v[q][k], s*v[p][k]+c*v[q][k]
	}
	for k := range a {
		a[k][p], a[k][q] = c*a[k][p]-s*a[k][q], s*a[k][p]+c*a[k][q]
	}
}
