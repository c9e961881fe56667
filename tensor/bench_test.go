package tensor

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

func BenchmarkMatMul(b *testing.B) {
	r := rand.New(rand.NewPCG(5, 6))
	for _, c := range []struct {
		m, n, k int
		how     string
	}{
		{1000, 320, 320, "AB"}, {1000, 320, 320, "AtB"}, {1000, 320, 320, "ABt"},
		{1000, 640, 320, "AB"}, {1000, 640, 320, "AtB"}, {1000, 640, 320, "ABt"},
		{1000, 2540, 320, "AB"}, {320, 2540, 1000, "AtB"}, {1000, 320, 2540, "ABt"},
		{588, 320, 1280, "AB"}, {60, 2048, 512, "AB"}, {60, 2048, 512, "packed"},
		{1, 2048, 512, "AB"}, {1, 2048, 512, "packed"}, {5, 2048, 512, "packed"}, {8, 2048, 512, "AB"},
		{49, 64, 50, "AB"}, {49, 50, 64, "ABt"}, {50, 64, 49, "AtB"}, {4, 16, 16, "AB"}, {27, 32, 100000, "AtB"},
		{1024, 1024, 1024, "AB"}, {1024, 1024, 1024, "packed"},
	} {
		for _, workers := range []int{1, 2} {
			if workers > 1 && c.m*c.n*c.k < matMulSerial {
				continue
			}
			b.Run(fmt.Sprintf("%dx%dx%d/%s/workers=%d", c.m, c.n, c.k, c.how, workers), func(b *testing.B) {
				withWorkers(b, workers)
				x, y := Mat(random(r, c.m*c.k), c.m, c.k), Mat(random(r, c.k*c.n), c.k, c.n)
				switch c.how {
				case "AtB":
					x = Mat(x.Data, c.k, c.m).T()
				case "ABt":
					y = Mat(y.Data, c.n, c.k).T()
				}
				dst := Mat(make([]float32, c.m*c.n), c.m, c.n)
				p := Pack(y)
				b.ReportAllocs()
				for b.Loop() {
					if c.how == "packed" {
						MatMulPacked(dst, x, p)
					} else {
						MatMul(dst, x, y)
					}
				}
				b.ReportMetric(2*float64(c.m*c.n*c.k)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
			})
		}
	}
}
