package text

import (
	"math"
	"math/rand/v2"
	"testing"
)

func dot(a, b []float32) float64 {
	sum := 0.0
	for i := range a {
		sum += float64(a[i]) * float64(b[i])
	}
	return sum
}

// Vectors of 12 numbers that lie in 4 dimensions keep their products in 4, and
// lose the least of them in 3.
func TestProject(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	normal := func(n int) []float32 {
		v := make([]float32, n)
		for i := range v {
			v[i] = float32(rng.NormFloat64())
		}
		return v
	}
	axes := [][]float32{normal(12), normal(12), normal(12), normal(12)}
	vectors := [][]float32{nil}
	for range 40 {
		v := make([]float32, 12)
		for _, axis := range axes {
			x := float32(rng.NormFloat64())
			for i := range v {
				v[i] += x * axis[i]
			}
		}
		vectors = append(vectors, v)
	}
	short := Project(vectors, 4)
	for i := 1; i < len(vectors); i++ {
		for j := 1; j < len(vectors); j++ {
			if got, want := dot(short[i], short[j]), dot(vectors[i], vectors[j]); math.Abs(got-want) > 1e-4*math.Abs(want)+1e-4 {
				t.Fatalf("product of %d and %d is %v in 4 dimensions, %v in 12", i, j, got, want)
			}
		}
	}
	if short[0] != nil || len(short[1]) != 4 {
		t.Errorf("Project gave %v for nil and %d numbers, want nil and 4", short[0], len(short[1]))
	}
	kept := func(vs [][]float32) (sum float64) {
		for _, v := range vs {
			sum += dot(v, v)
		}
		return sum
	}
	first := make([][]float32, len(vectors)) // any other three axes keep less
	for i, v := range vectors {
		if v != nil {
			first[i] = v[:3]
		}
	}
	if a, b, c := kept(first), kept(Project(vectors, 3)), kept(vectors); a >= b || b > c || b < 0.5*c {
		t.Errorf("the squares of 3 principal axes sum to %v of %v, those of the first 3 numbers to %v", b, c, a)
	}
	if same := Project(vectors, 12); &same[1][0] != &vectors[1][0] {
		t.Error("vectors that are short enough were changed")
	}
}
