package tensor

import (
	"fmt"
	"math/rand/v2"
	"syscall"
	"testing"
	"unsafe"
)

// atEdge copies x to the end of a page behind which nothing may be read or written.
func atEdge(t *testing.T, x []float32) []float32 {
	t.Helper()
	page := syscall.Getpagesize()
	size := (4*len(x) + page - 1) / page * page
	mem, err := syscall.Mmap(-1, 0, size+page, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Munmap(mem) })
	if err := syscall.Mprotect(mem[size:], syscall.PROT_NONE); err != nil {
		t.Fatal(err)
	}
	if len(x) == 0 {
		return x
	}
	edge := unsafe.Slice((*float32)(unsafe.Pointer(&mem[size-4*len(x)])), len(x))
	copy(edge, x)
	return edge
}

// What a kernel reads beyond its operands ends this test with a signal.
func TestVectorKernelsAtTheEdge(t *testing.T) {
	eachRow(t, func(t *testing.T, k *kernels) {
		r := rand.New(rand.NewPCG(1, 2))
		for n := range 40 {
			x, y, z := atEdge(t, random(r, n)), atEdge(t, random(r, n)), atEdge(t, random(r, n))
			for _, c := range vectorCalls() {
				c.run(k, x, y, z)
			}
		}
	})
}

func TestMatMulAtTheEdge(t *testing.T) {
	eachRow(t, func(t *testing.T, k *kernels) {
		r := rand.New(rand.NewPCG(1, 2))
		for m := 1; m <= k.mr+1; m++ {
			for n := 1; n <= k.nr+1; n++ {
				depth := 1 + (m+n)%5
				a, b, dst := atEdge(t, random(r, m*depth)), atEdge(t, random(r, depth*n)), atEdge(t, make([]float32, m*n))
				for _, x := range []Matrix{Mat(a, m, depth), Mat(a, depth, m).T()} {
					for _, y := range []Matrix{Mat(b, depth, n), Mat(b, n, depth).T()} {
						multiply(k, Mat(dst, m, n), x, y, nil, true)
						MatMulPacked(Mat(dst, m, n), x, k.packed(y))
					}
				}
			}
		}
		a, b := atEdge(t, random(r, 200*21)), atEdge(t, random(r, 21*103)) // large enough for panels
		dst := Mat(atEdge(t, make([]float32, 200*103)), 200, 103)
		for _, x := range []Matrix{Mat(a, 200, 21), Mat(a, 21, 200).T()} {
			for _, y := range []Matrix{Mat(b, 21, 103), Mat(b, 103, 21).T()} {
				multiply(k, dst, x, y, nil, false)
			}
		}
	})
}

func TestConvAtTheEdge(t *testing.T) {
	for _, l := range convLevels() {
		t.Run(fmt.Sprint(l), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(1, 2))
			image := func(h, w, c int) Image { return Img(atEdge(t, randoms(rng, h*w*c)), h, w, c) }
			for w := 1; w <= 13; w++ {
				for channels := 1; channels <= 34; channels += 3 {
					s := ConvShape{3, 3, channels, channels, 1 + w%2, Rectify6}
					src, dst := image(4+s.Stride, (w-1)*s.Stride+3, channels), image(2, w, channels)
					newConv(l, s, randoms(rng, 9*channels*channels), nil).Run(dst, src, dst)
					newDepthwise(l, s, randoms(rng, 9*channels), nil).Run(dst, src)
				}
			}
		})
	}
}
