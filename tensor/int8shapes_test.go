package tensor

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

func BenchmarkResNet8(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 8))
	for _, c := range []struct {
		side, k, stride, in, out, times int
		res                             bool
	}{
		{112, 7, 2, 3, 64, 1, false},
		{56, 1, 1, 64, 64, 1, false}, {56, 1, 1, 64, 256, 1, false}, {56, 1, 1, 64, 256, 3, true}, {56, 1, 1, 256, 64, 2, false}, {56, 3, 1, 64, 64, 3, false},
		{56, 1, 1, 256, 128, 1, false}, {28, 3, 2, 128, 128, 1, false}, {28, 1, 2, 256, 512, 1, false}, {28, 1, 1, 128, 512, 4, true}, {28, 1, 1, 512, 128, 3, false}, {28, 3, 1, 128, 128, 3, false},
		{28, 1, 1, 512, 256, 1, false}, {14, 3, 2, 256, 256, 1, false}, {14, 1, 2, 512, 1024, 1, false}, {14, 1, 1, 256, 1024, 6, true}, {14, 1, 1, 1024, 256, 5, false}, {14, 3, 1, 256, 256, 5, false},
		{14, 1, 1, 1024, 512, 1, false}, {7, 3, 2, 512, 512, 1, false}, {7, 1, 2, 1024, 2048, 1, false}, {7, 1, 1, 512, 2048, 3, true}, {7, 1, 1, 2048, 512, 2, false}, {7, 3, 1, 512, 512, 2, false},
	} {
		s := ConvShape{KH: c.k, KW: c.k, In: c.in, Out: c.out, Stride: c.stride}
		work := c.k * c.k * c.in * c.out
		conv := NewConv8(s, weights8(rng, work, c.k*c.k*c.in, c.out))
		src := image8(rng, (c.side-1)*c.stride+c.k, (c.side-1)*c.stride+c.k, c.in)
		src.Stride = src.W * src.C
		dst := image8(rng, c.side, c.side, c.out)
		dst.Stride = dst.W * dst.C
		var res Image8
		if c.res {
			res = dst
		}
		b.Run(fmt.Sprintf("%dx%dx%d-%d,%d/%dx%d", c.side, c.side, c.in, c.out, c.k, c.stride, c.times), func(b *testing.B) {
			for b.Loop() {
				conv.Run(dst, src, res, 0.5)
			}
			b.ReportMetric(2*float64(c.side*c.side*work*b.N)/float64(b.Elapsed().Nanoseconds()), "GOP/s")
		})
	}
}
